/** What noise does to V, and what a probe sees of it: by Monte Carlo, within its own error. */
import { describe, expect, test } from "vitest";

import { createOptimizer, sgd, type GradientSource } from "../../src/index.js";
import {
  fromSource,
  lyapunovMonitor,
  lyapunovStep,
  pairedTest,
  sharpness,
} from "../../src/stability/index.js";
import { normals } from "../../src/stability/vectors.js";
import { logistic } from "../support/logistic.js";

const plain = (learningRate: number | (() => number)) => ({ base: sgd({ learningRate }), tuner: null });

interface Estimate {
  mean: number;
  /** Standard error. */
  error: number;
}

function estimate(values: ArrayLike<number>): Estimate {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const squares = list.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (list.length - 1) / list.length) };
}

/** Of values that depend on their neighbours: means of long blocks hardly do. */
function estimateOfCourse(values: readonly number[], blocks = 50): Estimate {
  const length = values.length / blocks;
  return estimate(
    Array.from({ length: blocks }, (_, b) => estimate(values.slice(b * length, (b + 1) * length)).mean),
  );
}

describe("descent with noise on a quadratic", () => {
  const curvatures = [1, 4, 9];
  const lossOf = (x: ArrayLike<number>) => curvatures.reduce((sum, c, i) => sum + (c * x[i] ** 2) / 2, 0);

  test("E ΔV = −η ‖g‖² + ½ η² (g'Hg + tr HΣ), 0 at η* = 2 ‖g‖² / (g'Hg + tr HΣ)", () => {
    const [x, sigma] = [[1, 0.5, -0.5], 2];
    const g = x.map((value, i) => curvatures[i] * value);
    const n2 = g.reduce((sum, v) => sum + v * v, 0);
    const bend = g.reduce((sum, v, i) => sum + curvatures[i] * (v * v + sigma * sigma), 0);
    const normal = normals(1);
    for (const factor of [0.5, 1, 1.5]) {
      const eta = (factor * 2 * n2) / bend;
      const changes = Float64Array.from({ length: 40_000 }, () => {
        const after = x.map((value, i) => value - eta * (g[i] + sigma * normal()));
        const before = { loss: lossOf(x), params: x, grads: g };
        return lyapunovStep(before, { loss: lossOf(after), params: after }).change;
      });
      const exact = -eta * n2 + (eta * eta * bend) / 2;
      const { mean, error } = estimate(changes);
      if (factor === 1) expect(exact).toBeCloseTo(0, 12);
      expect(Math.abs(mean - exact)).toBeLessThan(3 * error);
      expect(error).toBeLessThan(0.02 * eta * n2);
    }
  });

  test.each([0.02, 0.1, 0.2])("η = %f: the floor Σ η σ² / 2 (2 − η λ_i)", (eta) => {
    const sigma = 0.5;
    const normal = normals(2);
    const source: GradientSource = (x, grads) => {
      for (let i = 0; i < 3; i++) grads[i] = curvatures[i] * x[i] + sigma * normal();
      return lossOf(x);
    };
    const floor = curvatures.reduce((sum, c) => sum + (eta * sigma ** 2) / (2 * (2 - eta * c)), 0);
    const optimizer = createOptimizer(3, plain(eta));
    const losses: number[] = [];
    optimizer.minimize(source, { steps: 500 });
    optimizer.minimize(source, { steps: 60_000, monitors: [({ loss }) => losses.push(loss)] });
    const { mean, error } = estimateOfCourse(losses);
    expect(Math.abs(mean - floor)).toBeLessThan(3 * error);
    expect(error).toBeLessThan(0.03 * floor);
  });
});

describe("minibatches", () => {
  interface Shares {
    full: number;
    same: number;
    next: number;
    correlation: number;
  }

  /** How often V rises, measured on all examples, on the step's own batch, and from batch to batch. */
  function watch(seeds: number, skip: number, steps: number, eta: number): Shares {
    const [full, half]: number[][] = [[], []];
    let [same, next] = [0, 0];
    for (let seed = 0; seed < seeds; seed++) {
      const problem = logistic(seed);
      const optimizer = createOptimizer(problem.size, plain(eta));
      if (skip > 0) optimizer.minimize(problem.batch, { steps: skip });
      const { params, grads } = optimizer;
      const unused = new Float32Array(problem.size);
      const measure = (step: number) => ({
        full: problem.full(params, unused, 1),
        half: estimate(problem.losses(params)).mean,
        batch: problem.batch(params, unused, step),
      });
      let last = Infinity;
      for (let step = skip + 1; step <= skip + steps; step++) {
        const before = measure(step);
        problem.batch(params, grads, step);
        optimizer.step();
        const after = measure(step);
        full.push(after.full - before.full);
        half.push(after.half - before.half);
        if (after.batch > before.batch) same++;
        if (before.batch > last) next++;
        last = before.batch;
      }
    }
    const count = seeds * steps;
    const rises = full.filter((change) => change > 0).length;
    return { full: rises / count, same: same / count, next: next / count, correlation: correlation(full, half) }; // prettier-ignore
  }

  function correlation(a: readonly number[], b: readonly number[]): number {
    const [meanA, meanB] = [estimate(a).mean, estimate(b).mean];
    const of = (f: (k: number) => number) => a.reduce((sum, _, k) => sum + f(k), 0);
    const [aa, bb] = [of((k) => (a[k] - meanA) ** 2), of((k) => (b[k] - meanB) ** 2)];
    return of((k) => (a[k] - meanA) * (b[k] - meanB)) / Math.sqrt(aa * bb);
  }

  test("at first every step is good: the next batch says otherwise, a fixed half of the examples agrees", () => {
    const { full, same, next, correlation: agreement } = watch(5, 0, 50, 0.05);
    expect([full, same]).toEqual([0, 0]);
    expect(next).toBeGreaterThan(0.3);
    expect(agreement).toBeGreaterThan(0.95);
  });

  test("at the noise floor every second step is bad: the step's own batch is blind to it", () => {
    const { full, same, next } = watch(3, 1500, 100, 0.05);
    expect(Math.abs(full - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / 300));
    expect(same).toBe(0);
    expect(Math.abs(next - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / 300));
  });

  /** Rates are 0.05 for 200 steps, and η after that. */
  async function afterJump(eta: number, seeds: number) {
    const delays: number[] = [];
    let [early, edge] = [0, 0];
    for (let seed = 0; seed < seeds; seed++) {
      const { batch, full, losses, size } = logistic(seed, { scale: 1.3 });
      const monitor = lyapunovMonitor({ probe: { losses } });
      let rate = 0.05;
      const run = (steps: number) => void optimizer.minimize(batch, { steps, monitors: [monitor] });
      const optimizer = createOptimizer(size, plain(() => rate)); // prettier-ignore
      run(200);
      early += monitor.summary().probe!.alarms;
      if (seed < 5) edge += 2 / (await sharpness(fromSource(full), optimizer.params)).lambdaMax / 5;
      rate = eta;
      run(100);
      const first = monitor.summary().probe!.alarmSteps.find((step) => step > 200);
      if (first !== undefined) delays.push(first - 200);
    }
    delays.sort((a, b) => a - b);
    return { early, edge, share: delays.length / seeds, delay: delays[delays.length >> 1] };
  }

  test("a jump of the rate to 8, little more than the edge of stability, is seen in 86 % of runs, binomial error allowed", async () => {
    const seeds = 30;
    const { early, edge, share, delay } = await afterJump(8, seeds);
    expect(8 / edge).toBeGreaterThan(1);
    expect(8 / edge).toBeLessThan(1.4);
    expect(Math.abs(share - 0.86)).toBeLessThan(3 * Math.sqrt((0.86 * 0.14) / seeds));
    expect(delay).toBe(10);
    // One in 700 is what the three standard errors let through, where the mean stays; here it falls.
    expect(early).toBeLessThanOrEqual(3);
  });

  test("a jump to 30, four times the edge, is seen in every run, at the next test", async () => {
    const { edge, share, delay } = await afterJump(30, 20);
    expect(30 / edge).toBeGreaterThan(3.5);
    expect(share).toBe(1);
    expect(delay).toBe(10);
  });

  test("a probe costs its m losses before the first step and at every tenth", () => {
    const { batch, losses, size } = logistic(0);
    const asked: number[] = [];
    const counting = (w: Float32Array) => {
      const found = losses(w);
      asked.push(found.length);
      return found;
    };
    const monitor = lyapunovMonitor({ probe: { losses: counting } });
    createOptimizer(size, plain(0.05)).minimize(batch, { steps: 100, monitors: [monitor] });
    expect(asked).toEqual(new Array(11).fill(256));
    expect(monitor.summary().probe!.tests).toBe(10);
  });
});

test("three standard errors of a mean that stays: a false alarm in 700 tests, as Student's t has it", () => {
  const [count, trials] = [64, 30_000];
  const normal = normals(3);
  const before = new Float64Array(count);
  let alarms = 0;
  for (let k = 0; k < trials; k++) {
    const after = Float64Array.from(before, normal);
    if (pairedTest(before, after).risen) alarms++;
  }
  // P(t > 3) with m − 1 degrees of freedom, by the trapezoid rule.
  const density = (t: number) => (1 + (t * t) / (count - 1)) ** (-count / 2);
  const integral = (from: number, to: number, h = 1e-3) => {
    let sum = (density(from) + density(to)) / 2;
    for (let t = from + h; t < to - h / 2; t += h) sum += density(t);
    return sum * h;
  };
  const chance = integral(3, 40) / (2 * integral(0, 40));
  expect(1 / chance).toBeGreaterThan(450);
  expect(1 / chance).toBeLessThan(750);
  expect(Math.abs(alarms - trials * chance)).toBeLessThan(3 * Math.sqrt(trials * chance));
});
