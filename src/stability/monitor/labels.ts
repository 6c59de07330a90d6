import { median } from "../vectors.js";

/** What the losses of fixed examples say about their labels. */
export interface LabelEvidence {
  /** Examples, m. */
  readonly examples: number;
  /** The lowest median loss so far over the first: what is left to be learnt of the example in the middle. */
  readonly left: number;
  /** Share of examples whose loss stood above the first median for half of the way of the median from 0.6 of it to 0.1. */
  readonly risenShare: number;
  /**
   * How much losses look like those of wrong labels, in nats: share of examples whose loss is a quarter of a nat above the first median,
   * times the loss that a fifth of the examples are below, over what is left of the median. The mean of the six tests at which it was
   * largest; 0 before there are so many. With classes the share is the less, the more uneven over them such examples are.
   */
  readonly contradiction: number;
  /**
   * Share of examples above the first median now, less where they are uneven over the classes, while the median is above half of it and
   * falls no more, as with half of the labels wrong; 0 elsewhere, and where classes are not known.
   */
  readonly standing: number;
  /** Numbers of these examples, those that stood highest on average first, twenty at most. */
  readonly suspects: readonly number[];
}

/** Parts of the first median between which losses are followed: above, nothing is learnt yet; below, the rest is learnt by heart. */
const [BEGUN, LEARNT] = [0.6, 0.1];
const SUSPECTS = 20;
/** Before the median has fallen to this part, nothing has been learnt that labels could contradict. */
const LITTLE_LEFT = 0.98;
/** The same where classes are not known, and a class that is not learnt yet looks like wrong labels. */
const LITTLE_LEFT_UNSEEN = 0.65;
/** How far above the first median a loss has to be to contradict what is learnt, in nats. */
const HIGH = 0.25;
/** The median falls by less than this share in the last four tenths of the tests: what can be learnt is learnt. */
const SETTLED = 0.8;
/** Tests that `contradiction` is the mean of. */
const STRONGEST = 6;
/** Where the spread over classes exceeds that of chance by so many standard deviations, half of a share counts. */
const UNEVEN = 3;

/** Σ (n_c − a N_c)² / N_c a (1 − a) over C classes, in standard deviations above what chance makes it: χ² with C − 1 degrees of freedom. */
function unevenness(high: readonly boolean[], labels: ArrayLike<number>): number {
  const classes = new Map<number, { high: number; all: number }>();
  let total = 0;
  high.forEach((isHigh, i) => {
    const found = classes.get(labels[i]) ?? { high: 0, all: 0 };
    found.all++;
    if (isHigh) {
      found.high++;
      total++;
    }
    classes.set(labels[i], found);
  });
  const share = total / high.length;
  let sum = 0;
  for (const { high, all } of classes.values())
    sum += (high - share * all) ** 2 / (all * share * (1 - share));
  const degrees = classes.size - 1;
  return (sum - degrees) / Math.sqrt(2 * degrees);
}

/** The loss that a fifth of the examples are below. */
const surest = (losses: Float64Array) => losses.slice().sort()[Math.floor(losses.length / 5)];

/**
 * Wrong labels are learnt last: while the others are learnt, their losses rise (small losses are clean ones; Arazo et al.,
 * arXiv 1904.11238). Those of hard examples rise too, but hard ones are of some classes more than of others, and where classes overlap
 * the rest is soon sure of itself; a share ε of wrong labels keeps every example from it, down to a loss of −log(1 − ε), until they are
 * learnt by heart. So it is looked for on the way, at each test.
 *
 * Which examples they are, the way tells: each is followed while the median falls, in steps of the median's logarithm, so that it
 * does not matter how fast a run learns. It is compared with the median at the start, as an example that began low by chance is not hard.
 */
export class LabelTracker {
  readonly #first: Float64Array;
  readonly #labels: ArrayLike<number> | undefined;
  readonly #typical: number;
  /** Of each example, how much of the way it stood above, and its mean loss, both times the way. */
  readonly #above: Float64Array;
  readonly #sums: Float64Array;
  #way = 0;
  #now: Float64Array;
  /** The median at each test, over the first. */
  readonly #medians: number[] = [];
  #lowest = BEGUN;
  /** The largest contradictions, largest first. */
  #strongest: number[] = [];

  /** With the classes of the examples, log C is what one loses who knows nothing; else the first median stands for it. */
  constructor(first: Float64Array, labels?: ArrayLike<number>) {
    this.#first = this.#now = first;
    this.#labels = labels;
    const chance = labels ? Math.log(new Set(Array.from(labels)).size) : Infinity;
    this.#typical = Math.min(chance, median([...first]));
    this.#above = new Float64Array(first.length);
    this.#sums = new Float64Array(first.length);
  }

  add(losses: Float64Array): void {
    this.#now = losses;
    const left = median([...losses]) / this.#typical;
    this.#medians.push(left);
    this.#strongest.push(this.#contradictionOf(losses, left));
    this.#strongest = this.#strongest.sort((a, b) => b - a).slice(0, STRONGEST);
    if (this.#lowest <= LEARNT || !(left < this.#lowest)) return;
    const way = Math.log(this.#lowest / Math.max(left, LEARNT));
    this.#way += way;
    losses.forEach((loss, i) => {
      if (loss > this.#typical) this.#above[i] += way;
      this.#sums[i] += way * loss;
    });
    this.#lowest = left;
  }

  /** Share of losses above a level, and how much of it may be of wrong labels. */
  #shareAbove(losses: Float64Array, level: number): { share: number; wrong: number } {
    const high = Array.from(losses, (loss) => loss > level);
    const share = high.filter(Boolean).length / losses.length;
    // A network whose units have died tells few examples apart.
    const blind = new Set(Float32Array.from(losses)).size < losses.length / 2;
    if (share === 0 || share === 1 || blind) return { share, wrong: 0 };
    const uneven = this.#labels ? Math.max(0, unevenness(high, this.#labels)) : 0;
    return { share, wrong: share / (1 + uneven / UNEVEN) };
  }

  #contradictionOf(losses: Float64Array, left: number): number {
    if (!(left > LEARNT && left < (this.#labels ? LITTLE_LEFT : LITTLE_LEFT_UNSEEN))) return 0;
    return (this.#shareAbove(losses, this.#typical + HIGH).wrong * surest(losses)) / left;
  }

  get #standing(): number {
    const [medians, now] = [this.#medians, this.#now];
    const left = medians[medians.length - 1];
    const settled = left > 0.5 && left > SETTLED * medians[Math.floor(0.6 * medians.length)];
    if (!this.#labels || !settled) return 0;
    const { share, wrong } = this.#shareAbove(now, this.#typical);
    return surest(now) > -Math.log(1 - share) / 2 ? wrong : 0;
  }

  /** Undefined until the median falls a little, and where the mean does not fall: then it is not labels that are wrong. */
  get evidence(): LabelEvidence | undefined {
    const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
    const [now, sums, examples] = [this.#now, this.#sums, this.#sums.length];
    const left = this.#medians.at(-1) ?? 1;
    if (!(left < LITTLE_LEFT && total(now) < total(this.#first))) return undefined;
    const all = Array.from(now.keys());
    const risen =
      this.#way > 0
        ? all.filter((i) => this.#above[i] >= this.#way / 2)
        : all.filter((i) => now[i] > this.#typical);
    const height = this.#way > 0 ? sums : now;
    return {
      examples,
      left: this.#way > 0 ? this.#lowest : left,
      risenShare: risen.length / examples,
      contradiction:
        (this.#strongest[STRONGEST - 1] ?? 0) > 0 ? total(Float64Array.from(this.#strongest)) / STRONGEST : 0,
      standing: this.#standing,
      suspects: risen.sort((a, b) => height[b] - height[a]).slice(0, SUSPECTS),
    };
  }
}
