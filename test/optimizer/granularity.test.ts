/** Granularity "tensor" and "parameter" against the reference twin, and what `scale` looks like in each. */
import { describe, expect, test } from "vitest";
import {
  adagrad,
  createOptimizer,
  lion,
  mechanic,
  sgd,
  superlevel,
  type Base,
  type Tuner,
} from "../../src/index.js";
import { Reference } from "../reference.js";
import { bases, gradientAt, noise, startAt, tuners } from "../support/cases.js";
import { engines, stepsOf } from "../support/engines.js";
import { argumentsOf, checkSame, choicesOf, gradientsOf, twinOf, walk } from "../support/walk.js";

const perParameter = Object.entries(tuners).filter(
  (entry): entry is [string, Tuner] => entry[1] !== null && entry[1].form !== "mechanize",
);

/** To float32's sums: x, and S, which is of the order of 1e-6 and may be less. */
function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= 1e-4 * (Math.abs(expected[i]) + 1e-6))) {
      throw new Error(`${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
    }
  }
}

/** A tuner's eps for coordinates, as its factory would set it. */
function forCoordinates(tuner: Tuner, lambda: number): Tuner {
  const eps = tuner.form === "superlevel" ? 1e-18 : tuner.eps;
  return { ...tuner, eps, lambda, granularity: "parameter", anchor: { every: 50, carry: 0.6 } };
}

describe.each(engines)("%s engine, a tuner for each coordinate", (engine) => {
  describe.each(perParameter)("%s", (form, tuner) => {
    // The pull's factor comes from norms, which float32 blocks and the twin sum differently; the twin takes over
    // those that the default form goes by.
    const lambda = form.startsWith("superlevel") ? 0.01 : 0;
    const options = forCoordinates(tuner, lambda);

    test.each(Object.entries(bases))("%s, bit for bit", (_base, base) => {
      // Drifting fast: no coordinate sees progress long enough to run away.
      const walkOver = (size: number, steps: number) =>
        walk(engine, { size, steps: stepsOf(engine, steps), base, tuner: options, pace: 8 });
      for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33]) walkOver(size, 120);
      walkOver(1000, 55);
      walkOver(4099, 6);
    });

    // What the default form's pull goes by, the twin takes over: it is in the walk above.
    test.skipIf(lambda > 0)("with a pull, to float32's sums", () => {
      for (const size of [1, 5, 17, 1030]) {
        const run = { size, steps: 20, base: bases.adamw, tuner: forCoordinates(tuner, 0.01), pace: 8 };
        const optimizer = createOptimizer(...argumentsOf(run));
        const twin = twinOf(run);
        const gradientOf = gradientsOf(run);
        for (let step = 1; step <= run.steps; step++) {
          const g = gradientOf(step);
          optimizer.step(g);
          twin.step(g, optimizer.learningRate);
          expectNear(optimizer.params, twin.x, `step ${step}: x`);
        }
      }
    });
  });

  test.each(Object.entries(bases))("superlevel's bounded scales with %s, bit for bit", (_base, base) => {
    const tuner = superlevel({ granularity: "parameter", anchor: { every: 20 } });
    expect(tuner.spread).toBe(3);
    for (const size of [1, 7, 16, 33])
      walk(engine, { size, steps: stepsOf(engine, 60), base, tuner, pace: 8 });
    walk(engine, { size: 1030, steps: 21, base, tuner, pace: 8 });
  });

  test("tensors with options of their own share nothing but the norm", () => {
    const sizes = [5, 20, 3];
    const options = [{ learningRate: 2 }, { frozen: true }, { weightDecay: 0.2 }];
    const base = adagrad({ learningRate: 0.25 });
    const free = { granularity: "parameter", spread: null, lambda: 0, anchor: null } as const;
    const tuner = superlevel({ ...free, sInit: 1e-6 });
    const random = noise(3);
    const starts = sizes.map((size) => startAt(size, random));
    const specs = sizes.map((size, k) => ({ shape: [size], values: starts[k], ...options[k] }));
    const create = (params: Float32Array | typeof specs, base: Base) =>
      createOptimizer(params, { base, tuner, gradients: "exact", engine });
    const whole = create(specs, base);
    const parts = [
      create(starts[0], adagrad({ learningRate: 0.5 })),
      null,
      create(starts[2], adagrad({ learningRate: 0.25, weightDecay: 0.2 })),
    ];
    for (let step = 1; step <= 30; step++) {
      const g = sizes.map((size) => gradientAt(step, size, random));
      g.forEach((grads, k) => whole.tensors[k].grads.set(grads));
      whole.step();
      parts.forEach((part, k) => part?.step(g[k]));
    }
    parts.forEach((part, k) => checkSame(whole.tensors[k].params, part?.params ?? starts[k], `tensor ${k}`));
  });
});

describe.each(engines)("%s engine, a tuner for each tensor", (engine) => {
  const sizes = [1, 15, 16, 3, 1030, 2];
  const frozen = 3;

  /**
   * On a coarse grid every product and sum is exact in float32, so S and x must agree to the last bit; but not where
   * averages leave the grid, and not at all where clipped gradients do. They share the norm by which a gradient is long.
   */
  test.each([
    { base: lion(), gradients: "exact" },
    { base: sgd(), gradients: "noisy" },
    { base: lion(), gradients: "noisy" },
  ] as const)("$base.name, $gradients: each tensor is a run of its own", ({ base, gradients }) => {
    const compare = base.name === "lion" ? checkSame : expectNear;
    const random = noise(12);
    const starts = sizes.map((size) => startAt(size, random));
    const specs = sizes.map((size, k) => ({ shape: [size], values: starts[k], frozen: k === frozen }));
    const tuner = superlevel({ lambda: 0, sInit: 1e-6, anchor: { every: 20 } });
    const optimizer = createOptimizer(specs, {
      base: { ...base, learningRate: 0.125 },
      tuner: { ...tuner, granularity: "tensor" },
      gradients,
      engine,
    });
    const round = Math.fround;
    const choices = choicesOf(base, tuner);
    const alone = starts.map((start) => new Reference(start, { base, tuner, gradients, choices, round }));
    // Into a third window; later a coordinate crosses 0, where a sum in another order shows.
    for (let step = 1; step <= 45; step++) {
      const g = sizes.map((size) => gradientAt(step, size, random, 1 / 8));
      g.forEach((grads, k) => optimizer.tensors[k].grads.set(grads));
      const info = optimizer.step();
      alone.forEach((own, k) => k !== frozen && own.step(g[k], 0.125, { gradNorm: info.gradNorm }));
      alone.forEach((own, k) => compare(optimizer.tensors[k].params, own.x, `step ${step}: tensor ${k}`));
      const scales = alone.map((own, k) => (k === frozen ? 0 : Math.fround(own.S)));
      compare(optimizer.scale as Float32Array, scales, `step ${step}: S`);
    }
    checkSame(optimizer.tensors[frozen].params, starts[frozen], "frozen");
  });

  test.each(Object.entries(tuners))("%s over every base, bit for bit", (_form, tuner) => {
    if (tuner === null) return;
    const tensors = sizes.map((size, k) => ({ size, frozen: k === frozen, learningRate: 1 + (k % 2) }));
    const size = sizes.reduce((sum, size) => sum + size, 0);
    for (const base of Object.values(bases))
      walk(engine, { size, steps: 12, base, tuner: { ...tuner, granularity: "tensor" }, tensors });
  });

  test("one tensor is the same as granularity global", () => {
    const tensor = createOptimizer([1, 2, 3], { tuner: superlevel({ granularity: "tensor" }), engine });
    const global = createOptimizer([1, 2, 3], { engine });
    for (let step = 1; step <= 80; step++) {
      const g = gradientAt(step, 3, noise(step));
      tensor.step(g);
      global.step(g);
    }
    checkSame(tensor.params, global.params, "x");
  });
});

test("scale is a number, one for each tensor, or a live view; StepInfo.scale is the mean", () => {
  const specs = [
    { shape: [2], values: [1, 2] },
    { shape: [1], values: [3] },
  ];
  const make = (tuner: Tuner | null) => createOptimizer(specs, { tuner });
  expect(make(null).scale).toBe(1);
  expect(make(superlevel({ sInit: 1e-6 })).scale).toBe(1e-6);
  // It is still to be found.
  expect(make(superlevel()).scale).toBe(0);
  expect(Array.from(make(mechanic({ granularity: "tensor" })).scale as Float32Array)).toEqual([0, 0]);
  const coordinates = make(superlevel({ granularity: "parameter" }));
  const view = coordinates.scale as Float32Array;
  expect(view.length).toBe(3);
  for (let step = 0; step < 10; step++) coordinates.step([1, -2, 0.5]);
  const info = coordinates.step([1, -2, 0.5]);
  expect(coordinates.scale).toEqual(view);
  const mean = view.reduce((sum, scale) => sum + scale, 0) / 3;
  expect(Math.abs(info.scale - mean)).toBeLessThan(1e-6 * mean);
});
