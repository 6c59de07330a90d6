import { expectNumber, expectNumbers, expectOptions } from "../common/expect.js";

/**
 * ρ_i, the trust in one example, as a function of its loss ℓ (p = e^{−ℓ} for a cross-entropy). Its cost is ρ ℓ, or another
 * one with the same slope, such as GCE.
 */
export interface Robust {
  readonly name: string;
  /** What an example of loss ℓ costs, before its class weight; `index` is its number in the data. */
  cost(loss: number, index: number): number;
  /** By what its gradient is multiplied: d cost / dℓ, or ρ alone where it is detached. */
  factor(loss: number, index: number): number;
  /** Sees a whole batch before it is asked, where it compares examples. */
  prepare?(losses: Float64Array): void;
}

const trustAll: Robust = { name: "none", cost: (loss) => loss, factor: () => 1 };

/**
 * ρ ≡ 1: the cost is the loss.
 *
 * @example
 * import { none } from "superlevel/objective";
 * none().cost(2, 0); // → 2
 */
export function none(): Robust {
  return trustAll;
}

/**
 * A fixed trust in each label: cost ρ_i ℓ_i.
 *
 * @param trust ρ_i ≥ 0 by the examples' numbers
 * @example
 * import { fixedTrust } from "superlevel/objective";
 * fixedTrust([1, 0.25]).cost(2, 1); // → 0.5
 */
export function fixedTrust(trust: ArrayLike<number>): Robust {
  const values = Float64Array.from(expectNumbers("fixedTrust(trust)", trust, trust?.length));
  values.forEach((value, i) => expectNumber(`fixedTrust(trust)[${i}]`, value, { min: 0 }));
  return { name: "fixedTrust", cost: (loss, i) => values[i] * loss, factor: (_loss, i) => values[i] };
}

/**
 * Generalised cross-entropy (arXiv 1805.07836): (1 − p^q) / q, with the gradient p^q ∇ℓ: that of the detached ρ = p^q, and
 * unlike that the gradient of a function. q → 0 is the cross-entropy, q = 1 the mean absolute error. At the start p^q is about
 * C^{−q} for C classes, which starves learning: begin with ρ ≡ 1, see `from` of {@link dynamicCost}.
 *
 * @param options.q in (0, 1]; default 0.7
 * @example
 * import { gce } from "superlevel/objective";
 * gce({ q: 0.5 }).factor(Math.log(4), 0); // → 0.5
 */
export function gce(options: { q?: number } = {}): Robust {
  expectOptions("gce", options, ["q"]);
  const q = expectNumber("gce.q", options.q ?? 0.7, { above: 0, max: 1 });
  return { name: "gce", cost: (loss) => -Math.expm1(-q * loss) / q, factor: (loss) => Math.exp(-q * loss) };
}

/**
 * ρ = p^q as the paper's (8) has it, and its gradient: p^q (1 + q ln p), which changes its sign where p < e^{−1/q}: such
 * examples are pushed away. With `detached` the gradient is p^q ∇ℓ, that of {@link gce}.
 *
 * @param options.q in (0, 1]; default 0.7
 * @param options.detached default true
 * @example
 * import { confidence } from "superlevel/objective";
 * confidence({ q: 0.7, detached: false }).factor(1 / 0.7, 0).toFixed(6); // → "0.000000"
 */
export function confidence(options: { q?: number; detached?: boolean } = {}): Robust {
  expectOptions("confidence", options, ["q", "detached"]);
  const q = expectNumber("confidence.q", options.q ?? 0.7, { above: 0, max: 1 });
  const { detached = true } = options;
  return {
    name: "confidence",
    cost: (loss) => Math.exp(-q * loss) * loss,
    factor: (loss) => Math.exp(-q * loss) * (detached ? 1 : 1 - q * loss),
  };
}

/**
 * Small-loss trimming: of each batch only the share `keep` with the smallest losses counts. Made for wrong labels, whose
 * losses are large while the others are learnt.
 *
 * @param options.keep in (0, 1]
 * @example
 * import { trimmed } from "superlevel/objective";
 * const robust = trimmed({ keep: 0.5 });
 * robust.prepare!(Float64Array.of(3, 1, 2, 4));
 * [3, 1, 2, 4].map((loss) => robust.factor(loss, 0)); // → [0, 1, 1, 0]
 */
export function trimmed(options: { keep: number }): Robust {
  expectOptions("trimmed", options, ["keep"]);
  const keep = expectNumber("trimmed.keep", options.keep, { above: 0, max: 1 });
  let bound = Infinity;
  const factor = (loss: number) => (loss <= bound ? 1 : 0);
  return {
    name: "trimmed",
    prepare(losses) {
      const sorted = losses.slice().sort();
      bound = sorted[Math.max(1, Math.round(keep * sorted.length)) - 1];
    },
    cost: (loss) => factor(loss) * loss,
    factor,
  };
}

/**
 * Huber's loss for residuals, given their half squares ℓ = r² / 2: ρ = min(1, δ / |r|) in the gradient.
 *
 * @param options.delta δ > 0, in units of r
 * @example
 * import { huber } from "superlevel/objective";
 * huber({ delta: 1 }).cost(8, 0); // → 3.5
 */
export function huber(options: { delta: number }): Robust {
  expectOptions("huber", options, ["delta"]);
  const delta = expectNumber("huber.delta", options.delta, { above: 0 });
  return {
    name: "huber",
    cost: (loss) => (2 * loss <= delta * delta ? loss : delta * Math.sqrt(2 * loss) - (delta * delta) / 2),
    factor: (loss) => Math.min(1, delta / Math.sqrt(2 * loss)),
  };
}

/**
 * Focal loss (arXiv 1708.02002): (1 − p)^γ ℓ. It goes the other way: hard examples count more, and wrong labels are hard.
 *
 * @param options.gamma γ ≥ 0; default 2
 * @example
 * import { focal } from "superlevel/objective";
 * focal({ gamma: 2 }).cost(Math.log(2), 0).toFixed(6); // → "0.173287"
 */
export function focal(options: { gamma?: number } = {}): Robust {
  expectOptions("focal", options, ["gamma"]);
  const gamma = expectNumber("focal.gamma", options.gamma ?? 2, { min: 0 });
  return {
    name: "focal",
    cost: (loss) => (-Math.expm1(-loss)) ** gamma * loss,
    factor(loss) {
      const miss = -Math.expm1(-loss);
      if (gamma === 0) return 1;
      // The limit: for γ < 1 the terms below are 0 · ∞.
      if (miss === 0) return 0;
      return miss ** gamma + gamma * miss ** (gamma - 1) * Math.exp(-loss) * loss;
    },
  };
}
