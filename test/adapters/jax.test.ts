/** superlevel/jax: the engine's steps over trees, with the arrays' and the state's ownership. */
import {
  blockUntilReady,
  defaultDevice,
  grad,
  init,
  jit,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";

import { adamw, createOptimizer, OptimizerError, sgd, superlevel } from "../../src/index.js";
import { applyUpdates, gradientTransformation, type State, type Tree } from "../../src/adapters/jax/index.js";
import { errorOf } from "../support/errors.js";

type Params = { layers: { weights: np.Array; bias: np.Array }[]; scale: np.Array };

const shapes = [[3, 4], [4], [4, 2], [2], []];
const sizes = shapes.map((shape) => shape.reduce((size, extent) => size * extent, 1));

const numbers = (leaf: number, seed: number) =>
  Float32Array.from({ length: sizes[leaf] }, (_, i) => Math.sin(seed + 7 * leaf + i));

/** Five leaves, two levels deep, the last a scalar. */
function makeTree(seed: number): Params {
  const leaf = (k: number) => np.array(numbers(k, seed), { shape: shapes[k] });
  return {
    layers: [
      { weights: leaf(0), bias: leaf(1) },
      { weights: leaf(2), bias: leaf(3) },
    ],
    scale: leaf(4),
  };
}

const flat = (params: Tree) =>
  tree.leaves(tree.ref(params)).flatMap((leaf) => Array.from(leaf.dataSync() as Float32Array));
const counts = (params: Tree) => tree.leaves(params).map(({ refCount }) => refCount);
const everyLeaf = (count: number) => shapes.map(() => count);

/** Steps along gradients that depend on the step alone; returns parameters after each. */
function train(state: State, params: Params, steps: number, options = {}, first = 1) {
  const { update } = gradientTransformation(options);
  const history: number[][] = [];
  for (let step = first; step < first + steps; step++) {
    let updates = makeTree(step);
    [updates, state] = update(updates, state, tree.ref(params));
    params = applyUpdates(params, updates);
    history.push(flat(params));
  }
  return { state, params, history };
}

beforeAll(async () => {
  await init("wasm");
  defaultDevice("wasm");
});

describe("an update", () => {
  test.each([
    ["the defaults", {}],
    [
      "AdamW and a tuner for each tensor",
      { base: adamw({ weightDecay: 0.1 }), tuner: superlevel({ granularity: "tensor" }) },
    ],
    ["SGD alone", { base: sgd({ learningRate: 0.1, momentum: 0.9 }), tuner: null }],
  ] as const)("is the engine's step: %s", (_name, options) => {
    const specs = shapes.map((shape, k) => ({ shape, values: numbers(k, 0) }));
    const optimizer = createOptimizer(specs, options);
    const params = makeTree(0);
    const {
      history,
      params: last,
      state,
    } = train(gradientTransformation(options).init(tree.ref(params)), params, 100, options);
    history.forEach((found, t) => {
      optimizer.step(Float32Array.from(shapes.flatMap((_, k) => [...numbers(k, t + 1)])));
      found.forEach((x, i) => {
        // x + (x' − x) is x' to within a rounding of the larger.
        const before = t === 0 ? specs.flatMap(({ values }) => [...values])[i] : history[t - 1][i];
        const bound = 2 ** -24 * Math.max(Math.abs(before), Math.abs(optimizer.params[i])) * 2;
        expect(Math.abs(x - optimizer.params[i])).toBeLessThanOrEqual(bound);
      });
    });
    expect(state.info).toMatchObject({ step: 100, skipped: false });
    expect(tree.leaves(last).map(({ shape }) => shape)).toEqual(shapes);
  });

  test("trains a network with grad and jit", () => {
    type Net = { hidden: { w: np.Array; b: np.Array }; out: { w: np.Array; b: np.Array } };
    const x = np.array(
      Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1),
      { shape: [64, 1] },
    );
    const y = np.sin(x.ref.mul(3));
    const loss = (net: Net, x: np.Array, y: np.Array) => {
      const hidden = np.tanh(np.dot(x, net.hidden.w).add(net.hidden.b));
      return np.square(np.dot(hidden, net.out.w).add(net.out.b).sub(y)).mean();
    };
    const slope = jit(valueAndGrad(loss));
    const random = (length: number, seed: number) =>
      Float32Array.from({ length }, (_, i) => Math.sin(1e4 * Math.sin(seed + i)));
    let params: Net = {
      hidden: { w: np.array(random(16, 1), { shape: [1, 16] }), b: np.zeros([16]) },
      out: { w: np.array(random(16, 50), { shape: [16, 1] }), b: np.zeros([1]) },
    };
    const transformation = gradientTransformation();
    let state = transformation.init(tree.ref(params));
    let first = NaN;
    let last = NaN;
    for (let step = 1; step <= 300; step++) {
      const [value, grads] = slope(tree.ref(params), x.ref, y.ref) as unknown as [np.Array, Net];
      last = value.item();
      if (step === 1) first = last;
      const [updates, next] = transformation.update(grads, state, tree.ref(params));
      state = next;
      params = applyUpdates(params, updates);
    }
    expect(first).toBeGreaterThan(0.2);
    expect(last).toBeLessThan(0.02);
    slope.dispose();
  });

  test("takes a single array for a tree", () => {
    const { init: start, update } = gradientTransformation({ base: sgd({ learningRate: 0.5 }), tuner: null });
    let params = np.array([1, 2]);
    const [updates] = update(np.array([1, 0.5]), start(params.ref), params.ref);
    params = applyUpdates(params, updates);
    expect(params.js()).toEqual([0.5, 1.75]);
  });

  test("gives leaves options by their names", () => {
    const seen: [string, readonly number[]][] = [];
    const options = {
      base: sgd({ learningRate: 1 }),
      tuner: null,
      tensors: (name: string, shape: readonly number[]) => {
        seen.push([name, shape]);
        return name.endsWith("bias") ? { frozen: true } : name === "scale" ? { learningRate: 0 } : undefined;
      },
    };
    const params = makeTree(0);
    const before = flat(params);
    const { history } = train(gradientTransformation(options).init(tree.ref(params)), params, 1, options);
    expect(seen).toEqual([
      ["layers.0.weights", [3, 4]],
      ["layers.0.bias", [4]],
      ["layers.1.weights", [4, 2]],
      ["layers.1.bias", [2]],
      ["scale", []],
    ]);
    const changed = history[0].map((x, i) => x !== before[i]);
    expect(changed).toEqual(sizes.flatMap((size, k) => new Array<boolean>(size).fill(k === 0 || k === 2)));
  });
});

describe("ownership", () => {
  const { init: start, update } = gradientTransformation();

  test("init and update consume their arrays once, and applyUpdates both of its trees", () => {
    const params = makeTree(0);
    let state = start(tree.ref(params));
    expect(counts(params)).toEqual(everyLeaf(1));
    const grads = makeTree(1);
    const [updates, next] = update(grads, state, tree.ref(params));
    state = next;
    expect(counts(params)).toEqual(everyLeaf(1));
    expect(counts(grads)).toEqual(everyLeaf(0));
    expect(counts(updates)).toEqual(everyLeaf(1));
    const moved = applyUpdates(params, updates);
    expect(counts(params)).toEqual(everyLeaf(0));
    expect(counts(updates)).toEqual(everyLeaf(0));
    expect(counts(moved)).toEqual(everyLeaf(1));
    update(makeTree(2), state, moved);
    expect(counts(moved)).toEqual(everyLeaf(0));
  });

  test("also when they throw", () => {
    const params = makeTree(0);
    const state = start(tree.ref(params));
    const wrong = [
      () => ({ ...makeTree(1), scale: np.array([1], { dtype: np.int32 }) }),
      () => ({ ...makeTree(1), scale: 5 as never }),
      () => ({ ...makeTree(1), scale: np.array([1, 2]) }),
      () => ({ ...makeTree(1), scale: np.array(new Float32Array([NaN]), { shape: [] }) }),
      () => ({ layers: makeTree(1).layers }) as never,
    ];
    for (const make of wrong) {
      const grads = make();
      expect(() => update(grads, state, tree.ref(params))).toThrow();
      expect(counts(params)).toEqual(everyLeaf(1));
      const arrays = tree.leaves(grads).filter((leaf) => leaf instanceof np.Array);
      expect(arrays.map(({ refCount }) => refCount)).toEqual(arrays.map(() => 0));
    }
    const grads = makeTree(1);
    expect(() => update(grads, {} as State, tree.ref(params))).toThrow(TypeError);
    expect(counts(grads)).toEqual(everyLeaf(0));
    expect(counts(params)).toEqual(everyLeaf(1));
    // The state was left as it was.
    expect(update(makeTree(1), state, params)[1].info).toMatchObject({ step: 1 });
  });

  test("a freed array is an error of jax-js, and the others are freed", () => {
    const params = makeTree(0);
    const state = start(tree.ref(params));
    const grads = makeTree(1);
    grads.layers[1].weights.dispose();
    expect(() => update(grads, state, tree.ref(params))).toThrow(/freed/);
    expect(counts(grads)).toEqual(everyLeaf(0));
    expect(counts(params)).toEqual(everyLeaf(1));
  });

  test("nothing stays behind after many updates", () => {
    const size = 200_000;
    const { init: start, update } = gradientTransformation({
      base: sgd({ learningRate: 1e-3 }),
      tuner: null,
    });
    const values = (k: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i + k));
    let params = { w: np.array(values(0)) };
    let state = start(tree.ref(params));
    const gradients = values(1);
    const step = () => {
      const [updates, next] = update({ w: np.array(gradients) }, state, tree.ref(params));
      state = next;
      params = applyUpdates(params, updates);
    };
    for (let k = 0; k < 10; k++) step();
    // A leaked array's place is not used again: fresh ones would lie ever higher in the device's memory.
    const before = process.memoryUsage().external;
    for (let k = 0; k < 200; k++) step();
    expect(counts(params)).toEqual([1]);
    expect(process.memoryUsage().external - before).toBeLessThan(100 * 4 * size);
    state.dispose();
  });
});

describe("the state", () => {
  const { init: start, update, restore } = gradientTransformation();

  test("is spent by an update", () => {
    const params = makeTree(0);
    const first = start(tree.ref(params));
    const [updates, second] = update(makeTree(1), first, tree.ref(params));
    const moved = applyUpdates(tree.ref(params), updates);
    const error = errorOf(() => update(makeTree(2), first, tree.ref(params))) as OptimizerError;
    expect(error).toBeInstanceOf(OptimizerError);
    expect(error.code).toBe("state");
    expect(error.message).toContain("it was spent: it is of update 0 of 1");
    expect(() => first.save()).toThrow("spent");
    // The latest is none the worse for it.
    expect(update(makeTree(2), second, moved)[1].info!.step).toBe(2);
  });

  test("branches and resumes by save and restore, to the last bit", () => {
    for (const steps of [0, 1, 2, 70]) {
      const begin = makeTree(0);
      const { state, params } = train(start(tree.ref(begin)), begin, steps);
      const saved = state.save();
      const copied = (leaf: np.Array) => np.array(leaf.js() as number[], { shape: leaf.shape });
      const copy = tree.map<np.Array, np.Array, Tree>(copied, tree.ref(params)) as Params;
      const one = train(state, params, 5, {}, steps + 1);
      const other = train(restore(tree.ref(copy), saved), copy, 5, {}, steps + 1);
      expect(other.history).toEqual(one.history);
      expect(other.state.save()).toEqual(one.state.save());
    }
  });

  test("refuses what is no state of its", () => {
    const bytes = start(makeTree(0)).save();
    bytes[bytes.length - 1] ^= 1;
    const params = makeTree(0);
    expect(() => restore(params, bytes)).toThrow(OptimizerError);
    expect(counts(params)).toEqual(everyLeaf(0));
    expect(() => update(makeTree(0), undefined as never, makeTree(0))).toThrow(
      "state: expected what init or update returned, got undefined",
    );
  });

  test("can be disposed of", () => {
    const state = start(makeTree(0));
    state.dispose();
    expect(() => state.save()).toThrow("disposed");
    expect(() => update(makeTree(1), state, makeTree(0))).toThrow("disposed");
  });

  test("stays as it was where a step fails", () => {
    const params = makeTree(0);
    const { state, params: at } = train(start(tree.ref(params)), params, 3);
    const saved = state.save();
    const broken = makeTree(4);
    broken.layers[0].bias = np.array([0, NaN, 0, 0]);
    const error = errorOf(() => update(broken, state, tree.ref(at))) as OptimizerError;
    expect(error.code).toBe("diverged");
    const one = train(state, tree.ref(at), 3, {}, 4);
    expect(train(restore(tree.ref(at), saved), at, 3, {}, 4).history).toEqual(one.history);
  });

  test("drops the step with nonFinite: skip", () => {
    const skipping = gradientTransformation({ nonFinite: "skip" });
    const params = np.array([1, 2]);
    const [updates, state] = skipping.update(np.array([NaN, 1]), skipping.init(params.ref), params);
    expect(state.info!.skipped).toBe(true);
    expect(updates.js()).toEqual([0, 0]);
  });
});

describe("kinds of gradients", () => {
  const options = { gradients: "noisy" } as const;
  const specs = () => shapes.map((shape, k) => ({ shape, values: numbers(k, 0) }));
  const gradientAt = (step: number) => Float32Array.from(sizes.flatMap((_, k) => [...numbers(k, step)]));

  test("are those of createOptimizer, and part of the state", () => {
    const { init: start, restore, update, average } = gradientTransformation();
    const optimizer = createOptimizer(specs());
    const begin = makeTree(0);
    const fresh = start(tree.ref(begin));
    expect(fresh.gradients).toBe("undecided");
    const { state, params } = train(fresh, begin, 1);
    optimizer.step(gradientAt(1));
    expect(state.gradients).toBe("undecided");
    expect(average(state)).toBeNull();
    const again = restore(tree.ref(params), state.save());
    for (let step = 2; step <= 20; step++) optimizer.step(gradientAt(step));
    for (const one of [train(state, tree.ref(params), 19, {}, 2), train(again, params, 19, {}, 2)]) {
      expect(one.state.gradients).toBe(optimizer.gradients);
      expect(one.state.gradients).toBe("noisy");
      const restored = restore(tree.ref(one.params), one.state.save());
      expect(restored.gradients).toBe("noisy");
      expect(flat(average<Params>(restored)!)).toEqual(Array.from(optimizer.average()!));
      expect(update(makeTree(21), restored, one.params)[1].gradients).toBe("noisy");
    }
  });

  test("show an average that is yours, where there is one", () => {
    const { init: start, average } = gradientTransformation(options);
    const begin = makeTree(0);
    const { state, params } = train(start(tree.ref(begin)), begin, 30, options);
    const found = average<Params>(state)!;
    expect(counts(found)).toEqual(everyLeaf(1));
    expect(tree.leaves(found).map(({ shape }) => shape)).toEqual(shapes);
    expect(flat(found)).not.toEqual(flat(params));
    // The state is not spent.
    expect(train(state, params, 1, options, 31).state.info!.step).toBe(31);
    expect(() => average(state)).toThrow("it was spent");
    expect(() => average({} as State)).toThrow("state: expected what init or update returned");
    const exact = gradientTransformation({ gradients: "exact" });
    expect(exact.average(exact.init(makeTree(0)))).toBeNull();
  });

  test("take gradients for what they are said to be", () => {
    expect(gradientTransformation(options).init(makeTree(0)).gradients).toBe("noisy");
    expect(() => gradientTransformation({ gradients: "no" as never }).init(makeTree(0))).toThrow(
      'gradients: expected one of "auto", "exact", "noisy"',
    );
  });
});

describe("the loss", () => {
  const options = { gradients: "noisy" } as const;
  /** Promises more than a tenth of a loss of 1e-3, so that S does not grow. */
  const slope = () => np.array([0.01, 0.01]);

  function walk(value: (step: number) => number | np.Array | undefined): number[] {
    const { init: start, update } = gradientTransformation(options);
    let params = np.array([3, 4]);
    let state = start(params.ref);
    for (let step = 1; step <= 12; step++) {
      const [updates, next] = update(slope(), state, params.ref, { value: value(step) });
      [params, state] = [applyUpdates(params, updates), next];
    }
    return [...flat(params), state.info!.scale];
  }

  test("is a number or an array, and does what it does in createOptimizer", () => {
    const plain = (loss?: number) => {
      const optimizer = createOptimizer([3, 4], options);
      for (let step = 1; step <= 12; step++) optimizer.step([0.01, 0.01], { loss });
      return optimizer.scale;
    };
    const told = walk(() => 2 ** -10);
    expect(told[2]).toBe(plain(2 ** -10));
    expect(walk(() => np.array(2 ** -10))).toEqual(told);
    expect(walk(() => np.array([2 ** -10]))).toEqual(told);
    expect(walk(() => undefined)[2]).toBe(plain());
    expect(plain()).toBeGreaterThan(2 * (plain(2 ** -10) as number));
  });

  test("that is not finite leaves the state as it was", () => {
    const { init: start, update } = gradientTransformation(options);
    const params = np.array([3, 4]);
    const state = start(params.ref);
    const error = errorOf(() => update(slope(), state, params.ref, { value: NaN })) as OptimizerError;
    expect(error).toBeInstanceOf(OptimizerError);
    expect(error).toMatchObject({ code: "diverged", message: "step 1: the loss is NaN" });
    expect(update(slope(), state, params)[1].info!.step).toBe(1);
  });

  test("is consumed, also when the update throws", () => {
    const { init: start, update } = gradientTransformation(options);
    const params = np.array([3, 4]);
    const state = start(params.ref);
    const value = np.array(1);
    expect(() => update(np.array([1]), state, params.ref, { value })).toThrow("expected the shape");
    expect(value.refCount).toBe(0);
    const wide = np.array([1, 2]);
    expect(() => update(slope(), state, params.ref, { value: wide })).toThrow(
      "value: expected a scalar, got an array of shape [2]",
    );
    expect(wide.refCount).toBe(0);
    expect(() => update(slope(), state, params.ref, { value: "1" as never })).toThrow(
      'value: expected a number or an array of jax-js, got "1"',
    );
    expect(() => update(slope(), state, params.ref, { loss: 1 } as never)).toThrow(
      'extra: unknown option "loss"; known are value',
    );
    expect(params.refCount).toBe(1);
  });
});

describe("params that moved", () => {
  const far = () => np.array([5, 6]);

  test("are an error", () => {
    const { init: start, update } = gradientTransformation();
    const state = start(np.array([1, 2]));
    const error = errorOf(() => update(np.array([1, 1]), state, far())) as OptimizerError;
    expect(error.code).toBe("moved");
    expect(error.message).toContain('moved: "follow"');
    for (const x of [NaN, 1 + 2 ** -20]) {
      expect(() => update(np.array([1, 1]), state, np.array([x, 2]))).toThrow("not those");
    }
    expect(update(np.array([1, 1]), state, np.array([1 + 2 ** -23, 2]))[1].info!.step).toBe(1);
  });

  test("are followed where that is asked for, as by setParams", () => {
    const options = { moved: "follow" } as const;
    const { init: start, update } = gradientTransformation(options);
    const optimizer = createOptimizer([1, 2]);
    let params = np.array([1, 2]);
    let state = start(params.ref);
    for (let step = 1; step <= 30; step++) {
      if (step % 10 === 0) {
        params.dispose();
        params = far();
        optimizer.setParams([5, 6]);
      }
      let updates = np.array([Math.sin(step), 1]);
      [updates, state] = update(updates, state, params.ref);
      params = applyUpdates(params, updates);
      optimizer.step([Math.sin(step), 1]);
      expect(params.ref.js()).toEqual(Array.from(optimizer.params));
    }
  });

  test("only by a rounding do not add up, however far the steps go", () => {
    // From 1e6 to 1e-3: x + (x' − x) is often not x'.
    const options = { base: sgd({ learningRate: 1 }), tuner: null };
    const { init: start, update } = gradientTransformation(options);
    let params = np.array([1e6]);
    let state = start(params.ref);
    const optimizer = createOptimizer([1e6], options);
    const targets = [1e-3, 1e6, 3e-5, -7, 1e-20, 12345.678];
    for (const target of [...targets, ...targets]) {
      const [x] = flat(params);
      optimizer.step([x - target]);
      const [updates, next] = update(np.array([x - target]), state, params.ref);
      state = next;
      params = applyUpdates(params, updates);
      const own = optimizer.params[0];
      expect(Math.abs(flat(params)[0] - own)).toBeLessThanOrEqual(
        2 ** -23 * Math.max(Math.abs(x), Math.abs(own)),
      );
    }
  });
});

describe("refuses", () => {
  const { init: start, update } = gradientTransformation();
  const params = () => ({ w: np.array([1, 2]), b: np.array([3]) });

  test.each<[() => unknown, string]>([
    [
      () => gradientTransformation({ learningRate: 1 } as never).init(params()),
      'options: unknown option "learningRate"',
    ],
    [
      () => gradientTransformation({ moved: "no" as never }),
      'moved: expected one of "throw", "follow", got "no"',
    ],
    [() => gradientTransformation({ tensors: 3 as never }), "tensors: expected a function, got 3"],
    [
      () => gradientTransformation({ tensors: () => ({ rate: 1 }) as never }).init(params()),
      'tensors("w"): unknown option "rate"',
    ],
    [() => start({}), "params: expected a tree with at least one array, got none"],
    [() => start(3 as never), "params: expected an array of jax-js, got 3"],
    [() => start({ w: [1] } as never), "params.w.0: expected an array of jax-js, got 1"],
    [
      () => start({ w: np.array([1], { dtype: np.int32 }) }),
      "params.w: expected an array of float32, got one of int32",
    ],
    [
      () => update({ w: np.array([1]) } as never, start(params()), params()),
      "updates: expected the structure",
    ],
    [
      () => update({ b: np.array([3]), w: np.array([1, 2]) }, start(params()), params()),
      "updates: expected the structure",
    ],
    [
      () => update({ w: np.array([1]), b: np.array([3]) }, start(params()), params()),
      "updates.w: expected the shape [2], got [1]",
    ],
    [
      () => update(params(), start(params()), undefined as never),
      "params: expected an array of jax-js, got undefined",
    ],
    [
      () => jit((x: np.Array) => update(x, start(np.array([1])), np.array([1]))[0])(np.array([1])),
      "jit, grad and vmap cannot",
    ],
    [() => applyUpdates(params(), { w: np.array([1]) } as never), "updates: expected the structure"],
  ])("%s", (run, message) => {
    const error = errorOf(run);
    expect(error.message).toContain(message);
    expect([TypeError, RangeError]).toContain(error.constructor);
  });
});

test("applyUpdates works under jit", async () => {
  const twice = jit((x: np.Array, y: np.Array) => applyUpdates(applyUpdates(x, y.ref), y));
  const sum = twice(np.array([1, 2]), np.array([1, 1]));
  await blockUntilReady(sum);
  expect(sum.js()).toEqual([3, 4]);
  twice.dispose();
  expect(grad((x: np.Array) => x.mul(2).sum())(np.array([1])).js()).toEqual([2]);
});
