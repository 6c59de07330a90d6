/** L-BFGS under superlevel/minimize: how few calls it takes, bounds, and when the other method goes on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { minimize } from "../../src/adapters/minimize/index.js";

type Function = (x: Float64Array) => number;
type Gradient = (x: Float64Array) => number[];

/** A function with its gradient, where it starts, its least value, and calls that are enough. */
interface Classic {
  fun: Function;
  jac: Gradient;
  x0: number[];
  least: number;
  calls: number;
}

const { sin, cos, exp, hypot, atan2, PI } = Math;

function rosenbrock(size: number): Classic {
  const fun: Function = (x) => {
    let sum = 0;
    for (let i = 0; i + 1 < size; i++) sum += (1 - x[i]) ** 2 + 100 * (x[i + 1] - x[i] ** 2) ** 2;
    return sum;
  };
  const jac: Gradient = (x) => {
    const g = new Array<number>(size).fill(0);
    for (let i = 0; i + 1 < size; i++) {
      const d = x[i + 1] - x[i] ** 2;
      g[i] += -2 * (1 - x[i]) - 400 * x[i] * d;
      g[i + 1] += 200 * d;
    }
    return g;
  };
  const x0 = Array.from({ length: size }, (_, i) => (i % 2 ? 1 : -1.2));
  return { fun, jac, x0, least: 0, calls: size === 2 ? 60 : 500 };
}

const classics: Record<string, Classic> = {
  "Rosenbrock, 2": rosenbrock(2),
  "Rosenbrock, 50": rosenbrock(50),
  Beale: {
    fun: ([x, y]) => (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2,
    jac: ([x, y]) => {
      const r = [1.5 - x + x * y, 2.25 - x + x * y ** 2, 2.625 - x + x * y ** 3];
      return [
        2 * (r[0] * (y - 1) + r[1] * (y ** 2 - 1) + r[2] * (y ** 3 - 1)),
        2 * (r[0] * x + r[1] * 2 * x * y + r[2] * 3 * x * y ** 2),
      ];
    },
    x0: [1, 1],
    least: 0,
    calls: 40,
  },
  Powell: {
    fun: ([a, b, c, d]) => (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4,
    jac: ([a, b, c, d]) => [
      2 * (a + 10 * b) + 40 * (a - d) ** 3,
      20 * (a + 10 * b) + 4 * (b - 2 * c) ** 3,
      10 * (c - d) - 8 * (b - 2 * c) ** 3,
      -10 * (c - d) - 40 * (a - d) ** 3,
    ],
    x0: [3, -1, 0, 1],
    least: 0,
    calls: 80,
  },
  "helical valley": {
    fun: ([x, y, z]) => 100 * ((z - (5 / PI) * atan2(y, x)) ** 2 + (hypot(x, y) - 1) ** 2) + z ** 2,
    jac: ([x, y, z]) => {
      const r = hypot(x, y);
      const turn = 200 * (z - (5 / PI) * atan2(y, x));
      const out = (200 * (r - 1)) / r;
      return [
        (turn * (5 / PI) * y) / r ** 2 + out * x,
        (-turn * (5 / PI) * x) / r ** 2 + out * y,
        turn + 2 * z,
      ];
    },
    x0: [-1, 1e-9, 0],
    least: 0,
    calls: 60,
  },
  "trigonometric bowl": {
    fun: ([x, y]) => 2 - cos(x) * exp(-0.1 * y * y) + 0.05 * x * x,
    jac: ([x, y]) => [sin(x) * exp(-0.1 * y * y) + 0.1 * x, 0.2 * y * cos(x) * exp(-0.1 * y * y)],
    x0: [1, 1],
    least: 1,
    calls: 30,
  },
};

describe.each(Object.entries(classics))("%s", (_name, { fun, jac, x0, least, calls }) => {
  test("in few calls, by the gradient and by differences", () => {
    const exact = minimize(fun, x0, { jac });
    expect(exact).toMatchObject({ success: true, method: "lbfgs" });
    expect(exact.fun - least).toBeLessThan(1e-6);
    expect(exact.nfev).toBeLessThan(calls);
    const differences = minimize(fun, x0);
    expect(differences.fun - least).toBeLessThan(1e-6);
    expect(differences.nfev).toBeLessThan(calls * (1 + 2 * x0.length) * 1.5);
  });

  test("with fewer than half of the calls that superlevel takes", () => {
    const { nfev } = minimize(fun, x0, { jac });
    expect(2 * nfev).toBeLessThan(minimize(fun, x0, { jac, method: "superlevel" }).nfev);
  });
});

describe("kinks", () => {
  /** max |r_i(x)| of linear residuals: a minimum where several of them meet. */
  const rows = Array.from({ length: 8 }, (_, k) => [sin(3 * k + 1), cos(5 * k), sin(7 * k * k)]);
  const residuals = (x: Float64Array) => rows.map((row, k) => row.reduce((s, p, j) => s + p * x[j], -cos(k)));
  const fun: Function = (x) => Math.max(...residuals(x).map(Math.abs));
  const jac: Gradient = (x) => {
    const all = residuals(x);
    const k = all.findIndex((r) => Math.abs(r) === fun(x));
    return rows[k].map((p) => p * Math.sign(all[k]));
  };

  test("are left to superlevel where L-BFGS comes no further, though the gradient is as large as ever", () => {
    const alone = minimize(fun, [3, -2, 1], { jac, method: "lbfgs" });
    expect(alone).toMatchObject({ reason: "precision", success: false, method: "lbfgs" });
    const both = minimize(fun, [3, -2, 1], { jac });
    expect(both.method).toBe("superlevel");
    expect(both.nit).toBeGreaterThan(alone.nit);
    expect(both.fun).toBeLessThan(alone.fun);
    const reached = minimize(fun, [3, -2, 1], { jac, method: "superlevel" }).fun;
    expect(both.fun).toBeLessThan(1.001 * reached);
  });
});

describe("bounds", () => {
  test("hold at the minimum, and in every call", () => {
    const { fun, jac, x0 } = rosenbrock(2);
    const bounds = [
      [-2, 0.5],
      [null, 2],
    ] as const;
    const seen: number[] = [];
    const watched: Function = (x) => {
      seen.push(x[0]);
      return fun(x);
    };
    for (const options of [{ jac }, {}, { jac: "2-point" as const }]) {
      const result = minimize(watched, x0, { bounds, ...options });
      expect(result).toMatchObject({ success: true, method: "lbfgs" });
      expect(result.x[0]).toBe(0.5);
      expect(result.x[1]).toBeCloseTo(0.25, 4);
    }
    expect(Math.max(...seen)).toBe(0.5);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(-2);
  });

  test("may leave nothing free, or one point", () => {
    const fun: Function = ([x, y]) => x + y;
    const corner = minimize(fun, [0.5, 0.5], {
      jac: () => [1, 1],
      bounds: [
        [0, 1],
        [0, 1],
      ],
    });
    expect(corner).toMatchObject({ success: true, reason: "gtol" });
    expect(Array.from(corner.x)).toEqual([0, 0]);
    const fixed = minimize(([x, y]) => (x - 3) ** 2 + (y - 3) ** 2, [1, 0], {
      bounds: [
        [1, 1],
        [0, 9],
      ],
    });
    expect(fixed.success).toBe(true);
    expect(fixed.x[0]).toBe(1);
    expect(fixed.x[1]).toBeCloseTo(3, 6);
  });

  test("keep fun defined where it ends at one", () => {
    // The logarithm is NaN below 0, and a central difference at 0 would ask for it.
    const fun: Function = ([x, y]) => x + Math.sqrt(x) + (y - 2) ** 2;
    const result = minimize(fun, [1, 0], {
      bounds: [
        [0, null],
        [-5, 5],
      ],
    });
    expect(result.success).toBe(true);
    expect(result.x[0]).toBe(0);
    expect(result.x[1]).toBeCloseTo(2, 5);
  });

  test("on convex quadratics, meet the conditions of Karush, Kuhn and Tucker", () => {
    const numbers = (length: number, min: number, max: number) =>
      fc.array(fc.double({ min, max, noNaN: true }), { minLength: length, maxLength: length });
    const size = 4;
    fc.assert(
      fc.property(
        numbers(size * size, -1, 1),
        numbers(size, -5, 5),
        numbers(size, 0.01, 2),
        (m, c, width) => {
          // A = MᵀM + I / 10
          const a = (i: number, j: number) =>
            Array.from({ length: size }, (_, k) => m[k * size + i] * m[k * size + j]).reduce(
              (s, v) => s + v,
              0,
            ) + (i === j ? 0.1 : 0);
          const jac: Gradient = (x) =>
            c.map((ci, i) => ci + Array.from(x).reduce((s, xj, j) => s + a(i, j) * xj, 0));
          const fun: Function = (x) => jac(x).reduce((s, g, i) => s + 0.5 * x[i] * (g + c[i]), 0);
          const bounds = width.map((w) => [-w, w] as const);
          const { x, success } = minimize(fun, [0, 0, 0, 0], { jac, bounds, gtol: 1e-8 });
          expect(success).toBe(true);
          jac(x).forEach((g, i) => {
            expect(Math.abs(x[i])).toBeLessThanOrEqual(width[i]);
            if (x[i] > -width[i] && g > 0) expect(g).toBeLessThan(1e-4);
            if (x[i] < width[i] && g < 0) expect(g).toBeGreaterThan(-1e-4);
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
