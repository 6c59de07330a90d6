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
  /** ‖g‖ ‖x‖ / V: by how much V changes, relative to itself, with all of x: at the first step, and at most. */
  readonly steepnessFirst: number;
  readonly steepnessMax: number;
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
  #steepnessFirst = NaN;
  #steepnessMax = 0;
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

  addSteepness(steepness: number): void {
    if (Number.isNaN(this.#steepnessFirst)) this.#steepnessFirst = steepness;
    this.#steepnessMax = Math.max(this.#steepnessMax, steepness);
  }

  get summary(): StepsSeen {
    return {
      ...{ steps: this.#steps, rate: this.#rate, scale: this.#scale, scaleFirst: this.#scaleFirst },
      ...{ scaleMax: this.#scaleMax, scaleMin: this.#scaleMin, gradNormMax: this.#gradNormMax },
      ...{ steepnessFirst: this.#steepnessFirst, steepnessMax: this.#steepnessMax },
      gradNormMedian: median(this.#last),
      gradNormFirst: median(this.#first),
    };
  }
}
