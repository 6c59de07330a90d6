import { expectBoolean, expectNumber, given } from "../common/expect.js";
import { biasOf, expectBaseOptions, expectRate, write } from "./base.js";
import type { BareRule, LearningRate, Rule } from "./base.js";

/** Options of {@link adam} and {@link adamw}, with PyTorch's meanings. */
export interface AdamOptions {
  learningRate?: LearningRate;
  /** Decay of the mean of g, in [0, 1); default 0.9. */
  beta1?: number;
  /** Decay of the mean of g², in [0, 1); default 0.999. */
  beta2?: number;
  /** Added to the root, > 0; default 1e-8. */
  eps?: number;
  /** ≥ 0; default 0 for `adam`, 0.01 for `adamw`. */
  weightDecay?: number;
  /** AMSGrad: the largest nu so far stands in the root; default false. */
  amsgrad?: boolean;
  /** NAdam: look ahead along the momentum. Not with `amsgrad`; default false. */
  nesterov?: boolean;
  /** ψ in NAdam's μ_t = β1 (1 − ½ · 0.96^(tψ)), ≥ 0; default 0.004. Without `nesterov` it has no effect. */
  momentumDecay?: number;
}

/** Adam, every option settled: what {@link adam} returns. */
export interface Adam<Name extends "adam" | "adamw" = "adam"> extends Required<
  Omit<AdamOptions, "learningRate">
> {
  readonly name: Name;
  readonly learningRate?: LearningRate;
}

/** AdamW, every option settled: what {@link adamw} returns. */
export type AdamW = Adam<"adamw">;

const keys = "learningRate beta1 beta2 eps weightDecay amsgrad nesterov momentumDecay".split(" ");
const defaults = {
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  amsgrad: false,
  nesterov: false,
  momentumDecay: 0.004,
};

function adamLike<Name extends "adam" | "adamw">(
  name: Name,
  options: AdamOptions,
  weightDecay: number,
): Adam<Name> {
  expectBaseOptions(name, options, keys);
  const base: Adam<Name> = { ...defaults, weightDecay, ...given(options), name };
  expectRate(`${name}.learningRate`, base.learningRate);
  expectNumber(`${name}.beta1`, base.beta1, { min: 0, below: 1 });
  expectNumber(`${name}.beta2`, base.beta2, { min: 0, below: 1 });
  expectNumber(`${name}.eps`, base.eps, { min: 1e-37 });
  expectNumber(`${name}.weightDecay`, base.weightDecay, { min: 0 });
  expectNumber(`${name}.momentumDecay`, base.momentumDecay, { min: 0 });
  const amsgrad = expectBoolean(`${name}.amsgrad`, base.amsgrad);
  if (expectBoolean(`${name}.nesterov`, base.nesterov) && amsgrad) {
    throw new RangeError(`${name}.nesterov: expected false with amsgrad; NAdam has no such variant`);
  }
  return base;
}

/**
 * Adam (arXiv 1412.6980), as `torch.optim.Adam`: with g ← g + weightDecay · x,
 * mu ← β1 mu + (1 − β1) g, nu ← β2 nu + (1 − β2) g²,
 * u = −η / (1 − β1^t) · mu / (√nu / √(1 − β2^t) + eps).
 *
 * With `amsgrad` (Reddi, Kale, Kumar 2018) max(nu_1, …, nu_t) stands in the root. With `nesterov` it is
 * `torch.optim.NAdam` (Dozat 2016), μ_t as in `momentumDecay` and Π_t = μ_1 ⋯ μ_t:
 * u = −η ((1 − μ_t) / (1 − Π_t) · g + μ_{t+1} / (1 − Π_{t+1}) · mu) / (√nu / √(1 − β2^t) + eps).
 * Without a tuner `learningRate` defaults to 0.001, to 0.002 with `nesterov`.
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer([1], { base: adam({ learningRate: 0.25 }), tuner: null });
 * optimizer.step([3]);
 * optimizer.params[0]; // → 0.75
 */
export function adam(options: AdamOptions = {}): Adam {
  return adamLike("adam", options, 0);
}

/**
 * AdamW (arXiv 1711.05101), as `torch.optim.AdamW`: {@link adam} whose weight decay does not pass through the
 * moments: u = −η weightDecay · x − η / (1 − β1^t) · mu / (√nu / √(1 − β2^t) + eps).
 *
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const base = adamw({ learningRate: 0.25, weightDecay: 0.5 });
 * const optimizer = createOptimizer([1], { base, tuner: null });
 * optimizer.step([3]);
 * optimizer.params[0]; // → 0.625
 */
export function adamw(options: AdamOptions = {}): AdamW {
  return adamLike("adamw", options, 0.01);
}

export function adamRule(base: Adam | AdamW): Rule {
  const { name, beta1, beta2, eps, amsgrad, nesterov } = base;
  if (nesterov) return nadamRule(base);
  const bias1 = biasOf(beta1);
  const bias2 = biasOf(beta2);
  return {
    kernel: amsgrad ? "AMSGRAD" : "ADAM",
    slots: amsgrad ? 3 : 2,
    momenta: [0],
    decoupled: name === "adamw",
    plainRate: 1e-3,
    constants(applied, eta, out, fresh) {
      const inverseRoot = 1 / Math.sqrt(bias2(applied));
      write(out, eta / bias1(fresh), beta1, 1 - beta1, beta2, 1 - beta2, inverseRoot, eps);
    },
    bare: amsgrad ? bareAmsgrad(base) : bareAdam(base),
    firstGradient: { slot: 0, times: 1 / (1 - beta1) },
  };
}

/** g / (√nu / √(1 − β2^t) + eps), with √(1 − β2^t) in the step and in eps. The lead takes the place of mu. */
function bareAdam({ beta2, eps }: Adam | AdamW): BareRule {
  const bias2 = biasOf(beta2);
  return {
    kernel: "RMSPROP",
    firstSlot: 1,
    leadSlot: 0,
    constants(applied, eta, out) {
      const root = Math.sqrt(bias2(applied));
      write(out, eta * root, beta2, 1 - beta2, eps * root, 1 / root);
    },
  };
}

/** The kernel has mu in its first slot, so that becomes g, and the lead has a slot of its own. */
function bareAmsgrad({ beta2, eps }: Adam | AdamW): BareRule {
  const bias2 = biasOf(beta2);
  return {
    kernel: "AMSGRAD",
    firstSlot: 0,
    leadSlot: 3,
    constants(applied, eta, out) {
      write(out, eta, 0, 1, beta2, 1 - beta2, 1 / Math.sqrt(bias2(applied)), eps);
    },
  };
}

function nadamRule(base: Adam | AdamW): Rule {
  const { name, beta1, beta2, eps, momentumDecay } = base;
  const mu = (t: number) => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  const productTo = products(mu);
  const bias2 = biasOf(beta2);
  return {
    kernel: "NADAM",
    slots: 2,
    momenta: [0],
    decoupled: name === "adamw",
    plainRate: 2e-3,
    constants(applied, eta, out, fresh) {
      const product = productTo(fresh);
      const muNext = mu(fresh + 1);
      const look = (1 - mu(fresh)) / (1 - product);
      const keep = muNext / (1 - product * muNext);
      const inverseRoot = 1 / Math.sqrt(bias2(applied));
      write(out, eta * look, 1 - beta1, beta2, 1 - beta2, inverseRoot, eps, keep / look);
    },
    bare: bareAdam(base),
    firstGradient: { slot: 0, times: 1 / (1 - beta1) },
  };
}

/**
 * Π_t = factor(1) ⋯ factor(t), factors below 1 that grow. It remembers the last one, but depends on t alone: a run
 * that resumes multiplies in the same order, so its products are the same to the last bit.
 */
function products(factor: (t: number) => number): (t: number) => number {
  let at = 0;
  let product = 1;
  return (t) => {
    if (t < at) [at, product] = [0, 1];
    for (; at < t; at++) {
      const next = product * factor(at + 1);
      // At 0, or at the smallest number there is, it stays for good.
      if (next === product) break;
      product = next;
    }
    at = t;
    return product;
  };
}
