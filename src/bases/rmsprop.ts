import { addProduct, blend, bounded, drift, larger, root, round, square } from "./arithmetic.js";
import { FRACTION, NOT_NEGATIVE, plainLinear, POSITIVE, checkOptions, write } from "./base.js";
import type { BaseRecord, Constants, LearningRate, Linear, LinearResponse, Notation, Rule } from "./base.js";

/** Options of {@link rmsprop}, with PyTorch's meanings. */
export interface RmspropOptions {
  learningRate?: LearningRate;
  /** Decay of the mean of g², in [0, 1); default 0.99. */
  alpha?: number;
  /** Added to the root, > 0; default 1e-8. */
  eps?: number;
  /** In [0, 1); default 0. */
  momentum?: number;
  /** Divide by the root of g's variance instead of its mean square; default false. */
  centered?: boolean;
  /** Added to the gradient times x, ≥ 0; default 0. */
  weightDecay?: number;
}

/** RMSProp, every option settled: what {@link rmsprop} returns. */
export interface Rmsprop extends Required<Omit<RmspropOptions, "learningRate">> {
  readonly name: "rmsprop";
  readonly learningRate?: LearningRate;
}

/**
 * RMSProp (Hinton's lecture 6e; centered: arXiv 1308.0850), as `torch.optim.RMSprop`: with g ← g + weightDecay · x,
 * nu ← α nu + (1 − α) g², b ← momentum · b + g / (√nu + eps), u = −η b. With `centered` nu − mean² stands in the
 * root, mean ← α mean + (1 − α) g; where rounding takes it below 0, it is 0.
 * Without a tuner `learningRate` defaults to 0.01.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const base = rmsprop({ learningRate: 0.25, alpha: 0.75 });
 * const optimizer = createOptimizer([1, 1], { base, tuner: null });
 * optimizer.step([3, -0.001]);
 * Array.from(optimizer.params, (x) => x.toFixed(3)); // → ["0.500", "1.500"]
 */
export function rmsprop(options: RmspropOptions = {}): Rmsprop {
  return checkOptions<Rmsprop>("rmsprop", options, {
    alpha: [0.99, FRACTION],
    eps: [1e-8, POSITIVE],
    momentum: [0, FRACTION],
    centered: [false],
    weightDecay: [0, NOT_NEGATIVE],
  });
}

export const rmspropLinear: LinearResponse<Rmsprop> = ({ momentum, centered, eps }) => {
  const inverse: Linear["inverse"] = ([nu, , mean], i) => {
    const variance = centered ? Math.max(0, nu[i] - mean[i] ** 2) : nu[i];
    return 1 / (Math.sqrt(variance) + eps);
  };
  if (momentum === 0) return { ...plainLinear, inverse };
  return { beta: momentum, fresh: 1, direct: 0, carried: 1, inverse };
};

function rule({ alpha, eps, momentum, centered }: Rmsprop): Rule {
  const shared = {
    decoupled: false,
    // A gradient that stays the same has no variance.
    reach: 1 / ((centered ? eps : Math.sqrt(1 - alpha)) * (1 - momentum)),
    plainRate: 1e-2,
    averagesNoise: true,
  };
  if (momentum === 0 && !centered) {
    return {
      ...shared,
      kernel: "RMSPROP",
      slots: ["secondMoment"],
      constants: (_applied, eta, out) => write(out, eta, alpha, 1 - alpha, eps),
      bare: {
        kernel: "RMSPROP",
        firstSlot: 0,
        leadSlot: 1,
        constants: (longest) => (_applied, eta, out) =>
          write(out, eta, alpha, 1 - alpha, eps, -longest, longest),
      },
    };
  }
  const constantsFor =
    (kept: number): Constants =>
    (_applied, eta, out) =>
      write(out, eta, alpha, 1 - alpha, eps, kept, centered ? 1 : 0);
  return {
    ...shared,
    kernel: "RMSPROP_MOMENTUM",
    slots: ["secondMoment", "momentum", "center"],
    constants: constantsFor(momentum),
    bare: { kernel: "RMSPROP_MOMENTUM", firstSlot: 0, leadSlot: 3, constants: () => constantsFor(0) },
    ...(momentum !== 0 && { momentumOption: "momentum" }),
  };
}

/** nu ← α nu + (1 − α) g², and √nu + eps. */
const rootOf = (f: Float32Array, i: number, g: number, c: Float32Array): number =>
  round(root((f[i] = blend(c[0], f[i], c[1], square(g)))) + c[2]);

export const rmspropRecord = {
  factory: rmsprop,
  rule,
  kernels: {
    RMSPROP: {
      update: (f, i, _gap, g, step, c) => round(round(step * g) / rootOf(f, i, g, c)),
      direction: (f, i, g, c) => bounded(round(g / rootOf(f, i, g, c)), c[3], c[4]),
    },

    RMSPROP_MOMENTUM: {
      update(f, i, gap, g, step, c) {
        const nu = (f[i] = blend(c[0], f[i], c[1], square(g)));
        const mean = (f[i + 2 * gap] = drift(f[i + 2 * gap], c[1], g));
        const variance = larger(0, round(nu - round(c[4] * square(mean))));
        const b = addProduct(round(g / round(root(variance) + c[2])), c[3], f[i + gap]);
        return round(step * (f[i + gap] = b));
      },
    },
  },
} satisfies BaseRecord<Rmsprop>;

export const notation: readonly Notation[] = [
  {
    base: "rmsprop()",
    options: {},
    update: "nu ← α nu + (1 − α) g²; u = −η g / (√nu + eps)",
    bare: "as above, g / √nu within ±5¹",
    defaults: "α 0.99, eps 1e-8",
    source: "Hinton, lecture 6e, `torch.optim.RMSprop`",
  },
  {
    base: "rmsprop({ momentum, centered })",
    options: { momentum: 0.9, centered: true },
    update:
      "b ← momentum b + g / (√nu + eps), u = −η b; centered: nu − mean² in the root, mean ← α mean + (1 − α) g",
    bare: "the same without the bound; centered: nu − mean² in the root",
    defaults: "momentum 0",
    source: "[arXiv 1308.0850](https://arxiv.org/abs/1308.0850) for centered",
  },
];
