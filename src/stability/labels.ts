import { median } from "./vectors.js";

/** What the losses of fixed examples say about their labels. */
export interface LabelEvidence {
  /** Examples, m. */
  readonly examples: number;
  /** Share whose mean loss stood above the median of the first losses: labels less likely than at the start. */
  readonly risenShare: number;
  /** Share whose mean loss stood above it by ln 2: labels half as likely, or less. */
  readonly contradictedShare: number;
  /** The contradicted examples' numbers, the most contradicted first, twenty at most. */
  readonly suspects: readonly number[];
}

/** Part of the first median below which the median loss shows that most are being learnt. */
const LEARNING = 0.6;
/** Looks that are averaged: fewer are noise, and later wrong labels are learnt by heart. */
const LOOKS = 8;
const SUSPECTS = 20;

/**
 * Wrong labels are learnt last: while the others are learnt, their losses rise (small losses are clean ones; Arazo et al.,
 * arXiv 1904.11238). Losses of hard examples rise too, but less far or not for long, so each is averaged over eight looks from
 * where the median has fallen to 0.6 of its start, and compared with what was typical at the start, not with its own.
 */
export class LabelWatch {
  readonly #start: Float64Array;
  readonly #typical: number;
  readonly #sums: Float64Array;
  #looks = 0;

  constructor(start: Float64Array) {
    this.#start = start;
    this.#typical = median([...start]);
    this.#sums = new Float64Array(start.length);
  }

  add(losses: Float64Array): void {
    if (this.#looks === LOOKS) return;
    if (this.#looks === 0 && !(median([...losses]) < LEARNING * this.#typical)) return;
    this.#looks++;
    for (let i = 0; i < losses.length; i++) this.#sums[i] += losses[i] / LOOKS;
  }

  /** Undefined before the eighth look, and where the mean loss did not fall: then rates are to blame, not labels. */
  get evidence(): LabelEvidence | undefined {
    if (this.#looks < LOOKS) return undefined;
    const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
    if (!(total(this.#sums) < total(this.#start))) return undefined;
    const excess = this.#sums.map((mean) => mean - this.#typical);
    const order = Array.from(excess.keys()).sort((a, b) => excess[b] - excess[a]);
    const count = (least: number) => excess.filter((value) => value > least).length;
    const contradicted = count(Math.LN2);
    return {
      examples: excess.length,
      risenShare: count(0) / excess.length,
      contradictedShare: contradicted / excess.length,
      suspects: order.slice(0, Math.min(contradicted, SUSPECTS)),
    };
  }
}
