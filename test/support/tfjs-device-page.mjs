// A page that trains on a GPU's backend, and says how that went beside the package's own engine.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { adamw, createOptimizer, sgd } from "superlevel";
import { superlevelOptimizer } from "superlevel/tfjs";
import { network, reloaded, sums } from "./tfjs-network.mjs";

await tf.setBackend(location.search.slice(1));
await tf.ready();

// On webgl every way of reading at once ends in the backend. On webgpu numbers that are on the host yet are read there.
const [place, name] =
  tf.getBackend() === "webgl" ? [tf.backend(), "readSync"] : [tf.Tensor.prototype, "dataSync"];
const readNow = place[name];
let reads = 0;
place[name] = function (...given) {
  reads++;
  return readNow.apply(this, given);
};

const CURVES = Array.from({ length: 700 }, (_, i) => 0.1 + (i % 7));
const START = CURVES.map((_, i) => 3 * Math.sin(78.233 * i));
const SPLIT = 300;
const noiseAt = (step) => CURVES.map((_, i) => Math.sin(12.9898 * step + 78.233 * i));
const apart = (a, b) => Math.hypot(...a.map((value, i) => value - b[i])) / Math.hypot(...b);

/** Steps against ½ Σ k (x − 1)² and noise, on the device and by the engine. */
async function beside(options, noise, steps) {
  const variables = [
    tf.variable(tf.tensor1d(START.slice(0, SPLIT))),
    tf.variable(tf.tensor2d(START.slice(SPLIT), [20, 20])),
  ];
  const curves = [tf.tensor1d(CURVES.slice(0, SPLIT)), tf.tensor2d(CURVES.slice(SPLIT), [20, 20])];
  const optimizer = superlevelOptimizer(options);
  const core = createOptimizer(START, options);
  const loss = (x) => CURVES.reduce((sum, k, i) => sum + (k * (x[i] - 1) ** 2) / 2, 0);
  const [values, before] = [[], reads];
  let held;
  for (let step = 1; step <= steps; step++) {
    const shift = noiseAt(step).map((value) => noise * value);
    const shifts = [tf.tensor1d(shift.slice(0, SPLIT)), tf.tensor2d(shift.slice(SPLIT), [20, 20])];
    const cost = () =>
      tf.addN(variables.map((x, k) => tf.sum(tf.mul(0.5, tf.mul(curves[k], tf.square(tf.sub(x, 1)))))));
    const { value, grads } = optimizer.computeGradients(cost, variables);
    const noisy = Object.fromEntries(variables.map(({ name }, k) => [name, tf.add(grads[name], shifts[k])]));
    optimizer.applyGradients(noisy, { loss: value });
    tf.dispose([grads, noisy, shifts, value]);
    const x = Array.from(core.params);
    core.step(
      CURVES.map((k, i) => k * (x[i] - 1) + shift[i]),
      { loss: loss(x) },
    );
    // What is heard of a step arrives between two of them; the device may be far behind.
    if (step % 5 === 0) await variables[0].data();
    if (step === steps - 20) held = tf.memory().numTensors;
  }
  values.push(reads - before, tf.memory().numTensors - held <= 1);
  const point = (await Promise.all(variables.map((one) => one.data()))).flatMap((part) => Array.from(part));
  const { gradients, copies } = optimizer;
  const again = superlevelOptimizer(options);
  await again.setWeights(await optimizer.getWeights());
  const resumed = again.iterations;
  const bits = await goOn([optimizer, again], variables);
  optimizer.dispose();
  tf.dispose([variables, curves]);
  return {
    error: apart(point, core.params),
    reads: values[0],
    steady: values[1],
    gradients,
    copies,
    resumed,
    bits,
  };
}

/** Both take the same steps from the same point: do they lead to the same bits? */
async function goOn(optimizers, variables) {
  const start = variables.map((one) => one.clone());
  const ends = [];
  for (const optimizer of optimizers) {
    variables.forEach((one, k) => one.assign(start[k]));
    for (let step = 0; step < 6; step++) {
      const gradients = Object.fromEntries(
        variables.map((one) => [one.name, tf.add(tf.mul(0.5, one), Math.sin(step))]),
      );
      await optimizer.applyGradientsAsync(gradients);
      tf.dispose(gradients);
    }
    const numbers = await Promise.all(variables.map((one) => one.data()));
    ends.push(numbers.map((part) => Array.from(part).join()).join());
  }
  tf.dispose(start);
  return ends[0] === ends[1];
}

/** A model that is fitted, saved in the middle, and goes on. */
async function fitted() {
  const model = network(superlevelOptimizer());
  const { x, y } = sums(64);
  const settings = { epochs: 4, batchSize: 16, shuffle: false };
  const { history } = await model.fit(x, y, settings);
  const loaded = await reloaded(model);
  const further = [];
  for (const one of [model, loaded]) further.push((await one.fit(x, y, settings)).history.loss);
  // Some kernels add up in an order of their own, so losses agree to rounding alone.
  const goesOn = further[0].every((loss, k) => Math.abs(loss - further[1][k]) < 1e-3 * loss);
  return { first: history.loss[0], last: further[0].at(-1), goesOn, iterations: model.optimizer.iterations };
}

/** A gradient that is not finite changes nothing, and the next step tells of it. */
async function spoilt() {
  const x = tf.variable(tf.tensor1d([3, -2]));
  const optimizer = superlevelOptimizer();
  const step = (value) => {
    const tensor = tf.tensor1d(value);
    optimizer.applyGradients({ [x.name]: tensor });
    tensor.dispose();
  };
  for (let k = 0; k < 5; k++) step([1, 2]);
  const before = Array.from(await x.data());
  step([NaN, 1]);
  const same = before.join() === Array.from(await x.data()).join();
  let told = "";
  for (let k = 0; k < 20 && !told; k++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    try {
      step([1, 2]);
    } catch (error) {
      told = `${error.code} ${error.message}`;
    }
  }
  return { same, told };
}

const runs = {
  exact: await beside({}, 0, 60),
  noisy: await beside({}, 30, 200),
  adamw: await beside({ base: adamw({ weightDecay: 0.1 }), gradients: "noisy" }, 30, 200),
  alone: await beside({ base: sgd({ learningRate: 0.05, momentum: 0.9 }), tuner: null }, 0, 200),
};
console.log(
  JSON.stringify({ backend: tf.getBackend(), runs, fitted: await fitted(), spoilt: await spoilt() }),
);
