import { expectBoolean, expectNumber, given } from "../common/expect.js";
import { expectBaseOptions, expectRate, type LearningRate, type Rule, write } from "./base.js";

/** Options of {@link sgd}, with PyTorch's meanings. */
export interface SgdOptions {
  learningRate?: LearningRate;
  /** μ, in [0, 1); default 0. */
  momentum?: number;
  /** τ, in [0, 1]; default 0. */
  dampening?: number;
  /** Look ahead along the momentum; needs momentum > 0 and dampening 0. Default false. */
  nesterov?: boolean;
  /** Added to the gradient times x, ≥ 0; default 0. */
  weightDecay?: number;
}

/** Gradient descent, every option settled: what {@link sgd} returns. */
export interface Sgd extends Required<Omit<SgdOptions, "learningRate">> {
  readonly name: "sgd";
  readonly learningRate?: LearningRate;
}

/**
 * Stochastic gradient descent, as `torch.optim.SGD`: with g ← g + weightDecay · x,
 * b ← μ b + (1 − τ) g (b = g at the first step), u = −η b, or −η (g + μ b) with Nesterov.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer([1], { base: sgd({ learningRate: 0.5 }), tuner: null });
 * optimizer.step([0.5]);
 * optimizer.params[0]; // → 0.75
 */
export function sgd(options: SgdOptions = {}): Sgd {
  expectBaseOptions("sgd", options, ["learningRate", "momentum", "dampening", "nesterov", "weightDecay"]);
  const base: Sgd = {
    momentum: 0,
    dampening: 0,
    nesterov: false,
    weightDecay: 0,
    ...given(options),
    name: "sgd",
  };
  expectRate("sgd.learningRate", base.learningRate);
  expectNumber("sgd.momentum", base.momentum, { min: 0, below: 1 });
  expectNumber("sgd.dampening", base.dampening, { min: 0, max: 1 });
  expectNumber("sgd.weightDecay", base.weightDecay, { min: 0 });
  if (expectBoolean("sgd.nesterov", base.nesterov) && (base.momentum === 0 || base.dampening !== 0)) {
    throw new RangeError("sgd.nesterov: expected momentum > 0 and dampening 0 with it");
  }
  return base;
}

export function sgdRule({ momentum, dampening, nesterov }: Sgd): Rule {
  return {
    kernel: momentum === 0 ? "SGD" : "MOMENTUM",
    slots: momentum === 0 ? 0 : 1,
    momenta: momentum === 0 ? [] : [0],
    decoupled: false,
    plainRate: 1e-3,
    constants(_applied, eta, out, fresh) {
      const intake = fresh === 1 ? 1 : 1 - dampening;
      write(out, eta, momentum, intake, nesterov ? 1 : 0, nesterov ? momentum : 1);
    },
    bare: {
      kernel: "SGD",
      firstSlot: 0,
      leadSlot: 0,
      constants(_applied, eta, out) {
        write(out, eta);
      },
    },
    ...(momentum !== 0 && { firstGradient: { slot: 0, times: 1 } }),
  };
}
