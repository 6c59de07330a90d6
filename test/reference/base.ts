/** The base optimizers: the update u = BASE(g; eta) of Alg. 1 line 4, one coordinate at a time. */
import type { BaseOptions, Of, Round, RuleOptions } from "./options.js";

/** mu (what is averaged, or a momentum buffer) and nu (of squares) of every coordinate, and what only some need. */
export interface Moments {
  mu: Float64Array;
  nu: Float64Array;
  /** AMSGrad's largest nu, RMSProp's mean. */
  third: Float64Array;
}

export function momentsOf(n: number): Moments {
  return { mu: new Float64Array(n), nu: new Float64Array(n), third: new Float64Array(n) };
}

export function copyOf({ mu, nu, third }: Moments): Moments {
  return { mu: mu.slice(), nu: nu.slice(), third: third.slice() };
}

/** What one tensor's step is made with. */
export interface Rates {
  eta: number;
  multiplier: number;
  /** Counts from 1. */
  t: number;
  /** Without momentum, which averaging takes the place of. */
  bare: boolean;
  /** Gradients are known to be exact, and a tuner finds the scale. */
  exact: boolean;
  /** What a gradient that is long makes the step shorter by. */
  factor: number;
  /** What g^2 weighs in nu where the step says it: averaged, with beta2 left out. */
  squareWeight: number;
}

/** Finds what becomes of coordinate i; moves its moments. */
export type Find = (i: number, g: number, moments: Moments) => number;

/** What a base does to one tensor at one step. */
export interface Rule {
  /** u */
  update: Find;
  /** How the engine averages some: u as a step, which is not rounded, times a direction. */
  direct?: {
    step: number;
    direction: Find;
    /** A normalized direction's usual size. */
    unit: number | undefined;
  };
}

/** What a base is without averaging. */
export const innerOf = (base: BaseOptions): RuleOptions => (base.name === "scheduleFree" ? base.base : base);

/** Where weight decay joins the update, not the gradient. */
const DECOUPLED: Readonly<Record<RuleOptions["name"], boolean>> = {
  ...{ sgd: false, adam: false, adamw: true, adamax: false, adabelief: true },
  ...{ rmsprop: false, adagrad: false, adadelta: false, lion: true },
};

export const isDecoupled = (base: BaseOptions): boolean => DECOUPLED[innerOf(base).name];

/** The rule of one tensor at one step, its constants computed in f64 and rounded once. */
export function ruleOf(base: BaseOptions, rates: Rates, round: Round): Rule {
  const inner = innerOf(base);
  switch (inner.name) {
    case "sgd":
      return sgd(inner, rates, round);
    case "adam":
    case "adamw":
      return adam(inner, rates, round);
    case "adamax":
      return adamax(inner, rates, round);
    case "adabelief":
      return adabelief(inner, rates, round);
    case "rmsprop":
      return rmsprop(inner, rates, round);
    case "adagrad":
      return adagrad(inner, rates, round);
    case "adadelta":
      return adadelta(inner, rates, round);
    case "lion":
      return lion(inner, rates, round);
  }
}

/** What the first gradient weighs in mu; null where mu knows nothing of it. */
export function freshOf(base: BaseOptions): number | null {
  switch (base.name) {
    case "adam":
    case "adamw":
      return 1 - (base.beta1 ?? 0.9);
    case "adamax":
    case "adabelief":
      return 1 - base.beta1;
    case "lion":
      return 1 - base.beta2;
    case "sgd":
      return base.momentum === 0 ? null : 1;
    default:
      return null;
  }
}

function sgd(base: Of<"sgd">, { eta, multiplier, t, bare, factor }: Rates, round: Round): Rule {
  const rate = eta * factor * multiplier;
  const step = round(rate);
  const plain: Rule = {
    update: (_i, g) => round(-step * g),
    direct: { step: -rate, direction: (_i, g) => g, unit: undefined },
  };
  if (bare || base.momentum === 0) return plain;
  const momentum = round(base.momentum);
  // The buffer starts at the first gradient itself, whatever the dampening.
  const fresh = round(t === 1 ? 1 : 1 - base.dampening);
  return {
    update: (i, g, { mu }) => {
      mu[i] = round(round(momentum * mu[i]) + round(fresh * g));
      const direction = base.nesterov ? round(g + round(momentum * mu[i])) : mu[i];
      return round(-step * direction);
    },
  };
}

/** g / (sqrt nu + eps) */
function normalized(
  decay: number,
  epsilon: number,
  rate: number,
  unit: number,
  round: Round,
  weight = 1 - decay,
): Rule {
  const keep = round(decay);
  const fresh = round(weight);
  const eps = round(epsilon);
  const step = round(rate);
  const root: Find = (i, g, { nu }) => {
    nu[i] = round(round(keep * nu[i]) + round(fresh * round(g * g)));
    return round(round(Math.sqrt(nu[i])) + eps);
  };
  return {
    update: (i, g, moments) => round(round(-step * g) / root(i, g, moments)),
    direct: { step: -rate, direction: (i, g, moments) => round(g / root(i, g, moments)), unit },
  };
}

function adam(base: Of<"adam" | "adamw">, rates: Rates, round: Round): Rule {
  const { eta, multiplier, t, bare, exact, factor, squareWeight } = rates;
  if (bare && !base.amsgrad && squareWeight > 0)
    return normalized(1 - squareWeight, base.eps, eta * factor * multiplier, 1, round, squareWeight);
  // What is left out depends on the gradients, but at the first step.
  const { beta1: plain1 = 0.9, beta2: plain2 = 0.999 } = base;
  const { beta1: early1 = exact ? 0.8 : 0.9, beta2: early2 = exact ? 0.85 : 0.999 } = base;
  const early = t > 1 && t <= 128;
  const beta2 = early ? early2 : plain2;
  const bias = Math.sqrt(weightsTo(plain2, early2, t));
  if (bare && !base.amsgrad)
    return normalized(beta2, base.eps * bias, eta * bias * factor * multiplier, 1 / bias, round);
  if (base.nesterov) return nadam(base, rates, round);
  const beta1 = bare ? 0 : early ? early1 : plain1;
  const keep1 = round(beta1);
  const keep2 = round(beta2);
  const fresh1 = round(1 - beta1);
  const fresh2 = round(1 - beta2);
  const eps = round(base.eps);
  const step = round((bare ? eta : eta / weightsTo(plain1, early1, t)) * factor * multiplier);
  const invRoot = round(1 / bias);
  return {
    update: (i, g, { mu, nu, third }) => {
      mu[i] = round(round(keep1 * mu[i]) + round(fresh1 * g));
      nu[i] = round(round(keep2 * nu[i]) + round(fresh2 * round(g * g)));
      third[i] = Math.max(third[i], nu[i]);
      const root = round(Math.sqrt(base.amsgrad ? third[i] : nu[i]));
      return round(round(-step * mu[i]) / round(round(root * invRoot) + eps));
    },
  };
}

/** The sum of a mean's weights after t gradients, of which the second to the 128th enter by another decay. */
function weightsTo(plain: number, early: number, t: number): number {
  const count = plain === early ? 0 : Math.max(0, Math.min(t, 128) - 1);
  return 1 - early ** count * plain ** (t - count);
}

function nadam(base: Of<"adam" | "adamw">, { eta, multiplier, t }: Rates, round: Round): Rule {
  const { beta1 = 0.9, beta2 = 0.999, momentumDecay } = base;
  const momentum = (t: number) => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  let product = 1;
  for (let k = 1; k <= t; k++) product *= momentum(k);
  const look = (1 - momentum(t)) / (1 - product);
  const next = momentum(t + 1) / (1 - product * momentum(t + 1));
  const fresh1 = round(1 - beta1);
  const keep2 = round(beta2);
  const fresh2 = round(1 - beta2);
  const eps = round(base.eps);
  const step = round(eta * look * multiplier);
  const keep = round(next / look);
  const invRoot = round(1 / Math.sqrt(1 - beta2 ** t));
  const update: Find = (i, g, { mu, nu }) => {
    mu[i] = round(mu[i] + round(fresh1 * round(g - mu[i])));
    nu[i] = round(round(keep2 * nu[i]) + round(fresh2 * round(g * g)));
    const denominator = round(round(round(Math.sqrt(nu[i])) * invRoot) + eps);
    return round(round(-step * round(g + round(keep * mu[i]))) / denominator);
  };
  return { update };
}

function adamax(base: Of<"adamax">, { eta, multiplier, t, bare, factor }: Rates, round: Round): Rule {
  const beta1 = bare ? 0 : base.beta1;
  const fresh = round(1 - beta1);
  const keep = round(base.beta2);
  const eps = round(base.eps);
  const step = round((eta / (1 - beta1 ** t)) * factor * multiplier);
  const update: Find = (i, g, { mu, nu }) => {
    mu[i] = round(mu[i] + round(fresh * round(g - mu[i])));
    nu[i] = Math.max(round(keep * nu[i]), round(Math.abs(g) + eps));
    return round(round(-step * mu[i]) / nu[i]);
  };
  return { update };
}

function adabelief(base: Of<"adabelief">, { eta, multiplier, t, bare, factor }: Rates, round: Round): Rule {
  const { beta1, beta2 } = base;
  const fresh1 = round(1 - beta1);
  const keep2 = round(beta2);
  const fresh2 = round(1 - beta2);
  // Sum of eps beta2^k over k < t: what the eps of every step have become.
  const floor = round((base.eps * (1 - beta2 ** t)) / (1 - beta2));
  const invRoot = round(1 / Math.sqrt(1 - beta2 ** t));
  const eps = round(base.eps);
  const step = round((bare ? eta : eta / (1 - beta1 ** t)) * factor * multiplier);
  const update: Find = (i, g, { mu, nu }) => {
    mu[i] = round(mu[i] + round(fresh1 * round(g - mu[i])));
    const apart = round(g - mu[i]);
    nu[i] = round(round(keep2 * nu[i]) + round(fresh2 * round(apart * apart)));
    const root = round(Math.sqrt(round(nu[i] + floor)));
    return round(round(-step * (bare ? g : mu[i])) / round(round(root * invRoot) + eps));
  };
  return { update };
}

function rmsprop(base: Of<"rmsprop">, { eta, multiplier, bare, factor }: Rates, round: Round): Rule {
  const rate = eta * factor * multiplier;
  if (base.momentum === 0 && !base.centered) return normalized(base.alpha, base.eps, rate, 1, round);
  const keep = round(base.alpha);
  const fresh = round(1 - base.alpha);
  const eps = round(base.eps);
  const momentum = round(bare ? 0 : base.momentum);
  const step = round(rate);
  const update: Find = (i, g, { mu, nu, third }) => {
    nu[i] = round(round(keep * nu[i]) + round(fresh * round(g * g)));
    third[i] = round(third[i] + round(fresh * round(g - third[i])));
    // Rounding may take the variance below 0.
    const variance = base.centered ? Math.max(0, round(nu[i] - round(third[i] * third[i]))) : nu[i];
    const denominator = round(round(Math.sqrt(variance)) + eps);
    mu[i] = round(round(momentum * mu[i]) + round(g / denominator));
    return round(-step * mu[i]);
  };
  return { update };
}

function adagrad(base: Of<"adagrad">, { eta, multiplier, t, factor }: Rates, round: Round): Rule {
  const eps = round(base.eps);
  const start = round(base.initialAccumulator);
  const step = round((eta / (1 + (t - 1) * base.learningRateDecay)) * factor * multiplier);
  const update: Find = (i, g, { nu }) => {
    nu[i] = round(nu[i] + round(g * g));
    const root = round(Math.sqrt(round(start + nu[i])));
    return round(round(-step * g) / round(root + eps));
  };
  return { update };
}

function adadelta(base: Of<"adadelta">, { eta, multiplier, factor }: Rates, round: Round): Rule {
  const keep = round(base.rho);
  const fresh = round(1 - base.rho);
  const eps = round(base.eps);
  const step = round(eta * factor * multiplier);
  const update: Find = (i, g, { mu, nu }) => {
    nu[i] = round(round(keep * nu[i]) + round(fresh * round(g * g)));
    const root = round(Math.sqrt(round(mu[i] + eps)));
    const d = round(round(root / round(Math.sqrt(round(nu[i] + eps)))) * g);
    mu[i] = round(round(keep * mu[i]) + round(fresh * round(d * d)));
    return round(-step * d);
  };
  return { update };
}

function lion(base: Of<"lion">, { eta, multiplier, bare, factor }: Rates, round: Round): Rule {
  const [beta1, beta2] = bare ? [0, 0] : [base.beta1, base.beta2];
  const keep1 = round(beta1);
  const keep2 = round(beta2);
  const fresh1 = round(1 - beta1);
  const fresh2 = round(1 - beta2);
  const step = round(eta * factor * multiplier);
  const update: Find = (i, g, { mu }) => {
    const direction = round(round(keep1 * mu[i]) + round(fresh1 * g));
    mu[i] = round(round(keep2 * mu[i]) + round(fresh2 * g));
    return round(-step * Math.sign(direction));
  };
  return { update };
}
