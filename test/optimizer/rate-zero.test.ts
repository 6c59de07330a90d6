/** At a rate of 0 nothing moves, whatever the tuner; and afterwards all goes on. */
import "@tensorflow/tfjs-backend-cpu";
import { tensor1d, variable } from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  adam,
  algorithm1,
  cosineDecay,
  createOptimizer,
  equations,
  lion,
  mechanic,
  mechanize,
  scheduleFree,
  sgd,
  superlevel,
} from "../../src/index.js";
import type { OptimizerOptions } from "../../src/index.js";
import { superlevelOptimizer } from "../../src/adapters/tfjs/index.js";
import { engines } from "../support/engines.js";

const tuners: [string, OptimizerOptions["tuner"]][] = [
  ["superlevel", superlevel()],
  ["superlevel without anchors", superlevel({ anchor: null })],
  ["coordinates", superlevel({ granularity: "parameter" })],
  ["tensors, Δ reconstructed", superlevel({ granularity: "tensor", delta: "reconstructed" })],
  ["mechanic", mechanic({ sInit: 1e-3 })],
  ["mechanize", mechanize({ sInit: 1e-3 })],
  ["equations", equations({ delta: "stored", sInit: 1e-3 })],
  ["algorithm1", algorithm1({ sInit: 1e-3 })],
  ["none", null],
];

describe.each(engines)("%s engine", (engine) => {
  describe.each(tuners)("%s", (_name, tuner) => {
    test.each(["auto", "exact", "noisy"] as const)("with %s gradients", (gradients) => {
      for (const base of [adam, sgd, lion]) {
        let rate = 1;
        const learningRate = () => 0.05 * rate;
        const optimizer = createOptimizer([2, -3, 1], {
          engine,
          gradients,
          tuner,
          base: base({ learningRate }),
        });
        const step = (k: number) =>
          optimizer.step(optimizer.params.map((x, i) => (i + 1) * x + Math.sin(9 * k + i)));
        for (let k = 0; k < 30; k++) step(k);
        rate = 0;
        const still = optimizer.params.slice();
        for (let k = 30; k < 130; k++) expect(step(k)).toMatchObject({ learningRate: 0, skipped: false });
        expect(optimizer.params).toEqual(still);
        expect(optimizer.learningRate).toBe(0);
        expect(optimizer.restore(optimizer.save()).iterations).toBe(130);
        rate = 1;
        for (let k = 130; k < 140; k++) step(k);
        expect(optimizer.params).not.toEqual(still);
      }
    });
  });

  test("from the first step on", () => {
    const base = scheduleFree(adam({ learningRate: (step) => (step < 5 ? 0 : 1) }));
    const optimizer = createOptimizer([2, -3, 1], { engine, base });
    for (let k = 1; k < 5; k++) optimizer.step([1, k, -1]);
    expect(Array.from(optimizer.params)).toEqual([2, -3, 1]);
    for (let k = 1; k < 5; k++) optimizer.step([1, k, -1]);
    expect(optimizer.params[0]).toBeLessThan(2);
  });

  test("after a cosine has ended, the loss stays where it was", () => {
    for (const tuner of [superlevel({ anchor: null }), mechanic()]) {
      const base = adam({ learningRate: cosineDecay({ initial: 1, steps: 200 }) });
      const optimizer = createOptimizer([2, -3, 1], { engine, base, tuner });
      for (let k = 0; k < 1000; k++) {
        optimizer.step(optimizer.params.map((x, i) => (i + 1) * x + Math.sin(9 * k + i)));
        if (k === 200) optimizer.params.slice().forEach((x, i) => (kept[i] = x));
      }
      expect(Array.from(optimizer.params)).toEqual(kept);
    }
  });
  const kept: number[] = [];
});

test("in tfjs, too", () => {
  const optimizer = superlevelOptimizer({ gradients: "noisy" });
  const x = variable(tensor1d([2, -3, 1]));
  const step = (k: number) =>
    optimizer.applyGradients({ [x.name]: tensor1d([1, 2, 3].map((i) => Math.sin(9 * k + i))) });
  for (let k = 0; k < 20; k++) step(k);
  optimizer.setLearningRate(0);
  const still = x.dataSync().slice();
  for (let k = 20; k < 60; k++) step(k);
  expect(x.dataSync()).toEqual(still);
});
