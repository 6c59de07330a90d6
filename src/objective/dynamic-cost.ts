import {
  expectBoolean,
  expectFunction,
  expectNumber,
  expectNumbers,
  expectOneOf,
  expectOptions,
  isArrayLike,
  show,
} from "../common/expect.js";
import type { GradientSource } from "../sources/source.js";
import { none, type Robust } from "./robust.js";

/** A model that knows the loss of each example. */
export interface PerSampleSource {
  /** Losses ℓ_i of the step's examples at `params`. */
  losses(params: Float32Array, step: number): ArrayLike<number>;
  /** Writes Σ factors_i ∇ℓ_i of the examples just asked for to `grads`. */
  backward(params: Float32Array, grads: Float32Array, factors: Float64Array, step: number): void;
  /** Numbers of the step's examples in the data; default 0, 1, … Class weights and fixed trusts go by them. */
  indices?(step: number): ArrayLike<number>;
}

/** Options of {@link dynamicCost}. */
export interface DynamicCostOptions {
  /** w_c of each class, with `labels`. */
  classWeights?: ArrayLike<number>;
  /** y_i by the examples' numbers. */
  labels?: ArrayLike<number>;
  /** ρ; default 1. */
  robust?: Robust;
  /** Steps before which ρ ≡ 1, ≥ 0: robust weights starve a model that has learnt nothing yet. Default 0. */
  from?: number;
  /** λ of λ ‖x‖₁, ≥ 0: its subgradient, λ sign(x). With `proximal` it is left to `proximal`. */
  l1?: number;
  /** λ of ½ λ ‖x‖², ≥ 0. */
  l2?: number;
  /** The cost and gradient of `l1` are left out, for a proximal step after each step; default false. */
  proximal?: boolean;
  /**
   * γ(t), t from 1; default 1. Where it changes by more than 7 % from t = 1 to 2, as in a warm-up, an optimizer takes that for
   * noise: tell it `gradients`, or the run that it is `deterministic`.
   */
  gamma?: (step: number) => number;
  /** "all": γ multiplies everything, as in (12). "data": γ R + λ Ω, where regularisation gains weight while γ falls. */
  gammaScope?: "all" | "data";
}

const KEYS = "classWeights labels robust from l1 l2 proximal gamma gammaScope".split(" ");

function checkOptions(options: DynamicCostOptions) {
  const name = "dynamicCost";
  expectOptions(name, options, KEYS);
  const { classWeights, labels, robust = none(), gamma } = options;
  if ((classWeights === undefined) !== (labels === undefined))
    throw new RangeError(`${name}.classWeights: expected labels with them, and neither without the other`);
  if (classWeights) expectNumbers(`${name}.classWeights`, classWeights, classWeights.length);
  if (labels && !isArrayLike(labels))
    throw new TypeError(`${name}.labels: expected an array of numbers, got ${show(labels)}`);
  if (gamma !== undefined) expectFunction(`${name}.gamma`, gamma);
  return {
    classWeights,
    labels,
    robust,
    gamma: gamma ?? (() => 1),
    from: expectNumber(`${name}.from`, options.from ?? 0, { min: 0 }),
    l1: expectNumber(`${name}.l1`, options.l1 ?? 0, { min: 0 }),
    l2: expectNumber(`${name}.l2`, options.l2 ?? 0, { min: 0 }),
    proximal: expectBoolean(`${name}.proximal`, options.proximal ?? false),
    gammaScope: expectOneOf(`${name}.gammaScope`, options.gammaScope ?? "all", ["all", "data"]),
  };
}

/**
 * The paper's dynamic cost (8–12) around a model that knows the loss of each example:
 *
 * J = γ(t) [ (1/N) Σ w_{y_i} cost(ℓ_i) + λ₁ ‖x‖₁ + ½ λ₂ ‖x‖² ], or γ(t) (1/N) Σ … + λ₁ ‖x‖₁ + ½ λ₂ ‖x‖² with
 * `gammaScope: "data"`, and its gradient. Returns J / γ as the loss where γ multiplies all of it: J itself falls with γ
 * though nothing is learnt, and no guard should take that for progress.
 *
 * @param model see {@link PerSampleSource}
 * @throws TypeError or RangeError when an option is not understood
 * @example
 * import { createOptimizer } from "superlevel";
 * import { dynamicCost, huber } from "superlevel/objective";
 * const data = [1, 2, 3, 100]; // one of them is wrong
 * const source = dynamicCost(
 *   {
 *     losses: (x) => data.map((y) => (x[0] - y) ** 2 / 2),
 *     backward(x, grads, factors) {
 *       grads[0] = data.reduce((sum, y, i) => sum + factors[i] * (x[0] - y), 0);
 *     },
 *   },
 *   { robust: huber({ delta: 1 }) },
 * );
 * const optimizer = createOptimizer([0]);
 * optimizer.minimize(source, { steps: 300, deterministic: true });
 * optimizer.params[0] < 4; // → true
 */
export function dynamicCost(model: PerSampleSource, options: DynamicCostOptions = {}): GradientSource {
  expectFunction("model.losses", (model as Partial<PerSampleSource> | undefined)?.losses);
  expectFunction("model.backward", (model as Partial<PerSampleSource>).backward);
  const { classWeights, labels, robust, from, l1, l2, proximal, gamma, gammaScope } = checkOptions(options);
  return (params, grads, step) => {
    const scale = expectNumber(`dynamicCost.gamma at step ${step}`, gamma(step), { above: 0 });
    const losses = Float64Array.from(model.losses(params, step));
    const trust = step > from ? robust : none();
    trust.prepare?.(losses);
    const indices = model.indices?.(step);
    const factors = new Float64Array(losses.length);
    let data = 0;
    for (let i = 0; i < losses.length; i++) {
      const index = indices?.[i] ?? i;
      const share = (classWeights && labels ? classWeights[labels[index]] : 1) / losses.length;
      data += share * trust.cost(losses[i], index);
      factors[i] = scale * share * trust.factor(losses[i], index);
    }
    model.backward(params, grads, factors, step);
    const inner = gammaScope === "all" ? scale : 1;
    const penalty = addPenalty(params, grads, proximal ? 0 : l1, l2, inner);
    return gammaScope === "all" ? data + penalty : scale * data + penalty;
  };
}

/** Adds scale · ∇(l1 ‖x‖₁ + ½ l2 ‖x‖²) to the gradient; returns the penalty itself. */
function addPenalty(
  params: Float32Array,
  grads: Float32Array,
  l1: number,
  l2: number,
  scale: number,
): number {
  if (l1 === 0 && l2 === 0) return 0;
  let penalty = 0;
  for (let i = 0; i < params.length; i++) {
    const x = params[i];
    penalty += l1 * Math.abs(x) + (l2 * x * x) / 2;
    grads[i] += scale * (l1 * Math.sign(x) + l2 * x);
  }
  return penalty;
}
