// The page of `npm run bench -- leaks`: trains a small network, and counts what is held on the way.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { superlevelOptimizer } from "superlevel/tfjs";

const asked = new URLSearchParams(location.search);
const steps = Number(asked.get("steps"));
setWasmPaths("/");
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
await tf.setBackend(asked.get("backend"));
await tf.ready();

const weights = [tf.variable(tf.randomNormal([4, 8], 0, 0.5)), tf.variable(tf.randomNormal([8, 1], 0, 0.5))];
const inputs = tf.randomNormal([16, 4]);
const targets = tf.sum(inputs, 1, true);
const loss = () => {
  const outputs = tf.matMul(tf.tanh(tf.matMul(inputs, weights[0])), weights[1]);
  return tf.losses.meanSquaredError(targets, outputs);
};
const optimizer = superlevelOptimizer();

function held() {
  globalThis.gc?.();
  const { numTensors, numDataBuffers, numBytes, numBytesInGPU = null } = tf.memory();
  return { numTensors, numDataBuffers, numBytes, numBytesInGPU, heap: performance.memory.usedJSHeapSize };
}

const counts = [];
for (let step = 1; step <= steps; step++) {
  optimizer.minimize(loss);
  // Reading now and then keeps the page from queueing more than the device has done.
  if (step % 20 === 0) await weights[0].data();
  if (step === Math.ceil(steps / 10) || step === steps) counts.push(held());
}
const after = (await loss().data())[0];
console.log(JSON.stringify({ counts, loss: after, iterations: optimizer.iterations }));
