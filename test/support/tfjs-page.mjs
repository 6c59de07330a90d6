// A page that trains on the backend that its address asks for.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgl";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { superlevelOptimizer } from "superlevel/tfjs";
import { network, reloaded, sums } from "./tfjs-network.mjs";

setWasmPaths("/");
await tf.setBackend(location.search.slice(1));
const model = network(superlevelOptimizer());
const { x, y } = sums(32);

const first = await model.trainOnBatch(x, y);
// It takes a few steps until all that is heard of gradients has arrived.
for (let step = 0; step < 10; step++) await model.trainOnBatch(x, y);
const { numTensors } = tf.memory();
for (let step = 0; step < 140; step++) await model.trainOnBatch(x, y);
const leaked = tf.memory().numTensors - numTensors;

const loaded = await reloaded(model);
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
