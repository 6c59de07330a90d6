/** What monitors see, guards with a judge of their own, and the views and moves that diagnostics need. */
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  sgd,
  superlevel,
  type GradientSource,
  type RunInfo,
  type RunMonitor,
  type RunPoint,
  type Tuner,
} from "../../src/index.js";

const bowl: GradientSource = ([x, y], g) => {
  g.set([x, 4 * y]);
  return (x * x + 4 * y * y) / 2;
};

/** A monitor that keeps copies of the points it is shown. */
class Recorder implements RunMonitor {
  readonly points: RunPoint[] = [];
  readonly steps: number[] = [];
  beforeStep(point: RunPoint): void {
    this.points.push({ ...point, params: point.params.slice(), grads: point.grads.slice() });
  }
  afterStep({ step }: RunInfo): void {
    this.steps.push(step);
  }
}

describe("a monitor's points", () => {
  test.each([
    ["deterministic, guarded", { deterministic: true }],
    ["deterministic, no guard", { deterministic: true, guard: null }],
    ["minibatches", {}],
    ["a level", { deterministic: true, level: { value: 0.5, action: "project" as const } }],
  ])("%s: loss and gradient belong to the point", (_name, run) => {
    const monitor = new Recorder();
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.4 }), tuner: null });
    const { steps, loss } = optimizer.minimize(bowl, { steps: 12, monitors: [monitor], ...run });
    expect(monitor.points.map(({ step }) => step)).toEqual(
      Array.from({ length: steps + 1 }, (_, k) => k + 1),
    );
    expect(monitor.steps).toEqual(Array.from({ length: steps }, (_, k) => k + 1));
    for (const point of monitor.points) {
      const grads = new Float32Array(2);
      expect(point.loss).toBe(bowl(point.params, grads, point.step));
      expect(point.grads).toEqual(grads);
      expect(point.deterministic).toBe("deterministic" in run);
    }
    expect(monitor.points.at(-1).loss).toBe(loss);
  });

  test("a loss that is not finite is seen before it is thrown, and `until` ends at a point that was seen", async () => {
    const monitor = new Recorder();
    const source: GradientSource = (x, g, step) => (step === 3 ? NaN : bowl(x, g, step));
    const optimizer = createOptimizer([1, 1]);
    expect(() => optimizer.minimize(source, { steps: 9, monitors: [monitor] })).toThrow("step 3");
    expect(monitor.points.at(-1).loss).toBeNaN();
    const other = new Recorder();
    const run = { until: ({ step }: { step: number }) => step === 4, monitors: [other] };
    const { loss } = await createOptimizer([1, 1]).minimizeAsync(bowl, run);
    expect(other.points).toHaveLength(5);
    expect(other.points[4].loss).toBe(loss);
  });
});

describe("a monitor", () => {
  const run = (...monitors: unknown[]) =>
    createOptimizer([1, 1]).minimize(bowl, { steps: 2, monitors: monitors as never });

  test("is a function, or an object with one of the two methods or both", () => {
    const seen: string[] = [];
    const after = ({ step }: RunInfo) => void seen.push(`after ${step}`);
    const before = ({ step }: RunPoint) => void seen.push(`before ${step}`);
    run({ beforeStep: before }, { afterStep: after }, { beforeStep: before, afterStep: undefined }, after);
    const [b1, a1, b2, a2, b3] = ["before 1", "after 1", "before 2", "after 2", "before 3"];
    expect(seen).toEqual([b1, b1, a1, a1, b2, b2, a2, a2, b3, b3]);
  });

  test("that would not be called is refused", () => {
    const expected =
      "run.monitors[0]: expected a function, or an object with methods beforeStep or afterStep, got";
    const nothing = () => {};
    expect(() => run({})).toThrow(`${expected} an object`);
    expect(() => run(null)).toThrow(`${expected} null`);
    expect(() => run({ beforeStep: 1, afterStep: nothing })).toThrow(`${expected} an object`);
    for (const method of ["at", "beforeStep", "afterStep"])
      expect(() => run(Object.assign(() => {}, { [method]: nothing }))).toThrow(
        `${expected} a function with a method "${method}"`,
      );
    expect(() => run(...([] as unknown[]).concat(3))).toThrow(`${expected} 3`);
    const monitors = nothing as never;
    expect(() => createOptimizer(1).minimize(bowl, { steps: 1, monitors })).toThrow(
      "run.monitors: expected an array of monitors, got a function",
    );
  });
});

describe("a guard with a judge of its own", () => {
  test("is asked about every try, and obeyed", () => {
    const asked: number[] = [];
    const violates = ({
      step,
      before,
      after,
      params,
    }: {
      step: number;
      before: number;
      after: number;
      params: Float32Array;
    }) => {
      asked.push(step);
      expect(after).toBe(bowl(params, new Float32Array(2), step));
      // A tenth at least.
      return after > 0.9 * before;
    };
    const losses: number[] = [];
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.49 }), tuner: null });
    const { rejections, violations } = optimizer.minimize(bowl, {
      deterministic: true,
      steps: 8,
      guard: { policy: "reject", violates },
      monitors: [({ loss }) => losses.push(loss)],
    });
    expect(rejections).toBeGreaterThan(0);
    expect(violations).toBe(rejections);
    expect(asked).toHaveLength(8 + rejections);
    losses.slice(1).forEach((loss, k) => expect(loss).toBeLessThanOrEqual(0.9 * losses[k]));
  });

  test("is not asked about NaN, which is a violation", () => {
    const source: GradientSource = ([x], g) => ((g[0] = x < 0 ? NaN : 1), x < 0 ? NaN : x);
    const optimizer = createOptimizer([1], { base: sgd({ learningRate: 2 }), tuner: null });
    const guard = { policy: "reject", violates: () => false } as const;
    expect(optimizer.minimize(source, { deterministic: true, steps: 1, guard }).rejections).toBe(1);
    const run = { steps: 1, guard: { policy: "warn", violates: 1 as never } } as const;
    expect(() => optimizer.minimize(source, run)).toThrow("run.guard.violates");
  });

  test.each([false, true])("a probe may shrink the rate, with a level too: %s", (levelled) => {
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 1 }), tuner: null });
    const rates: number[] = [];
    optimizer.minimize(bowl, {
      steps: 9,
      guard: { policy: "shrink", probe: () => 0, every: 3, violates: ({ step }) => step === 3 },
      monitors: [({ learningRate }) => rates.push(learningRate)],
      ...(levelled ? { level: { value: 1e-9, action: "project" as const } } : {}),
    });
    expect(rates.map((rate) => Number(rate.toFixed(6)))).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.55, 0.55, 0.55]);
  });
});

const tuners: [string, Tuner | null][] = [
  ["none", null],
  ["stored", superlevel({ lambda: 0 })],
  ["reconstructed", superlevel({ lambda: 0, delta: "reconstructed" })],
  ["per tensor", superlevel({ lambda: 0, granularity: "tensor" })],
  ["per coordinate", superlevel({ lambda: 0, granularity: "parameter" })],
];

describe.each([1, 15, 16, 17, 1000])("%i parameters", (size) => {
  const grads = Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1));

  test.each(tuners)("tuner %s: moments are views of the base's", (_name, tuner) => {
    const f = Math.fround;
    const optimizer = createOptimizer(size, { base: adam({ learningRate: 0.1 }), tuner });
    optimizer.step(grads);
    const [mu, nu] = optimizer.moments;
    expect(optimizer.moments).toHaveLength(2);
    grads.forEach((g, i) => {
      expect(mu[i]).toBe(f(f(1 - 0.9) * g));
      expect(nu[i]).toBe(f(f(1 - 0.999) * f(g * g)));
    });
    // A lead or the first gradient wants a place.
    for (const gradients of ["auto", "exact", "noisy"] as const)
      expect(createOptimizer(size, { base: sgd(), tuner, gradients }).moments).toHaveLength(tuner ? 1 : 0);
    const started = tuner && { ...tuner, sInit: 0.1 };
    expect(createOptimizer(size, { base: sgd(), tuner: started, gradients: "exact" }).moments).toHaveLength(
      0,
    );
  });

  test.each(tuners.slice(1))("tuner %s: under noise the lead is in momentum's place", (_name, tuner) => {
    const f = Math.fround;
    const optimizer = createOptimizer(size, { gradients: "noisy", tuner });
    optimizer.step(grads);
    const [lead, nu] = optimizer.moments;
    // The first z is the whole average.
    grads.forEach((g, i) => {
      expect(Math.abs(lead[i])).toBe(0);
      expect(nu[i]).toBe(f(g * g));
    });
    const x = optimizer.params.slice();
    optimizer.step(grads);
    const { interpolation: beta } = optimizer.averaging!;
    const { scale } = optimizer;
    const average = optimizer.average()!;
    grads.forEach((_, i) => {
      const own = typeof scale === "number" ? scale : scale[scale.length === size ? i : 0];
      const expected = optimizer.params[i] - ((own * (1 - beta)) / beta) * lead[i];
      expect(Math.abs(average[i] - expected)).toBeLessThanOrEqual(
        2 ** -22 * Math.abs(x[i] - expected) + 1e-9,
      );
    });
    expect(lead.some((e) => e !== 0)).toBe(true);
  });

  test.each(tuners)("tuner %s: translate moves this and every later point alike", (name, tuner) => {
    const make = () => createOptimizer(size, { base: sgd({ learningRate: 0.5, momentum: 0.5 }), tuner });
    const [still, moved] = [make(), make()];
    const offset = grads.map((g) => g / 2);
    for (let k = 0; k < 4; k++) for (const each of [still, moved]) each.step(grads);
    expect(moved.translate(offset)).toBe(moved);
    for (let k = 0; k < 4; k++) for (const each of [still, moved]) each.step(grads);
    // Reconstructed Δ is rounded like x.
    const digits = name === "reconstructed" ? 4 : 5;
    offset.forEach((value, i) => expect(moved.params[i] - still.params[i]).toBeCloseTo(value, digits));
    expect(() => moved.translate([...offset.slice(1), NaN])).toThrow("offset[");
  });
});
