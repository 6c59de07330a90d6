/** A point that is moved a little from outside at every step: training goes on. */
import { describe, expect, test } from "vitest";
import { createOptimizer, mechanic, superlevel } from "../../src/index.js";
import type { OptimizerOptions } from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { mustMatch } from "../support/state.js";

const optionSets: [string, OptimizerOptions][] = [
  ["undecided at first", {}],
  ["exact", { gradients: "exact" }],
  ["noisy", { gradients: "noisy" }],
  ["Δ reconstructed", { gradients: "exact", tuner: superlevel({ delta: "reconstructed" }) }],
  ["each coordinate", { tuner: superlevel({ granularity: "parameter" }) }],
  ["each tensor", { tuner: superlevel({ granularity: "tensor" }) }],
  ["mechanic", { tuner: mechanic({ sInit: 1e-4 }) }],
];

describe.each(engines)("%s engine", (engine) => {
  describe.each(optionSets)("%s", (_name, options) => {
    const create = () => createOptimizer([2, -3, 1], { engine, ...options });
    const loss = (x: Float32Array) => 0.5 * x.reduce((sum, value, i) => sum + (i + 1) * (value - 1) ** 2, 0);
    const gradient = (x: Float32Array) => x.map((value, i) => (i + 1) * (value - 1));

    test("to where it is", () => {
      const [optimizer, other] = [create(), create()];
      for (let k = 0; k < 1000; k++) {
        optimizer.setParams(optimizer.params.slice());
        for (const each of [optimizer, other]) each.step(gradient(each.params));
      }
      mustMatch(optimizer, other);
    });

    test("by weight decay by hand", () => {
      const optimizer = create();
      for (let k = 0; k < 3000; k++) {
        optimizer.setParams(optimizer.params.map((x) => x * (1 - 1e-4)));
        optimizer.step(gradient(optimizer.params));
      }
      expect(loss(optimizer.params)).toBeLessThan(0.02);
    });

    test("by another optimizer", () => {
      const pair = [create(), create()];
      // Told of noise that there is not, they swing about the minimum later on.
      const steps = options.gradients === "noisy" ? 1000 : 3000;
      for (let k = 0; k < steps; k++) {
        const [one, two] = k % 2 ? pair : [pair[1], pair[0]];
        one.step(gradient(one.params));
        two.setParams(one.params);
      }
      expect(loss(pair[0].params)).toBeLessThan(0.05);
    });
  });

  test("a move far away makes the point the reference", () => {
    const [moved, fresh] = [1, 2].map(() => createOptimizer([2, -3, 1], { engine, gradients: "exact" }));
    for (let k = 0; k < 3; k++) moved.step([1, 1, 1]);
    moved.setParams([20, -30, 10]);
    // h = 0, as Δ is.
    expect(moved.step([1, 2, 3]).h).toBe(fresh.step([1, 2, 3]).h);
    expect(errorOf(() => moved.setParams([NaN, 0, 0]))).toBeInstanceOf(RangeError);
  });
});
