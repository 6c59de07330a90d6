/**
 * Schedule-free averaging (arXiv 2405.15682) of what a base without momentum does, by its definition and as the engine
 * computes it. Everything is in the units of Delta: x = xRef + S y.
 */
import type { Averaging } from "./kinds.js";
import type { Round } from "./options.js";

/**
 * "public": z, its average and y, as the paper has them.
 * "lead": y alone and how far z is ahead of it, e = z - y; then an anchor changes nothing.
 */
export type AverageForm = "public" | "lead";

/** What either form keeps; what only the other needs says nothing. */
export interface Averages {
  lead: Float64Array;
  z: Float64Array;
  mean: Float64Array;
}

export function averagesOf(n: number): Averages {
  return { lead: new Float64Array(n), z: new Float64Array(n), mean: new Float64Array(n) };
}

export function copyAverages({ lead, z, mean }: Averages): Averages {
  return { lead: lead.slice(), z: z.slice(), mean: mean.slice() };
}

/** Takes what the base does to coordinate i of z, d = step * direction, and returns what becomes of y. */
export type Averager = (i: number, step: number, direction: number) => number;

export function averagerOf(
  form: AverageForm,
  averages: Averages,
  interpolation: number,
  c: number,
  round: Round,
): Averager {
  return (form === "lead" ? byLead : byDefinition)(averages, interpolation, c, round);
}

/** z' = z + d, mean' = mean + c (z' - mean), y = (1 - beta) z + beta mean. */
function byDefinition({ z, mean }: Averages, beta: number, c: number): Averager {
  const y = (i: number) => (1 - beta) * z[i] + beta * mean[i];
  return (i, step, direction) => {
    const before = y(i);
    z[i] += step * direction;
    mean[i] += c * (z[i] - mean[i]);
    return y(i) - before;
  };
}

/** u = (1 - beta (1 - c)) d + c e, e' = (1 - c) (e + beta d). */
function byLead({ lead }: Averages, beta: number, c: number, round: Round): Averager {
  const weight = round(c);
  const rest = round(1 - c);
  return (i, step, direction) => {
    const pace = round(step * beta);
    const near = round(step * (1 - beta * (1 - c)));
    const e = lead[i];
    lead[i] = round(rest * round(e + round(pace * direction)));
    return round(round(near * direction) + round(weight * e));
  };
}

/** The average minus y. */
export function offsetOf(form: AverageForm, { lead, z, mean }: Averages, beta: number, i: number): number {
  return form === "lead" ? (-(1 - beta) / beta) * lead[i] : (1 - beta) * (mean[i] - z[i]);
}

/** How far z is ahead of y. */
export function leadOf(form: AverageForm, { lead, z, mean }: Averages, beta: number, i: number): number {
  return form === "lead" ? lead[i] : beta * (z[i] - mean[i]);
}

/** Where the weights stand: t, the largest rate, and the sum of w; by "lead" in units of the newest of them. */
export interface Weights {
  age: number;
  sum: number;
  rateMax: number;
}

const weightOf = ({ power, ratePower }: Averaging, { age, rateMax }: Weights): number =>
  age ** power * rateMax ** ratePower;

/** The weights after one more step at rate eta, and c = w / sum of w. */
export function weigh(
  form: AverageForm,
  averaging: Averaging,
  before: Weights,
  eta: number,
): { weights: Weights; c: number } {
  const weights = { age: before.age + 1, rateMax: Math.max(before.rateMax, eta), sum: before.sum };
  if (weights.rateMax === 0 && averaging.ratePower > 0) return { weights, c: 0 };
  if (form === "public") {
    const weight = weightOf(averaging, weights);
    weights.sum += weight;
    return { weights, c: weight / weights.sum };
  }
  const { power, ratePower } = averaging;
  const unit = (before.age / weights.age) ** power * (before.rateMax / weights.rateMax) ** ratePower;
  weights.sum = unit * before.sum + 1;
  return { weights, c: 1 / weights.sum };
}

/** Running means over as many steps of <e, g>, of its square, and how many steps there were. */
export interface Slope {
  mean: number;
  squares: number;
  steps: number;
}

/** beta after so many steps: less where the average has forgotten a part of them. */
export const interpolationAt = (interpolation: number, age: number, steps: number): number =>
  age < steps ? Math.max(0.5, interpolation * (1 - (1 - age / steps) ** 2)) : interpolation;

/**
 * beta changes, and y stays. Where it falls, as the average forgets, the average stays as well, and z comes nearer. Where it
 * rises, z stays, and the average follows.
 */
export function interpolate(
  form: AverageForm,
  { lead, z, mean }: Averages,
  before: number,
  after: number,
  round: Round,
): void {
  if (before === after) return;
  const falls = after < before;
  const left = round((1 - before) / before / ((1 - after) / after));
  for (let i = 0; i < z.length; i++) {
    if (form === "lead") {
      if (falls) lead[i] = round(left * lead[i]);
      continue;
    }
    const y = (1 - before) * z[i] + before * mean[i];
    if (falls) z[i] = (y - after * mean[i]) / (1 - after);
    else mean[i] = (y - (1 - after) * z[i]) / after;
  }
}

const EVIDENCE = 100;

/**
 * <e, g> was below 0 for long, by 3 standard errors: z is better than y, and the average remembers too much. It forgets
 * half of its age, and what it would weigh at that age is the integral of the weights. Says whether it did.
 */
export function forget(
  form: AverageForm,
  averaging: Averaging,
  weights: Weights,
  slope: Slope,
  now: number,
): boolean {
  slope.mean += (now - slope.mean) / EVIDENCE;
  slope.squares += (now * now - slope.squares) / EVIDENCE;
  slope.steps++;
  const certain = slope.mean * slope.mean * EVIDENCE > 9 * slope.squares;
  if (slope.steps < EVIDENCE || slope.mean >= 0 || !certain) return false;
  weights.age /= 2;
  const unit = form === "public" ? weightOf(averaging, weights) : 1;
  weights.sum = (unit * weights.age) / (averaging.power + 1);
  Object.assign(slope, { mean: 0, squares: 0, steps: 0 });
  return true;
}

/**
 * What g^2 weighs in nu, and |g|^2 in its mean: a fifth of the steps is remembered, at most a thousand. Where no square of late
 * comes near to the mean, a tenth. The first has all the weight.
 */
export function weighSquares(mean: number, before: number, t: number, norm: number) {
  const most = Math.max(norm * norm, 0.98 * before);
  const stale = most < 0.1 * mean;
  const weight = Math.max(stale ? 0.1 : 1 - 0.999, 5 / (t + 4));
  return { weight: before === 0 ? 1 : weight, most, stale };
}

/**
 * The root mean square of gradients' norms so far decays like Adam's of g, or as squares are weighed. A gradient that is longer than `limit` times
 * that makes a step that is shorter by as much, or is clipped to it. Where it is clipped, it counts as at most twice
 * those before it.
 */
export function shorten(
  limit: number,
  mean: number,
  t: number,
  norm: number,
  clips: boolean,
  weight: number,
): { mean: number; factor: number } {
  const decay = 0.999;
  const most = clips && mean > 0 ? 2 * Math.sqrt(mean / (1 - decay ** (t - 1))) : Infinity;
  const counted = Math.min(norm, most);
  const fresh = weight || 1 - decay;
  const next = (1 - fresh) * mean + fresh * counted * counted;
  const typical = Math.sqrt(weight ? next : next / (1 - decay ** t));
  return { mean: next, factor: norm > 0 ? Math.min(1, (limit * typical) / norm) : 1 };
}
