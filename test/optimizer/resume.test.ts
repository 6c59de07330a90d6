/** Runs that are divided or resumed go on as if they had not been. */
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  exponentialDecay,
  lion,
  minibatches,
  OptimizerError,
  sgd,
  superlevel,
} from "../../src/index.js";
import type { GradientSource, OptimizerOptions, RunOptions } from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { mustMatch, sameBytes } from "../support/state.js";

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions = {}) =>
    createOptimizer([1, -2, 3, 0.5, -1], { engine, ...options });

  const data = Array.from({ length: 23 }, (_, k) => Math.sin(7 * k) * 3);
  const source = () =>
    minibatches({ examples: data.length, batchSize: 4, seed: 5 }, (x, grads, batch) => {
      let loss = 0;
      grads.fill(0);
      for (const example of batch) {
        for (let i = 0; i < x.length; i++) {
          const error = x[i] * (i + 1) - data[example];
          grads[i] += (error * (i + 1)) / batch.length;
          loss += (0.5 * error ** 2) / batch.length;
        }
      }
      return loss;
    });
  const optionSets: [string, OptimizerOptions][] = [
    ["the defaults", {}],
    [
      "a schedule, no tuner",
      { base: adam({ learningRate: exponentialDecay({ initial: 0.1, rate: 0.01 }) }), tuner: null },
    ],
    ["short windows", { base: lion(), tuner: superlevel({ anchor: { every: 9 } }), nonFinite: "skip" }],
  ];

  test.each(optionSets)("%s: wherever a run is cut, it goes on as if it had not been", (_what, options) => {
    const whole = create(options);
    const { loss } = whole.minimize(source(), { steps: 140 });
    for (const cut of [1, 4, 5, 6, 9, 63, 64, 65, 100, 139]) {
      const first = create(options);
      first.minimize(source(), { steps: cut });
      const resumed = createOptimizer(5, { engine, ...options }).restore(first.save());
      for (const optimizer of [first, resumed]) {
        const solution = optimizer.minimize(source(), { steps: 140 - cut });
        expect(solution).toMatchObject({ loss, steps: 140 - cut, evaluations: 141 - cut, reason: "steps" });
        expect(optimizer.params).toEqual(whole.params);
      }
      expect(sameBytes(first.save(), resumed.save())).toBe(true);
    }
  });

  const guarded: [string, OptimizerOptions, RunOptions][] = [
    ["rejecting", {}, { deterministic: true }],
    [
      "rejecting, no tuner",
      { base: sgd({ momentum: 0.9, learningRate: 0.5 }), tuner: null },
      { deterministic: true },
    ],
    ["shrinking", {}, { deterministic: true, guard: { policy: "shrink" } }],
    [
      "shrinking, no tuner",
      { base: sgd({ learningRate: 0.15 }), tuner: null },
      { deterministic: true, guard: { policy: "shrink" } },
    ],
    ["projecting", {}, { deterministic: true, level: { value: 0.01, action: "project" } }],
  ];

  /** Too few for a run that the level holds to give up. */
  const STEPS = 22;

  test.each(guarded)("%s: the state holds what the guard did", (_what, options, run) => {
    const steep: GradientSource = (x, grads) => {
      grads.set(x.map((value, i) => 2 ** i * value));
      return 0.5 * x.reduce((sum, value, i) => sum + 2 ** i * value * value, 0);
    };
    const whole = create(options);
    const { loss, violations, projections } = whole.minimize(steep, { steps: STEPS, ...run });
    expect(violations + projections).toBeGreaterThan(0);
    for (let cut = 1; cut < STEPS; cut += 7) {
      const first = create(options);
      first.minimize(steep, { steps: cut, ...run });
      const resumed = createOptimizer(5, { engine, ...options }).restore(first.save());
      for (const optimizer of [first, resumed]) {
        const solution = optimizer.minimize(steep, { steps: STEPS - cut, ...run });
        expect(solution.loss).toBe(loss);
        expect(sameBytes(optimizer.save(), whole.save())).toBe(true);
      }
    }
  });

  test("after a source failed, too", () => {
    const [optimizer, whole] = [create(), create()];
    const working = source();
    let fails = true;
    const unreliable: GradientSource = (x, grads, step) => {
      if (step === 33 && fails) throw new OptimizerError("diverged", "of a remote machine");
      return working(x, grads, step);
    };
    expect(errorOf(() => optimizer.minimize(unreliable, { steps: 50 })).message).toBe("of a remote machine");
    expect(optimizer.iterations).toBe(32);
    fails = false;
    optimizer.minimize(unreliable, { steps: 18 });
    whole.minimize(source(), { steps: 50 });
    mustMatch(optimizer, whole);
  });
});
