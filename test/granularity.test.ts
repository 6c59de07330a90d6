/** Granularity "tensor" and "parameter" against the reference twin, and what `scale` looks like in each. */
import { describe, expect, test } from "vitest";
import { createOptimizer, lion, mechanic, sgd, superlevel, type Base, type Tuner } from "../src/index.js";
import { CoordinateReference } from "./reference/coordinates.js";
import { Reference } from "./reference.js";
import { bases, gradientAt, noise, startAt, tuners } from "./support/cases.js";
import { engines, stepsOf } from "./support/engines.js";

const alpha = (step: number) => 0.1 * Math.exp(-0.005 * step);
const perParameter = Object.entries(tuners).filter(
  (entry): entry is [string, Tuner] => entry[1] !== null && entry[1].form !== "mechanize",
);

function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) throw new Error(`${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
  }
}

function expectNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  share: number,
  what: string,
): void {
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= share * (Math.abs(expected[i]) + 1e-6))) {
      throw new Error(`${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
    }
  }
}

/** A tuner's eps for coordinates, as its factory would set it. */
function forCoordinates(tuner: Tuner, lambda: number): Tuner {
  const eps = tuner.form === "superlevel" ? 1e-18 : tuner.eps;
  return { ...tuner, eps, lambda, granularity: "parameter" };
}

describe.each(engines)("%s engine, a tuner for each coordinate", (engine) => {
  describe.each(perParameter)("%s", (_form, tuner) => {
    /** With λ > 0 the pull's factor comes from norms, which float32 blocks and the twin sum differently. */
    function walk(base: Base, size: number, lambda: number, steps: number): void {
      const random = noise(size);
      const x0 = startAt(size, random);
      const options = forCoordinates(tuner, lambda);
      const withRate = { ...base, learningRate: alpha };
      const optimizer = createOptimizer(x0, { base: withRate, tuner: { ...options, anchor: null }, engine });
      const twin = new CoordinateReference(x0, base, options, Math.fround);
      for (let step = 1; step <= stepsOf(engine, steps); step++) {
        // Drifting fast: no coordinate sees progress long enough to run away.
        const g = gradientAt(8 * step, size, random);
        optimizer.step(g);
        twin.step(g, alpha(step));
        if (lambda === 0) {
          expectSame(optimizer.params, twin.x, `step ${step}: x`);
          expectSame(optimizer.scale as Float32Array, twin.S, `step ${step}: S`);
        } else {
          expectNear(optimizer.params, twin.x, 1e-4, `step ${step}: x`);
        }
        if (step % 50 === 0) {
          optimizer.anchor();
          twin.anchor(0.6);
        }
      }
    }

    test.each(Object.entries(bases))("%s, bit for bit", (_base, base) => {
      for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33]) walk(base, size, 0, 200);
      walk(base, 1000, 0, 60);
      walk(base, 4099, 0, 6);
    });

    test("with a pull, to float32's sums", () => {
      for (const size of [1, 5, 17, 1030]) walk(bases.adamw, size, 0.01, 20);
    });
  });

  /** On a coarse grid the sums are exact in float32, so the bounds agree to the last bit. */
  test.each([sgd(), lion()])("superlevel's bounded scales with $name, bit for bit", (base) => {
    const tuner = superlevel({ granularity: "parameter", lambda: 0, anchor: null });
    expect(tuner.spread).toBe(3);
    for (const size of [1, 7, 16, 33, 1030]) {
      const random = noise(size);
      const x0 = startAt(size, random);
      const optimizer = createOptimizer(x0, { base: { ...base, learningRate: 0.125 }, tuner, engine });
      const twin = new CoordinateReference(x0, base, tuner, Math.fround, tuner.spread);
      for (let step = 1; step <= 60; step++) {
        const g = gradientAt(step, size, random, 1 / 8);
        optimizer.step(g);
        twin.step(g, 0.125);
        expectSame(optimizer.scale as Float32Array, twin.S, `step ${step}: S`);
        expectSame(optimizer.params, twin.x, `step ${step}: x`);
        if (step % 20 === 0) {
          optimizer.anchor();
          twin.anchor(0.6);
        }
      }
    }
  });

  test("tensors with options of their own share nothing but the norm", () => {
    const sizes = [5, 20, 3];
    const options = [{ learningRate: 2 }, { frozen: true }, { weightDecay: 0.2 }];
    const base = sgd({ learningRate: 0.25 });
    const tuner = superlevel({ granularity: "parameter", spread: null, lambda: 0, anchor: null });
    const random = noise(3);
    const starts = sizes.map((size) => startAt(size, random));
    const specs = sizes.map((size, k) => ({ shape: [size], values: starts[k], ...options[k] }));
    const whole = createOptimizer(specs, { base, tuner, engine });
    const parts = [
      createOptimizer(starts[0], { base: sgd({ learningRate: 0.5 }), tuner, engine }),
      null,
      createOptimizer(starts[2], { base: sgd({ learningRate: 0.25, weightDecay: 0.2 }), tuner, engine }),
    ];
    for (let step = 1; step <= 30; step++) {
      const g = sizes.map((size) => gradientAt(step, size, random));
      g.forEach((grads, k) => whole.tensors[k].grads.set(grads));
      whole.step();
      parts.forEach((part, k) => part?.step(g[k]));
    }
    parts.forEach((part, k) => expectSame(whole.tensors[k].params, part?.params ?? starts[k], `tensor ${k}`));
  });
});

describe.each(engines)("%s engine, a tuner for each tensor", (engine) => {
  const sizes = [1, 15, 16, 3, 1030, 2];
  const frozen = 3;

  function pair(base: Base, tuner: Tuner) {
    const random = noise(9);
    const starts = sizes.map((size) => startAt(size, random));
    const specs = sizes.map((size, k) => ({ shape: [size], values: starts[k], frozen: k === frozen }));
    const optimizer = createOptimizer(specs, {
      base: { ...base, learningRate: 0.125 },
      tuner: { ...tuner, granularity: "tensor" },
      engine,
    });
    const twins = starts.map((start) => new Reference(start, { base, tuner, round: Math.fround }));
    return { optimizer, twins, random, starts };
  }

  /** On a coarse grid every product and sum is exact in float32, so S and x must agree to the last bit. */
  test.each([sgd(), lion()])("$name: each tensor is a run of its own, bit for bit", (base) => {
    const tuner = superlevel({ lambda: 0, anchor: { every: 20 } });
    const { optimizer, twins, random, starts } = pair(base, tuner);
    for (let step = 1; step <= 60; step++) {
      const g = sizes.map((size) => gradientAt(step, size, random, 1 / 8));
      g.forEach((grads, k) => optimizer.tensors[k].grads.set(grads));
      const info = optimizer.step();
      twins.forEach((twin, k) => k !== frozen && twin.step(g[k], 0.125, { gradNorm: info.gradNorm }));
      twins.forEach((twin, k) =>
        expectSame(optimizer.tensors[k].params, twin.x, `step ${step}: tensor ${k}`),
      );
      const scales = twins.map((twin, k) => (k === frozen ? 0 : Math.fround(twin.S)));
      expectSame(optimizer.scale as Float32Array, scales, `step ${step}: S`);
    }
    expectSame(optimizer.tensors[frozen].params, starts[frozen], "frozen");
  });

  test.each(Object.entries(tuners))("%s over every base, to float32's sums", (_form, tuner) => {
    if (tuner === null) return;
    for (const base of Object.values(bases)) {
      const { optimizer, twins, random } = pair(base, tuner);
      for (let step = 1; step <= 12; step++) {
        const g = sizes.map((size) => gradientAt(step, size, random));
        g.forEach((grads, k) => optimizer.tensors[k].grads.set(grads));
        optimizer.step();
        twins.forEach((twin, k) => k !== frozen && twin.step(g[k], 0.125));
        twins.forEach((twin, k) =>
          expectNear(optimizer.tensors[k].params, twin.x, 1e-3, `${step}: tensor ${k}`),
        );
      }
    }
  });

  test("one tensor is the same as granularity global", () => {
    const tensor = createOptimizer([1, 2, 3], { tuner: superlevel({ granularity: "tensor" }), engine });
    const global = createOptimizer([1, 2, 3], { engine });
    for (let step = 1; step <= 80; step++) {
      const g = gradientAt(step, 3, noise(step));
      tensor.step(g);
      global.step(g);
    }
    expectSame(tensor.params, global.params, "x");
  });
});

test("scale is a number, one for each tensor, or a live view; StepInfo.scale is the mean", () => {
  const specs = [
    { shape: [2], values: [1, 2] },
    { shape: [1], values: [3] },
  ];
  const make = (tuner: Tuner | null) => createOptimizer(specs, { tuner });
  expect(make(null).scale).toBe(1);
  expect(make(superlevel()).scale).toBe(1e-6);
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
