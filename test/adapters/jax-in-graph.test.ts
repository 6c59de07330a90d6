/** superlevel/jax inside of jit: trees, ownership, chains, resume, and the engine beside it. */
import { defaultDevice, init, jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";

import {
  addDecayedWeights,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  cosineDecaySchedule,
  scale,
  scaleBySchedule,
  superlevelOptimizer,
  warmupCosineDecaySchedule,
  type InGraphOptions,
  type InGraphState,
  type Transformation,
  type Tree,
} from "../../src/adapters/jax/index.js";
import { adamw, createOptimizer, mechanic, sgd } from "../../src/index.js";
import { errorOf } from "../support/errors.js";

type Params = { layers: { w: np.Array }[]; b: np.Array };

const CURVES = [1, 2, 3, 4, 5, 6, 7];
const START = [0, 10, 5, 1, 2, 3, 4];

const makeParams = (): Params => ({
  layers: [{ w: np.array(START.slice(0, 3)) }],
  b: np.array([
    [1, 2],
    [3, 4],
  ]),
});

/** Σ k (x_k − 1)². */
function bowl({ layers: [{ w }], b }: Params): np.Array {
  const of = (leaf: np.Array, curves: number[]) =>
    np.multiply(np.square(leaf.sub(1)), np.array(curves)).sum();
  return of(w, CURVES.slice(0, 3)).add(of(b.reshape([4]), CURVES.slice(3)));
}

const lossAt = (x: ArrayLike<number>) => CURVES.reduce((sum, k, i) => sum + k * (x[i] - 1) ** 2, 0);
const gradientAt = (x: ArrayLike<number>) => CURVES.map((k, i) => 2 * k * (x[i] - 1));
const flat = (params: Tree) =>
  tree.leaves(tree.ref(params)).flatMap((leaf) => Array.from(leaf.dataSync() as Float32Array));
const mapped = <T extends Tree>(f: (leaf: np.Array) => np.Array, given: T): T =>
  tree.map<np.Array, np.Array, Tree>(f, given) as T;
const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i])) / Math.hypot(...Array.from(b));

function stepOf(optimizer: Transformation, withParams = true) {
  return jit((params: Params, state: Tree) => {
    const [value, grads] = valueAndGrad(bowl)(tree.ref(params)) as unknown as [np.Array, Params];
    const [updates, next] = withParams
      ? optimizer.update(grads, state, tree.ref(params), { value: value.ref })
      : optimizer.update(grads, state);
    return { params: applyUpdates(params, updates), state: next, value };
  }) as unknown as (params: Params, state: Tree) => { params: Params; state: Tree; value: np.Array };
}

function train(optimizer: Transformation, steps: number, withParams = true) {
  const step = stepOf(optimizer, withParams);
  let params = makeParams();
  let state = optimizer.init(tree.ref(params));
  for (let t = 0; t < steps; t++) {
    const next = step(params, state);
    // Reading runs what has piled up.
    next.value.dataSync();
    ({ params, state } = next);
  }
  return { params, state, step };
}

beforeAll(async () => {
  await init("wasm");
  defaultDevice("wasm");
});

describe("a jitted step is the engine's up to rounding", () => {
  test.each([
    ["the defaults", {}],
    ["noisy", { gradients: "noisy" }],
    ["AdamW alone", { base: adamw({ weightDecay: 0.1, learningRate: 0.1 }), tuner: null }],
    ["momentum, clipped", { base: sgd({ momentum: 0.9 }), clip: { norm: 5 } }],
  ] as [string, InGraphOptions][])("%s", (_name, options) => {
    const optimizer = createOptimizer(START, options);
    for (let step = 0; step < 25; step++)
      optimizer.step(gradientAt(optimizer.params), { loss: lossAt(optimizer.params) });
    const { params, state } = train(superlevelOptimizer(options), 25);
    expect(apart(flat(params), optimizer.params)).toBeLessThan(1e-4);
    expect(tree.leaves(state).every(({ refCount }) => refCount === 1)).toBe(true);
    tree.dispose([params, state]);
  });
});

test("jit is asked once: every array of a state keeps its shape and type", () => {
  let traced = 0;
  const optimizer = superlevelOptimizer({
    learningRate(count) {
      traced++;
      return np.add(1, np.multiply(0, count));
    },
  });
  const { params, state } = train(optimizer, 25);
  expect(traced).toBe(1);
  tree.dispose([params, state]);
});

test("without params an update goes on from where the last one led", () => {
  const [own, given] = [train(superlevelOptimizer(), 40, false), train(superlevelOptimizer(), 40)];
  expect(apart(flat(own.params), flat(given.params))).toBeLessThan(1e-3);
  tree.dispose([own.params, own.state, given.params, given.state]);
});

test("parameters that somebody else moves stay moved", () => {
  const optimizer = superlevelOptimizer();
  const { params, state } = train(optimizer, 10);
  const moved = mapped((leaf) => np.add(leaf, 100), params);
  const [updates, next] = optimizer.update(makeParams(), state as InGraphState, tree.ref(moved));
  const after = applyUpdates(moved, updates);
  expect(Math.min(...flat(after))).toBeGreaterThan(50);
  tree.dispose([after, next]);
});

test("a state is a tree of arrays, from which a run goes on to the bit", () => {
  const optimizer = superlevelOptimizer();
  const half = train(optimizer, 15);
  const copy = (leaf: np.Array) =>
    np.array(leaf.ref.dataSync() as Float32Array<ArrayBuffer>, { shape: [...leaf.shape] });
  let saved = { params: mapped(copy, half.params), state: mapped(copy, half.state) };
  let whole = { params: half.params, state: half.state };
  for (let t = 0; t < 15; t++) {
    const [one, other] = [half.step(whole.params, whole.state), half.step(saved.params, saved.state)];
    tree.dispose([one.value, other.value]);
    [whole, saved] = [one, other];
  }
  expect(flat(saved.params)).toEqual(flat(whole.params));
  tree.dispose([saved.params, saved.state, whole.params, whole.state]);
});

test("leaves may be frozen, and have rates and decay of their own", () => {
  const base = adamw({ weightDecay: 0.1, learningRate: 0.1 });
  const of = (name: string) => (name === "b" ? { weightDecay: 0, learningRate: 2 } : {});
  const own = superlevelOptimizer({ base, tuner: null, tensors: (name) => of(name) });
  const optimizer = createOptimizer(
    [
      { name: "w", shape: [3], values: START.slice(0, 3) },
      { name: "b", shape: [4], values: START.slice(3), ...of("b") },
    ],
    { base, tuner: null },
  );
  for (let step = 0; step < 20; step++) optimizer.step(gradientAt(optimizer.params));
  const { params, state } = train(own, 20);
  expect(apart(flat(params), optimizer.params)).toBeLessThan(1e-5);

  const frozen = superlevelOptimizer({ tensors: (name) => ({ frozen: name === "b" }) });
  const still = train(frozen, 20);
  expect(still.params.b.ref.js()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(flat(still.params.layers)).not.toEqual(START.slice(0, 3));
  tree.dispose([params, state, still.params, still.state]);
});

test("a gradient or a loss that is not finite changes nothing, and is counted", () => {
  const optimizer = superlevelOptimizer();
  const { params, state } = train(optimizer, 5);
  const before = flat(params);
  const spoilt = mapped((leaf) => np.multiply(leaf, NaN), makeParams());
  const [updates, next] = optimizer.update(spoilt, state as InGraphState, tree.ref(params));
  expect(new Set(flat(updates))).toEqual(new Set([0]));
  const [others, last] = optimizer.update(makeParams(), next, tree.ref(params), {
    value: np.array(Infinity),
  });
  expect(new Set(flat(others))).toEqual(new Set([0]));
  expect(last.skipped.ref.js()).toBe(2);
  expect(flat(params)).toEqual(before);
  tree.dispose([params, updates, others, last]);
});

test("the average is a tree like the parameters, and these where there is none", () => {
  const optimizer = superlevelOptimizer({ gradients: "noisy" });
  const core = createOptimizer(START, { gradients: "noisy" });
  for (let step = 0; step < 30; step++) core.step(gradientAt(core.params), { loss: lossAt(core.params) });
  const { params, state } = train(optimizer, 30);
  const average = optimizer.average(state as InGraphState, params);
  expect(apart(flat(average), core.average()!)).toBeLessThan(1e-4);
  const exact = train(superlevelOptimizer(), 30);
  const point = flat(exact.params);
  const none = superlevelOptimizer().average(exact.state as InGraphState, exact.params);
  expect(flat(none)).toEqual(point);
  tree.dispose([average, none]);
});

test("a chain: clipped, decayed, and scaled by a schedule, in one jit", () => {
  const optimizer = chain(
    clipByGlobalNorm(10),
    addDecayedWeights(0.01, (_leaf, shape) => shape.length > 1),
    superlevelOptimizer(),
    scaleBySchedule(warmupCosineDecaySchedule(0.5, 1, 5, 400)),
    scale(1),
  );
  const { params, state } = train(optimizer, 200);
  expect(lossAt(flat(params))).toBeLessThan(0.05);
  expect(tree.leaves(state).every(({ refCount }) => refCount === 1)).toBe(true);
  tree.dispose([params, state]);
});

test("schedules are optax's", () => {
  const at = (schedule: (count: np.Array) => np.Array, count: number) =>
    schedule(np.array(count)).js() as number;
  expect(at(cosineDecaySchedule(2, 10, 0.1), 20)).toBeCloseTo(0.2, 6);
  const warm = warmupCosineDecaySchedule(0.1, 1, 10, 30, 0.2);
  expect([0, 5, 10, 20, 30, 99].map((count) => at(warm, count).toFixed(3))).toEqual([
    "0.100",
    "0.550",
    "1.000",
    "0.600",
    "0.200",
    "0.200",
  ]);
});

describe("what cannot be traced is refused by name, and nothing leaks", () => {
  const params = () => ({ w: np.array([1, 2]) });

  test.each([
    [
      "another tuner",
      { tuner: mechanic() },
      "options: tuner mechanic() cannot be traced; gradientTransformation()",
    ],
    [
      "a schedule of numbers",
      { base: sgd({ learningRate: () => 1 }) },
      "base.learningRate: expected a number",
    ],
  ] as [string, InGraphOptions, string][])("%s", (_name, options, message) => {
    const given = params();
    expect(errorOf(() => superlevelOptimizer(options).init(tree.ref(given))).message).toContain(message);
    expect(given.w.refCount).toBe(1);
    tree.dispose(given);
  });

  test("other trees than before", () => {
    const optimizer = superlevelOptimizer();
    const state = optimizer.init(params());
    const tries: [() => unknown, string][] = [
      [
        () => optimizer.update({ w: np.array([1, 2, 3]) }, tree.ref(state)),
        "state: expected one of 3 coordinates, got one of 2",
      ],
      [
        () => optimizer.update(params(), tree.ref(state), { w: np.array([1]) }),
        "params.w: expected the shape [2], got [1]",
      ],
      [
        () => optimizer.update({ w: 3 } as never, tree.ref(state)),
        "updates.w: expected an array of jax-js, got 3",
      ],
      [() => superlevelOptimizer({ learningRat: 1 } as never), "learningRat"],
    ];
    for (const [attempt, message] of tries) expect(errorOf(attempt).message).toContain(message);
    expect(tree.leaves(state).every(({ refCount }) => refCount === 1)).toBe(true);
    tree.dispose(state);
  });
});
