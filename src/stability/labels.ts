import { median } from "./vectors.js";

/** What the losses of fixed examples say about their labels. */
export interface LabelEvidence {
  /** Examples, m. */
  readonly examples: number;
  /** The lowest median loss so far over the first: what is left to be learnt of the example in the middle. */
  readonly left: number;
  /** Share of examples whose mean loss stood above the first median while the median fell from 0.6 of it to 0.1. */
  readonly risenShare: number;
  /** Numbers of these examples, those that stood highest first, twenty at most. */
  readonly suspects: readonly number[];
}

/** Parts of the first median between which losses are averaged: before it nothing is learnt, behind it all by heart. */
const [BEGUN, LEARNT] = [0.6, 0.1];
const SUSPECTS = 20;

/**
 * Wrong labels are learnt last: while the others are learnt, their losses rise (small losses are clean ones; Arazo et al.,
 * arXiv 1904.11238). Those of hard examples rise too, but not as far or not for long. So the loss of each is averaged over the
 * time in which the median fell, weighted by how far it fell in its logarithm: then it does not matter how fast a run learns.
 * It is compared with what was typical at the start: an example that began low by chance is not hard.
 */
export class LabelWatch {
  readonly #first: Float64Array;
  readonly #typical: number;
  readonly #sums: Float64Array;
  #weight = 0;
  #lowest = BEGUN;

  constructor(first: Float64Array) {
    this.#first = first;
    this.#typical = median([...first]);
    this.#sums = new Float64Array(first.length);
  }

  add(losses: Float64Array): void {
    const left = median([...losses]) / this.#typical;
    if (this.#lowest <= LEARNT || !(left < this.#lowest)) return;
    const weight = Math.log(this.#lowest / Math.max(left, LEARNT));
    this.#weight += weight;
    for (let i = 0; i < losses.length; i++) this.#sums[i] += weight * losses[i];
    this.#lowest = left;
  }

  /** Undefined until the median falls below 0.6, and where the mean does not fall: then it is not labels that are wrong. */
  get evidence(): LabelEvidence | undefined {
    const means = this.#sums.map((sum) => sum / this.#weight);
    const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
    if (!(total(means) < total(this.#first))) return undefined;
    const risen = Array.from(means.keys()).filter((i) => means[i] > this.#typical);
    return {
      examples: means.length,
      left: this.#lowest,
      risenShare: risen.length / means.length,
      suspects: risen.sort((a, b) => means[b] - means[a]).slice(0, SUSPECTS),
    };
  }
}
