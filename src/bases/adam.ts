import { addProduct, blend, larger, root, round, square } from "./arithmetic.js";
import { biasFrom, biasOf, decayAt, FRACTION, NOT_NEGATIVE, POSITIVE, checkOptions, write } from "./base.js";
import type {
  BareRule,
  BaseRecord,
  Constants,
  Decay,
  LearningRate,
  LinearResponse,
  Notation,
  Rule,
} from "./base.js";
import { lookAhead, nadamConstants, nadamKernel } from "./nadam.js";

/** Options of {@link adam} and {@link adamw}, with PyTorch's meanings. */
export interface AdamOptions {
  learningRate?: LearningRate;
  /** Decay of the mean of g, in [0, 1); default 0.9, and 0.8 with `superlevel` at steps 2 to 128 where gradients are exact. */
  beta1?: number;
  /**
   * Decay of the mean of g², in [0, 1); default 0.999, and with `superlevel` 0.85 at steps 2 to 128 where gradients are exact;
   * where they are noisy, what the steps so far and the gradients of late say.
   */
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

type OpenOption = "learningRate" | "beta1" | "beta2";

/** Adam, every option settled that does not depend on the gradients: what {@link adam} returns. */
export interface Adam<Name extends "adam" | "adamw" = "adam">
  extends Required<Omit<AdamOptions, OpenOption>>, Readonly<Pick<AdamOptions, OpenOption>> {
  readonly name: Name;
}

/** AdamW, every option settled: what {@link adamw} returns. */
export type AdamW = Adam<"adamw">;

function adamLike<Name extends "adam" | "adamw">(
  name: Name,
  options: AdamOptions,
  weightDecay: number,
): Adam<Name> {
  const base = checkOptions<Adam<"adam" | "adamw">>(name, options, {
    beta1: [undefined, FRACTION],
    beta2: [undefined, FRACTION],
    eps: [1e-8, POSITIVE],
    weightDecay: [weightDecay, NOT_NEGATIVE],
    amsgrad: [false],
    nesterov: [false],
    momentumDecay: [0.004, NOT_NEGATIVE],
  }) as Adam<Name>;
  if (base.nesterov && base.amsgrad) {
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

/** What is left out of a base's options: PyTorch's, and for steps 2 to 128 of exact gradients. */
const PLAIN = { beta1: 0.9, beta2: 0.999 };
const EARLY = { beta1: 0.8, beta2: 0.85 };

/** The decay factors, those left out with them. */
export function betasOf(base: Pick<AdamOptions, "beta1" | "beta2">): { beta1: number; beta2: number } {
  const { beta1 = PLAIN.beta1, beta2 = PLAIN.beta2 } = base;
  return { beta1, beta2 };
}

/** The same by step, where gradients are exact or not. NAdam has the same at every step. */
export function decaysOf(
  base: Pick<Adam, "beta1" | "beta2" | "nesterov">,
  exact: boolean,
): { beta1: Decay; beta2: Decay } {
  const plain = betasOf(base);
  const { beta1 = EARLY.beta1, beta2 = EARLY.beta2 } = base;
  const early = exact && !base.nesterov ? { beta1, beta2 } : plain;
  return {
    beta1: { plain: plain.beta1, early: early.beta1 },
    beta2: { plain: plain.beta2, early: early.beta2 },
  };
}

function constantsOf(base: Adam | AdamW, exact: boolean): Constants {
  const { eps } = base;
  const { beta1, beta2 } = decaysOf(base, exact);
  const [bias1, bias2] = [biasFrom(beta1), biasFrom(beta2)];
  return (applied, eta, out, fresh) => {
    const inverseRoot = 1 / Math.sqrt(bias2(applied));
    const [decay1, decay2] = [decayAt(beta1, applied), decayAt(beta2, applied)];
    const rate = eta / bias1(applied, fresh);
    write(out, rate, decay1, 1 - decay1, decay2, 1 - decay2, inverseRoot, eps);
  };
}

function rule(base: Adam | AdamW): Rule {
  const { name, amsgrad, nesterov } = base;
  const { beta1, beta2 } = betasOf(base);
  const shared = {
    decoupled: name === "adamw",
    firstGradient: { slot: 0, times: 1 / (1 - beta1) },
    averagesNoise: true,
  };
  if (nesterov) {
    return {
      ...shared,
      kernel: "NADAM",
      slots: ["momentum", "secondMoment"],
      plainRate: 2e-3,
      constants: nadamConstants({ ...base, beta1, beta2 }),
      bare: bareAdam(base),
      momentumOption: "nesterov",
    };
  }
  return {
    ...shared,
    kernel: amsgrad ? "AMSGRAD" : "ADAM",
    slots: ["momentum", "secondMoment", ...(amsgrad ? (["secondMoment"] as const) : [])],
    plainRate: 1e-3,
    constants: constantsOf(base, false),
    exact: constantsOf(base, true),
    bare: amsgrad ? bareAmsgrad(base) : bareAdam(base),
  };
}

/** The rate of `scheduleFree`. */
const FREE_RATE = 2.5e-3;

/** g / (√nu / √(1 − β2^t) + eps), with √(1 − β2^t) in the step and in eps. The lead takes the place of mu. */
function bareAdam(base: Adam | AdamW): BareRule {
  const { eps } = base;
  const { beta2 } = betasOf(base);
  const bias2 = biasOf(beta2);
  return {
    kernel: "RMSPROP",
    firstSlot: 1,
    leadSlot: 0,
    plainRate: FREE_RATE,
    constants: (longest) => (applied, eta, out) => {
      const root = Math.sqrt(bias2(applied));
      const most = longest * (1 / root);
      write(out, eta * root, beta2, 1 - beta2, eps * root, -most, most);
    },
    // The first weight is 1, so that there is no bias to correct.
    ...(base.beta2 === undefined && {
      weighed: (longest) => (_applied, eta, out, _fresh, weight) =>
        write(out, eta, 1 - weight, weight, eps, -longest, longest),
    }),
  };
}

/** The kernel has mu in its first slot, so that becomes g, and the lead has a slot of its own. */
function bareAmsgrad(base: Adam | AdamW): BareRule {
  const { eps } = base;
  const { beta2 } = betasOf(base);
  const bias2 = biasOf(beta2);
  return {
    kernel: "AMSGRAD",
    firstSlot: 0,
    leadSlot: 3,
    plainRate: FREE_RATE,
    constants: () => (applied, eta, out) =>
      write(out, eta, 0, 1, beta2, 1 - beta2, 1 / Math.sqrt(bias2(applied)), eps),
  };
}

export const adamLinear: LinearResponse<Adam | AdamW> = (base, { total, momentum, gradients }) => {
  const { eps, amsgrad, nesterov } = base;
  const { beta1, beta2 } = decaysOf(base, gradients === "exact");
  const weighed = gradients === "noisy" && rule(base).bare.weighed !== undefined;
  const correction = weighed ? 1 : Math.sqrt(biasFrom(beta2)(total));
  const slot = amsgrad ? 2 : 1;
  const looks = nesterov
    ? lookAhead({ ...base, ...betasOf(base) })(momentum)
    : { direct: 0, carried: 1 / biasFrom(beta1)(total, momentum) };
  const beta = decayAt(beta1, total);
  return {
    ...looks,
    beta,
    fresh: 1 - beta,
    inverse: (slots, i) => 1 / (Math.sqrt(slots[slot][i]) / correction + eps),
  };
};

/** √nu / √(1 − β2^t) + eps. */
const rootOf = (nu: number, c: Float32Array): number => addProduct(c[5], root(nu), c[4]);

export const adamRecord = {
  factory: adam,
  rule,
  kernels: {
    ...nadamKernel,

    ADAM: {
      update(f, i, gap, g, step, c) {
        const mu = (f[i] = blend(c[0], f[i], c[1], g));
        const nu = (f[i + gap] = blend(c[2], f[i + gap], c[3], square(g)));
        return round(round(step * mu) / rootOf(nu, c));
      },
    },

    AMSGRAD: {
      update(f, i, gap, g, step, c) {
        const mu = (f[i] = blend(c[0], f[i], c[1], g));
        const nu = (f[i + gap] = blend(c[2], f[i + gap], c[3], square(g)));
        const top = (f[i + 2 * gap] = larger(f[i + 2 * gap], nu));
        return round(round(step * mu) / rootOf(top, c));
      },
    },
  },
} satisfies BaseRecord<Adam>;

/** Response and kernels of AdamW are those of Adam. */
export const adamwLinear = adamLinear;
export const adamwRecord = { factory: adamw, rule, kernels: {} } satisfies BaseRecord<AdamW>;

export const notation: readonly Notation[] = [
  {
    base: "adam()",
    options: {},
    update:
      "mu ← β1 mu + (1 − β1) g, nu ← β2 nu + (1 − β2) g²; u = −η / (1 − β1ᵗ) · mu / (√nu / √(1 − β2ᵗ) + eps)",
    bare: "−η g / (√nu / √(1 − β2ᵗ) + eps), g / √nu within ±5¹; e in place of mu",
    defaults: "β1 0.9, β2 0.999¹, eps 1e-8",
    source: "[arXiv 1412.6980](https://arxiv.org/abs/1412.6980), `torch.optim.Adam`",
  },
  {
    base: "adam({ amsgrad })",
    options: { amsgrad: true },
    update: "the same with the largest nu so far in the root",
    bare: "the same with the largest nu so far, and no bound",
    defaults: "as `adam()`",
    source: "Reddi, Kale, Kumar, ICLR 2018",
  },
  {
    base: "adam({ nesterov })",
    options: { nesterov: true },
    update:
      "NAdam: u = −η ((1 − μ_t) / (1 − Π_t) g + μ_{t+1} / (1 − Π_{t+1}) mu) / (√nu / √(1 − β2ᵗ) + eps), " +
      "μ_t = β1 (1 − ½ · 0.96^(t ψ)), Π_t = μ_1 ⋯ μ_t",
    bare: "as `adam()`",
    defaults: "ψ = `momentumDecay` 0.004",
    source: "Dozat 2016, `torch.optim.NAdam`",
  },
  {
    base: "adamw()",
    options: {},
    update: "u of `adam()`, minus η wd x",
    bare: "as `adam()`, without the bound where it decays, minus η wd x",
    defaults: "as `adam()`; wd 0.01",
    source: "[arXiv 1711.05101](https://arxiv.org/abs/1711.05101), `torch.optim.AdamW`",
  },
];
