/** Vectors of numbers, tensors and sizes: what is refused, and in which words. */
import { describe, expect, test } from "vitest";
import { adam, adamax, createOptimizer, lion, sgd } from "../../src/index.js";
import type { OptimizerOptions, TensorSpec } from "../../src/index.js";
import { errorOf, mustThrow } from "../support/errors.js";

/** Everything that takes numbers for all three parameters: what messages call it, and what may be passed for it. */
const vectors: [string, (values: ArrayLike<number>) => unknown][] = [
  ["params[0].values", (values) => createOptimizer([{ shape: [3], values }])],
  ["values", (values) => createOptimizer(3).setParams(values)],
  ["params", (values) => createOptimizer(3).reset(values)],
];

const notVectors: [value: unknown, shown: string][] = [
  [null, "null"],
  ["1,2,3", '"1,2,3"'],
  [3, "3"],
  [() => 1, "a function"],
  [new DataView(new ArrayBuffer(12)), "DataView"],
  [new Map(), "an object"],
];

const notNumbers: [values: unknown, at: number, shown: string][] = [
  [[1, "2", 3], 1, '"2"'],
  [[1, 2, null], 2, "null"],
  [[undefined, 2, 3], 0, "undefined"],
  [{ length: 3, 0: 1 }, 1, "undefined"],
  [[1, [2], 3], 1, "an array of 1"],
  [new BigInt64Array(3), 0, "0n"],
];

const elements = (values: unknown): ArrayLike<number> => values as ArrayLike<number>;

describe("vectors", () => {
  test.each(vectors)("%s", (name, take) => {
    for (const values of [
      [1, 2, 3],
      [-0, 0, 1e-45],
      [9e18, 1, 1],
      Float64Array.of(1, 2, 3),
      { length: 3, 0: 1, 1: 2, 2: 3 },
    ]) {
      take(elements(values));
    }
    for (const [value, shown] of notVectors) {
      mustThrow(
        () => take(elements(value)),
        TypeError,
        `${name}: expected an array of numbers, got ${shown}`,
      );
    }
    for (const length of [0, 2, 4]) {
      const values = new Array<number>(length).fill(1);
      mustThrow(() => take(values), RangeError, `${name}: expected 3 numbers, got ${length}`);
    }
    for (const [values, at, shown] of notNumbers) {
      mustThrow(() => take(elements(values)), TypeError, `${name}[${at}]: expected a number, got ${shown}`);
    }
    for (const value of [NaN, Infinity, -Infinity, 3.5e38, -1e300]) {
      const message = `${name}[1]: expected a number within float32's range, got ${value}`;
      mustThrow(() => take([1, value, 3]), RangeError, message);
      mustThrow(() => take(Float64Array.of(1, value, 3)), RangeError, message);
    }
  });

  test("gradients are of the same kinds, but whether they are finite is the step's business", () => {
    const optimizer = createOptimizer(3);
    for (const [value, shown] of notVectors) {
      mustThrow(
        () => optimizer.step(elements(value)),
        TypeError,
        `grads: expected an array of numbers, got ${shown}`,
      );
    }
    for (const length of [0, 2, 4]) {
      mustThrow(
        () => optimizer.step(new Float32Array(length)),
        RangeError,
        `grads: expected 3 numbers, got ${length}`,
      );
    }
    for (const [values, at, shown] of notNumbers) {
      mustThrow(
        () => optimizer.step(elements(values)),
        TypeError,
        `grads[${at}]: expected a number, got ${shown}`,
      );
    }
    expect(optimizer.iterations).toBe(0);
    expect(Array.from(optimizer.grads)).toEqual([0, 0, 0]);
  });

  test("a refused setParams or reset changes nothing", () => {
    const optimizer = createOptimizer([1, 2, 3]);
    for (let k = 0; k < 5; k++) optimizer.step([1, -1, k]);
    const before = optimizer.save();
    errorOf(() => optimizer.setParams([7, 7, NaN]));
    errorOf(() => optimizer.reset([7, 7, Infinity]));
    errorOf(() => optimizer.reset([7, 7]));
    expect(optimizer.save()).toEqual(before);
    expect(optimizer.iterations).toBe(5);
  });
});

describe("parameters and tensors", () => {
  const list =
    'a count of parameters, an array of start values, or an array of tensors such as [{ name: "w", shape: [2, 3] }]';
  const wrong: [params: unknown, Class: typeof RangeError, message: string][] = [
    [undefined, TypeError, `params: expected ${list}, got undefined`],
    [null, TypeError, `params: expected ${list}, got null`],
    ["12", TypeError, `params: expected ${list}, got "12"`],
    [12n, TypeError, `params: expected ${list}, got 12n`],
    [{}, TypeError, `params: expected ${list}, got an object`],
    [() => 3, TypeError, `params: expected ${list}, got a function`],
    [0, RangeError, "params: expected a finite whole number >= 1, got 0"],
    [-3, RangeError, "params: expected a finite whole number >= 1, got -3"],
    [1.5, RangeError, "params: expected a finite whole number >= 1, got 1.5"],
    [NaN, RangeError, "params: expected a finite whole number >= 1, got NaN"],
    [Infinity, RangeError, "params: expected a finite whole number >= 1, got Infinity"],
    [[], RangeError, "params.length: expected a finite whole number >= 1, got 0"],
    [new Float32Array(0), RangeError, "params.length: expected a finite whole number >= 1, got 0"],
    [[1, "2"], TypeError, 'params[1]: expected a number, got "2"'],
    [[1, NaN], RangeError, "params[1]: expected a number within float32's range, got NaN"],
    [
      [
        [1, 2],
        [3, 4],
      ],
      TypeError,
      "params[0]: expected an object, got an array of 2; write { shape: [2], values } for each tensor, or a flat array of numbers for one",
    ],
    [[{}], TypeError, "params[0].shape: expected an array of sizes, got undefined"],
    [[{ shape: 4 }], TypeError, "params[0].shape: expected an array of sizes, got 4"],
    [[{ shape: [2] }, null], TypeError, "params[1]: expected an object, got null"],
    [[{ shape: [2] }, 5], TypeError, "params[1]: expected an object, got 5"],
    [[{ shape: [2], name: 5 }], TypeError, "params[0].name: expected a string, got 5"],
    [[{ shape: [2, 2], values: [1, 2] }], RangeError, "params[0].values: expected 4 numbers, got 2"],
    [
      [{ shape: [] }, { shape: [2, 0] }],
      RangeError,
      "params[1].shape[1]: expected a finite whole number >= 1, got 0",
    ],
    [[{ shape: [2], frozen: true }], RangeError, "params: expected at least one tensor that is not frozen"],
  ];

  test("are refused in so many words", () => {
    for (const [params, Class, message] of wrong) {
      mustThrow(() => createOptimizer(params as number), Class, message);
    }
  });

  test("a misspelt option of a tensor", () => {
    const { message } = errorOf(() => createOptimizer([{ shape: [2], learnigRate: 2 } as TensorSpec]));
    expect(message).toMatch(/^params\[0\]: unknown option "learnigRate"; known are name, shape, /);
  });

  test("what is given as undefined counts as not given", () => {
    const tensor = {
      name: undefined,
      values: undefined,
      learningRate: undefined,
      weightDecay: undefined,
      frozen: undefined,
    };
    const options = {
      base: undefined,
      tuner: undefined,
      normAdaptive: undefined,
      clip: undefined,
      nonFinite: undefined,
      engine: undefined,
    };
    const plain = createOptimizer([{ shape: [2] }]);
    const spelt = createOptimizer([{ shape: [2], ...tensor }], options);
    expect(JSON.stringify(spelt.config)).toBe(JSON.stringify(plain.config));
  });
});

describe("more than one memory holds", () => {
  // Vectors that an optimizer keeps: gradients and parameters, xRef and Δ with a tuner, and the base's moments.
  const needs: [OptimizerOptions, number][] = [
    [{}, 6],
    // Until it is known what gradients are there is a place for the lead of an average, which Adam has anyway.
    [{ base: adamax() }, 7],
    [{ base: adamax(), gradients: "exact" }, 6],
    // Lion is never averaged, and its momentum has the first gradient.
    [{ base: lion() }, 5],
    [{ base: lion(), gradients: "noisy" }, 5],
    [{ base: sgd(), tuner: null }, 2],
    [{ base: adam(), tuner: null }, 4],
  ];

  test.each(needs)("%j: %i vectors", (options, count) => {
    const tooMany = Math.ceil(2 ** 32 / 4 / count);
    for (const size of [tooMany, 2 ** 31, 1e12]) {
      const error = errorOf(() => createOptimizer(size, options));
      expect(error).toBeInstanceOf(RangeError);
      const [, asked] =
        /^params: \d+ parameters need (\d+) bytes .* at most 4294967296 bytes \(4 GiB\)$/.exec(
          error.message,
        )!;
      expect(error.message).toContain(`params: ${size} parameters`);
      // Besides the vectors, some constant kilobytes.
      expect(Number(asked) / (4 * size * count)).toBeGreaterThanOrEqual(1);
      expect(Number(asked) - 4 * size * count).toBeLessThan(2 ** 17);
    }
  });

  test("sizes beyond all counting", () => {
    const limit = /^params: \S+ parameters need \S+ bytes .* 4294967296 bytes/;
    for (const size of [2 ** 53, 2 ** 62, 2 ** 64, 1e30, 1e300]) {
      const error = errorOf(() => createOptimizer(size));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(limit);
    }
    expect(errorOf(() => createOptimizer([{ shape: [2 ** 31, 2 ** 31] }, { shape: [2] }])).message).toMatch(
      limit,
    );
  });
});
