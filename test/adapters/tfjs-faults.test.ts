/** Calls of TensorFlow.js that fail in the middle of a step: variables and state go on together, and nothing is lost. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { afterEach, describe, expect, test, vi } from "vitest";

import { superlevelOptimizer, type SuperlevelOptimizer } from "../../src/adapters/tfjs/index.js";

afterEach(() => {
  vi.restoreAllMocks();
  tf.disposeVariables();
});

const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());
const sizes = [3, 40, 1];

const makeVariables = () =>
  sizes.map((size, k) =>
    tf.variable(tf.tensor1d(Array.from({ length: size }, (_, i) => 2 + Math.sin(i + k)))),
  );

/** The gradient of a bowl, with the step's own noise, taken where the variables are. */
function step(optimizer: SuperlevelOptimizer, variables: readonly tf.Variable[], t: number): void {
  const gradients = variables.map((x) =>
    tf.tensor1d(numbers(x).map((value, i) => value + Math.sin(5 * i + t))),
  );
  const byName = Object.fromEntries(variables.map(({ name }, k) => [name, gradients[k]]));
  try {
    optimizer.applyGradients(byName);
  } finally {
    tf.dispose(gradients);
  }
}

/** A second optimizer with variables of its own, made from what the first one's user would have saved. */
async function resumed(optimizer: SuperlevelOptimizer, variables: readonly tf.Variable[]) {
  const weights = (await optimizer.getWeights()).map(({ name, tensor }) => ({
    name,
    tensor: tensor.clone(),
  }));
  const second = superlevelOptimizer({ gradients: "noisy" });
  await second.setWeights(weights);
  tf.dispose(weights.map(({ tensor }) => tensor));
  return { second, copies: variables.map((x) => tf.variable(x.clone())) };
}

const fail = (): never => {
  throw new Error("out of memory");
};

/** Lets the n-th call from here on fail, and no other. */
function failAt<T extends object>(target: T, method: keyof T & string, n: number): () => boolean {
  const real = target[method] as (...args: unknown[]) => unknown;
  let calls = 0;
  const spy = vi.spyOn(target as Record<string, () => unknown>, method);
  spy.mockImplementation(function (this: unknown, ...args: unknown[]) {
    return ++calls === n ? fail() : real.apply(this, args);
  });
  return () => calls >= n;
}

type Place = [what: string, backend: string, arm: (n: number) => () => boolean];
const places: Place[] = [
  ["assign", "cpu", (n) => failAt(tf.Variable.prototype, "assign", n)],
  ["write", "cpu", (n) => failAt(tf.backend(), "write", n)],
  ["assign", "wasm", (n) => failAt(tf.Variable.prototype, "assign", n)],
  ["write", "wasm", (n) => failAt(tf.backend(), "write", n)],
  ["runKernel", "wasm", (n) => failAt(tf.engine(), "runKernel", n)],
];

describe.each(places)("%s on %s, failing once", (_what, backend, arm) => {
  test("at every call: the run goes on as one that was resumed from there", async () => {
    await tf.setBackend(backend);
    let failed = 0;
    for (let n = 1; n <= 30; n++) {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer({ gradients: "noisy" });
      for (let t = 1; t <= 3; t++) step(optimizer, variables, t);
      // Somebody else writes to one, and shares another's data, so that every way is taken.
      variables[0].assign(tf.tensor1d([1, 2, 3]));
      const shared = variables[1].clone();
      const fired = arm(n);
      let error: unknown;
      for (let t = 4; t <= 5 && !error; t++) {
        try {
          step(optimizer, variables, t);
        } catch (thrown) {
          error = thrown;
        }
      }
      const hasFired = fired();
      vi.restoreAllMocks();
      if (hasFired) failed++;
      const { second, copies } = await resumed(optimizer, variables);
      for (let t = 6; t <= 8; t++) {
        step(optimizer, variables, t);
        step(second, copies, t);
      }
      expect(copies.map(numbers)).toEqual(variables.map(numbers));
      expect(variables.flatMap(numbers).every(Number.isFinite)).toBe(true);
      tf.dispose([shared, ...variables, ...copies]);
      optimizer.dispose();
      second.dispose();
      if (!hasFired) break;
    }
    expect(failed).toBeGreaterThan(0);
  });
});

test("a change of backends that fails leaves the optimizer with its state", async () => {
  await tf.setBackend("wasm");
  const variables = makeVariables();
  const optimizer = superlevelOptimizer({ gradients: "noisy" });
  for (let t = 1; t <= 3; t++) step(optimizer, variables, t);
  const again = await resumed(optimizer, variables);
  await tf.setBackend("cpu");
  // The values of a variable cannot be had.
  const spy = vi.spyOn(tf.backend(), "readSync").mockImplementation(fail);
  const zeros = sizes.map((size) => tf.zeros([size]));
  const byName = Object.fromEntries(variables.map(({ name }, k) => [name, zeros[k]]));
  expect(() => optimizer.applyGradients(byName)).toThrow(/could not read|out of memory/);
  spy.mockRestore();
  expect(optimizer.iterations).toBe(3);
  for (let t = 4; t <= 6; t++) {
    step(optimizer, variables, t);
    step(again.second, again.copies, t);
  }
  expect(variables.map(numbers)).toEqual(again.copies.map(numbers));
});

test("the average is put back for every variable, also where that fails for one", async () => {
  await tf.setBackend("cpu");
  const variables = makeVariables();
  const optimizer = superlevelOptimizer({ gradients: "noisy" });
  for (let t = 1; t <= 5; t++) step(optimizer, variables, t);
  const before = variables.map(numbers);
  const kept = tf.memory().numTensors;
  // Three are lent the average; of the three that are put back, the first fails.
  failAt(tf.Variable.prototype, "assign", 4);
  await expect(optimizer.withAverage(() => undefined)).rejects.toThrow("out of memory");
  vi.restoreAllMocks();
  expect(variables.slice(1).map(numbers)).toEqual(before.slice(1));
  expect(tf.memory().numTensors).toBe(kept);
});

test("a loss that is NaN beside finite gradients is not stepped at", async () => {
  await tf.setBackend("cpu");
  const x = tf.variable(tf.tensor1d([1, 2]));
  const optimizer = superlevelOptimizer();
  const loss = () => tf.add<tf.Scalar>(tf.sum(tf.square(x)), tf.scalar(NaN));
  expect(() => optimizer.minimize(loss)).toThrow("step 1: the loss is NaN");
  expect(numbers(x)).toEqual([1, 2]);
  expect(optimizer.iterations).toBe(0);
});
