/** Far more of something than usual: lists longer than the stack, and values too long for a message. */
import { describe, expect, test } from "vitest";
import { classWeights } from "../../src/objective/index.js";
import { largest, smallest } from "../../src/common/extremes.js";
import { createOptimizer, mechanic, superlevel, type OptimizerOptions } from "../../src/index.js";
import { equiconnect, swapResponse } from "../../src/stability/index.js";
import { eigenvalue, eigenvector } from "../../src/stability/curvature/tridiagonal.js";
import { minimumNormPoint } from "../../src/stability/curvature/gradient-sampling.js";
import { errorOf } from "../support/errors.js";
import { descriptionOf, redescribed } from "../support/state.js";

/** More than any stack holds as arguments. */
const MANY = 150_000;

test("the largest and the smallest of many, of none, and beside NaN", () => {
  const many = Float64Array.from({ length: 10 * MANY }, (_, i) => Math.sin(i));
  expect(largest(many)).toBe(many.reduce((a, b) => Math.max(a, b)));
  expect(smallest(many)).toBe(many.reduce((a, b) => Math.min(a, b)));
  expect([largest([]), smallest([]), largest([1], 2)]).toEqual([-Infinity, Infinity, 2]);
  expect([largest([1, NaN, 2]), smallest([1, NaN, 2])]).toEqual([NaN, NaN]);
});

describe("more than the stack holds:", () => {
  test.each(["wasm", "js"] as const)("segments, %s", (engine) => {
    // Neighbours differ, so each is a segment.
    const tensors = Array.from({ length: MANY }, (_, k) => ({ shape: [1], learningRate: 1 + (k % 2) }));
    const optimizer = createOptimizer(tensors, { engine });
    optimizer.step(new Float32Array(MANY).fill(1));
    optimizer.step(new Float32Array(MANY).fill(1));
    expect(optimizer.params[MANY - 2]).toBeLessThan(0);
    expect(optimizer.params[MANY - 1]).toBeLessThan(optimizer.params[MANY - 2]);
    expect(createOptimizer(tensors, { engine }).restore(optimizer.save()).iterations).toBe(2);
  });

  test("betas", () => {
    const betas = new Float64Array(MANY).fill(0.9) as unknown as number[];
    expect(createOptimizer([1, 2], { tuner: superlevel({ betas }) }).step([1, 1]).step).toBe(1);
  });

  test("steps of two runs", async () => {
    const towards = (target: number) => (x: Float64Array) => void (x[0] -= 0.5 * (x[0] - target));
    const { largest, last } = await swapResponse(towards(1), towards(1.5), [0], { steps: MANY });
    expect([largest, last]).toEqual([0.5, 0.5]);
  });

  test("losses on a path", async () => {
    const losses = Array.from({ length: MANY }, (_, k) => (x: ArrayLike<number>) => x[0] * k);
    const options = { samples: 2 };
    expect(
      (await equiconnect(losses, { kind: "polygon", nodes: [[0], [1]] }, options)).barriers,
    ).toHaveLength(MANY);
  });

  test("gradients in a hull", () => {
    const vectors = Array.from({ length: MANY }, (_, k) => Float64Array.of(k - 1));
    expect(Array.from(minimumNormPoint(vectors))).toEqual([0]);
  });

  test("rows of a tridiagonal matrix", () => {
    const [diagonal, off] = [Array<number>(MANY).fill(3), Array<number>(MANY - 1).fill(0)];
    expect(eigenvalue(diagonal, off, 0)).toBe(3);
    const vector = eigenvector(diagonal, off, 3);
    expect(vector.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 9);
  });
});

describe("values too long for a message", () => {
  const long = "x".repeat(3e7);
  const options = (given: object) => given as OptimizerOptions;
  const cases: [what: string, run: () => unknown, begins: string][] = [
    [
      "a name of a base",
      () => createOptimizer(1, options({ nonFinite: long })),
      "nonFinite: expected one of",
    ],
    ["an option's name", () => createOptimizer(1, options({ [long]: 1 })), 'options: unknown option "xxx'],
    ["a text for a number", () => createOptimizer(long as never), "params: expected a count"],
    ["a large bigint", () => createOptimizer((10n ** 1_000_000n) as never), "params: expected a count"],
    ["a symbol", () => createOptimizer(Symbol(long) as never), "params: expected a count"],
    ["lone surrogates", () => createOptimizer("\ud800".repeat(1e5) as never), "params: expected a count"],
    [
      "a tuner's form",
      () => createOptimizer(1, { tuner: { ...superlevel(), form: long as never } }),
      "tuner.form",
    ],
  ];

  test.each(cases)("%s is cut", (_what, run, begins) => {
    const { message } = errorOf(run);
    expect(message.slice(0, begins.length)).toBe(begins);
    expect(message.length).toBeLessThan(900);
  });

  test("how long it was is said, and a short one is shown whole", () => {
    expect(errorOf(() => createOptimizer(1, options({ nonFinite: long }))).message).toBe(
      `nonFinite: expected one of "throw", "skip", got "${"x".repeat(80)}"… (30000000 characters)`,
    );
    expect(errorOf(() => createOptimizer(1, options({ nonFinite: 'a "b"' }))).message).toBe(
      'nonFinite: expected one of "throw", "skip", got "a \\"b\\""',
    );
    expect(errorOf(() => createOptimizer(-(2n ** 63n) as never)).message).toMatch(
      /got -9223372036854775808n$/,
    );
    expect(errorOf(() => createOptimizer((2n ** 63n) as never)).message).toMatch(/got a large bigint$/);
  });
});

describe("a length without anything behind it is refused before anything is made of it", () => {
  const none = (length: number) => ({ length }) as unknown as number[];
  const cases: [what: string, run: () => unknown, message: string][] = [
    [
      "betas",
      () => superlevel({ betas: none(2e8) }),
      "superlevel.betas[0]: expected a number, got undefined",
    ],
    ["betas", () => mechanic({ betas: none(1e15) }), "mechanic.betas[0]: expected a number, got undefined"],
    [
      "a shape",
      () => createOptimizer([{ shape: none(1e9) }]),
      "params[0].shape[0]: expected a number, got undefined",
    ],
    [
      "values",
      () => createOptimizer([{ shape: [1e9], values: none(1e9) }]),
      "params[0].values[0]: expected a number",
    ],
    ["parameters", () => createOptimizer(none(1e15)), "params[0]: expected a number, got undefined"],
    ["counts", () => classWeights(none(1e9)), "classWeights(counts)[0]: expected a number, got undefined"],
  ];
  test.each(cases)("%s", (_what, run, message) => {
    const error = errorOf(run);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message.slice(0, message.length)).toBe(message);
  });
});

describe("a state whose description", () => {
  const optimizer = createOptimizer([1, 2]);
  const state = optimizer.save();
  const deep = `${"[".repeat(1e5)}${"]".repeat(1e5)}`;

  const whole = descriptionOf(state) as { options: object; tensors: object[] };
  const places: [string, object][] = [
    ["description", { ...whole, options: { ...whole.options, "base.name": "DEEP" } }],
    ["description", { ...whole, tensors: [{ ...whole.tensors[0], shape: "DEEP" }] }],
    ["tensors", { ...whole, tensors: "DEEP" }],
    ["clock", { ...whole, clock: "DEEP" }],
  ];

  test.each(places)("is nested 100 000 deep in the %s is damaged", (key, description) => {
    const text = JSON.stringify(description).replace('"DEEP"', deep);
    const error = errorOf(() => optimizer.restore(redescribed(state, text)));
    expect(error).toMatchObject({ name: "OptimizerError", code: "state" });
    expect(error.message).toBe(`state: it is damaged (${key})`);
  });

  test("is of other, long, names and shapes is shown in part", () => {
    const long = [{ name: "w".repeat(1e5), shape: [2] }];
    expect(errorOf(() => optimizer.restore(createOptimizer(long).save())).message).toMatch(
      /^state: it has a tensor "w{80}"… \(100000 characters\); this optimizer has none of that name$/,
    );
    const shaped = [{ shape: Array.from({ length: 1e5 }, () => 1) }];
    expect(errorOf(() => optimizer.restore(createOptimizer(shaped).save())).message).toMatch(
      /^state: tensor "params" was saved with shape \[1,1,1,.*… \(200001 characters\); this optimizer has \[2\]$/,
    );
  });
});
