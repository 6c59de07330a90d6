import { drift, larger, round } from "./arithmetic.js";
import { biasOf, FRACTION, NOT_NEGATIVE, POSITIVE, checkOptions, write } from "./base.js";
import type { BaseRecord, LearningRate, LinearResponse, Notation, Rule } from "./base.js";

/** Options of {@link adamax}, with PyTorch's meanings. */
export interface AdamaxOptions {
  learningRate?: LearningRate;
  /** Decay of the mean of g, in [0, 1); default 0.9. */
  beta1?: number;
  /** Decay of the largest |g|, in [0, 1); default 0.999. */
  beta2?: number;
  /** Added to |g|, > 0; default 1e-8. */
  eps?: number;
  /** Added to the gradient times x, ≥ 0; default 0. */
  weightDecay?: number;
}

/** Adamax, every option settled: what {@link adamax} returns. */
export interface Adamax extends Required<Omit<AdamaxOptions, "learningRate">> {
  readonly name: "adamax";
  readonly learningRate?: LearningRate;
}

/**
 * Adamax (arXiv 1412.6980, 7.1), as `torch.optim.Adamax`: with g ← g + weightDecay · x,
 * mu ← β1 mu + (1 − β1) g, nu ← max(β2 nu, |g| + eps), u = −η / (1 − β1^t) · mu / nu.
 * Without a tuner `learningRate` defaults to 0.002.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer([1], { base: adamax({ learningRate: 0.25 }), tuner: null });
 * optimizer.step([3]);
 * optimizer.params[0].toFixed(3); // → "0.750"
 */
export function adamax(options: AdamaxOptions = {}): Adamax {
  return checkOptions<Adamax>("adamax", options, {
    beta1: [0.9, FRACTION],
    beta2: [0.999, FRACTION],
    eps: [1e-8, POSITIVE],
    weightDecay: [0, NOT_NEGATIVE],
  });
}

function rule({ beta1, beta2, eps }: Adamax): Rule {
  const bias1 = biasOf(beta1);
  return {
    kernel: "ADAMAX",
    slots: ["momentum", "secondMoment"],
    decoupled: false,
    plainRate: 2e-3,
    constants: (_applied, eta, out, fresh) => write(out, eta / bias1(fresh), 1 - beta1, beta2, eps),
    // mu becomes g, and the lead has a slot of its own.
    bare: {
      kernel: "ADAMAX",
      firstSlot: 0,
      leadSlot: 2,
      constants: () => (_applied, eta, out) => write(out, eta, 1, beta2, eps),
    },
    firstGradient: { slot: 0, times: 1 / (1 - beta1) },
    averagesNoise: true,
  };
}

export const adamaxLinear: LinearResponse<Adamax> = ({ beta1, eps }, { momentum }) => ({
  beta: beta1,
  fresh: 1 - beta1,
  direct: 0,
  carried: 1 / biasOf(beta1)(momentum),
  inverse: ([, nu], i) => 1 / Math.max(nu[i], eps),
});

export const adamaxRecord = {
  factory: adamax,
  rule,
  kernels: {
    ADAMAX: {
      update(f, i, gap, g, step, c) {
        const mu = (f[i] = drift(f[i], c[0], g));
        const size = g === 0 ? 0 : round(Math.abs(g) + c[2]);
        const nu = (f[i + gap] = larger(round(c[1] * f[i + gap]), size));
        return round(round(step * mu) / larger(nu, c[2]));
      },
    },
  },
} satisfies BaseRecord<Adamax>;

export const notation: readonly Notation[] = [
  {
    base: "adamax()",
    options: {},
    update: "mu as `adam()`, nu ← max(β2 nu, \\|g\\| + eps); u = −η / (1 − β1ᵗ) · mu / nu",
    bare: "−η g / nu",
    defaults: "β1 0.9, β2 0.999, eps 1e-8",
    source: "arXiv 1412.6980, 7.1, `torch.optim.Adamax`",
  },
];
