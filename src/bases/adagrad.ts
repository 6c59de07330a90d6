import { expectNumber, given } from "../common/expect.js";
import { expectBaseOptions, expectRate, write } from "./base.js";
import type { Constants, LearningRate, Rule } from "./base.js";

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
  const keys = ["learningRate", "learningRateDecay", "initialAccumulator", "eps", "weightDecay"];
  expectBaseOptions("adagrad", options, keys);
  const defaults = { learningRateDecay: 0, initialAccumulator: 0, eps: 1e-10, weightDecay: 0 };
  const base: Adagrad = { ...defaults, ...given(options), name: "adagrad" };
  expectRate("adagrad.learningRate", base.learningRate);
  expectNumber("adagrad.learningRateDecay", base.learningRateDecay, { min: 0 });
  expectNumber("adagrad.initialAccumulator", base.initialAccumulator, { min: 0 });
  expectNumber("adagrad.eps", base.eps, { min: 1e-37 });
  expectNumber("adagrad.weightDecay", base.weightDecay, { min: 0 });
  return base;
}

export function adagradRule({ learningRateDecay, initialAccumulator, eps }: Adagrad): Rule {
  const constants: Constants = (applied, eta, out) => {
    write(out, eta / (1 + (applied - 1) * learningRateDecay), eps, initialAccumulator);
  };
  return {
    kernel: "ADAGRAD",
    slots: 1,
    momenta: [],
    decoupled: false,
    plainRate: 1e-2,
    constants,
    bare: { kernel: "ADAGRAD", firstSlot: 0, leadSlot: 1, constants },
  };
}
