/** The step in operations on arrays, by the plainest arrays there are, beside the engine. */
import { KINDS } from "../../src/common/kinds.js";
import { describe, expect, test } from "vitest";

import { Algebra } from "../../src/adapters/arrays/algebra.js";
import { averageOffset } from "../../src/adapters/arrays/kinds.js";
import { planOf, whyNot } from "../../src/adapters/arrays/plan.js";
import { defaultRate } from "../../src/adapters/arrays/rate.js";
import { mapState, newState, type ArrayState } from "../../src/adapters/arrays/state.js";
import { takeStep, type Taken } from "../../src/adapters/arrays/step.js";
import type { Value } from "../../src/adapters/arrays/algebra.js";
import * as superlevelPackage from "../../src/index.js";
import { createOptimizer, type OptimizerOptions } from "../../src/index.js";
import { resolve } from "../../src/stepper/config.js";
import { plain, plainOperations, type Plain } from "../support/plain-arrays.js";

const { adam, adamw, lion, mechanic, rmsprop, scheduleFree, sgd, superlevel } = superlevelPackage;
const c = new Algebra<Plain>(plainOperations);
const SIZE = 40;

const wave = (seed: number) => Array.from({ length: SIZE }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
const start = wave(1).map((value) => 2 * value);

/** ½ Σ (1 + i) (x_i − 1)² / 10, whose gradient is noisy by so much. */
function problem(noise: number) {
  const gradient = (x: readonly number[], step: number) =>
    x.map((value, i) => ((1 + i) * (value - 1)) / 10 + noise * wave(step + 5)[i]);
  const loss = (x: readonly number[]) =>
    x.reduce((sum, value, i) => sum + ((1 + i) * (value - 1) ** 2) / 20, 0);
  return { gradient, loss };
}

/** A run on arrays: `known` keeps on the host what the host can know. */
class ArrayRun {
  x: readonly number[] = start.map(Math.fround);
  state: ArrayState<Value<Plain>>;
  readonly #plan;
  readonly #weightDecay: number;

  constructor(options: OptimizerOptions, known: boolean) {
    const resolved = resolve(start, options);
    expect(whyNot(resolved)).toBeUndefined();
    this.#plan = planOf(options, resolved);
    this.#weightDecay = resolved.config.base.weightDecay;
    const zeros = plain(...start.map(() => 0));
    const betas = this.#plan.tuner?.betas ?? [1];
    this.state = mapState<number, Value<Plain>>(newState(this.#plan), (value, extent) => {
      if (extent === "vector") return zeros;
      if (known) return value;
      return plain(...(extent === "betas" ? betas.map(() => value) : [value]));
    });
  }

  step(gradient: readonly number[], loss?: number): Taken<Plain> {
    const betas = this.#plan.tuner?.betas ?? [1];
    const { learningRate } = this.#plan;
    const taken = takeStep(c, this.#plan, this.state, {
      ...{
        x: plain(...this.x),
        g: plain(...gradient),
        size: SIZE,
        multiplier: 1,
        weightDecay: this.#weightDecay,
      },
      ...{ betas: plain(...betas), ones: plain(...betas.map(() => 1)) },
      loss: loss === undefined ? undefined : plain(loss),
      rate: (place) =>
        typeof learningRate === "number" ? learningRate : defaultRate(c, learningRate as "byKind", place),
    });
    this.state = taken.state;
    this.x = (c.add(plain(...this.x), taken.move) as Plain).list;
    return taken;
  }

  get average(): readonly number[] {
    return (c.add(plain(...this.x), averageOffset(c, this.#plan, this.state)) as Plain).list;
  }
}

const asNumber = (value: Value<Plain>) => (typeof value === "number" ? value : value.list[0]);
const norm = (x: ArrayLike<number>) => Math.hypot(...Array.from(x));
const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  norm(Array.from(a, (value, i) => value - b[i])) / norm(b);

const CASES: Record<string, OptimizerOptions> = {
  "the defaults": {},
  AdamW: { base: adamw({ weightDecay: 0.01 }) },
  "Adam with L2": { base: adam({ weightDecay: 0.01 }) },
  SGD: { base: sgd() },
  momentum: { base: sgd({ momentum: 0.9, dampening: 0.1 }) },
  Nesterov: { base: sgd({ momentum: 0.9, nesterov: true }) },
  RMSProp: { base: rmsprop() },
  Lion: { base: lion() },
  "schedule-free Adam": { base: scheduleFree(adam()) },
  "schedule-free SGD alone": { base: scheduleFree(sgd({ learningRate: 0.1 })), tuner: null },
  "Adam alone": { tuner: null },
  "clipped by value": { clip: { value: 1 } },
  "norm-adaptive": { normAdaptive: true },
  "anchors at intervals": { tuner: superlevel({ anchor: { every: 9 } }) },
  "a start of one's own": { tuner: superlevel({ sInit: 1e-3 }) },
  "one beta, no anchors": { tuner: superlevel({ betas: [0.99], anchor: null }) },
  exact: { gradients: "exact" },
  noisy: { gradients: "noisy" },
};

// Until rounding has grown: small gradients near the minimum are differences of rounded numbers.
const STEPS = 19;

describe.each(Object.entries(CASES))("%s", (_name, options) => {
  test.each([
    ["exact gradients", 0, false, false],
    ["exact gradients, a loss, what the host can know", 0, true, true],
    ["noisy gradients, a loss", 20, true, false],
    ["noisy gradients, what the host can know", 20, false, true],
  ] as const)("%s", (_name, noise, told, known) => {
    const { gradient, loss } = problem(noise);
    const optimizer = createOptimizer(start, options);
    const run = new ArrayRun(options, known);
    for (let step = 1; step <= STEPS; step++) {
      const at = Array.from(optimizer.params);
      const own = run.step(gradient(run.x, step), told ? loss(run.x) : undefined);
      const info = optimizer.step(gradient(at, step), told ? { loss: loss(at) } : {});
      expect(asNumber(own.gradNorm)).toBeCloseTo(info.gradNorm, 2);
      expect(apart(run.x, optimizer.params)).toBeLessThan(1e-4);
      const average = optimizer.average();
      if (average) expect(apart(run.average, average)).toBeLessThan(1e-4);
    }
    if (options.tuner !== null) {
      expect(asNumber(run.state.tuner.scale)).toBeCloseTo(optimizer.scale as number, 3);
      expect(KINDS[asNumber(run.state.kind)]).toBe(optimizer.gradients);
    }
  });
});

test.each([
  ["a gradient", NaN, 1],
  ["a gradient", Infinity, 1],
  ["a loss", 1, NaN],
])("%s that is not finite changes nothing, and is counted", (_name, g, loss) => {
  const run = new ArrayRun({}, false);
  const { gradient } = problem(20);
  for (let step = 1; step <= 5; step++) run.step(gradient(run.x, step), 1);
  const { x, state } = run;
  const spoilt = gradient(x, 6);
  spoilt[13] *= g;
  run.step(spoilt, loss);
  expect(run.x).toEqual(x);
  const { iterations, skipped, ...rest } = run.state;
  const { iterations: before, skipped: none, ...same } = state;
  expect(rest).toEqual(same);
  expect([asNumber(iterations), asNumber(skipped)]).toEqual([asNumber(before) + 1, asNumber(none) + 1]);
});

test("a gradient of 0 decides nothing", () => {
  const run = new ArrayRun({}, false);
  const { gradient } = problem(20);
  for (let step = 1; step <= 3; step++) run.step(start.map(() => 0));
  run.step(gradient(run.x, 4));
  expect(KINDS[asNumber(run.state.kind)]).toBe("undecided");
  run.step(gradient(run.x, 5));
  expect(KINDS[asNumber(run.state.kind)]).toBe("noisy");
});

test("the average forgets half of its age where it lags behind for long", () => {
  const [optimizer, run] = [
    createOptimizer(start, { gradients: "noisy" }),
    new ArrayRun({ gradients: "noisy" }, false),
  ];
  let youngest = Infinity;
  for (let step = 1; step <= 260; step++) {
    // The minimum runs away.
    const gradient = (x: ArrayLike<number>) => Array.from(x, (value) => value - step / 4);
    optimizer.step(gradient(optimizer.params));
    run.step(gradient(run.x));
    youngest = Math.min(youngest, asNumber(run.state.average.age) - step);
  }
  expect(youngest).toBeLessThan(-40);
  expect(apart(run.x, optimizer.params)).toBeLessThan(1e-3);
});

test.each([false, true])("second moments forget what gradients of late are far below; known: %s", (known) => {
  const [optimizer, run] = [createOptimizer(start), new ArrayRun({}, known)];
  const ratios: number[] = [];
  for (let step = 1; step <= 700; step++) {
    const g = wave(step).map((value) => Math.fround(step < 400 ? value : value / 64));
    optimizer.step(g);
    run.step(g);
    const nu = run.state.slots[1] as Plain;
    expect(apart(nu.list, optimizer.moments[1])).toBeLessThan(1e-4);
    const { squares, squaresMax } = run.state.average;
    ratios.push(asNumber(squaresMax) / asNumber(squares));
  }
  expect(Math.min(...ratios)).toBeLessThan(0.1);
  // They catch up.
  expect(ratios.at(-1)).toBeGreaterThan(0.1);
  expect(optimizer.gradients).toBe("noisy");
});

test.each([
  ["another form", { tuner: mechanic() }, "tuner mechanic()"],
  ["a tuner for each tensor", { tuner: superlevel({ granularity: "tensor" }) }, 'granularity "tensor"'],
  ["AMSGrad", { base: adam({ amsgrad: true }) }, "base adam() with these options"],
  ["a warm-up", { base: scheduleFree(sgd(), { warmupSteps: 9 }) }, "scheduleFree() with warmupSteps"],
] as [string, OptimizerOptions, string][])("%s has no step on arrays", (_name, options, reason) => {
  expect(whyNot(resolve(start, options))).toBe(reason);
});
