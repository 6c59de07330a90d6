import { blend, round } from "./arithmetic.js";
import { FRACTION, NOT_NEGATIVE, plainLinear, checkOptions, write } from "./base.js";
import type { BaseRecord, LearningRate, LinearResponse, Notation, Rule } from "./base.js";

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
  const base = checkOptions<Sgd>("sgd", options, {
    momentum: [0, FRACTION],
    dampening: [0, { min: 0, max: 1 }],
    nesterov: [false],
    weightDecay: [0, NOT_NEGATIVE],
  });
  if (base.nesterov && (base.momentum === 0 || base.dampening !== 0)) {
    throw new RangeError("sgd.nesterov: expected momentum > 0 and dampening 0 with it");
  }
  return base;
}

export const sgdLinear: LinearResponse<Sgd> = ({ momentum, dampening, nesterov }) => {
  if (momentum === 0) return plainLinear;
  const ball = { ...plainLinear, beta: momentum, fresh: 1 - dampening };
  return nesterov ? { ...ball, carried: momentum } : { ...ball, direct: 0, carried: 1 };
};

function rule({ momentum, dampening, nesterov }: Sgd): Rule {
  return {
    kernel: momentum === 0 ? "SGD" : "MOMENTUM",
    slots: momentum === 0 ? [] : ["momentum"],
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
      plainRate: 1,
      constants: () => (_applied, eta, out) => write(out, eta),
    },
    ...(momentum !== 0 && { momentumOption: "momentum", firstGradient: { slot: 0, times: 1 } }),
    proportional: true,
    averagesNoise: true,
  };
}

export const sgdRecord = {
  factory: sgd,
  rule,
  kernels: {
    SGD: { update: (_f, _i, _gap, g, step) => round(step * g), direction: (_f, _i, g) => g },

    MOMENTUM: {
      update(f, i, _gap, g, step, c) {
        const b = (f[i] = blend(c[0], f[i], c[1], g));
        return round(step * blend(c[2], g, c[3], b));
      },
    },
  },
} satisfies BaseRecord<Sgd>;

export const notation: readonly Notation[] = [
  {
    base: "sgd()",
    options: {},
    update: "u = −η g",
    bare: "−η g",
    defaults: "",
    source: "`torch.optim.SGD`",
  },
  {
    base: "sgd({ momentum })",
    options: { momentum: 0.9 },
    update: "b ← momentum b + (1 − dampening) g, but b = g at the first step; u = −η b",
    bare: "−η g; e takes the place of b",
    defaults: "dampening 0",
    source: "`torch.optim.SGD`",
  },
  {
    base: "sgd({ momentum, nesterov })",
    options: { momentum: 0.9, nesterov: true },
    update: "b as above; u = −η (g + momentum b)",
    bare: "the same",
    defaults: "",
    source: "`torch.optim.SGD`",
  },
];
