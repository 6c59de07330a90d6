import { expectNumber, given } from "../common/expect.js";
import { expectBaseOptions, expectRate, write } from "./base.js";
import type { Constants, LearningRate, Rule } from "./base.js";

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
  expectBaseOptions("adadelta", options, ["learningRate", "rho", "eps", "weightDecay"]);
  const base: Adadelta = { rho: 0.9, eps: 1e-6, weightDecay: 0, ...given(options), name: "adadelta" };
  expectRate("adadelta.learningRate", base.learningRate);
  expectNumber("adadelta.rho", base.rho, { min: 0, below: 1 });
  expectNumber("adadelta.eps", base.eps, { min: 1e-37 });
  expectNumber("adadelta.weightDecay", base.weightDecay, { min: 0 });
  return base;
}

export function adadeltaRule({ rho, eps }: Adadelta): Rule {
  const constants: Constants = (_applied, eta, out) => {
    write(out, eta, rho, 1 - rho, eps);
  };
  return {
    kernel: "ADADELTA",
    slots: 2,
    momenta: [],
    decoupled: false,
    plainRate: 1,
    constants,
    bare: { kernel: "ADADELTA", firstSlot: 0, leadSlot: 2, constants },
  };
}
