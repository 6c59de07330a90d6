/** The base's side of a step: from the gradient to u, with moments and averages. */
import {
  averagerOf,
  averagesOf,
  copyAverages,
  forget,
  interpolate,
  interpolationAt,
  leadOf,
  offsetOf,
} from "./averaging.js";
import {
  shorten,
  weigh,
  weighSquares,
  type Averages,
  type AverageForm,
  type Slope,
  type Weights,
} from "./averaging.js";
import {
  copyOf,
  freshOf,
  isDecoupled,
  momentsOf,
  ruleOf,
  type Find,
  type Moments,
  type Rates,
} from "./base.js";
import { NOISE_AVERAGING, type Mode } from "./kinds.js";
import type { BaseOptions, ReferenceOptions, Round, TensorOptions } from "./options.js";
import type { Range } from "./vectors.js";

/** The running part of a tensor in the flat vectors. */
export interface Tensor extends Range {
  learningRate: number;
  weightDecay: number;
}

export function runningOf(tensors: readonly TensorOptions[], weightDecay: number): Tensor[] {
  const running: Tensor[] = [];
  let end = 0;
  for (const { size, frozen, learningRate = 1, weightDecay: own = weightDecay } of tensors) {
    const start = end;
    end += size;
    if (!frozen) running.push({ start, end, learningRate, weightDecay: own });
  }
  return running;
}

/** What a step is made of besides its gradient. */
export interface Conditions {
  x: ArrayLike<number>;
  eta: number;
  /** Steps so far with this one. */
  t: number;
  mode: Mode;
  limits: Limits;
}

/** What a gradient that is longer than usual is clipped by, or else shortens the step by. */
export interface Limits {
  clip: number;
  factor: number;
  /** Mean of |g|^2 with this gradient, its largest of late, and what g^2 weighs, 0 where no step says it. */
  mean: number;
  most: number;
  weight: number;
  stale: boolean;
}

/** What limited a step, and what the average made of it. */
export interface Effects {
  /** Coordinates whose direction was longer than it may be. */
  bounded: number;
  /** The gradient was longer than it may be. */
  shortened: boolean;
  /** <e, g>, which says whether the average lags behind. */
  slope: number;
  forgot: boolean;
  /** No gradient of late came near to what nu remembers. */
  stale: boolean;
}

export class Updates {
  moments: Moments;
  readonly weights: Weights = { age: 0, sum: 0, rateMax: 0 };
  readonly slope: Slope = { mean: 0, squares: 0, steps: 0 };
  readonly #base: BaseOptions;
  readonly #tensors: readonly Tensor[];
  readonly #round: Round;
  readonly #form: AverageForm;
  /** u is found by itself, as x takes part in it. */
  readonly #apart: boolean;
  #averages: Averages;
  /** How many steps were averaged. */
  #steps = 0;
  /** Running mean of |g|^2, and the largest of late. */
  #squares = 0;
  #most = 0;

  constructor(options: ReferenceOptions, size: number, tensors: Tensor[], round: Round) {
    const { base, tuner, averages = "lead" } = options;
    this.#base = base;
    this.#tensors = tensors;
    this.#round = round;
    this.#form = averages;
    const decays = tensors.some(({ weightDecay }) => weightDecay !== 0);
    this.#apart = isDecoupled(base) && (decays || tuner?.form === "mechanic");
    this.moments = momentsOf(size);
    this.#averages = averagesOf(size);
  }

  /** g, with the weight decay that joins it: g + wd x. */
  seen(g: Float64Array, x: ArrayLike<number>): Float64Array {
    const round = this.#round;
    const seen = g.slice();
    if (isDecoupled(this.#base)) return seen;
    for (const { start, end, weightDecay } of this.#tensors) {
      const decay = round(weightDecay);
      if (decay !== 0) for (let i = start; i < end; i++) seen[i] = round(g[i] + round(decay * x[i]));
    }
    return seen;
  }

  /** After the first step: its gradient, as far as float32 keeps it, which is a part of a mean or has a place of its own. */
  first(g: Float64Array, x: ArrayLike<number>): Float64Array {
    const fresh = freshOf(this.#base);
    return fresh === null ? this.seen(g, x) : this.moments.mu.map((mean) => (1 / fresh) * mean);
  }

  /** `gNorm`: |g| as the caller has it clipped. */
  limits({ gradientLimit, clipsLong, weighs }: Mode, t: number, gNorm: number): Limits {
    const weighed = { weight: 0, most: this.#most, stale: false };
    const { weight, most, stale } = weighs ? weighSquares(this.#squares, this.#most, t, gNorm) : weighed;
    const { mean, factor } = shorten(gradientLimit, this.#squares, t, gNorm, clipsLong, weight);
    const found = { mean, most, weight, stale };
    return clipsLong ? { clip: factor, factor: 1, ...found } : { clip: 1, factor, ...found };
  }

  /** u_t = BASE(g_t; eta_t), tensor by tensor. Nothing changes before `keep`. */
  find(seen: Float64Array, { x, eta, t, mode, limits }: Conditions) {
    const { clip, factor, mean, most, weight: squareWeight, stale } = limits;
    const moments = copyOf(this.moments);
    const averages = copyAverages(this.#averages);
    const { averaging } = mode;
    // A step that may turn out to have been the first of an average counts, too.
    const { weights, c } = weigh(this.#form, averaging ?? NOISE_AVERAGING, this.weights, eta);
    const shortened = Math.min(clip, factor) < 1;
    const effects: Effects = { bounded: 0, shortened, slope: 0, forgot: false, stale };
    const rates = { eta, t, bare: averaging !== null, exact: mode.exact, factor, squareWeight };
    const beta = this.#interpolation(mode);
    const average = averaging && averagerOf(this.#form, averages, beta, c, this.#round);
    if (averaging) effects.slope = this.#slope(averages, beta, seen);
    const u = new Float64Array(seen.length);
    for (const tensor of this.#tensors) {
      const { step, direction } = this.#direction(tensor, x, rates, mode, effects);
      for (let i = tensor.start; i < tensor.end; i++) {
        const moved = direction(i, seen[i], moments);
        u[i] = average ? average(i, step, moved) : moved;
      }
    }
    const keep = () => {
      this.moments = moments;
      this.#averages = averages;
      this.#squares = mean;
      this.#most = most;
      Object.assign(this.weights, weights);
      this.#steps = t;
      if (mode.forgets) effects.forgot = this.#lookBack(mode, beta, effects.slope);
    };
    return { u, keep, effects };
  }

  /** beta of the average as it stands. */
  #interpolation({ averaging, forgets }: Mode): number {
    if (!averaging) return 0;
    const { interpolation } = averaging;
    return forgets ? interpolationAt(interpolation, this.weights.age, this.#steps) : interpolation;
  }

  /** After a step, before which beta was `before`: it rises a little, and falls where the average forgets. Says whether it did. */
  #lookBack(mode: Mode, before: number, slope: number): boolean {
    const change = (from: number, to: number) =>
      interpolate(this.#form, this.#averages, from, to, this.#round);
    const risen = this.#interpolation(mode);
    change(before, risen);
    const forgot = forget(this.#form, mode.averaging!, this.weights, this.slope, slope);
    change(risen, this.#interpolation(mode));
    return forgot;
  }

  #slope(averages: Averages, beta: number, g: Float64Array): number {
    return g.reduce((sum, g, i) => sum + leadOf(this.#form, averages, beta, i) * g, 0);
  }

  /** What the base does to x, or to z: a step times a direction, with the decay that joins it, - eta wd x. */
  #direction(
    { learningRate: multiplier, weightDecay }: Tensor,
    x: ArrayLike<number>,
    rates: Omit<Rates, "multiplier">,
    mode: Mode,
    effects: Effects,
  ): { step: number; direction: Find } {
    const round = this.#round;
    const { update, direct } = ruleOf(this.#base, { ...rates, multiplier }, round);
    if (rates.bare && direct && !this.#apart) {
      const { step, direction, unit } = direct;
      const longest = unit === undefined ? Infinity : round(mode.longest * unit);
      const bounded: Find = (i, g, moments) => {
        const free = direction(i, g, moments);
        if (Math.abs(free) > longest) effects.bounded++;
        return Math.min(longest, Math.max(-longest, free));
      };
      return { step, direction: bounded };
    }
    const decay = isDecoupled(this.#base) ? round(rates.eta * multiplier * weightDecay) : 0;
    if (decay === 0) return { step: 1, direction: update };
    return { step: 1, direction: (i, g, moments) => round(update(i, g, moments) - round(decay * x[i])) };
  }

  /** The average minus x, over S. */
  offset(i: number, mode: Mode): number {
    return mode.averaging ? offsetOf(this.#form, this.#averages, this.#interpolation(mode), i) : 0;
  }

  /** Averaging begins where Delta is. */
  beginAt(delta: ArrayLike<number>): void {
    this.#averages.lead.fill(0);
    this.#averages.z.set(delta);
    this.#averages.mean.set(delta);
  }

  /** Delta becomes 0 here. */
  anchorAt(delta: ArrayLike<number>): void {
    const { z, mean } = this.#averages;
    for (let i = 0; i < delta.length; i++) {
      z[i] -= delta[i];
      mean[i] -= delta[i];
    }
  }

  /** Moments that have all but vanished are let go. */
  flush(): void {
    const { mu, nu, third } = this.moments;
    for (const moment of [mu, nu, third, this.#averages.lead])
      moment.forEach((value, i) => (moment[i] = Math.abs(value) < 2 ** -120 ? 0 : value));
  }
}
