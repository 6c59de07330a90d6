import { expectNumber, given } from "../common/expect.js";
import { biasOf, expectBaseOptions, expectRate, type LearningRate, type Rule, write } from "./base.js";

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
  expectBaseOptions("adamax", options, ["learningRate", "beta1", "beta2", "eps", "weightDecay"]);
  const defaults = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 };
  const base: Adamax = { ...defaults, ...given(options), name: "adamax" };
  expectRate("adamax.learningRate", base.learningRate);
  expectNumber("adamax.beta1", base.beta1, { min: 0, below: 1 });
  expectNumber("adamax.beta2", base.beta2, { min: 0, below: 1 });
  expectNumber("adamax.eps", base.eps, { min: 1e-37 });
  expectNumber("adamax.weightDecay", base.weightDecay, { min: 0 });
  return base;
}

export function adamaxRule({ beta1, beta2, eps }: Adamax): Rule {
  const bias1 = biasOf(beta1);
  return {
    kernel: "ADAMAX",
    slots: 2,
    momenta: [0],
    decoupled: false,
    plainRate: 2e-3,
    constants(_applied, eta, out, fresh) {
      write(out, eta / bias1(fresh), 1 - beta1, beta2, eps);
    },
    bare: {
      kernel: "ADAMAX",
      firstSlot: 0,
      leadSlot: 2,
      constants(_applied, eta, out) {
        write(out, eta, 1, beta2, eps);
      },
    },
    firstGradient: { slot: 0, times: 1 / (1 - beta1) },
  };
}
