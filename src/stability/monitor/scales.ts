import { median } from "../vectors.js";

const LENGTH = 50;

/** What steps report of themselves: rates, the tuner's scale, lengths of gradients. */
export interface StepsSeen {
  /** Steps with a rate that is known. */
  readonly steps: number;
  /** η and S of the last step; NaN where they are not known. */
  readonly rate: number;
  readonly scale: number;
  readonly scaleFirst: number;
  readonly scaleMax: number;
  readonly scaleMin: number;
  /** Largest and median ‖g‖ of all steps, of the last, and of the first ten. */
  readonly gradNormMax: number;
  readonly gradNormMedian: number;
  readonly gradNormFirst: number;
}

/** Keeps {@link StepsSeen}. */
export class StepReports {
  #steps = 0;
  #rate = NaN;
  #scale = NaN;
  #scaleFirst = NaN;
  #scaleMax = 0;
  #scaleMin = Infinity;
  #gradNormMax = 0;
  #first: number[] = [];
  #last: number[] = [];

  addStep(rate: number, scale: number): void {
    this.#steps++;
    [this.#rate, this.#scale] = [rate, scale];
    if (this.#steps === 1) this.#scaleFirst = scale;
    this.#scaleMax = Math.max(this.#scaleMax, scale);
    this.#scaleMin = Math.min(this.#scaleMin, scale);
  }

  addGradNorm(norm: number): void {
    this.#gradNormMax = Math.max(this.#gradNormMax, norm);
    if (this.#first.length < 10) this.#first.push(norm);
    this.#last.push(norm);
    if (this.#last.length > LENGTH) this.#last.shift();
  }

  get summary(): StepsSeen {
    return {
      ...{ steps: this.#steps, rate: this.#rate, scale: this.#scale, scaleFirst: this.#scaleFirst },
      ...{ scaleMax: this.#scaleMax, scaleMin: this.#scaleMin, gradNormMax: this.#gradNormMax },
      gradNormMedian: median(this.#last),
      gradNormFirst: median(this.#first),
    };
  }
}
