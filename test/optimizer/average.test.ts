/** The schedule-free average: what it is an average of, where there is none, and what moves it besides steps. */
import { describe, expect, test } from "vitest";
import { resolve } from "../../src/stepper/config.js";
import { createEngine } from "../../src/engine/engine.js";
import {
  adamw,
  createOptimizer,
  lion,
  mechanic,
  rmsprop,
  scheduleFree,
  sgd,
  superlevel,
} from "../../src/index.js";
import type { Base, Optimizer, OptimizerOptions, TensorSpec, Tuner } from "../../src/index.js";
import { Stepper } from "../../src/stepper/stepper.js";
import { noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";

const SIZE = 23;
const x0 = startAt(SIZE, noise(4));
/** The second one is frozen. */
const tensors: TensorSpec[] = [
  { shape: [3], values: x0.subarray(0, 3), learningRate: 2 },
  { shape: [2, 3], values: x0.subarray(3, 9), frozen: true },
  { shape: [14], values: x0.subarray(9) },
];
const frozen = (i: number) => i >= 3 && i < 9;

/** The gradient of a bowl, and noise. */
function gradientOf(optimizer: Optimizer, random: () => number): Float32Array {
  return optimizer.params.map((x, i) => 0.3 * (x - Math.sin(i)) + random());
}

function walk(optimizer: Optimizer, steps: number, random = noise(7)): Optimizer {
  for (let k = 0; k < steps; k++) optimizer.step(gradientOf(optimizer, random));
  return optimizer;
}

/** S of each coordinate. */
function scaleAt({ scale }: Optimizer, i: number): number {
  if (typeof scale === "number") return scale;
  return scale.length === SIZE ? scale[i] : scale[i < 3 ? 0 : i < 9 ? 1 : 2];
}

/** z = y + e in the units of x, coordinate by coordinate. */
function ahead(optimizer: Optimizer, lead: Float32Array): Float64Array {
  return Float64Array.from(optimizer.params, (x, i) => x + scaleAt(optimizer, i) * lead[i]);
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= tolerance)) throw new Error(`[${i}] is ${actual[i]}, not ${expected[i]}: ${error} apart`);
  }
}

const steady = { anchor: null, growthLimit: { first: 1, later: 1 } };
/** Each with the place of its lead. S stays where it is: the average is one of the points' in the same units. */
const averagers: [string, OptimizerOptions, lead: number][] = [
  ["noisy", { tuner: superlevel(steady) }, 0],
  ["noisy, each tensor", { tuner: superlevel({ ...steady, granularity: "tensor" }) }, 0],
  [
    "noisy, each coordinate",
    { tuner: superlevel({ ...steady, granularity: "parameter", spread: 1.0001 }) },
    0,
  ],
  ["noisy, Δ reconstructed", { tuner: superlevel({ ...steady, delta: "reconstructed" }) }, 0],
  ["noisy, sgd", { base: sgd(), tuner: superlevel(steady) }, 0],
  ["noisy, rmsprop", { base: rmsprop({ momentum: 0.5 }), tuner: superlevel(steady) }, 3],
  ["schedule-free, no tuner", { base: scheduleFree(sgd({ learningRate: 0.1 })), tuner: null }, 0],
  ["schedule-free adamw, no tuner", { base: scheduleFree(adamw({ learningRate: 0.01 })), tuner: null }, 0],
  [
    "schedule-free with every option",
    {
      base: scheduleFree(adamw({ learningRate: 0.02 }), {
        interpolation: 0.7,
        power: 1,
        ratePower: 0,
        warmupSteps: 5,
      }),
      tuner: null,
    },
    0,
  ],
  ["schedule-free under superlevel", { base: scheduleFree(sgd()), tuner: superlevel(steady) }, 0],
];

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions, params: TensorSpec[] = tensors) =>
    createOptimizer(params, { engine, gradients: "noisy", ...options });

  test.each(averagers)("%s: x̄ ← x̄ + c (z − x̄), and y = (1 − β) z + β x̄", (_name, options, place) => {
    const optimizer = create(options);
    const random = noise(8);
    const lead = optimizer.moments[place];
    for (let step = 1; step <= 60; step++) {
      const before = optimizer.average()!;
      const { weight, interpolation: beta } = optimizer.averaging!;
      optimizer.step(gradientOf(optimizer, random));
      const z = ahead(optimizer, lead);
      const after = optimizer.average()!;
      const unit = Math.max(...optimizer.params.map(Math.abs));
      // What the first step finds is S itself.
      if (step > 1)
        expectNear(
          after,
          before.map((mean, i) => mean + weight * (z[i] - mean)),
          3e-6 * unit,
        );
      expectNear(
        optimizer.params,
        after.map((mean, i) => (1 - beta) * z[i] + beta * mean),
        1e-6 * unit,
      );
      for (let i = 0; i < SIZE; i++) if (frozen(i)) expect(after[i]).toBe(x0[i]);
    }
    // It is no accident of standing still.
    expect(lead.filter((e) => e !== 0)).toHaveLength(SIZE - 6);
    expect(optimizer.average()!.filter((mean, i) => mean !== optimizer.params[i])).toHaveLength(SIZE - 6);
  });

  test("after one step it is where the parameters are", () => {
    for (const [, options] of averagers) {
      // Also where it is not known yet what gradients are.
      for (const gradients of ["noisy", "auto"] as const) {
        const optimizer = walk(create({ ...options, gradients }), 1);
        const average = optimizer.average();
        if (average) expect(average).toEqual(optimizer.params);
        else expect(optimizer.gradients).toBe("undecided");
      }
    }
  });

  test("there is none with exact gradients, nor before it is known that they are noisy, nor under other tuners", () => {
    const without: OptimizerOptions[] = [
      { gradients: "exact" },
      { gradients: "noisy", tuner: null },
      { gradients: "noisy", tuner: mechanic() },
      // Lion keeps its own rule.
      { gradients: "noisy", base: lion() },
    ];
    for (const options of without) {
      const optimizer = walk(create(options), 5);
      expect([optimizer.average(), optimizer.averaging]).toEqual([null, null]);
    }
    const optimizer = create({ gradients: "auto" });
    expect(optimizer.average()).toBeNull();
    expect(walk(optimizer, 1).average()).toBeNull();
    expect(walk(optimizer, 1, noise(9)).average()).toHaveLength(SIZE);
    expect(optimizer.reset().average()).toBeNull();
  });

  test("it is a copy", () => {
    const [optimizer, other] = [walk(create({}), 9), walk(create({}), 9)];
    optimizer.average()!.fill(NaN);
    walk(optimizer, 1);
    walk(other, 1);
    expect(optimizer.save()).toEqual(other.save());
  });

  const moved: [string, Tuner][] = [
    ["one S", superlevel()],
    ["each tensor", superlevel({ granularity: "tensor" })],
    ["each coordinate", superlevel({ granularity: "parameter" })],
    ["Δ reconstructed", superlevel({ delta: "reconstructed" })],
  ];
  test.each(moved)("%s: an anchor leaves it, and it moves along with the point", (_name, tuner) => {
    const optimizer = walk(create({ tuner }), 40);
    const offset = Float32Array.from(x0, (_, i) => Math.cos(i));
    const gap = (other: Optimizer) => other.average()!.map((mean, i) => mean - other.params[i]);
    const before = gap(optimizer);
    expect(before.some((value) => Math.abs(value) > 1e-4)).toBe(true);
    optimizer.anchor();
    expectNear(gap(optimizer), before, 1e-6);
    optimizer.translate(offset);
    expectNear(gap(optimizer), before, 1e-6);
    optimizer.setParams(offset);
    expectNear(gap(optimizer), before, 1e-6);
    expectNear(gap(create({ tuner }).restore(optimizer.save())), before, 1e-6);
  });

  test("a rejected step starts it again", () => {
    const optimizer = walk(create({}), 40);
    const losses = [5, 6, 4];
    const source = () => losses.shift() ?? 3;
    optimizer.grads.fill(0.1);
    optimizer.minimize(source, { steps: 1, guard: { policy: "reject" } });
    expect(optimizer.average()).toEqual(optimizer.params);
  });

  test("where it forgets, β falls at once and neither x nor the average jumps; then β rises again", () => {
    const optimizer = createOptimizer(x0, { engine, gradients: "noisy" });
    const random = noise(5);
    const apart = (a: ArrayLike<number>, b: Float32Array) => Math.hypot(...b.map((value, i) => value - a[i]));
    let [falls, moved, jumped] = [0, 0, 0];
    for (let step = 1; step <= 900; step++) {
      // What was best at first is best no longer.
      const target = step <= 400 ? 1 : -9;
      const { interpolation } = optimizer.averaging!;
      const [x, mean] = [optimizer.params.slice(), optimizer.average()!];
      optimizer.step(optimizer.params.map((x) => 0.3 * (x - target) + random()));
      const change = optimizer.averaging!.interpolation - interpolation;
      if (step < 400) expect(change).toBe(0);
      const moves = [apart(x, optimizer.params), apart(mean, optimizer.average()!)];
      if (change < 0) [falls, jumped] = [falls + 1, Math.max(jumped, ...moves)];
      else if (step > 400) moved = Math.max(moved, ...moves);
    }
    expect(falls).toBeGreaterThan(0);
    expect(jumped).toBeLessThan(1.5 * moved);
    expect(optimizer.averaging!.interpolation).toBeGreaterThan(0.5);
    expect(optimizer.averaging!.interpolation).toBeLessThan(0.9);
  });

  test("its weights may leave the finite numbers: 65 536^64 and (1e±6)^64 do", () => {
    const long = scheduleFree(sgd({ learningRate: 0.25 }), { power: 64 });
    const optimizer = createOptimizer([1, 2], { engine, base: long, tuner: null });
    for (let step = 1; step <= 66_000; step++) optimizer.step([1, -1]);
    // With weights t^p, c = (p + 1) / t.
    expect((optimizer.averaging!.weight * 66_001) / 65).toBeCloseTo(1, 2);
    expect(optimizer.average()!.every(Number.isFinite)).toBe(true);
    for (const rate of [1e-6, 1e6]) {
      const weighed = scheduleFree(sgd({ learningRate: rate }), { ratePower: 64 });
      const each = createOptimizer([1, 2], { engine, base: weighed, tuner: null });
      for (let step = 1; step <= 20; step++) each.step([1 / rate, -1 / rate]);
      expect(each.averaging!.weight).toBeCloseTo(1 / 21, 12);
      // The mean of 20 points, each one further.
      expect(each.average()![0]).toBeCloseTo(1 - 10.5, 4);
    }
  });

  test("rates of 0 weigh nothing, but where rates do not count", () => {
    const rateAt = (step: number) => (step <= 3 || step === 6 ? 0 : 0.5);
    for (const [ratePower, expected] of [
      [2, [0, 0, 0, 1, 1 / 2, 1 / 3]],
      [0, [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6]],
    ] as const) {
      const base: Base = scheduleFree(sgd({ learningRate: rateAt }), { ratePower });
      const optimizer = createOptimizer([1], { engine, base, tuner: null });
      const weights = expected.map(() => {
        const before = optimizer.average()![0];
        optimizer.step([1]);
        const z = optimizer.params[0] + optimizer.moments[0][0];
        const after = optimizer.average()![0];
        // While z stands at x̄, nothing says how much it weighs.
        return Math.abs(z - before) < 1e-6 ? undefined : (after - before) / (z - before);
      });
      weights.forEach((weight, k) => weight === undefined || expect(weight).toBeCloseTo(expected[k], 5));
      expect(weights.filter((weight) => weight !== undefined)).toHaveLength(3);
      expect(optimizer.average()!.every(Number.isFinite)).toBe(true);
    }
  });

  test("at a point of the caller's choice", () => {
    for (const options of [{ base: scheduleFree(sgd()) }, { gradients: "noisy" as const }]) {
      const resolved = resolve([1, 2], { engine, ...options });
      const stepper = new Stepper(resolved, createEngine(resolved.program));
      const point = Float32Array.of(5, 6);
      expect(stepper.average(undefined, point)).toEqual(point);
      for (const g of [
        [1, 1],
        [-1, 2],
      ]) {
        stepper.engine.grads.set(g);
        stepper.step();
      }
      const own = stepper.average()!.map((mean, i) => mean - stepper.engine.params[i]);
      const other = stepper.average(undefined, point)!.map((mean, i) => mean - point[i]);
      expectNear(other, own, 1e-6);
    }
  });
});
