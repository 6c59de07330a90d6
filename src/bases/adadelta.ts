import { blend, root, round, square } from "./arithmetic.js";
import { FRACTION, NOT_NEGATIVE, plainLinear, POSITIVE, checkOptions, write } from "./base.js";
import type { BaseRecord, Constants, LearningRate, LinearResponse, Notation, Rule } from "./base.js";

/** Options of {@link adadelta}, with PyTorch's meanings. */
export interface AdadeltaOptions {
  learningRate?: LearningRate;
  /** Decay of the means of g² and of d², in [0, 1); default 0.9. */
  rho?: number;
  /** Added under the roots, > 0; default 1e-6. */
  eps?: number;
  /** Added to the gradient times x, ≥ 0; default 0. */
  weightDecay?: number;
}

/** Adadelta, every option settled: what {@link adadelta} returns. */
export interface Adadelta extends Required<Omit<AdadeltaOptions, "learningRate">> {
  readonly name: "adadelta";
  readonly learningRate?: LearningRate;
}

/**
 * Adadelta (arXiv 1212.5701), as `torch.optim.Adadelta`: with g ← g + weightDecay · x,
 * nu ← ρ nu + (1 − ρ) g², d = √(mu + eps) / √(nu + eps) · g, mu ← ρ mu + (1 − ρ) d², u = −η d.
 * Without a tuner `learningRate` defaults to 1.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const base = adadelta({ learningRate: 0.5, rho: 0.75, eps: 0.25 });
 * const optimizer = createOptimizer([1], { base, tuner: null });
 * optimizer.step([2]);
 * optimizer.params[0].toFixed(4); // → "0.5528"
 */
export function adadelta(options: AdadeltaOptions = {}): Adadelta {
  return checkOptions<Adadelta>("adadelta", options, {
    rho: [0.9, FRACTION],
    eps: [1e-6, POSITIVE],
    weightDecay: [0, NOT_NEGATIVE],
  });
}

function rule({ rho, eps }: Adadelta): Rule {
  const constants: Constants = (_applied, eta, out) => write(out, eta, rho, 1 - rho, eps);
  return {
    kernel: "ADADELTA",
    slots: ["secondMoment", "secondMoment"],
    decoupled: false,
    plainRate: 1,
    constants,
    bare: { kernel: "ADADELTA", firstSlot: 0, leadSlot: 2, constants: () => constants },
    averagesNoise: true,
  };
}

export const adadeltaLinear: LinearResponse<Adadelta> = ({ eps }) => ({
  ...plainLinear,
  inverse: ([nu, mu], i) => Math.sqrt((mu[i] + eps) / (nu[i] + eps)),
});

export const adadeltaRecord = {
  factory: adadelta,
  rule,
  kernels: {
    ADADELTA: {
      update(f, i, gap, g, step, c) {
        const nu = (f[i] = blend(c[0], f[i], c[1], square(g)));
        const before = f[i + gap];
        const ratio = round(root(round(before + c[2])) / root(round(nu + c[2])));
        const d = round(ratio * g);
        f[i + gap] = blend(c[0], before, c[1], square(d));
        return round(step * d);
      },
    },
  },
} satisfies BaseRecord<Adadelta>;

export const notation: readonly Notation[] = [
  {
    base: "adadelta()",
    options: {},
    update: "nu ← ρ nu + (1 − ρ) g², d = √(mu + eps) / √(nu + eps) · g, mu ← ρ mu + (1 − ρ) d²; u = −η d",
    bare: "as above",
    defaults: "ρ 0.9, eps 1e-6",
    source: "[arXiv 1212.5701](https://arxiv.org/abs/1212.5701), `torch.optim.Adadelta`",
  },
];
