/** Projected steps: sets, optimizers that stay in them, and the Lyapunov check, on quadratics with known solutions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  adam,
  createOptimizer,
  mechanic,
  sgd,
  type GradientSource,
  type OptimizerOptions,
} from "../../src/index.js";
import {
  ball,
  box,
  constrain,
  lyapunovMonitor,
  projectedGradient,
  projectedStep,
  type ConvexSet,
} from "../../src/stability/index.js";

const [curvatures, target] = [[1, 4, 9, 2], [2, -1, 0.3, -3]]; // prettier-ignore
const lossAt = (x: ArrayLike<number>) =>
  curvatures.reduce((sum, c, i) => sum + (c * (x[i] - target[i]) ** 2) / 2, 0);
const gradientAt = (x: ArrayLike<number>) => curvatures.map((c, i) => c * (x[i] - target[i]));
const source: GradientSource = (x, g) => (g.set(gradientAt(x)), lossAt(x));

/** The nearest point to the target in a ball around 0, in the norm of the curvatures: c (a − x) = μ x, ‖x‖ = r. */
function inBall(radius: number): number[] {
  const at = (mu: number) => curvatures.map((c, i) => (c * target[i]) / (c + mu));
  let [low, high] = [0, 1e6];
  for (let k = 0; k < 200; k++) {
    const middle = (low + high) / 2;
    if (Math.hypot(...at(middle)) > radius) low = middle;
    else high = middle;
  }
  return at(low);
}

const sets: [string, ConvexSet, number[]][] = [
  ["a box", box({ lower: -0.5, upper: 1 }), [1, -0.5, 0.3, -0.5]],
  ["half-spaces", box({ lower: [-9, 0, -Infinity, -2] }), [2, 0, 0.3, -2]],
  ["a ball", ball({ radius: 2 }), inBall(2)],
];

describe("sets", () => {
  test("a box clips, and takes the gradient's part that leads out", () => {
    const set = box({ lower: [0, 0, -1], upper: 1 });
    const x = Float32Array.of(-2, 0.5, 3);
    expect(set.project(x)).toBe(true);
    expect([...x]).toEqual([0, 0.5, 1]);
    expect(set.project(x)).toBe(false);
    for (const [g, left] of [
      [[1, 1, 1], [0, 1, 1]],
      [[-1, -1, -1], [-1, -1, 0]],
    ]) {
      const grads = Float64Array.from(g);
      set.tangent(x, grads);
      expect([...grads]).toEqual(left);
    } // prettier-ignore
  });

  test("bounds that float32 does not have are met as nearly as can be", () => {
    const set = box({ lower: -0.1, upper: 0.1 });
    const x = Float32Array.of(1, -1);
    expect(set.project(x)).toBe(true);
    expect([...x]).toEqual([Math.fround(0.1), Math.fround(-0.1)]);
    expect(set.project(x)).toBe(false);
    const g = Float32Array.of(-1, 1);
    set.tangent(x, g);
    expect([...g]).toEqual([0, 0]);
  });

  test("a ball shortens, and takes the outward part of −g on its surface alone", () => {
    const set = ball({ radius: 5, center: [1, 0] });
    const x = Float64Array.of(7, 8);
    expect(set.project(x)).toBe(true);
    expect([...x]).toEqual([4, 4]);
    const tangent = (g: number[]) => (set.tangent(x, (g = Float64Array.from(g) as never)), [...g]);
    tangent([-3, -4]).forEach((value) => expect(value).toBeCloseTo(0, 12));
    expect(tangent([3, 4])).toEqual([3, 4]);
    expect(tangent([4, -3])).toEqual([4, -3]);
    const sideways = tangent([1, -7]);
    expect(sideways[0] * 3 + sideways[1] * 4).toBeCloseTo(0, 12);
    x.set([1, 1]);
    expect(tangent([-3, -4])).toEqual([-3, -4]);
    expect(set.project(Float32Array.of(4.000001, 4))).toBe(false);
  });

  test("what −g pressed against a bound is held there", () => {
    const x = Float32Array.of(0.5, 0.9, 0.5);
    box({ lower: 0, upper: 1 }).hold!(x, Float32Array.of(0, 1, 0.2), Float32Array.of(1, -1, 5));
    expect([...x]).toEqual([0, 1, 0.5]);
    const inner = Float64Array.of(1.8, 2.4);
    const set = ball({ radius: 5 });
    set.hold!(inner, Float64Array.of(3, 4), Float64Array.of(3, 4));
    expect([...inner]).toEqual([1.8, 2.4]);
    set.hold!(inner, Float64Array.of(3, 4), Float64Array.of(-1, 0));
    inner.forEach((value, i) => expect(value).toBeCloseTo([3, 4][i], 12));
  });

  test.each<[() => unknown, string]>([
    [() => box({ lower: 2, upper: 1 }), "box: expected lower <= upper at coordinate 0, got 2 and 1"],
    [() => box({ lower: [0, NaN] }), "box: expected lower <= upper at coordinate 1, got NaN"],
    [() => box({ lower: "0" as never }), "box.lower: expected an array of numbers"],
    [() => box({ low: 0 } as never), 'box: unknown option "low"'],
    [() => box({ lower: [0, 0] }).project(new Float32Array(3)), "box.lower: expected 3 numbers, got 2"],
    [() => ball({ radius: 0 }), "ball.radius: expected a finite number > 0"],
    [() => ball({ radius: 1, center: [NaN] }), "ball.center[0]: expected a finite number"],
    [
      () => ball({ radius: 1, center: [0] }).project(new Float32Array(2)),
      "ball.center: expected 2 numbers, got 1",
    ],
    [() => constrain({} as never, box({})), "optimizer: expected what createOptimizer returned"],
    [() => constrain(createOptimizer(2), {} as never), "set.project: expected a function"],
    [() => constrain(createOptimizer(2), box({ lower: [0] })), "box.lower: expected 2 numbers, got 1"],
  ])("what is wrong is named: %#", (call, message) => {
    expect(call).toThrow(message);
  });
});

describe("the Lyapunov check of projected steps", () => {
  test.each(sets)(
    "in %s with η = 1 / L: V falls as promised to the solution, G to 0, g does not",
    (_, set, solution) => {
      const learningRate = 1 / 9;
      const x = Float64Array.of(0.1, 0.2, 0.3, 0.4);
      set.project(x);
      for (let t = 0; t < 600; t++) {
        const before = { loss: lossAt(x), params: x.slice(), grads: gradientAt(x) };
        before.grads.forEach((g, i) => (x[i] -= learningRate * g));
        set.project(x);
        const step = projectedStep(before, { loss: lossAt(x) }, { set, learningRate });
        expect(step.kept, `step ${t}`).toBe(true);
        expect(step.status).toMatch(/ok|converged/);
        const moved = Math.hypot(...before.params.map((value, i) => x[i] - value));
        expect(step.stationarity).toBeCloseTo(moved / learningRate, 8);
      }
      x.forEach((value, i) => expect(value).toBeCloseTo(solution[i], 6));
      const grads = gradientAt(x);
      expect(projectedGradient({ params: x, grads }, { set }).norm).toBeLessThan(1e-5);
      expect(Math.hypot(...grads)).toBeGreaterThan(1);
    },
  );

  test("two coordinates that know of each other: (3/2, 0), not (2, −1) cut off", () => {
    const set = box({ lower: 0 });
    const x = Float64Array.of(0, 5);
    const gradient = () => [2 * x[0] + x[1] - 3, x[0] + 2 * x[1]];
    for (let t = 0; t < 200; t++) {
      gradient().forEach((g, i) => (x[i] -= g / 3));
      set.project(x);
    }
    expect([x[0], x[1]]).toEqual([expect.closeTo(1.5, 9), 0]);
    expect(projectedGradient({ params: x, grads: gradient() }, { set }).norm).toBeCloseTo(0, 9);
  });

  test("without a set in the way it is that of descent: not kept above 1 / L, a violation above 2 / L", () => {
    const at = (eta: number) => {
      const before = { loss: 4.5, params: [1], grads: [9] };
      return projectedStep(before, { loss: 4.5 * (1 - 9 * eta) ** 2 }, { set: box({}), learningRate: eta });
    };
    expect(at(1 / 9)).toMatchObject({ stationarity: 9, kept: true, status: "ok" });
    expect(at(0.99 / 9).kept).toBe(true);
    expect(at(1.5 / 9)).toMatchObject({ kept: false, status: "ok" });
    expect(at(2 / 9)).toMatchObject({ status: "stall" });
    expect(at(2.1 / 9)).toMatchObject({ kept: false, status: "violation" });
    const still = projectedStep(
      { loss: 1, params: [1], grads: [-3] },
      { loss: 1 },
      { set: box({ upper: 1 }) },
    );
    expect(still).toMatchObject({ stationarity: 0, promised: -0, kept: true, status: "converged" });
  });

  test("V falls by ½ η ‖G‖² for every quadratic, set and start", () => {
    const number = fc.double({ min: -5, max: 5, noNaN: true });
    const positive = fc.double({ min: 0.01, max: 5, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.record({ c: positive, a: number, x: number, low: number, width: positive }), { minLength: 1, maxLength: 6 }),
        positive,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.boolean(),
        (rows, radius, share, round) => {
          const set = round ? ball({ radius }) : box({ lower: rows.map(({ low }) => low), upper: rows.map(({ low, width }) => low + width) });
          const learningRate = share / Math.max(...rows.map(({ c }) => c));
          const loss = (x: ArrayLike<number>) => rows.reduce((sum, { c, a }, i) => sum + (c * (x[i] - a) ** 2) / 2, 0);
          const x = Float64Array.from(rows, ({ x }) => x);
          set.project(x);
          const grads = rows.map(({ c, a }, i) => c * (x[i] - a));
          const next = x.map((value, i) => value - learningRate * grads[i]);
          set.project(next);
          const step = projectedStep({ loss: loss(x), params: x, grads }, { loss: loss(next) }, { set, learningRate });
          expect(step.kept).toBe(true);
        },
      ), // prettier-ignore
      { numRuns: 300 },
    );
  });

  test("what is wrong is named", () => {
    const point = { loss: 1, params: [1], grads: [1] };
    expect(() => projectedGradient(point, { set: 1 as never })).toThrow("set.project: expected a function");
    expect(() => projectedGradient(point, { set: box({}), learningRate: 0 })).toThrow(
      "projectedGradient.learningRate",
    );
    expect(() => projectedGradient({ params: [1], grads: [1, 2] }, { set: box({}) })).toThrow(
      "grads: expected 1 numbers",
    );
    expect(() => projectedStep(point, point, { set: box({}), eta: 1 } as never)).toThrow(
      'projectedStep: unknown option "eta"',
    );
  });
});

describe("an optimizer in a set", () => {
  const start = [0.1, 0.2, 0.3, 0.4];
  const optimizers: [string, OptimizerOptions][] = [
    ["the default", {}],
    ["the default, with sgd", { base: sgd() }],
    ["mechanic", { tuner: mechanic({ delta: "stored" }) }],
    ["descent", { base: sgd({ learningRate: 0.1 }), tuner: null }],
    ["heavy ball", { base: sgd({ learningRate: 0.02, momentum: 0.9 }), tuner: null }],
    ["adam", { base: adam({ learningRate: 0.01 }), tuner: null }],
  ];
  const cases = optimizers.flatMap(([name, options]) =>
    sets.map(([of, set, solution]) => ({ name, of, options, set, solution })),
  );

  test.each(cases)(
    "$name in $of ends at the solution, by minimize with a guard and without, and by hand",
    ({ name, options, set, solution }) => {
      const digits = name === "mechanic" || name === "adam" ? 1 : 2;
      for (const guard of [null, undefined]) {
        const optimizer = createOptimizer(start, options);
        const inside = constrain(optimizer, set);
        const feasible = () => expect(set.project(optimizer.params.slice())).toBe(false);
        optimizer.minimize(source, { steps: 1500, deterministic: true, guard, monitors: [inside, feasible] });
        optimizer.params.forEach((value, i) => expect(value, `${i}`).toBeCloseTo(solution[i], digits));
      }

      const other = createOptimizer(start, options);
      const around = constrain(other, set);
      for (let t = 0; t < 1500; t++) {
        source(other.params, other.grads, t);
        around.beforeStep();
        other.step();
        around.complete();
        expect(set.project(other.params.slice())).toBe(false);
      }
      other.params.forEach((value, i) => expect(value, `${i}`).toBeCloseTo(solution[i], digits));
    },
  );

  test("plain descent in a box takes the steps of the projected gradient method", () => {
    const [, set] = sets[0];
    const optimizer = createOptimizer(start, { base: sgd({ learningRate: 0.1 }), tuner: null });
    const inside = constrain(optimizer, set);
    const x = Float32Array.from(start);
    for (let t = 0; t < 50; t++) {
      optimizer.minimize(source, { steps: 1, monitors: [inside] });
      const g = Float32Array.from(gradientAt(x));
      x.forEach((value, i) => (x[i] = Math.fround(value + Math.fround(Math.fround(-0.1) * g[i]))));
      set.project(x);
      expect(optimizer.params).toEqual(x);
    }
  });

  test.each(sets)("in %s a run converges where the projected gradient is small", (_, set, solution) => {
    const optimizer = createOptimizer(start);
    const monitor = lyapunovMonitor();
    const monitors = [constrain(optimizer, set), monitor];
    const { reason } = optimizer.minimize(source, { steps: 5000, gradientTolerance: 1e-3, monitors });
    expect(reason).toBe("converged");
    optimizer.params.forEach((value, i) => expect(value).toBeCloseTo(solution[i], 2));
    expect(monitor.summary().verdict).toBe("healthy");
  });

  test("the tuner's scale stays finite where the bounds are all that stops x", () => {
    const slope: GradientSource = (x, g) => (g.fill(-1), -x[0] - x[1]);
    const optimizer = createOptimizer([0, 0]);
    const inside = constrain(optimizer, box({ lower: -1, upper: [1, 2] }));
    optimizer.minimize(slope, { steps: 500, monitors: [inside] });
    expect([...optimizer.params]).toEqual([1, 2]);
    expect(optimizer.scale).toBeLessThan(10);
  });

  test("a start outside is moved in; one at the solution stays, and is no mistake", () => {
    const [, set] = sets[0];
    const outside = createOptimizer([5, 5, 5, 5]);
    constrain(outside, set);
    expect([...outside.params]).toEqual([1, 1, 1, 1]);
    const corner: GradientSource = (x, g) => (g.fill(1), x[0] + x[1]);
    const still = createOptimizer([0, 0]);
    const { reason } = still.minimize(corner, { steps: 50, gradientTolerance: 1e-6, monitors: [constrain(still, box({ lower: 0, upper: 1 }))] }); // prettier-ignore
    expect(reason).toBe("converged");
    expect([...still.params]).toEqual([0, 0]);
  });
});
