/** superlevel/minimize: results, counts, accuracy in float64, and every way to end. */
import { describe, expect, test, vi } from "vitest";

import { minimize, type MinimizeOptions } from "../../src/adapters/minimize/index.js";
import { adam, adamw, lion, sgd } from "../../src/index.js";
import { errorOf, mustThrow } from "../support/errors.js";

type Gradient = (x: Float64Array) => number[];

/** Test functions with their gradient, start, and minimum. */
const classics: Record<
  string,
  { fun: (x: Float64Array) => number; jac: Gradient; x0: number[]; at: number[] }
> = {
  Rosenbrock: {
    fun: ([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    jac: ([x, y]) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
    x0: [-1.2, 1],
    at: [1, 1],
  },
  Himmelblau: {
    fun: ([x, y]) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    jac: ([x, y]) => [
      4 * x * (x * x + y - 11) + 2 * (x + y * y - 7),
      2 * (x * x + y - 11) + 4 * y * (x + y * y - 7),
    ],
    x0: [0, 0],
    at: [3, 2],
  },
  Booth: {
    fun: ([x, y]) => (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
    jac: ([x, y]) => [10 * x + 8 * y - 34, 8 * x + 10 * y - 38],
    x0: [0, 0],
    at: [1, 3],
  },
  Matyas: {
    fun: ([x, y]) => 0.26 * (x * x + y * y) - 0.48 * x * y,
    jac: ([x, y]) => [0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x],
    x0: [5, -3],
    at: [0, 0],
  },
};

/** Σ k_i (x_i − c_i)² / 2, k from 1 to 1000, in units of `unit`. */
function bowl(size: number, unit = 1) {
  const k = Array.from({ length: size }, (_, i) => 10 ** ((3 * i) / Math.max(1, size - 1)));
  const at = k.map((_, i) => unit * Math.sin(i + 1));
  const fun = (x: Float64Array) => k.reduce((sum, k, i) => sum + 0.5 * k * (x[i] - at[i]) ** 2, 0);
  const jac = (x: Float64Array) => k.map((k, i) => k * (x[i] - at[i]));
  return { fun, jac, at };
}

const distance = (x: ArrayLike<number>, at: number[]) => Math.max(...at.map((c, i) => Math.abs(x[i] - c)));

/** What is left of numbers that were sent to a worker. */
function transferred(): Float64Array {
  const numbers = Float64Array.of(1, 2);
  structuredClone(numbers.buffer, { transfer: [numbers.buffer] });
  return numbers;
}

describe("finds the minimum of", () => {
  describe.each(Object.entries(classics))("%s", (_name, { fun, jac, x0, at }) => {
    const both = (x: Float64Array) => [fun(x), jac(x)] as const;

    test.each<[string, () => ReturnType<typeof minimize>]>([
      ["with its gradient", () => minimize(fun, x0, { jac })],
      ["with both in one", () => minimize(both, x0, { jac: true })],
      ["without a gradient", () => minimize(fun, x0)],
      ["with forward differences", () => minimize(fun, x0, { jac: "2-point", gtol: 1e-4 })],
    ])("%s", (_way, run) => {
      const result = run();
      expect(result).toMatchObject({ success: true, reason: "gtol" });
      expect(result.message).toContain("gtol");
      expect(distance(result.x, at)).toBeLessThan(1e-3);
      expect(result.fun).toBe(fun(result.x));
    });

    test("also with other bases", () => {
      for (const base of [sgd({ momentum: 0.9 }), lion(), adam({ beta1: 0.8 })]) {
        expect(distance(minimize(fun, x0, { jac, base }).x, at)).toBeLessThan(0.01);
      }
    });
  });

  test("a bowl of 1, 3 and 100 parameters, which float32 could not tell from its neighbours", () => {
    for (const size of [1, 3, 100]) {
      const { fun, jac, at } = bowl(size);
      const result = minimize(fun, new Float64Array(size).fill(2), { jac, gtol: 1e-10 });
      expect(result.reason).toBe("gtol");
      expect(distance(result.x, at)).toBeLessThan(1e-10);
      expect(result.x.some((x) => x !== Math.fround(x))).toBe(true);
      expect(Array.from(result.jac)).toEqual(jac(result.x));
    }
  });

  test("a bowl in units of 1e6, 1e-6 and 1e12", () => {
    for (const unit of [1e6, 1e-6, 1e12]) {
      const { fun, jac, at } = bowl(5, unit);
      const result = minimize(fun, new Array<number>(5).fill(0), { jac, gtol: 1e-8 * unit });
      expect(result.success).toBe(true);
      expect(distance(result.x, at)).toBeLessThan(1e-7 * unit);
    }
  });

  test("a function times 2^±80, by the same steps", () => {
    const { fun, jac, x0 } = classics.Rosenbrock;
    const times = (factor: number) =>
      minimize((x) => factor * fun(x), x0, {
        jac: (x) => jac(x).map((g) => factor * g),
        gtol: 1e-5 * factor,
      });
    const plain = times(1);
    for (const factor of [2 ** 80, 2 ** -80]) {
      const { x, nit, nfev } = times(factor);
      expect({ x, nit, nfev }).toEqual({ x: plain.x, nit: plain.nit, nfev: plain.nfev });
    }
  });
});

describe("steps", () => {
  test("are the same in other units of x, where x0 is not 0", () => {
    const { fun, jac, x0 } = classics.Rosenbrock;
    const times = (unit: number) =>
      minimize(
        (x) => fun(x.map((value) => value / unit)),
        x0.map((value) => unit * value),
        { jac: (x) => jac(x.map((value) => value / unit)).map((g) => g / unit), gtol: 1e-5 / unit },
      );
    const plain = times(1);
    for (const unit of [2 ** 60, 2 ** -60]) {
      const { x, nit, nfev } = times(unit);
      expect({ x: x.map((value) => value / unit), nit, nfev }).toEqual({
        x: plain.x,
        nit: plain.nit,
        nfev: plain.nfev,
      });
    }
  });

  test("grow along valleys, and to any units, as the guard takes back what leads upwards", () => {
    const { fun, jac, x0 } = classics.Rosenbrock;
    expect(minimize(fun, x0, { jac }).nfev).toBeLessThan(800);
    for (const unit of [1e12, 1e-12]) {
      const { fun, jac } = bowl(5, unit);
      const { nfev, reason } = minimize(fun, [0, 0, 0, 0, 0], { jac, gtol: 1e-7 * unit });
      expect(reason).toBe("gtol");
      expect(nfev).toBeLessThan(500);
    }
  });

  test("are those of exact gradients from the first one on: a jump in the gradient is no noise", () => {
    // |x − 1| + |y − 1|, whose slope turns about at once.
    const fun = ([x, y]: Float64Array) => Math.abs(x - 1) + Math.abs(y - 1);
    const jac = ([x, y]: Float64Array) => [Math.sign(x - 1), Math.sign(y - 1)];
    const { x } = minimize(fun, [1.001, 0.999], { jac });
    expect(distance(x, [1, 1])).toBeLessThan(1e-5);
  });
});

describe("counts", () => {
  test.each(["lbfgs", "superlevel"] as const)("every call of fun and jac, and iterations: %s", (method) => {
    const { fun, jac, x0 } = classics.Rosenbrock;
    const counted = vi.fn(fun);
    const slopes = vi.fn(jac);
    const callback = vi.fn();
    const result = minimize(counted, x0, { jac: slopes, callback, method });
    expect(result.nfev).toBe(counted.mock.calls.length);
    expect(result.njev).toBe(slopes.mock.calls.length);
    expect(result.nit).toBe(callback.mock.calls.length);
    // A try at which fun rises is turned back without its gradient.
    expect(result.nfev).toBeGreaterThan(result.njev);
    if (method === "superlevel") expect(result.njev).toBe(result.nit + 1);
    else expect(result.njev).toBeGreaterThan(result.nit);
  });

  test("the calls for differences: 2n with each gradient, or n", () => {
    const { fun, x0 } = classics.Booth;
    for (const [jac, each] of [
      ["3-point", 4],
      ["2-point", 2],
    ] as const) {
      const counted = vi.fn(fun);
      const { nfev, njev, nit } = minimize(counted, x0, { jac, maxiter: 30, method: "superlevel" });
      expect(counted).toHaveBeenCalledTimes(nfev);
      expect(njev).toBe(nit + 1);
      expect(nfev).toBeGreaterThanOrEqual(njev * (1 + each));
      expect(nfev).toBeLessThan(njev * (1 + each) + 30);
    }
  });
});

describe("fun never rises", () => {
  test.each(Object.entries(classics))("on %s, by more than a rounding", (_name, { fun, jac, x0 }) => {
    const seen = [fun(Float64Array.from(x0))];
    const result = minimize(fun, x0, {
      jac,
      callback: ({ x, fun: value }) => {
        expect(value).toBe(fun(x));
        seen.push(value);
      },
    });
    seen.slice(1).forEach((value, k) => {
      expect(value).toBeLessThanOrEqual(seen[k] * (1 + 2 ** -48));
    });
    expect(result.fun).toBe(seen.at(-1));
  });
});

describe("ends", () => {
  const { fun, jac, x0 } = classics.Rosenbrock;
  const run = (options: Omit<MinimizeOptions, "jac">) => minimize(fun, x0, { jac, ...options });

  test("at the start, where the gradient is small there", () => {
    const result = minimize(fun, [1, 1], { jac });
    expect(result).toMatchObject({ reason: "gtol", success: true, nit: 0, nfev: 1, njev: 1, fun: 0 });
    expect(Array.from(result.x)).toEqual([1, 1]);
  });

  test("where fun no longer falls", () => {
    const result = run({ gtol: 0, ftol: 1e-3, method: "superlevel" });
    expect(result).toMatchObject({ reason: "ftol", success: true });
    expect(result.nit % 100).toBe(0);
    expect(run({ tol: 1e-3 }).success).toBe(true);
    // Where the least of fun is not 0, L-BFGS comes to an end within its last digits.
    const { fun: lowered, jac: slopes } = bowl(30);
    const lifted = minimize((x) => 5 + lowered(x), new Float64Array(30).fill(2), { jac: slopes, gtol: 0 });
    expect(lifted).toMatchObject({ reason: "ftol", success: true, method: "lbfgs" });
    expect(lifted.nit % 10).toBe(0);
  });

  test("after maxiter, maxfev, callback and signal, at the lowest point so far", () => {
    const controller = new AbortController();
    const abort = ({ nit }: { nit: number }) => nit === 7 && controller.abort();
    const ends = [
      [run({ maxiter: 25 }), "maxiter", 25],
      [run({ maxfev: 30 }), "maxfev", undefined],
      [run({ callback: ({ nit }) => nit === 12 }), "callback", 12],
      [run({ callback: abort, signal: controller.signal }), "aborted", 7],
      [run({ signal: AbortSignal.abort() }), "aborted", 0],
    ] as const;
    for (const [result, reason, nit] of ends) {
      expect(result).toMatchObject({ reason, success: false });
      if (nit !== undefined) expect(result.nit).toBe(nit);
      expect(result.fun).toBe(fun(result.x));
      expect(Array.from(result.jac)).toEqual(jac(result.x));
      expect(result.fun).toBeLessThanOrEqual(fun(Float64Array.from(x0)));
    }
    expect(ends[1][0].nfev).toBeGreaterThanOrEqual(30);
  });

  test("where no step helps: the gradient is wrong", () => {
    const result = minimize(([x]) => x * x, [3], { jac: ([x]) => [-2 * x] });
    expect(result).toMatchObject({ reason: "precision", success: false });
    expect(result.fun).toBeCloseTo(9, 11);
    expect(result.message).toContain("is jac its gradient");
  });

  test("where fun or its gradient is not finite at x0, without an exception", () => {
    const results = [
      minimize(() => NaN, [1]),
      minimize(([x]) => Math.log(x), [-1], { jac: ([x]) => [1 / x] }),
      minimize(() => Infinity, [1]),
      minimize(([x]) => Math.sqrt(x), [0], { jac: ([x]) => [0.5 / Math.sqrt(x)] }),
    ];
    for (const result of results)
      expect(result).toMatchObject({ reason: "nonFinite", success: false, nit: 0 });
    expect(results[0].message).toBe("failed: fun or its gradient is not finite at x0 (fun is NaN)");
    expect(results[3].message).toContain("(the gradient)");
  });

  test("at the minimum, past points where fun is not finite", () => {
    // Not defined for x <= 0; the minimum is at 1e-3, near the edge.
    const result = minimize(([x]) => x - 1e-3 * Math.log(x), [2], { jac: ([x]) => [1 - 1e-3 / x] });
    expect(result.success).toBe(true);
    expect(result.x[0]).toBeCloseTo(1e-3, 7);
  });

  test("where fun has no minimum", () => {
    const result = minimize(([x]) => -x, [0], { jac: () => [-1], ftol: 0 });
    expect(result).toMatchObject({ success: false });
    expect(["diverged", "maxiter"]).toContain(result.reason);
    expect(result.fun).toBe(-result.x[0]);
    expect(minimize(([x]) => (x > 3 ? -Infinity : -x), [0], { jac: () => [-1] }).reason).toBe("diverged");
  });
});

describe("refuses", () => {
  const { fun } = classics.Booth;
  const wrong = (options: object) => () => minimize(fun, [0, 0], options);

  test.each<[() => unknown, new (message: string) => Error, string]>([
    [() => minimize(3 as never, [0]), TypeError, "fun: expected a function, got 3"],
    [() => minimize(fun, 3 as never), TypeError, "x0: expected an array of numbers, got 3"],
    [() => minimize(fun, undefined as never), TypeError, "x0: expected an array of numbers, got undefined"],
    [() => minimize(fun, []), RangeError, "x0.length: expected a finite number >= 1, got 0"],
    [() => minimize(fun, transferred()), RangeError, "x0.length: expected a finite number >= 1, got 0"],
    [() => minimize(fun, [1, NaN]), RangeError, "x0[1]: expected a finite number, got NaN"],
    [() => minimize(fun, ["1"] as never), TypeError, 'x0[0]: expected a number, got "1"'],
    [
      () => minimize((() => "1") as never, [1]),
      TypeError,
      'fun: expected it to return the loss, a number, got "1"',
    ],
    [
      () => minimize((() => 1) as never, [1], { jac: true }),
      TypeError,
      "fun: expected [value, gradient], as jac is true, got 1",
    ],
    [() => minimize(() => 1, [1, 2], { jac: () => [1] }), RangeError, "jac(x): expected 2 numbers, got 1"],
    [wrong({ jac: 3 }), TypeError, 'jac: expected a function, true, "2-point" or "3-point", got 3'],
    [wrong({ jac: "cs" }), RangeError, 'jac: expected one of "2-point", "3-point", got "cs"'],
    [wrong({ gtol: -1 }), RangeError, "gtol: expected a finite number >= 0, got -1"],
    [wrong({ ftol: NaN }), RangeError, "ftol: expected a finite number >= 0, got NaN"],
    [wrong({ tol: "x" }), TypeError, 'tol: expected a number, got "x"'],
    [wrong({ maxiter: 0 }), RangeError, "maxiter: expected a finite whole number >= 1, got 0"],
    [wrong({ maxfev: 1.5 }), RangeError, "maxfev: expected a finite whole number >= 1, got 1.5"],
    [wrong({ callback: 1 }), TypeError, "callback: expected a function, got 1"],
    [wrong({ signal: {} }), TypeError, "signal: expected an AbortSignal, got an object"],
    [
      wrong({ base: adamw() }),
      RangeError,
      "base.weightDecay: expected 0, as it would pull x away from fun's minimum; got 0.01",
    ],
    [
      wrong({ method: "bfgs" }),
      RangeError,
      'method: expected one of "auto", "lbfgs", "superlevel", got "bfgs"',
    ],
    [
      wrong({ method: "lbfgs", base: adam() }),
      RangeError,
      'base: expected none with method "lbfgs", which has no base optimizer',
    ],
    [
      wrong({
        bounds: [
          [0, 1],
          [0, 1],
        ],
        base: adam(),
      }),
      RangeError,
      'bounds: expected none with method "superlevel" or a base; "lbfgs" keeps them',
    ],
    [
      wrong({ bounds: [[0, 1]] }),
      TypeError,
      "bounds: expected 2 pairs [least, greatest], one for each of x0, got 1 of them",
    ],
    [wrong({ bounds: [[0, 1], 3] }), TypeError, "bounds[1]: expected [least, greatest], got 3"],
    [
      wrong({
        bounds: [
          [0, NaN],
          [0, 1],
        ],
      }),
      TypeError,
      "bounds[0][1]: expected a number or null, got NaN",
    ],
    [
      wrong({
        bounds: [
          [0, 1],
          [1, 2],
        ],
      }),
      RangeError,
      "x0[1]: expected a number within bounds[1], [1, 2], got 0",
    ],
    [wrong({ base: null }), TypeError, "base: expected a base such as adam(), got null"],
  ])("%s", (run, Class, message) => mustThrow(run, Class, message));

  test("misspelt options", () => {
    expect(errorOf(wrong({ maxIter: 3 })).message).toContain('unknown option "maxIter"');
  });

  test("nothing that fun, jac or callback throws", () => {
    const fail = (): never => {
      throw new RangeError("mine");
    };
    expect(() => minimize(fail, [1])).toThrow("mine");
    expect(() => minimize(() => 1, [1], { jac: fail })).toThrow("mine");
    expect(() => minimize(fun, [0, 0], { callback: fail })).toThrow("mine");
  });
});

describe("functions that write to their x, as those that sort it do", () => {
  const spread = (x: Float64Array): number => {
    const value = (x[0] - 3) ** 2 + (x[1] + 1) ** 2 + 2 * (x[2] - 1) ** 2;
    x.sort().fill(7, 0, 1);
    return value;
  };
  const slopes = (x: Float64Array) => {
    const [a, b, c] = x;
    x.fill(NaN);
    return [2 * (a - 3), 2 * (b + 1), 4 * (c - 1)];
  };

  test.each<[string, () => ReturnType<typeof minimize>]>([
    ["by differences", () => minimize(spread, [0, 0, 0])],
    ["by forward differences", () => minimize(spread, [0, 0, 0], { jac: "2-point", gtol: 1e-4 })],
    ["with a gradient that does so, too", () => minimize(spread, [0, 0, 0], { jac: slopes })],
    ["by superlevel", () => minimize(spread, [0, 0, 0], { jac: slopes, method: "superlevel" })],
    ["both in one", () => minimize((x) => [spread(x.slice()), slopes(x)] as const, [0, 0, 0], { jac: true })],
  ])("are minimized all the same: %s", (_way, run) => {
    const result = run();
    expect(result.success).toBe(true);
    expect(distance(result.x, [3, -1, 1])).toBeLessThan(1e-3);
    expect(result.fun).toBe(spread(result.x.slice()));
  });
});

test("leaves x0 alone", () => {
  const x0 = Float64Array.of(0, 0);
  minimize(classics.Booth.fun, x0);
  expect(Array.from(x0)).toEqual([0, 0]);
});
