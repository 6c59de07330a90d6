/** What is handed out may be written to, points that no step could leave are refused, and failures change nothing. */
import { describe, expect, test } from "vitest";
import { createOptimizer, finiteDifferences, sgd, superlevel } from "../../src/index.js";
import type { GradientSource, OptimizerOptions } from "../../src/index.js";
import { minimize } from "../../src/adapters/minimize/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { sameBytes } from "../support/state.js";

const target = [3, -1, 2];
const away = (x: ArrayLike<number>) => target.reduce((sum, t, i) => sum + (x[i] - t) ** 2, 0);

/** As functions do that sort, scale or clear what they get. */
const careless: ((x: Float64Array) => unknown)[] = [(x) => x.sort(), (x) => x.fill(7), (x) => x.reverse()];

describe("a function that writes to its x", () => {
  test.each(careless)("%s: is minimized all the same", (spoil) => {
    const fun = (x: Float64Array) => {
      const value = away(x);
      spoil(x);
      return value;
    };
    const jac = (x: Float64Array) => {
      const gradient = Array.from(x, (value, i) => 2 * (value - target[i]));
      spoil(x);
      return gradient;
    };
    const both = (x: Float64Array) => {
      const gradient = jac(x.slice());
      return [fun(x), gradient] as const;
    };
    for (const result of [
      minimize(fun, [0, 0, 0]),
      minimize(fun, [0, 0, 0], { jac }),
      minimize(fun, [0, 0, 0], { jac: "2-point" }),
      minimize(both, [0, 0, 0], { jac: true }),
    ]) {
      expect(result.success).toBe(true);
      result.x.forEach((x, i) => expect(x).toBeCloseTo(target[i], 3));
    }
    for (const scheme of ["central", "forward"] as const) {
      const [spoilt, plain] = [new Float32Array(3), new Float32Array(3)];
      const [at, loss] = [
        Float32Array.of(1, 5, -2),
        finiteDifferences(fun, { scheme })(Float32Array.of(1, 5, -2), spoilt, 1),
      ];
      expect(finiteDifferences(away, { scheme })(at, plain, 1)).toBe(loss);
      expect(spoilt).toEqual(plain);
    }
  });
});

describe.each(engines)("%s engine", (engine) => {
  const optionSets: OptimizerOptions[] = [
    {},
    { tuner: null },
    { tuner: superlevel({ granularity: "parameter" }) },
  ];

  test.each(optionSets)("a point beyond 1e19 is refused: %o", (options) => {
    for (const steps of [0, 3]) {
      const optimizer = createOptimizer([1, 2], { engine, ...options });
      for (let k = 0; k < steps; k++) optimizer.step([1, -1]);
      const state = optimizer.save();
      for (const far of [
        [3e38, 0],
        [1e19, 1e19],
        [0, -2e19],
      ])
        for (const call of ["translate", "setParams", "reset"] as const) {
          const error = errorOf(() => optimizer[call](far));
          expect(error).toBeInstanceOf(RangeError);
          expect(error.message).toMatch(/norm.* below 1e19/);
        }
      expect(sameBytes(optimizer.save(), state)).toBe(true);
      optimizer.step([1, -1]);
    }
  });

  test("violations without end leave a rate that comes back", () => {
    const optimizer = createOptimizer([1], { engine, base: sgd({ learningRate: 0.1 }), tuner: null });
    const guard = { policy: "shrink", violates: ({ step }: { step: number }) => step <= 1200 } as const;
    const bowl: GradientSource = (x, grads) => {
      grads[0] = x[0];
      return 0.5 * x[0] ** 2;
    };
    optimizer.minimize(bowl, { steps: 1200, guard });
    expect(optimizer.learningRate).toBeGreaterThan(0);
    expect(optimizer.minimize(bowl, { steps: 1000, guard }).loss).toBeLessThan(1e-6);
  });
});
