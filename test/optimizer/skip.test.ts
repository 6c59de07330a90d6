/** nonFinite: "skip": bad steps are dropped and counted, and the rest goes on as if they had not been. */
import { describe, expect, test } from "vitest";
import { constant, createOptimizer, sgd, superlevel } from "../../src/index.js";
import type { GradientSource, OptimizerOptions, RunInfo } from "../../src/index.js";
import { bases } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { forms, scalesOf } from "../support/forms.js";
import { mustMatch } from "../support/state.js";

const start = [1, -2, 3, 0.5, -1];

const goodGradient = (k: number) => start.map((x, i) => x * Math.sin(k + i));

const badGradients = [
  [NaN, 0, 0, 0, 0],
  [0, 0, 0, 0, -Infinity],
  [1e20, 0, 0, 0, 0],
  [3e38, 3e38, 3e38, 3e38, 3e38],
];

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions) =>
    createOptimizer(start, { nonFinite: "skip", engine, ...options });

  test("a skipped step says so, counts, and moves nothing", () => {
    const optimizer = create({});
    const { learningRate, scale } = optimizer.step(goodGradient(1));
    const before = optimizer.params.slice();
    badGradients.forEach((gradient, k) => {
      const info = optimizer.step(gradient);
      expect(info).toEqual({ step: k + 2, learningRate, gradNorm: NaN, h: 0, scale, skipped: true });
    });
    expect(optimizer.iterations).toBe(5);
    expect(optimizer.params).toEqual(before);
    expect(optimizer.step(goodGradient(2))).toMatchObject({ step: 6, skipped: false });
  });

  test.each(Object.keys(bases))("%s: what was skipped leaves no trace", (base) => {
    for (const [form, tuner] of Object.entries(forms)) {
      // Windows count skipped steps, so there are none here.
      const options = {
        base: { ...bases[base], learningRate: constant(0.05) },
        tuner: tuner && { ...tuner, anchor: null },
      };
      const [skipping, clean] = [create(options), create(options)];
      for (let k = 0; k < 30; k++) {
        if (k % 3 === 0) skipping.step(badGradients[k % 4]);
        skipping.step(goodGradient(k));
        clean.step(goodGradient(k));
      }
      if (skipping.params.some((x, i) => x !== clean.params[i])) throw new Error(`${form} moved otherwise`);
      if (skipping.iterations !== 40 || clean.iterations !== 30) throw new Error(`${form} counted otherwise`);
    }
  });

  test("a step that would leave float32's range is skipped, too", () => {
    let alpha = 0.1;
    const options = { base: sgd({ momentum: 0.9, learningRate: () => alpha }), tuner: null };
    const [skipping, untouched] = [create(options), create(options)];
    skipping.step(goodGradient(1));
    alpha = 1e30;
    expect(skipping.step(goodGradient(2)).skipped).toBe(true);
    alpha = 0.1;
    untouched.step(goodGradient(1));
    expect(skipping.params).toEqual(untouched.params);
    skipping.step(goodGradient(3));
    untouched.step(goodGradient(3));
    expect(skipping.params).toEqual(untouched.params);
  });

  test("skipped steps take their place in a window", () => {
    const tuner = superlevel({ anchor: { every: 4, carry: 0.5 } });
    const optimizer = create({ gradients: "exact", tuner });
    const rates: number[] = [];
    for (let k = 1; k <= 12; k++)
      rates.push(optimizer.step(k === 4 ? badGradients[0] : goodGradient(k)).learningRate);
    // windowDecay(1): exp(−1/4) … exp(−1) in each window; the skipped step reports the rate before it.
    const expected = [1, 2, 3, 3, 1, 2, 3, 4, 1, 2, 3, 4].map((k) => Math.exp(-k / 4));
    rates.forEach((rate, k) => expect(rate).toBeCloseTo(expected[k], 12));
  });

  test("a saved state remembers how many were skipped", () => {
    const [optimizer, restored] = [create({}), create({})];
    for (let k = 0; k < 9; k++) optimizer.step(k % 2 ? badGradients[0] : goodGradient(k));
    mustMatch(restored.restore(optimizer.save()), optimizer);
    expect(restored.iterations).toBe(10);
  });

  describe("in a run", () => {
    const badAt = new Set([1, 4, 5, 9]);
    const seen: number[] = [];
    const source: GradientSource = (x, grads, step) => {
      seen.push(step);
      grads.set(x);
      const loss = 0.5 * x.reduce((sum, value) => sum + value * value, 0);
      if (!badAt.has(step)) return loss;
      if (step > 4) grads.fill(NaN);
      return step > 4 ? loss : NaN;
    };

    test("goes on, with step numbers that advance; monitors and evaluations see every step", () => {
      seen.length = 0;
      const infos: RunInfo[] = [];
      const optimizer = create({});
      const solution = optimizer.minimize(source, { steps: 10, monitors: [(info) => infos.push(info)] });
      expect(solution).toMatchObject({ steps: 10, evaluations: 11, reason: "steps" });
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(infos.filter(({ skipped }) => skipped).map(({ step }) => step)).toEqual([...badAt]);
      expect(infos.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(infos[0].loss).toBeNaN();
      expect(infos[8].loss).toBeGreaterThan(0);
      expect(optimizer.iterations).toBe(10);
    });

    test("a loss that is NaN once neither ends nor spoils the watch on the loss", () => {
      const sometimes: GradientSource = (x, grads, step) => {
        const loss = source(x, grads, step);
        // All zero, as a source may leave it: not a minimum.
        if (Number.isNaN(loss)) grads.fill(0);
        return loss;
      };
      const run = { lossTolerance: 1e-12, gradientTolerance: 1e-12, steps: 5000 };
      const solution = create({}).minimize(sometimes, run);
      const clean = create({}).minimize((x, grads) => source(x, grads, 2), run);
      expect(solution.reason).toBe("converged");
      expect(solution.steps).toBeGreaterThan(201);
      expect(solution.loss).toBeLessThan(10 * clean.loss + 1e-12);
    });

    test("source after source of NaN ends with the steps", () => {
      const optimizer = create({ gradients: "noisy", tuner: superlevel({ sInit: 1e-6 }) });
      const solution = optimizer.minimize(() => NaN, { steps: 70 });
      expect(solution).toMatchObject({ loss: NaN, steps: 70, evaluations: 71, reason: "steps" });
      expect(Array.from(optimizer.params)).toEqual(start);
      expect(scalesOf(optimizer)[0]).toBe(1e-6);
      // Where the first step that moves finds the scale, it is still to be found, and so is what gradients are.
      const plain = create({});
      plain.minimize(() => NaN, { steps: 70 });
      expect([plain.scale, plain.gradients]).toEqual([0, "undecided"]);
    });
  });
});
