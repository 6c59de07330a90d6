import { expectNumber, given } from "../common/expect.js";
import { expectBaseOptions, expectRate, type LearningRate, type Rule, write } from "./base.js";

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
  expectBaseOptions("lion", options, ["learningRate", "beta1", "beta2", "weightDecay"]);
  const base: Lion = { beta1: 0.9, beta2: 0.99, weightDecay: 0, ...given(options), name: "lion" };
  expectRate("lion.learningRate", base.learningRate);
  expectNumber("lion.beta1", base.beta1, { min: 0, below: 1 });
  expectNumber("lion.beta2", base.beta2, { min: 0, below: 1 });
  expectNumber("lion.weightDecay", base.weightDecay, { min: 0 });
  return base;
}

export function lionRule({ beta1, beta2 }: Lion): Rule {
  return {
    kernel: "LION",
    slots: 1,
    momenta: [0],
    decoupled: true,
    plainRate: 1e-4,
    constants(_applied, eta, out) {
      write(out, eta, beta1, 1 - beta1, beta2, 1 - beta2);
    },
    // The sign of g: mu becomes g, and the lead has a slot of its own.
    bare: {
      kernel: "LION",
      firstSlot: 0,
      leadSlot: 1,
      constants(_applied, eta, out) {
        write(out, eta, 0, 1, 0, 1);
      },
    },
    firstGradient: { slot: 0, times: 1 / (1 - beta2) },
    averagesNoise: false,
  };
}
