import { expectBoolean, expectNumber, given } from "../common/expect.js";
import { expectBaseOptions, expectRate, write } from "./base.js";
import type { Constants, LearningRate, Rule } from "./base.js";

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
  const keys = ["learningRate", "alpha", "eps", "momentum", "centered", "weightDecay"];
  expectBaseOptions("rmsprop", options, keys);
  const defaults = { alpha: 0.99, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0 };
  const base: Rmsprop = { ...defaults, ...given(options), name: "rmsprop" };
  expectRate("rmsprop.learningRate", base.learningRate);
  expectNumber("rmsprop.alpha", base.alpha, { min: 0, below: 1 });
  expectNumber("rmsprop.eps", base.eps, { min: 1e-37 });
  expectNumber("rmsprop.momentum", base.momentum, { min: 0, below: 1 });
  expectBoolean("rmsprop.centered", base.centered);
  expectNumber("rmsprop.weightDecay", base.weightDecay, { min: 0 });
  return base;
}

export function rmspropRule({ alpha, eps, momentum, centered }: Rmsprop): Rule {
  const plain = momentum === 0 && !centered;
  const kernel = plain ? "RMSPROP" : "RMSPROP_MOMENTUM";
  const constantsFor =
    (kept: number): Constants =>
    (_applied, eta, out) => {
      write(out, eta, alpha, 1 - alpha, eps, kept, centered ? 1 : 0);
    };
  return {
    kernel,
    slots: plain ? 1 : 3,
    momenta: plain ? [] : [1],
    decoupled: false,
    // A gradient that stays the same has no variance.
    reach: 1 / ((centered ? eps : Math.sqrt(1 - alpha)) * (1 - momentum)),
    plainRate: 1e-2,
    constants: constantsFor(momentum),
    // Without momentum the fourth constant is the unit of the direction.
    bare: { kernel, firstSlot: 0, leadSlot: plain ? 1 : 3, constants: constantsFor(plain ? 1 : 0) },
  };
}
