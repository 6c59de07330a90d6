import { median } from "../vectors.js";

/** What the losses of fixed examples say about their labels. */
export interface LabelEvidence {
  /** Examples, m. */
  readonly examples: number;
  /** The lowest median loss so far over the first: what is left to be learnt of the example in the middle. */
  readonly left: number;
  /** Share of examples whose loss stood above the first median for half of the way of the median from 0.6 of it to 0.1. */
  readonly risenShare: number;
  /** Numbers of these examples, those that stood highest on average first, twenty at most. */
  readonly suspects: readonly number[];
}

/** Parts of the first median between which losses are followed: above, nothing is learnt yet; below, the rest is learnt by heart. */
const [BEGUN, LEARNT] = [0.6, 0.1];
const SUSPECTS = 20;

/**
 * Wrong labels are learnt last: while the others are learnt, their losses rise (small losses are clean ones; Arazo et al.,
 * arXiv 1904.11238). Those of hard examples rise too, but not for long, and those of any example where a rate is too high. So
 * each is followed while the median falls, in steps of the median's logarithm, so that it does not matter how fast a run learns.
 * It is compared with the median at the start, as an example that began low by chance is not hard.
 */
export class LabelTracker {
  readonly #first: Float64Array;
  readonly #typical: number;
  /** Of each example, how much of the way it stood above, and its mean loss, both times the way. */
  readonly #above: Float64Array;
  readonly #sums: Float64Array;
  #way = 0;
  #lowest = BEGUN;

  constructor(first: Float64Array) {
    this.#first = first;
    this.#typical = median([...first]);
    this.#above = new Float64Array(first.length);
    this.#sums = new Float64Array(first.length);
  }

  add(losses: Float64Array): void {
    const left = median([...losses]) / this.#typical;
    if (this.#lowest <= LEARNT || !(left < this.#lowest)) return;
    const way = Math.log(this.#lowest / Math.max(left, LEARNT));
    this.#way += way;
    losses.forEach((loss, i) => {
      if (loss > this.#typical) this.#above[i] += way;
      this.#sums[i] += way * loss;
    });
    this.#lowest = left;
  }

  /** Undefined until the median falls below 0.6, and where the mean does not fall: then it is not labels that are wrong. */
  get evidence(): LabelEvidence | undefined {
    const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
    const [sums, examples] = [this.#sums, this.#sums.length];
    if (!(total(sums) / this.#way < total(this.#first))) return undefined;
    const risen = Array.from(sums.keys()).filter((i) => this.#above[i] >= this.#way / 2);
    return {
      examples,
      left: this.#lowest,
      risenShare: risen.length / examples,
      suspects: risen.sort((a, b) => sums[b] - sums[a]).slice(0, SUSPECTS),
    };
  }
}
