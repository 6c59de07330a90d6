import { expectFunction, expectNumber, expectOptions } from "../../common/expect.js";
import { LabelTracker, type LabelEvidence } from "./labels.js";
import { pairedTest } from "./paired-test.js";

/** Fixed examples on which a monitor tests V. */
export interface ProbeOptions {
  /**
   * Losses of each of the same m examples at `params`, m ≥ 2; BatchNorm and dropout as in evaluation. For wrong labels they
   * have to be training examples, a hundred or more, and the losses −log P(label); some hundreds are better.
   */
  losses: (params: Float32Array) => ArrayLike<number>;
  /** The class of each of these examples, a whole number ≥ 0: with it, a class that is left out is seen. */
  labels?: ArrayLike<number>;
  /** Steps between tests, ≥ 1; default 10. */
  every?: number;
  /** Standard errors by which the mean must rise, ≥ 0; default 3. */
  z?: number;
}

/** What a probe has found so far. */
export interface ProbeSummary {
  readonly tests: number;
  /** Tests at which the mean loss had risen by more than z standard errors. */
  readonly alarms: number;
  /** Steps of the last alarms, ten at most. */
  readonly alarmSteps: readonly number[];
  readonly first: number;
  readonly best: number;
  readonly last: number;
  /** The mean loss has risen since it was lowest, by a tenth and by more than z standard errors. */
  readonly worsened: boolean;
  /** With `labels`: a class rarer than half its share that is predicted worse than by chance, while the mean loss fell. */
  readonly classes: ClassEvidence | undefined;
  /** What the losses say about the labels; undefined before the median loss has fallen to 0.6. */
  readonly labels: LabelEvidence | undefined;
}

/** A class that is left out. */
export interface ClassEvidence {
  readonly rarest: number;
  /** Its share of the examples. */
  readonly share: number;
  /** Mean loss of its examples, and of the others. */
  readonly loss: number;
  readonly others: number;
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;

/** Measures the probe every so many steps. */
export class ProbeTracker {
  readonly every: number;
  readonly #options: ProbeOptions;
  readonly #z: number;
  #labels: LabelTracker | undefined;
  #first = NaN;
  #before: Float64Array | undefined;
  #measuredAt = -1;
  #risen = false;
  #tests = 0;
  #alarms: number[] = [];
  #alarmCount = 0;
  #best = Infinity;
  /** The losses where their mean was lowest. */
  #lowest: Float64Array | undefined;

  constructor(name: string, options: ProbeOptions) {
    expectOptions(name, options, ["losses", "labels", "every", "z"]);
    expectFunction(`${name}.losses`, options.losses);
    this.#options = options;
    this.every = expectNumber(`${name}.every`, options.every ?? 10, { min: 1, integer: true });
    this.#z = expectNumber(`${name}.z`, options.z ?? 3, { min: 0 });
  }

  /** After `step` steps; each is measured once. */
  measure(step: number, params: Float32Array): void {
    if (step === this.#measuredAt || (this.#before && step % this.every !== 0)) return;
    this.#measuredAt = step;
    const now = Float64Array.from(this.#options.losses(params));
    if (!this.#before) this.#first = mean(now);
    const before = this.#before ?? now;
    this.#labels ??= new LabelTracker(now, this.#options.labels);
    const { risen } = pairedTest(before, now, this.#z);
    this.#risen = risen;
    if (this.#before) this.#tests++;
    if (risen) {
      this.#alarmCount++;
      this.#alarms = [...this.#alarms, step].slice(-10);
    }
    this.#before = now;
    if (!(mean(now) >= this.#best)) [this.#best, this.#lowest] = [mean(now), now];
    this.#labels.add(now);
  }

  /** Whether V had risen at the last measurement. */
  get risen(): boolean {
    return this.#risen;
  }

  /** Mean loss at the last measurement. */
  get value(): number {
    return this.#before ? mean(this.#before) : NaN;
  }

  get #worsened(): boolean {
    if (!this.#before || !this.#lowest || this.#before === this.#lowest) return false;
    return this.value > 1.1 * this.#best && pairedTest(this.#lowest, this.#before, this.#z).risen;
  }

  get #classes(): ClassEvidence | undefined {
    const { labels } = this.#options;
    const losses = this.#before;
    if (!labels || !losses || !(this.value < this.#first)) return undefined;
    const sums = new Map<number, { loss: number; count: number }>();
    losses.forEach((loss, i) => {
      const { loss: sum, count } = sums.get(labels[i]) ?? { loss: 0, count: 0 };
      sums.set(labels[i], { loss: sum + loss, count: count + 1 });
    });
    const m = losses.length;
    const rare = [...sums].filter(
      ([, { loss, count }]) => count * sums.size < m / 2 && loss / count > Math.log(sums.size),
    );
    if (rare.length === 0) return undefined;
    const [rarest, { loss, count }] = rare.reduce((a, b) => (a[1].count <= b[1].count ? a : b));
    const others = (this.value * m - loss) / (m - count);
    return { rarest, share: count / m, loss: loss / count, others };
  }

  summary(): ProbeSummary {
    return {
      tests: this.#tests,
      alarms: this.#alarmCount,
      alarmSteps: this.#alarms,
      first: this.#first,
      best: this.#best,
      last: this.value,
      worsened: this.#worsened,
      classes: this.#classes,
      labels: this.#labels?.evidence,
    };
  }
}
