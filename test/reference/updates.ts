/** The base's side of a step: from the gradient to u, with moments and averages. */
import { averagerOf, averagesOf, copyAverages, offsetOf, weigh } from "./averaging.js";
import type { Averages, AverageForm, Averager, Weights } from "./averaging.js";
import { copyOf, isDecoupled, momentsOf, ruleOf, type Moments } from "./base.js";
import type { Mode } from "./kinds.js";
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

export class Updates {
  moments: Moments;
  readonly #base: BaseOptions;
  readonly #tensors: readonly Tensor[];
  readonly #round: Round;
  readonly #form: AverageForm;
  #averages: Averages;
  #weights: Weights = { sum: 0, rateMax: 0 };
  /** Coordinates that the base would have moved farther than it may. */
  #shortened = 0;

  constructor({ base, averages = "lead" }: ReferenceOptions, size: number, tensors: Tensor[], round: Round) {
    this.#base = base;
    this.#tensors = tensors;
    this.#round = round;
    this.#form = averages;
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

  /** u_t = BASE(g_t; eta_t), tensor by tensor. Nothing changes before `keep`. */
  find(seen: Float64Array, x: ArrayLike<number>, eta: number, t: number, mode: Mode) {
    const moments = copyOf(this.moments);
    const averages = copyAverages(this.#averages);
    const { averaging } = mode;
    const weights = averaging ? weigh(averaging, this.#weights, t, eta) : this.#counted(t, eta);
    const averager = averaging
      ? averagerOf(this.#form, averages, averaging.interpolation, weights.c, this.#round)
      : undefined;
    const u = new Float64Array(seen.length);
    this.#shortened = 0;
    for (const tensor of this.#tensors) {
      const direction = this.#direction(tensor, x, eta, t, mode, moments);
      for (let i = tensor.start; i < tensor.end; i++) {
        const d = direction(i, seen[i]);
        u[i] = averager ? averager(i, d) : d;
      }
    }
    const keep = () => {
      this.moments = moments;
      this.#averages = averages;
      this.#weights = weights;
    };
    return { u, keep, shortened: this.#shortened };
  }

  /** A step that may turn out to have been the first of an average counts. */
  #counted(t: number, eta: number) {
    return weigh({ interpolation: 0, power: 2, ratePower: 2 }, this.#weights, t, eta);
  }

  /** What the base does to x, or to z, within its bounds and with the decay that joins it: d - eta wd x. */
  #direction(
    tensor: Tensor,
    x: ArrayLike<number>,
    eta: number,
    t: number,
    mode: Mode,
    moments: Moments,
  ): Averager {
    const round = this.#round;
    const { learningRate: multiplier, weightDecay } = tensor;
    const bare = mode.averaging !== null;
    const { rate, update } = ruleOf(this.#base, { eta, multiplier, t, bare }, round);
    const longest = round(mode.longest * rate);
    const decay = isDecoupled(this.#base) ? round(eta * multiplier * weightDecay) : 0;
    return (i, g) => {
      const free = update(i, g, moments);
      const d = Math.min(longest, Math.max(-longest, free));
      if (d !== free) this.#shortened++;
      return decay === 0 ? d : round(d - round(decay * x[i]));
    };
  }

  /** The average minus x, over S. */
  offset(i: number, { averaging }: Mode): number {
    return averaging ? offsetOf(this.#form, this.#averages, averaging.interpolation, i) : 0;
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
