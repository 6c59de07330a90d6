/** Plain mistakes in a source are named, and what only looks like one is not. */
import { describe, expect, test } from "vitest";

import { createOptimizer, type GradientSource, type Optimizer } from "../../src/index.js";
import { engines } from "../support/engines.js";

const square = (x: Float32Array) => 0.5 * x.reduce((sum, value) => sum + value * value, 0);
const unwritten: GradientSource = (x) => square(x);

describe.each(engines)("%s engine: a source that writes no gradient", (engine) => {
  test.each([
    { steps: 10 },
    { gradientTolerance: 1e-3 },
    { lossTolerance: 1e-3 },
    { steps: 5, deterministic: true },
  ])("is named: %o", (run) => {
    const optimizer = createOptimizer([3, -4], { engine });
    const { gradients } = optimizer;
    expect(() => optimizer.minimize(unwritten, run)).toThrow(
      new TypeError(
        "source: its gradient is 0 at the start, yet its loss falls nearby; it has to write the gradient to its second argument, every coordinate of it",
      ),
    );
    expect(Array.from(optimizer.params)).toEqual([3, -4]);
    expect(optimizer.iterations).toBe(0);
    expect(optimizer.gradients).toBe(gradients);
  });

  test("also where it takes its time", async () => {
    const later = (x: Float32Array) => Promise.resolve(square(x));
    await expect(createOptimizer([1], { engine }).minimizeAsync(later, { steps: 3 })).rejects.toThrow(
      TypeError,
    );
  });
});

describe("a gradient that is 0 for a reason is none", () => {
  const cases: [what: string, start: number[], source: GradientSource][] = [
    ["at a minimum", [0, 0], (x, grads) => (grads.set(x), square(x))],
    [
      "at a kink that is one",
      [0, 0],
      (x, grads) => (grads.set(x.map(Math.sign)), Math.abs(x[0]) + Math.abs(x[1])),
    ],
    ["on a hilltop", [0, 0], (x, grads) => (grads.set(x.map((value) => -value)), -square(x))],
    ["at a saddle", [0, 0], (x, grads) => (grads.set([x[0], -x[1]]), 0.5 * (x[0] ** 2 - x[1] ** 2))],
    ["on a plain", [1, 1], (_, grads) => (grads.fill(0), 7)],
    ["where every call has its own noise", [1, 1], () => Math.random()],
  ];

  test.each(cases)("%s", (_what, start, source) => {
    const optimizer = createOptimizer(start);
    expect(optimizer.minimize(source, { steps: 3 }).reason).toBe("steps");
    expect(Array.from(optimizer.params)).toEqual(start);
  });
});

describe("a loss that only rises", () => {
  const ends = (optimizer: Optimizer, source: GradientSource) =>
    optimizer.minimize(source, { lossTolerance: 1e-6, steps: 20_000 }).reason;

  test("as against a gradient of the wrong sign, has not converged", () => {
    const wrong: GradientSource = (x, grads) => {
      grads.set(x.map((value) => -value));
      return square(x);
    };
    expect(ends(createOptimizer([1, 1], { gradients: "exact" }), wrong)).toBe("risen");
  });

  test("one that has fallen has, and so has one that stays", () => {
    expect(ends(createOptimizer([1, 1]), (x, grads) => (grads.set(x), square(x)))).toBe("converged");
    expect(ends(createOptimizer([1, 1]), (_, grads) => (grads.fill(0), 7))).toBe("converged");
  });
});
