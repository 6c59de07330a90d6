import { numpy as np, type Array as JaxArray } from "@jax-js/jax";
import { expectOptions, given, show } from "../../common/expect.js";
import { resolve, type OptimizerOptions } from "../../stepper/config.js";
import { sizeOf, type TensorSpec } from "../../tensors.js";
import type { Value } from "../arrays/algebra.js";
import { planOf, whyNot, type Plan } from "../arrays/plan.js";
import { mapState, type ArrayState, type Extent } from "../arrays/state.js";
import { leavesOf, type FlatLayout } from "./flat.js";
import type { Scope } from "./operations.js";
import type { Tree } from "./trees.js";

/** Options of {@link superlevelOptimizer}: those of `createOptimizer` that concern the method, and two. */
export interface InGraphOptions extends Pick<
  OptimizerOptions,
  "base" | "tuner" | "normAdaptive" | "clip" | "gradients"
> {
  /** The base's rate as a function of the steps before, a scalar array, as optax's schedules are. */
  learningRate?: (count: JaxArray) => JaxArray;
  /** Options of each leaf's tensor, by its way from the root, such as "layers.0.weights". */
  tensors?: (
    name: string,
    shape: readonly number[],
  ) => Pick<TensorSpec, "learningRate" | "weightDecay" | "frozen"> | undefined;
}

export type Numbers = Value<JaxArray>;

/** What of a run the shapes of its leaves tell. */
export interface Setting extends FlatLayout {
  readonly plan: Plan;
  /** Multiplier of the rate and weight decay of each leaf that is not frozen, and how long it is. */
  readonly parts: readonly { learningRate: number; weightDecay: number; size: number }[];
}

export function settingOf(
  options: InGraphOptions,
  name: string,
  params: Tree,
): { setting: Setting; leaves: JaxArray[] } {
  const { base, tuner, normAdaptive, clip, gradients, tensors } = options;
  const own = given({ base, tuner, normAdaptive, clip, gradients });
  const { leaves, names, shapes, structure } = leavesOf(name, params);
  const specs = names.map((name, k) => {
    const asked = tensors?.(name, shapes[k]) ?? {};
    expectOptions(`tensors(${show(name)})`, asked, ["learningRate", "weightDecay", "frozen"]);
    return { name: name || "params", shape: shapes[k], ...asked };
  });
  const resolved = resolve(specs, own);
  const reason = whyNot(resolved);
  if (reason)
    throw new RangeError(
      `options: ${reason} cannot be traced; gradientTransformation() of superlevel/jax takes it`,
    );
  const plan = planOf(own, resolved);
  if (typeof plan.learningRate === "function")
    throw new TypeError(
      "base.learningRate: expected a number; a schedule of arrays is the option learningRate",
    );
  const all = resolved.config.tensors;
  const running = all.flatMap(({ frozen, shape, ...rest }) =>
    frozen ? [] : [{ ...rest, size: sizeOf(shape) }],
  );
  const layout = { structure, names, shapes, frozen: all.map(({ frozen }) => frozen) };
  return {
    leaves,
    setting: { ...layout, plan, parts: running, size: running.reduce((sum, { size }) => sum + size, 0) },
  };
}

const filled = (shape: number[], value: number): JaxArray => np.full(shape, value, { dtype: np.float32 });

/** A number where all leaves have the same, else a vector. */
export function eachOf(scope: Scope, { parts }: Setting, key: "learningRate" | "weightDecay"): Numbers {
  if (parts.every((part) => part[key] === parts[0][key])) return parts[0][key];
  return scope.own(np.concatenate(parts.map((part) => filled([part.size], part[key]))));
}

/** As arrays of the sizes that they have from step to step, which a traced program wants. The caller owns them. */
export function realized(state: ArrayState<Numbers>, { plan, size }: Setting): ArrayState<JaxArray> {
  const shapes: Record<Extent, number[]> = {
    counted: [],
    scalar: [],
    betas: [plan.tuner?.betas.length ?? 1],
    vector: [size],
  };
  return mapState(state, (value, extent) => {
    const shape = shapes[extent];
    if (typeof value === "number") return filled(shape, value);
    return value.shape.join() === shape.join() ? value.ref : np.broadcastTo(value.ref, shape);
  });
}
