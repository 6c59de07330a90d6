import { numpy as np, type Array as JaxArray } from "@jax-js/jax";
import { expectFunction, expectOptions, show } from "../../common/expect.js";
import { Algebra } from "../arrays/algebra.js";
import { averageOffset } from "../arrays/kinds.js";
import { defaultRate } from "../arrays/rate.js";
import { newState, type ArrayState } from "../arrays/state.js";
import { takeStep } from "../arrays/step.js";
import { leavesOf, ravel, unravel } from "./flat.js";
import { Scope } from "./operations.js";
import { eachOf, realized, settingOf } from "./setting.js";
import type { InGraphOptions, Numbers, Setting } from "./setting.js";
import type { Transformation } from "./transformations.js";
import { expectSame, type Tree } from "./trees.js";

/** A tree of arrays: all that the next update depends on. `point` is x as one vector. */
export type InGraphState = ArrayState<JaxArray> & { readonly point: JaxArray };

/**
 * What {@link superlevelOptimizer} returns. Without `params` an update takes them to be where the last one led. `value` is
 * the loss, a number or a scalar array.
 */
export interface InGraphTransformation extends Transformation<InGraphState> {
  /** The schedule-free average as a tree like `params`, and `params` where there is none. Consumes both. */
  average<Params extends Tree>(state: InGraphState, params: Params): Params;
}

/** Takes the ownership of every array that was given, also where `f` throws, and lets go of what it made. */
function consuming<T>(given: readonly unknown[], f: (scope: Scope) => T): T {
  const scope = new Scope();
  try {
    for (const tree of given) if (tree !== undefined) scope.ownAll(tree);
    return f(scope);
  } finally {
    scope.dispose();
  }
}

function lossOf(value: number | JaxArray | undefined): Numbers | undefined {
  if (value === undefined || typeof value === "number") return value;
  if (typeof value !== "object" || !("shape" in value))
    throw new TypeError(`value: expected a number or an array of jax-js, got ${show(value)}`);
  if (value.shape.length > 0)
    throw new RangeError(`value: expected a scalar, got an array of shape [${value.shape.join()}]`);
  return value;
}

/** A step from vectors to vectors; `x` is where the last one led to, unless it is given. */
function advance(
  scope: Scope,
  setting: Setting,
  { point, ...before }: InGraphState,
  given: { x?: JaxArray; g: JaxArray; loss?: Numbers; learningRate: InGraphOptions["learningRate"] },
): { move: JaxArray; next: InGraphState } {
  const { plan, size } = setting;
  const { x = point, g, loss, learningRate } = given;
  if (point.shape[0] !== size)
    throw new RangeError(`state: expected one of ${size} coordinates, got one of ${point.shape[0]}`);
  const c = new Algebra<JaxArray>(scope);
  const betas = plan.tuner?.betas ?? [1];
  const taken = takeStep(c, plan, before, {
    ...{ x, g, size, loss },
    betas: scope.own(np.array([...betas])),
    ones: scope.own(np.ones([betas.length])),
    multiplier: eachOf(scope, setting, "learningRate"),
    weightDecay: eachOf(scope, setting, "weightDecay"),
    rate(place) {
      if (learningRate) return scope.own(learningRate(before.iterations.ref));
      const { learningRate: rate } = plan;
      return typeof rate === "number" ? rate : defaultRate(c, rate as "byKind" | "windows", place);
    },
  });
  const move = taken.move as JaxArray;
  return { move, next: { ...realized(taken.state, setting), point: np.add(x.ref, move.ref) } };
}

/**
 * superlevel in operations of jax-js, for use inside of `jit`: `jit((params, state) => { … update … applyUpdates … })`
 * reads nothing back, and its state is a tree of arrays. The method, its options and defaults are those of
 * `createOptimizer`, in float32 throughout: it follows the engine up to rounding, not to the bit.
 *
 * x_{t+1} = x_t + S_{t+1} Δ_{t+1} − S_t Δ_t, so a transformation that changes the updates afterwards, or whoever moves the
 * parameters, moves x_ref. A gradient or a loss that is not finite changes nothing; `state.skipped` counts them.
 *
 * @param options what of `createOptimizer`'s options has no step in operations is refused: tuners other than `superlevel()`
 *   with granularity "global" and null, bases other than `adam`, `adamw`, `sgd`, `rmsprop`, `lion` and what `scheduleFree`
 *   makes of them, schedules that are functions of numbers
 * @throws TypeError or RangeError when an option or a tree is not as expected
 * @example
 * import { init, jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
 * import { applyUpdates, superlevelOptimizer, type InGraphState } from "superlevel/jax";
 * await init("wasm");
 *
 * const bowl = ({ w }: { w: np.Array }) => np.square(w.sub(3)).sum();
 * const optimizer = superlevelOptimizer();
 * const step = jit((params: { w: np.Array }, state: InGraphState) => {
 *   const [value, grads] = valueAndGrad(bowl)(tree.ref(params));
 *   const [updates, next] = optimizer.update(grads, state, tree.ref(params), { value });
 *   return [applyUpdates(params, updates), next] as [typeof params, InGraphState];
 * });
 * let params = { w: np.array([0, 10]) };
 * let state = optimizer.init(tree.ref(params));
 * for (let t = 1; t <= 300; t++) {
 *   [params, state] = step(params, state);
 *   if (t % 10 === 0) params.w.ref.dataSync(); // runs what has piled up
 * }
 * (params.w.js() as number[]).map((x) => x.toFixed(3)); // → ["3.000", "3.000"]
 */
export function superlevelOptimizer(options: InGraphOptions = {}): InGraphTransformation {
  expectOptions("options", options, [
    "base",
    "tuner",
    "normAdaptive",
    "clip",
    "gradients",
    "learningRate",
    "tensors",
  ]);
  const { learningRate, tensors } = options;
  if (tensors !== undefined) expectFunction("tensors", tensors);
  if (learningRate !== undefined) expectFunction("learningRate", learningRate);
  return {
    init: (params) =>
      consuming([params], () => {
        const { setting, leaves } = settingOf(options, "params", params);
        return { ...realized(newState(setting.plan), setting), point: ravel(leaves, setting) };
      }),

    update: (updates, state, params, extra = {}) =>
      consuming([updates, state, params, extra.value], (scope) => {
        expectOptions("extra", extra, ["value"]);
        const { setting, leaves } = settingOf(options, "updates", updates);
        const point = params && leavesOf("params", params);
        if (point) expectSame("params", point, setting);
        const x = point && scope.own(ravel(point.leaves, setting));
        const g = scope.own(ravel(leaves, setting));
        const { move, next } = advance(scope, setting, state, {
          x,
          g,
          loss: lossOf(extra.value),
          learningRate,
        });
        return [unravel(move, setting, (k) => np.zerosLike(leaves[k].ref)), next];
      }),

    average: (state, params) =>
      consuming([state, params], (scope) => {
        const { setting, leaves } = settingOf(options, "params", params);
        const c = new Algebra<JaxArray>(scope);
        const offset = averageOffset(c, setting.plan, state);
        const average = c.add(scope.own(ravel(leaves, setting)), offset) as JaxArray;
        return unravel(average, setting, (k) => leaves[k].ref);
      }),
  };
}
