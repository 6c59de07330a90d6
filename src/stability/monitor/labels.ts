import { median } from "../vectors.js";

/** What the losses of fixed examples say about their labels. */
export interface LabelEvidence {
  /** Examples, m. */
  readonly examples: number;
  /** The lowest median loss so far over the first: what is left to be learnt of the example in the middle. */
  readonly left: number;
  /** Share of examples whose loss stood above the first median for half of the way of the median from 0.6 of it to 0.1. */
  readonly risenShare: number;
  /** Share of examples whose loss is above the first median, or above what chance makes it, now. */
  readonly standing: number;
  /** The median over what it was when six tenths of the tests were done: near 1 where what can be learnt is learnt. */
  readonly pace: number;
  /** Numbers of these examples, those that stood highest on average first, twenty at most. */
  readonly suspects: readonly number[];
}

/** Parts of the first median between which losses are followed: above, nothing is learnt yet; below, the rest is learnt by heart. */
const [BEGUN, LEARNT] = [0.6, 0.1];
const SUSPECTS = 20;
/** Before the median has fallen to this part, nothing has been learnt that labels could contradict. */
const LITTLE_LEFT = 0.95;

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
  #now: Float64Array;
  /** The median at each test, over the first. */
  readonly #medians: number[] = [];
  #lowest = BEGUN;

  /** `chance`: the loss of one who knows nothing, where the classes are known; else the first median stands for it. */
  constructor(first: Float64Array, chance = Infinity) {
    this.#first = this.#now = first;
    this.#typical = Math.min(chance, median([...first]));
    this.#above = new Float64Array(first.length);
    this.#sums = new Float64Array(first.length);
  }

  add(losses: Float64Array): void {
    this.#now = losses;
    const left = median([...losses]) / this.#typical;
    this.#medians.push(left);
    if (this.#lowest <= LEARNT || !(left < this.#lowest)) return;
    const way = Math.log(this.#lowest / Math.max(left, LEARNT));
    this.#way += way;
    losses.forEach((loss, i) => {
      if (loss > this.#typical) this.#above[i] += way;
      this.#sums[i] += way * loss;
    });
    this.#lowest = left;
  }

  /** Undefined until the median falls a little, and where the mean does not fall: then it is not labels that are wrong. */
  get evidence(): LabelEvidence | undefined {
    const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
    const [now, sums, medians, examples] = [this.#now, this.#sums, this.#medians, this.#sums.length];
    const left = medians.at(-1);
    if (!(left < LITTLE_LEFT && total(now) < total(this.#first))) return undefined;
    const all = Array.from(now.keys());
    const standing = all.filter((i) => now[i] > this.#typical);
    const risen = this.#way > 0 ? all.filter((i) => this.#above[i] >= this.#way / 2) : standing;
    const height = this.#way > 0 ? sums : now;
    return {
      examples,
      left: this.#way > 0 ? this.#lowest : left,
      risenShare: risen.length / examples,
      standing: standing.length / examples,
      pace: left / medians[Math.floor(0.6 * medians.length)],
      suspects: risen.sort((a, b) => height[b] - height[a]).slice(0, SUSPECTS),
    };
  }
}
