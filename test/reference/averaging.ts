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

/** Takes coordinate i's d, what the base does to z, and returns what becomes of y. */
export type Averager = (i: number, d: number) => number;

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
  return (i, d) => {
    const before = y(i);
    z[i] += d;
    mean[i] += c * (z[i] - mean[i]);
    return y(i) - before;
  };
}

/** u = (1 - beta (1 - c)) d + c e, e' = (1 - c) (e + beta d). */
function byLead({ lead }: Averages, interpolation: number, c: number, round: Round): Averager {
  const beta = round(interpolation);
  const weight = round(c);
  const rest = round(1 - c);
  const near = round(1 - interpolation * (1 - c));
  return (i, d) => {
    const e = lead[i];
    lead[i] = round(rest * round(e + round(beta * d)));
    return round(round(near * d) + round(weight * e));
  };
}

/** The average minus y. */
export function offsetOf(form: AverageForm, { lead, z, mean }: Averages, beta: number, i: number): number {
  return form === "lead" ? (-(1 - beta) / beta) * lead[i] : (1 - beta) * (mean[i] - z[i]);
}

/** Where the weights stand. */
export interface Weights {
  sum: number;
  rateMax: number;
}

/** The weights after step t at rate eta, and c_t = w_t / sum of w. */
export function weigh(
  { power, ratePower }: Averaging,
  weights: Weights,
  t: number,
  eta: number,
): Weights & { c: number } {
  const rateMax = Math.max(weights.rateMax, eta);
  const weight = t ** power * rateMax ** ratePower;
  const sum = weights.sum + weight;
  return { sum, rateMax, c: sum > 0 ? weight / sum : 0 };
}
