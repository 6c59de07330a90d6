/** What the policies gain on Rosenbrock's function and on a stiff quadratic, with norm-adaptive rates that do not decay. */
import { describe, expect, test } from "vitest";

import { createOptimizer, sgd, type GradientSource } from "../../src/index.js";
import { lyapunovMonitor, type LyapunovPolicy } from "../../src/stability/index.js";
import { median } from "../../src/stability/vectors.js";

const STEPS = 2000;

const rosenbrock: GradientSource = ([x, y], g) => {
  g.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]);
  return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
};
const stiff: GradientSource = ([x, y], g) => {
  g.set([x, 30 * y]);
  return (x * x + 30 * y * y) / 2;
};

function run(source: GradientSource, start: readonly number[], policy: LyapunovPolicy) {
  const monitor = lyapunovMonitor();
  const losses: number[] = [];
  const { guard } = monitor.policy(policy);
  const optimizer = createOptimizer(start, {
    base: sgd({ learningRate: 1 }),
    tuner: null,
    normAdaptive: true,
  });
  const solution = optimizer.minimize(source, {
    steps: STEPS,
    deterministic: true,
    guard,
    monitors: [monitor, ({ loss }) => losses.push(loss)],
  });
  const { counts, rejections } = monitor.summary();
  return {
    ...solution,
    losses,
    // Where V goes up and down, its last value says little.
    level: median(losses.slice(-STEPS / 10)),
    risen: counts.violation / STEPS,
    unfulfilled: (counts.violation + counts.stall) / STEPS,
    extra: (solution.evaluations - STEPS - 1) / STEPS,
    rejections,
  };
}

describe("Rosenbrock, α = 1, 2000 steps", () => {
  const [warn, shrink, reject, guard] = (["warn", "shrink", "reject", "guard"] as const).map((policy) =>
    run(rosenbrock, [-1.2, 1], policy),
  );

  test("warned alone, V rises in every second step and stays a thousand times as high", () => {
    expect(warn.risen).toBeGreaterThan(0.45);
    expect(warn.risen).toBeLessThan(0.57);
    expect(warn.violations).toBe(warn.risen * STEPS);
    expect(warn.level).toBeGreaterThan(0.3);
    for (const { level } of [shrink, reject, guard]) expect(warn.level / level).toBeGreaterThan(100);
  });

  test("shrink and reject end near 10⁻³; reject costs an eighth of a forward pass a step", () => {
    for (const { loss } of [shrink, reject, guard]) {
      expect(loss).toBeGreaterThan(5e-4);
      expect(loss).toBeLessThan(3e-3);
    }
    expect(shrink.extra).toBe(0);
    expect(reject.extra).toBeGreaterThan(0.08);
    expect(reject.extra).toBeLessThan(0.17);
    expect(reject.rejections).toBe(reject.violations);
  });

  test("reject lets V rise never, shrink in an eighth of the steps, guard up to the largest of ten", () => {
    const rises = ({ losses }: typeof warn) =>
      losses.filter((loss, k) => k > 0 && loss > losses[k - 1] + 2 ** -20 * Math.max(1, losses[k - 1]))
        .length;
    expect(rises(reject)).toBe(0);
    expect(reject.unfulfilled).toBe(0);
    expect(rises(shrink) / STEPS).toBeGreaterThan(0.05);
    expect(rises(shrink) / STEPS).toBeLessThan(0.2);
    expect(rises(guard)).toBeGreaterThan(rises(shrink));
    guard.losses.forEach((loss, k) => {
      const limit = Math.max(...guard.losses.slice(Math.max(0, k - 10), k));
      if (k > 0) expect(loss).toBeLessThanOrEqual(limit + 2 ** -20 * Math.max(1, limit));
    });
  });
});

describe("stiff quadratic, curvatures 1 and 30", () => {
  const [warn, shrink, reject, guard] = (["warn", "shrink", "reject", "guard"] as const).map((policy) =>
    run(stiff, [1, 1], policy),
  );
  /** (ab − 2)² / 8b, a = 1, b = 30. */
  const cycle = 28 ** 2 / 240;

  test("V stays at the two-cycle under warn, and under guard, for which it does not rise", () => {
    for (const { loss } of [warn, guard]) expect(loss / cycle).toBeCloseTo(1, 5);
    expect(guard.rejections).toBe(0);
    // V ≤ V before passes all but 2 % of these steps, Armijo's condition hardly any.
    expect(warn.risen).toBeLessThan(0.06);
    expect(warn.unfulfilled).toBeGreaterThan(0.98);
  });

  test("shrink and reject leave it, down to what float32 tells apart", () => {
    for (const { loss } of [shrink, reject]) expect(loss).toBeLessThan(2 ** -20);
  });
});
