import { numpy as np, tree, type Array as JaxArray } from "@jax-js/jax";
import { expectFunction, expectNumber } from "../../common/expect.js";
import type { Tree } from "./trees.js";

/* Transformations of optax, by its names, to stand before or behind superlevel's in a chain. All can be traced. */

/** A function of the steps before, a scalar array, which it consumes. */
export type ArraySchedule = (count: JaxArray) => JaxArray;

/** A gradient transformation, as optax has them. `update` consumes all that it is given. */
export interface Transformation<State extends Tree = Tree> {
  init(params: Tree): State;
  update<Params extends Tree>(
    updates: Params,
    state: State,
    params?: Params,
    extra?: { value?: number | JaxArray },
  ): [updates: Params, state: State];
}

/** The states of a chain's parts, in their order. */
export type Chained<Parts extends readonly Transformation[]> = {
  -readonly [K in keyof Parts]: ReturnType<Parts[K]["init"]>;
};

const each = <Params extends Tree>(f: (leaf: JaxArray) => JaxArray, updates: Params): Params =>
  tree.map<JaxArray, JaxArray, Tree>(f, updates) as Params;

function letGo(...given: readonly unknown[]): void {
  for (const one of given)
    for (const leaf of one === undefined ? [] : tree.leaves(one as Tree))
      if (typeof leaf === "object") leaf.dispose();
}

/** A transformation that remembers nothing. */
function stateless(
  f: <Params extends Tree>(updates: Params, params: Params | undefined) => Params,
): Transformation<[]> {
  return {
    init(params) {
      letGo(params);
      return [];
    },
    update(updates, _state, params, extra) {
      letGo(extra?.value);
      return [f(updates, params), []];
    },
  };
}

/**
 * Transformations one behind the other. Each gets the parameters and the loss.
 *
 * @example
 * import { init, numpy as np, tree } from "@jax-js/jax";
 * import { applyUpdates, chain, clipByGlobalNorm, superlevelOptimizer } from "superlevel/jax";
 * await init("wasm");
 * const optimizer = chain(clipByGlobalNorm(1), superlevelOptimizer());
 * const params = { w: np.array([1, 2]) };
 * const state = optimizer.init(tree.ref(params));
 * const [updates, next] = optimizer.update({ w: np.array([30, 40]) }, state, tree.ref(params));
 * applyUpdates(params, updates).w.shape; // → [2]
 * tree.dispose(next);
 */
export function chain<const Parts extends readonly Transformation[]>(
  ...parts: Parts
): Transformation<Chained<Parts> & Tree> {
  const all: readonly Transformation[] = parts;
  return {
    init(params) {
      const states = all.map((part) => part.init(tree.ref(params)));
      letGo(params);
      return states as Chained<Parts> & Tree;
    },
    update(updates, states, params, extra) {
      const next: Tree[] = [];
      all.forEach((part, k) => {
        const value = typeof extra?.value === "object" ? extra.value.ref : extra?.value;
        const [changed, state] = part.update(
          updates,
          (states as readonly Tree[])[k],
          params && tree.ref(params),
          value === undefined ? {} : { value },
        );
        updates = changed;
        next.push(state);
      });
      letGo(params, extra?.value);
      return [updates, next as Chained<Parts> & Tree];
    },
  };
}

/**
 * g ← g min(1, maxNorm / ‖g‖), over the whole tree.
 *
 * @param maxNorm > 0
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { clipByGlobalNorm } from "superlevel/jax";
 * await init("wasm");
 * (clipByGlobalNorm(1).update(np.array([3, 4]), [])[0].js() as number[]).map((g) => g.toFixed(3)); // → ["0.600", "0.800"]
 */
export function clipByGlobalNorm(maxNorm: number): Transformation<[]> {
  expectNumber("clipByGlobalNorm(maxNorm)", maxNorm, { above: 0 });
  return stateless((updates, params) => {
    letGo(params);
    const squares = tree.leaves(tree.ref(updates)).map((leaf) => np.square(leaf).sum());
    const norm = np.sqrt(squares.reduce((sum, one) => np.add(sum, one)));
    const factor = np.minimum(1, np.divide(maxNorm, np.maximum(norm, 1e-30)));
    const clipped = each((leaf) => np.multiply(leaf, factor.ref), updates);
    factor.dispose();
    return clipped;
  });
}

/**
 * Every coordinate of g within ±most.
 *
 * @param most > 0
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { clip } from "superlevel/jax";
 * await init("wasm");
 * clip(1).update(np.array([3, -0.5]), [])[0].js(); // → [1, -0.5]
 */
export function clip(most: number): Transformation<[]> {
  expectNumber("clip(most)", most, { above: 0 });
  return stateless((updates, params) => {
    letGo(params);
    return each((leaf) => np.clip(leaf, -most, most), updates);
  });
}

/**
 * g ← g + weightDecay · x, where `mask` says so: weight decay that joins the gradient, if superlevel stands behind it.
 * Decay that does not is `superlevelOptimizer({ base: adamw({ weightDecay }), tensors })`.
 *
 * @param weightDecay ≥ 0
 * @param mask asked for each leaf of the parameters by its place among them; default: all
 * @throws TypeError when `update` is not given the parameters
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { addDecayedWeights } from "superlevel/jax";
 * await init("wasm");
 * addDecayedWeights(0.5).update(np.array([1]), [], np.array([4]))[0].js(); // → [3]
 */
export function addDecayedWeights(
  weightDecay: number,
  mask: (leaf: number, shape: readonly number[]) => boolean = () => true,
): Transformation<[]> {
  expectNumber("addDecayedWeights(weightDecay)", weightDecay, { min: 0 });
  expectFunction("addDecayedWeights(mask)", mask);
  return stateless((updates, params) => {
    if (params === undefined)
      throw new TypeError("params: addDecayedWeights needs them; update(grads, state, params)");
    let place = 0;
    const add = (g: JaxArray, x: JaxArray) => {
      if (mask(place++, x.shape)) return np.add(g, np.multiply(weightDecay, x));
      x.dispose();
      return g;
    };
    return tree.map<JaxArray, JaxArray, Tree>(add, updates, params) as typeof updates;
  });
}

/**
 * updates ← factor · updates.
 *
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { scale } from "superlevel/jax";
 * await init("wasm");
 * scale(0.5).update(np.array([4]), [])[0].js(); // → [2]
 */
export function scale(factor: number): Transformation<[]> {
  expectNumber("scale(factor)", factor);
  return stateless((updates, params) => {
    letGo(params);
    return each((leaf) => np.multiply(leaf, factor), updates);
  });
}

/**
 * updates ← schedule(count) · updates, with the count of the steps before.
 *
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { linearSchedule, scaleBySchedule } from "superlevel/jax";
 * await init("wasm");
 * const transformation = scaleBySchedule(linearSchedule(1, 0, 2));
 * let state = transformation.init(np.array([0]));
 * let updates = np.array([4]);
 * [updates, state] = transformation.update(updates, state);
 * [updates, state] = transformation.update(updates, state);
 * updates.js(); // → [2]
 */
export function scaleBySchedule(schedule: ArraySchedule): Transformation<{ count: JaxArray }> {
  expectFunction("scaleBySchedule(schedule)", schedule);
  return {
    init(params) {
      letGo(params);
      return { count: np.full([], 0, { dtype: np.float32 }) };
    },
    update(updates, { count }, params, extra) {
      letGo(params, extra?.value);
      const factor = schedule(count.ref);
      const scaled = each((leaf) => np.multiply(leaf, factor.ref), updates);
      factor.dispose();
      return [scaled, { count: np.add(count, 1) }];
    },
  };
}
