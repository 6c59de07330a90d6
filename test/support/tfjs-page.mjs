// A page that trains on the backend that its address asks for.
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-webgl";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { superlevelOptimizer } from "superlevel/tfjs";

setWasmPaths("/");
await tf.setBackend(location.search.slice(1));
const model = layers.sequential();
const seeded = (seed) => layers.initializers.glorotNormal({ seed });
model.add(
  layers.layers.dense({ units: 8, inputShape: [4], activation: "tanh", kernelInitializer: seeded(1) }),
);
model.add(layers.layers.dense({ units: 1, kernelInitializer: seeded(2) }));
model.compile({ optimizer: superlevelOptimizer(), loss: "meanSquaredError" });
const x = tf.randomNormal([32, 4], 0, 1, "float32", 3);
const y = tf.sum(x, 1, true);

const first = await model.trainOnBatch(x, y);
// It takes a few steps until all that is heard of gradients has arrived.
for (let step = 0; step < 10; step++) await model.trainOnBatch(x, y);
const { numTensors } = tf.memory();
for (let step = 0; step < 140; step++) await model.trainOnBatch(x, y);
const leaked = tf.memory().numTensors - numTensors;

let artifacts;
const keep = (saved) => {
  artifacts = saved;
  return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
};
await model.save({ save: keep }, { includeOptimizer: true });
const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
const [here, there] = [await model.trainOnBatch(x, y), await loaded.trainOnBatch(x, y)];
const further = [await model.trainOnBatch(x, y), await loaded.trainOnBatch(x, y)];

const { grads, value } = tf.variableGrads(() => tf.losses.meanSquaredError(y, model.predict(x)));
await model.optimizer.applyGradientsAsync(
  Object.fromEntries(model.trainableWeights.map(({ val: { name } }) => [name, grads[name]])),
);
tf.dispose([grads, value]);
const { iterations, copies } = model.optimizer;

// The average, of a run whose gradients are noisy, is in the variables for a while.
const noisy = superlevelOptimizer({ gradients: "noisy" });
const point = tf.variable(tf.tensor1d([3, -2]));
for (let step = 0; step < 20; step++) noisy.minimize(() => tf.sum(tf.square(point)), false, [point]);
const show = async () => Array.from(await point.data());
const around = [await show(), await noisy.withAverage(show), await show()];
const averages = around[1].join() !== around[0].join() && around[2].join() === around[0].join();

const run = { backend: tf.getBackend(), isolated: crossOriginIsolated, copies, leaked, iterations, averages };
console.log(JSON.stringify({ ...run, first, here, there, further }));
