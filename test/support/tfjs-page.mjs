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
const { numTensors } = tf.memory();
for (let step = 0; step < 150; step++) await model.trainOnBatch(x, y);
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
const run = { backend: tf.getBackend(), isolated: crossOriginIsolated, copies, leaked, iterations };
console.log(JSON.stringify({ ...run, first, here, there, further }));
