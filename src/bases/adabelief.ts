import { addProduct, blend, drift, root, round, square } from "./arithmetic.js";
import { biasOf, FRACTION, NOT_NEGATIVE, POSITIVE, checkOptions, write } from "./base.js";
import type { BaseRecord, LearningRate, LinearResponse, Notation, Rule } from "./base.js";

/** Options of {@link adabelief}, with its authors' meanings. */
export interface AdabeliefOptions {
  learningRate?: LearningRate;
  /** Decay of the mean of g, in [0, 1); default 0.9. */
  beta1?: number;
  /** Decay of the mean of (g − mu)², in [0, 1); default 0.999. */
  beta2?: number;
  /** Added to nu at every step, and to its root, > 0; default 1e-16. */
  eps?: number;
  /** Decoupled, ≥ 0; default 0. */
  weightDecay?: number;
}

/** AdaBelief, every option settled: what {@link adabelief} returns. */
export interface Adabelief extends Required<Omit<AdabeliefOptions, "learningRate">> {
  readonly name: "adabelief";
  readonly learningRate?: LearningRate;
}

/**
 * AdaBelief (arXiv 2010.07468), as its authors' `adabelief_pytorch` without rectification:
 * mu ← β1 mu + (1 − β1) g, nu ← β2 nu + (1 − β2) (g − mu)² + eps,
 * u = −η weightDecay · x − η / (1 − β1^t) · mu / (√nu / √(1 − β2^t) + eps).
 * Without a tuner `learningRate` defaults to 0.001.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const base = adabelief({ learningRate: 0.25, beta1: 0.5 });
 * const optimizer = createOptimizer([1], { base, tuner: null });
 * optimizer.step([3]); // mu is half of g, and so is g − mu
 * optimizer.params[0].toFixed(3); // → "0.500"
 */
export function adabelief(options: AdabeliefOptions = {}): Adabelief {
  return checkOptions<Adabelief>("adabelief", options, {
    beta1: [0.9, FRACTION],
    beta2: [0.999, FRACTION],
    eps: [1e-16, POSITIVE],
    weightDecay: [0, NOT_NEGATIVE],
  });
}

/** What eps adds to nu in t steps, as it fades: nu itself is kept without, so that a state of zeros is a fresh one. */
const floorOf = ({ beta2, eps }: Adabelief, bias2: number): number => (eps * bias2) / (1 - beta2);

function rule(base: Adabelief): Rule {
  const { beta1, beta2, eps } = base;
  const bias1 = biasOf(beta1);
  const bias2 = biasOf(beta2);
  const writeTo = (out: Float64Array, applied: number, step: number, look: number, keep: number) => {
    const bias = bias2(applied);
    write(out, step, 1 - beta1, beta2, 1 - beta2, floorOf(base, bias), 1 / Math.sqrt(bias), eps, look, keep);
  };
  return {
    kernel: "ADABELIEF",
    slots: ["momentum", "secondMoment"],
    decoupled: true,
    // A gradient that stays the same has no variance.
    reach: 1 / (Math.sqrt(eps / (1 - beta2)) + eps),
    plainRate: 1e-3,
    constants: (applied, eta, out, fresh) => writeTo(out, applied, eta / bias1(fresh), 0, 1),
    // g stands where mu did; nu is of g − mu all the same, and the lead has a slot of its own.
    bare: {
      kernel: "ADABELIEF",
      firstSlot: 0,
      leadSlot: 2,
      constants: () => (applied, eta, out) => writeTo(out, applied, eta, 1, 0),
    },
    firstGradient: { slot: 0, times: 1 / (1 - beta1) },
    averagesNoise: true,
  };
}

export const adabeliefLinear: LinearResponse<Adabelief> = (base, { total, momentum }) => {
  const { beta1, beta2, eps } = base;
  const bias2 = biasOf(beta2)(total);
  const floor = floorOf(base, bias2);
  return {
    beta: beta1,
    fresh: 1 - beta1,
    direct: 0,
    carried: 1 / biasOf(beta1)(momentum),
    inverse: ([, nu], i) => 1 / (Math.sqrt((nu[i] + floor) / bias2) + eps),
  };
};

export const adabeliefRecord = {
  factory: adabelief,
  rule,
  kernels: {
    ADABELIEF: {
      update(f, i, gap, g, step, c) {
        const mu = (f[i] = drift(f[i], c[0], g));
        const nu = (f[i + gap] = blend(c[1], f[i + gap], c[2], square(round(g - mu))));
        const deviation = addProduct(c[5], root(round(nu + c[3])), c[4]);
        return round(round(step * blend(c[6], g, c[7], mu)) / deviation);
      },
    },
  },
} satisfies BaseRecord<Adabelief>;

export const notation: readonly Notation[] = [
  {
    base: "adabelief()",
    options: {},
    update:
      "mu as `adam()`, nu ← β2 nu + (1 − β2) (g − mu)² + eps; u = −η / (1 − β1ᵗ) · mu / (√nu / √(1 − β2ᵗ) + eps) − η wd x",
    bare: "−η g / (√nu / √(1 − β2ᵗ) + eps) − η wd x, nu with mu as above",
    defaults: "β1 0.9, β2 0.999, eps 1e-16",
    source: "[arXiv 2010.07468](https://arxiv.org/abs/2010.07468), `adabelief_pytorch`",
  },
];
