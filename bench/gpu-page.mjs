// The page of `npm run bench -- gpu`: steps on the backend and sizes that its address asks for.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { superlevelOptimizer } from "superlevel/tfjs";

const asked = new URLSearchParams(location.search);
await tf.setBackend(asked.get("backend"));
await tf.ready();

/** A network's worth of variables: a large one, a middling one and eight small ones. */
const shapesOf = (size) => [
  [Math.floor(size * 0.9)],
  [Math.floor(size * 0.1)],
  ...Array.from({ length: 8 }, () => [16]),
];

function contender(name, size, optimizer) {
  const variables = shapesOf(size).map((shape) => tf.variable(tf.randomNormal(shape)));
  const gradients = Object.fromEntries(variables.map(({ name, shape }) => [name, tf.randomNormal(shape)]));
  let turn = 0;
  const step = () =>
    tf.tidy(() => {
      // As a backward pass would, this leaves them on the device.
      const sign = turn++ % 2 ? 1 : -1;
      optimizer.applyGradients(
        Object.fromEntries(Object.entries(gradients).map(([name, one]) => [name, tf.mul(one, sign)])),
      );
    });
  // Reading the last variable waits for all that was asked for.
  return { name, step, settle: () => variables.at(-1).data(), times: [] };
}

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))];

const results = [];
for (const size of asked.get("sizes").split(",").map(Number)) {
  const contenders = [
    contender("tf.train.adam", size, tf.train.adam(1e-3)),
    contender("superlevel", size, superlevelOptimizer()),
    ...(tf.getBackend() === "webgl"
      ? [contender("superlevel, engine wasm", size, superlevelOptimizer({ engine: "wasm" }))]
      : []),
  ];
  const steps = size > 1e5 ? 3 : 10;
  for (let round = -3; round < Number(asked.get("rounds")); round++) {
    for (const { step, settle, times } of contenders) {
      const begin = performance.now();
      for (let k = 0; k < steps; k++) step();
      await settle();
      // The first rounds warm up.
      if (round >= 0) times.push((performance.now() - begin) / steps);
    }
  }
  const [{ times: base }] = contenders;
  for (const { name, times } of contenders) {
    const ratios = times.map((time, k) => time / base[k]);
    const [low, mid, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q));
    results.push({ size, name, ms: quantile(times, 0.5), ratio: mid, low, high });
  }
}
console.log(JSON.stringify(results));
