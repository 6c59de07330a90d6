import type { Config } from "../../stepper/config.js";
import { show } from "../../common/expect.js";
import type { Optimizer } from "../../optimizer.js";
import { plainLinear, type Linear, type NoLinear } from "../../bases/base.js";
import { resolveBase } from "../../bases/index.js";
import { distinguishes } from "../../stepper/gradients.js";
import { linearOf } from "../../bases/list.js";
import { sharpness, type Sharpness, type SharpnessOptions } from "./sharpness.js";
import type { LossGrad } from "../loss-grad.js";

/*
 * Bases that have a linear response are, with their denominators held still,
 * u = −η P⁻¹ (direct · g + carried · m), m ← β m + fresh · g.
 * On a quadratic an eigenvalue of the step is −1 where η λ(P⁻¹H) (direct + carried · fresh / (1 + β)) = 2.
 *
 * Averaged (arXiv 2405.15682), it loses its momentum: with d = −η P⁻¹ g, z ← z + d, x̄ ← x̄ + c (z − x̄) and gradients at
 * y = (1 − β) z + β x̄, the lead e = z − y and y make a step of their own. For a = η λ(P⁻¹H),
 *
 *   y ← y − (1 − β (1 − c)) a y + c e,  e ← (1 − c) (e − β a y),
 *
 * whose characteristic polynomial p has p(1) = a c > 0 and determinant (1 − c) (1 − (1 − β) a). As a grows, p(−1) = 0 comes
 * first, where a ((1 − β) + β c / (2 − c)) = 2: `direct` is that factor. c = 1 is the base alone; as c falls to 0, like 3 / t,
 * averaging bears 1 / (1 − β) times as much curvature.
 */
type Averaged = NonNullable<Optimizer["averaging"]>;

/** The rule that averaging runs: the denominators of the base, and no momentum. */
const averagedOf = ({ inverse }: Linear, { interpolation: beta, weight: c }: Averaged): Linear => ({
  ...plainLinear,
  inverse,
  direct: 1 - beta + (beta * c) / (2 - c),
});

/** How an update answers to the gradient, coordinate by coordinate. */
export interface UpdateGain {
  /** d_i: on a quadratic the step flips, an eigenvalue of −1, where λ_max(D^½ H D^½) = 2. */
  readonly gain: Float64Array;
  /** λ that weight decay adds to H, of its own for each coordinate (coupled), or to D H (decoupled). */
  readonly coupled: Float64Array;
  readonly decoupled: Float64Array;
}

function scaleOf(scale: number | Float32Array, config: Config, tensor: number, i: number): number {
  if (typeof scale === "number") return scale;
  return config.tuner?.granularity === "tensor" ? scale[tensor] : scale[i];
}

/**
 * η S times the base's answer to a gradient, with its second moments, the weight of the average and the tuner's scale held
 * still. Where the base has no linear response: why.
 */
export function updateGain(optimizer: Optimizer): UpdateGain | NoLinear {
  const { config, moments, scale, learningRate, size, averaging } = optimizer;
  const { total, momentum } = optimizer.updates;
  const { base } = config;
  const { decoupled: decays } = resolveBase(base).rule;
  // Moments that have just been started anew count as the next step will.
  const gradients =
    distinguishes(config.tuner) && base.name !== "scheduleFree" ? optimizer.gradients : "undecided";
  const updates = { total: Math.max(1, total), momentum: Math.max(1, momentum), gradients };
  const linear = linearOf(base.name === "scheduleFree" ? base.base : base, updates);
  if ("none" in linear) return { none: `no edge: ${linear.none}` };
  const { beta, fresh, direct, carried, inverse } = averaging ? averagedOf(linear, averaging) : linear;
  const gain = new Float64Array(size);
  const coupled = new Float64Array(size);
  const decoupled = new Float64Array(size);
  let i = 0;
  optimizer.tensors.forEach(({ params }, tensor) => {
    const { frozen, learningRate: factor, weightDecay } = config.tensors[tensor];
    for (const end = i + params.length; i < end; i++) {
      if (frozen) continue;
      const eta = learningRate * factor * scaleOf(scale, config, tensor, i);
      gain[i] = eta * inverse(moments, i) * (direct + (carried * fresh) / (1 + beta));
      // An average takes it in with the rest.
      if (decays) decoupled[i] = eta * weightDecay * (averaging ? direct : 1);
      else coupled[i] = weightDecay;
    }
  });
  return { gain, coupled, decoupled };
}

/** Of the Hessian itself. */
const unitGain = (size: number): UpdateGain => ({
  gain: new Float64Array(size).fill(1),
  coupled: new Float64Array(size),
  decoupled: new Float64Array(size),
});

/** What {@link edgeRatio} found. */
export interface EdgeRatio extends Omit<Sharpness, "lambdaMax" | "lambdaMin"> {
  /**
   * ½ λ_max(D H): 1 is the edge of stability; below 1 a quadratic would converge. Undefined where the base has none, as Lion, and before it is known
   * what gradients are.
   */
  readonly ratio: number | undefined;
  /** λ_max(D H), η λ_max for plain descent. */
  readonly lambdaMax: number;
  /** A sentence that says what the ratio means. */
  readonly verdict: string;
}

const OPEN = "not known yet: the next step finds out what gradients are, and what steps are made of";

/** Will the next step decide what steps are made of, or how long they are? */
function isOpen({ gradients, config, updates }: Optimizer): boolean {
  if (config.tuner?.form !== "superlevel") return false;
  if (config.gradients === "exact") return updates.total < 2 && config.tuner.sInit === undefined;
  return gradients === "undecided";
}

function judge(ratio: number): string {
  if (ratio > 1.1) return "past the edge of stability: take a lower rate";
  if (ratio >= 0.9) return "at the edge of stability";
  return ratio >= 0.2 ? "below the edge" : "far below the edge: a higher rate would do";
}

/**
 * How near an optimizer's step is to the edge of stability at its present point: the largest curvature in units of what
 * its base, its second moments, its momentum, its rate and the tuner's scale can bear.
 *
 * η λ / 2 for descent, α λ / 2 (1 + ‖g‖) for norm-adaptive descent, η λ / (2 + 2β) with momentum,
 * η λ (1 + 2β) / (2 + 2β) for Nesterov's, η λ(P⁻¹H) (1 − β1) / (2 + 2 β1) for Adam, 1/38 of η λ(P⁻¹H) at β1 = 0.9
 * (Cohen et al., arXiv 2207.14484), and with averaging in place of momentum, as under noisy gradients,
 * ½ η λ(P⁻¹H) (1 − β + β c / (2 − c)), c the weight of the next step in the average. Second moments, weight and scale are those
 * after the last step; clipping, and what makes steps of long gradients shorter, is not counted.
 *
 * @param optimizer after at least one step: the rate is that of its last
 * @param options as for {@link sharpness}; `step` defaults to the next step
 * @throws RangeError before the first step that was not skipped
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { edgeRatio, fromSource } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 10 * y]), (x * x + 10 * y * y) / 2);
 * const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.15 }), tuner: null });
 * optimizer.minimize(bowl, { steps: 20 });
 * const { ratio, verdict } = await edgeRatio(optimizer, fromSource(bowl));
 * ratio!.toFixed(3); // → "0.750"
 * verdict; // → "below the edge"
 */
export async function edgeRatio(
  optimizer: Optimizer,
  lossGrad: LossGrad,
  options: Omit<SharpnessOptions, "preconditioner" | "diagonal"> = {},
): Promise<EdgeRatio> {
  if (typeof optimizer !== "object" || optimizer === null)
    throw new TypeError(`optimizer: expected an optimizer, got ${show(optimizer)}`);
  const { iterations, params, updates } = optimizer;
  if (updates.total === 0) throw new RangeError("optimizer: expected it to have taken a step");
  const found = isOpen(optimizer) ? { none: OPEN } : updateGain(optimizer);
  const isKnown = !("none" in found);
  const { gain, coupled, decoupled } = isKnown ? found : unitGain(params.length);
  // D (H + C) + W, symmetric as D^½ H D^½ + D C + W.
  const extra = gain.map((d, i) => d * coupled[i] + decoupled[i]);
  const { lambdaMax, error, residual, vector, products, kinkFraction } = await sharpness(lossGrad, params, {
    step: iterations + 1,
    ...options,
    preconditioner: gain,
    diagonal: extra,
  });
  const ratio = isKnown ? lambdaMax / 2 : undefined;
  const verdict = isKnown ? judge(lambdaMax / 2) : found.none;
  return { ratio, lambdaMax, error, verdict, residual, vector, products, kinkFraction };
}
