import { blend } from "./arithmetic.js";
import { FRACTION, NOT_NEGATIVE, checkOptions, write } from "./base.js";
import type { BaseRecord, LearningRate, LinearResponse, Notation, Rule } from "./base.js";

/** Options of {@link lion}. */
export interface LionOptions {
  learningRate?: LearningRate;
  /** Weight of the momentum in the direction, in [0, 1); default 0.9. */
  beta1?: number;
  /** Decay of the momentum, in [0, 1); default 0.99. */
  beta2?: number;
  /** Decoupled, ≥ 0; default 0. */
  weightDecay?: number;
}

/** Lion, every option settled: what {@link lion} returns. */
export interface Lion extends Required<Omit<LionOptions, "learningRate">> {
  readonly name: "lion";
  readonly learningRate?: LearningRate;
}

/**
 * Lion (arXiv 2302.06675): u = −η (sign(β1 mu + (1 − β1) g) + weightDecay · x), then mu ← β2 mu + (1 − β2) g.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer([1, 1], { base: lion({ learningRate: 0.25 }), tuner: null });
 * optimizer.step([3, -0.001]);
 * Array.from(optimizer.params); // → [0.75, 1.25]
 */
export function lion(options: LionOptions = {}): Lion {
  return checkOptions<Lion>("lion", options, {
    beta1: [0.9, FRACTION],
    beta2: [0.99, FRACTION],
    weightDecay: [0, NOT_NEGATIVE],
  });
}

function rule({ beta1, beta2 }: Lion): Rule {
  return {
    kernel: "LION",
    slots: ["momentum"],
    decoupled: true,
    plainRate: 1e-4,
    constants: (_applied, eta, out) => write(out, eta, beta1, 1 - beta1, beta2, 1 - beta2),
    // The sign of g: mu becomes g, and the lead has a slot of its own.
    bare: {
      kernel: "LION",
      firstSlot: 0,
      leadSlot: 1,
      constants: () => (_applied, eta, out) => write(out, eta, 0, 1, 0, 1),
    },
    firstGradient: { slot: 0, times: 1 / (1 - beta2) },
    averagesNoise: false,
  };
}

export const lionLinear: LinearResponse<Lion> = {
  none: "Lion's steps have one length, whatever the gradient",
};

export const lionRecord = {
  factory: lion,
  rule,
  kernels: {
    LION: {
      update(f, i, _gap, g, step, c) {
        const direction = blend(c[0], f[i], c[1], g);
        f[i] = blend(c[2], f[i], c[3], g);
        return direction > 0 ? step : direction < 0 ? -step : 0;
      },
    },
  },
} satisfies BaseRecord<Lion>;

export const notation: readonly Notation[] = [
  {
    base: "lion()",
    options: {},
    update: "u = −η (sign(β1 mu + (1 − β1) g) + wd x), then mu ← β2 mu + (1 − β2) g",
    bare: "only in `scheduleFree(lion())`: −η sign(g)",
    defaults: "β1 0.9, β2 0.99",
    source: "[arXiv 2302.06675](https://arxiv.org/abs/2302.06675)",
  },
];
