import { addProduct, root, round } from "./arithmetic.js";
import { NOT_NEGATIVE, plainLinear, POSITIVE, checkOptions, write } from "./base.js";
import type { BaseRecord, Constants, LearningRate, LinearResponse, Notation, Rule } from "./base.js";

/** Options of {@link adagrad}, with PyTorch's meanings. */
export interface AdagradOptions {
  learningRate?: LearningRate;
  /** η_t = η / (1 + (t − 1) · learningRateDecay), ≥ 0; default 0. */
  learningRateDecay?: number;
  /** Where the sum of g² starts, ≥ 0; default 0. */
  initialAccumulator?: number;
  /** Added to the root, > 0; default 1e-10. */
  eps?: number;
  /** Added to the gradient times x, ≥ 0; default 0. */
  weightDecay?: number;
}

/** Adagrad, every option settled: what {@link adagrad} returns. */
export interface Adagrad extends Required<Omit<AdagradOptions, "learningRate">> {
  readonly name: "adagrad";
  readonly learningRate?: LearningRate;
}

/**
 * Adagrad (Duchi, Hazan, Singer 2011), as `torch.optim.Adagrad`: with g ← g + weightDecay · x, nu ← nu + g²,
 * u = −η / (1 + (t − 1) · learningRateDecay) · g / (√(initialAccumulator + nu) + eps).
 * Without a tuner `learningRate` defaults to 0.01.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const base = adagrad({ learningRate: 0.5, initialAccumulator: 16 });
 * const optimizer = createOptimizer([1], { base, tuner: null });
 * optimizer.step([3]);
 * optimizer.params[0].toFixed(3); // → "0.700"
 */
export function adagrad(options: AdagradOptions = {}): Adagrad {
  return checkOptions<Adagrad>("adagrad", options, {
    learningRateDecay: [0, NOT_NEGATIVE],
    initialAccumulator: [0, NOT_NEGATIVE],
    eps: [1e-10, POSITIVE],
    weightDecay: [0, NOT_NEGATIVE],
  });
}

/** What the rate is divided by. */
const slowing = ({ learningRateDecay }: Adagrad, t: number) => 1 + (t - 1) * learningRateDecay;

function rule(base: Adagrad): Rule {
  const { initialAccumulator, eps } = base;
  const constants: Constants = (applied, eta, out) =>
    write(out, eta / slowing(base, applied), eps, initialAccumulator);
  return {
    kernel: "ADAGRAD",
    slots: ["secondMoment"],
    decoupled: false,
    plainRate: 1e-2,
    constants,
    bare: { kernel: "ADAGRAD", firstSlot: 0, leadSlot: 1, constants: () => constants },
    averagesNoise: true,
  };
}

export const adagradLinear: LinearResponse<Adagrad> = (base, { total }) => ({
  ...plainLinear,
  inverse: ([nu], i) => 1 / (Math.sqrt(base.initialAccumulator + nu[i]) + base.eps) / slowing(base, total),
});

export const adagradRecord = {
  factory: adagrad,
  rule,
  kernels: {
    ADAGRAD: {
      update(f, i, _gap, g, step, c) {
        const nu = (f[i] = addProduct(f[i], g, g));
        return round(round(step * g) / round(root(round(c[1] + nu)) + c[0]));
      },
    },
  },
} satisfies BaseRecord<Adagrad>;

export const notation: readonly Notation[] = [
  {
    base: "adagrad()",
    options: {},
    update:
      "nu ← nu + g²; u = −η / (1 + (t − 1) `learningRateDecay`) · g / (√(`initialAccumulator` + nu) + eps)",
    bare: "as above",
    defaults: "both 0, eps 1e-10",
    source: "Duchi, Hazan, Singer 2011, `torch.optim.Adagrad`",
  },
];
