/** A callback for model.fit: what it follows, what it names, and what it logs. */
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, expect, test } from "vitest";

import { lyapunovMonitor } from "../../src/stability/index.js";
import { monitorCallback, superlevelOptimizer } from "../../src/adapters/tfjs/index.js";

beforeAll(() => tf.setBackend("cpu"));

function problem() {
  const values = Array.from({ length: 64 }, (_, k) => k / 32 - 1);
  const x = tf.tensor2d(values, [64, 1]);
  const y = tf.tensor2d(
    values.map((value) => 2 * value + 1),
    [64, 1],
  );
  const model = sequential({ layers: [layers.dense({ units: 1, inputShape: [1] })] });
  return { x, y, model };
}

test("follows each batch of model.fit, and the steps of its optimizer", async () => {
  const { x, y, model } = problem();
  model.compile({ optimizer: superlevelOptimizer(), loss: "meanSquaredError" });
  const logged: [Record<string, number | string>, number][] = [];
  const target = {
    log: (values: Record<string, number | string>, { step }: { step: number }) => logged.push([values, step]),
  };
  const callback = monitorCallback({ model, target, every: 4 });
  const { history } = await model.fit(x, y, { epochs: 5, batchSize: 16, verbose: 0, callbacks: callback });
  expect(callback.summary()).toMatchObject({ steps: 20, objective: "batch", verdict: "healthy" });
  expect(logged.map(([, step]) => step)).toEqual([1, 4, 8, 12, 16, 20]);
  const [last] = logged.at(-1);
  expect(Object.keys(last).sort()).toEqual([
    "grad_norm",
    "learning_rate",
    "loss",
    "superlevel/scale",
    "update_ratio",
  ]);
  expect(last["superlevel/scale"]).toBe(
    (model.optimizer as ReturnType<typeof superlevelOptimizer>).lastStep!.scale,
  );
  expect(Number.isFinite(last.loss)).toBe(true);
  expect(history.loss).toHaveLength(5);
});

test("logs how far a step moves the weights, of any optimizer, and leaves no tensor behind", async () => {
  const { x, y, model } = problem();
  for (const optimizer of [superlevelOptimizer(), tf.train.sgd(0.05)]) {
    model.compile({ optimizer, loss: "meanSquaredError" });
    const points: number[][] = [];
    const note = () => void points.push(model.trainableWeights.flatMap((w) => [...w.read().dataSync()]));
    const ratios: unknown[] = [];
    const target = { log: (values: Record<string, unknown>) => ratios.push(values.update_ratio) };
    const callback = monitorCallback({ model, target, every: 3 });
    const run = { epochs: 1, batchSize: 16, shuffle: false, verbose: 0 as const };
    await model.fit(x, y, { ...run, callbacks: [callback, { onBatchBegin: note, onBatchEnd: note }] });
    const { numTensors } = tf.memory();
    const expected = [0, 2].map((k) => {
      const [before, after] = [points[2 * k], points[2 * k + 1]];
      return Math.hypot(...after.map((value, i) => value - before[i])) / Math.hypot(...before);
    });
    expect(ratios).toHaveLength(2);
    ratios.forEach((ratio, k) => expect(ratio).toBeCloseTo(expected[k], 5));
    await model.fit(x, y, { ...run, callbacks: callback });
    expect(tf.memory().numTensors).toBe(numTensors);
  }
});

test("names a rate that is far too high, of any optimizer, and each finding once", async () => {
  const { x, y, model } = problem();
  model.compile({ optimizer: tf.train.sgd(5), loss: "meanSquaredError" });
  const found: string[] = [];
  const callback = monitorCallback({ onFinding: ({ code }) => found.push(code), every: 1 });
  await model.fit(x, y, { epochs: 20, batchSize: 16, verbose: 0, callbacks: callback });
  expect(callback.summary().verdict).not.toBe("healthy");
  expect(found.length).toBeGreaterThan(0);
  expect(new Set(found).size).toBe(found.length);
});

test("takes a monitor of one's own, and says what is wrong with options", () => {
  const monitor = lyapunovMonitor({ objective: "batch" });
  const callback = monitorCallback({ monitor });
  void callback.onBatchEnd(0, { loss: 1 });
  expect(callback.monitor).toBe(monitor);
  expect(monitor.summary().loss.first).toBe(1);
  expect(() => monitorCallback({ every: 0 })).toThrow("monitorCallback.every");
  expect(() => monitorCallback({ target: {} as never })).toThrow("monitorCallback.target.log");
  expect(() => monitorCallback({ models: 1 } as never)).toThrow('unknown option "models"');
});
