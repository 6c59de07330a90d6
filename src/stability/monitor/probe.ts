import { expectFunction, expectNumber, expectOptions } from "../../common/expect.js";
import { LabelTracker, type LabelEvidence } from "./labels.js";
import { pairedTest } from "./paired-test.js";

/** Fixed examples on which a monitor tests V. */
export interface ProbeOptions {
  /**
   * Losses of each of the same m examples at `params`, m ≥ 2; BatchNorm and dropout as in evaluation. For wrong labels they
   * have to be training examples, and the losses −log P(label): a hundred at least, some hundreds are better.
   */
  losses: (params: Float32Array) => ArrayLike<number>;
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
  /** What the losses say about the labels; undefined before the median loss has fallen to 0.6. */
  readonly labels: LabelEvidence | undefined;
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

  constructor(name: string, options: ProbeOptions) {
    expectOptions(name, options, ["losses", "every", "z"]);
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
    this.#labels ??= new LabelTracker(now);
    const { risen } = pairedTest(before, now, this.#z);
    this.#risen = risen;
    if (this.#before) this.#tests++;
    if (risen) {
      this.#alarmCount++;
      this.#alarms = [...this.#alarms, step].slice(-10);
    }
    this.#before = now;
    this.#best = Math.min(this.#best, mean(now));
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

  summary(): ProbeSummary {
    return {
      tests: this.#tests,
      alarms: this.#alarmCount,
      alarmSteps: this.#alarms,
      first: this.#first,
      best: this.#best,
      last: this.value,
      labels: this.#labels?.evidence,
    };
  }
}
