import { expectFunction, expectNumber, expectOptions } from "../expect.js";
import { median } from "./vectors.js";
import { pairedTest } from "./paired.js";

/** Fixed examples on which a monitor tests V. */
export interface ProbeOptions {
  /** Losses of each of the same m examples at `params`, m ≥ 2; BatchNorm and dropout as in evaluation. */
  losses: (params: Float32Array) => ArrayLike<number>;
  /** Steps between tests, ≥ 1; default 10. */
  every?: number;
  /** Standard errors by which the mean must rise, ≥ 0; default 3. */
  z?: number;
}

/** What a probe has found so far. */
export interface ProbeReport {
  readonly tests: number;
  /** Tests at which the mean loss had risen by more than z standard errors. */
  readonly alarms: number;
  /** Steps of the last alarms, ten at most. */
  readonly alarmSteps: readonly number[];
  readonly first: number;
  readonly best: number;
  readonly last: number;
  /**
   * Share of examples whose loss stood above where it began, while the others were learnt: the least of the first
   * eight looks at which the median loss was below 0.6 of its start; undefined before.
   */
  readonly risenShare: number | undefined;
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;

/** Later, wrong labels are learnt by heart. */
const EARLY_LOOKS = 8;

/** Looks at the probe every so many steps. */
export class ProbeWatch {
  readonly every: number;
  readonly #options: ProbeOptions;
  readonly #z: number;
  #start: Float64Array | undefined;
  #before: Float64Array | undefined;
  #lookedAt = -1;
  #risen = false;
  #tests = 0;
  #alarms: number[] = [];
  #alarmCount = 0;
  #best = Infinity;
  readonly #shares: number[] = [];

  constructor(name: string, options: ProbeOptions) {
    expectOptions(name, options, ["losses", "every", "z"]);
    expectFunction(`${name}.losses`, options.losses);
    this.#options = options;
    this.every = expectNumber(`${name}.every`, options.every ?? 10, { min: 1, integer: true });
    this.#z = expectNumber(`${name}.z`, options.z ?? 3, { min: 0 });
  }

  /** After `step` steps. Each of them is looked at once. */
  look(step: number, params: Float32Array): void {
    if (step === this.#lookedAt || (this.#before && step % this.every !== 0)) return;
    this.#lookedAt = step;
    const now = Float64Array.from(this.#options.losses(params));
    const before = this.#before ?? now;
    this.#start ??= now;
    const { risen } = pairedTest(before, now, this.#z);
    this.#risen = risen;
    if (this.#before) this.#tests++;
    if (risen) {
      this.#alarmCount++;
      this.#alarms = [...this.#alarms, step].slice(-10);
    }
    this.#before = now;
    this.#best = Math.min(this.#best, mean(now));
    this.#watchLearning(now, this.#start);
  }

  /** Did the last look find V risen? */
  get risen(): boolean {
    return this.#risen;
  }

  /** Mean loss at the last look. */
  get value(): number {
    return this.#before ? mean(this.#before) : NaN;
  }

  /** Wrong labels are learnt last, if at all: while the others are learnt, their losses rise. */
  #watchLearning(now: Float64Array, start: Float64Array): void {
    if (this.#shares.length >= EARLY_LOOKS || !(median([...now]) < 0.6 * median([...start]))) return;
    this.#shares.push(now.filter((loss, i) => loss > start[i]).length / now.length);
  }

  report(): ProbeReport {
    return {
      tests: this.#tests,
      alarms: this.#alarmCount,
      alarmSteps: this.#alarms,
      first: this.#start ? mean(this.#start) : NaN,
      best: this.#best,
      last: this.value,
      risenShare: this.#shares.length < EARLY_LOOKS ? undefined : Math.min(...this.#shares),
    };
  }
}
