/** How often, and how far, steps went beyond what a function with a floor allows. */
export interface OverreachSummary {
  /** Share of the last steps with |g·d| > 4 (V − floor). */
  readonly share: number;
  /** Largest |g·d| / 4 (V − floor) so far, and its step. */
  readonly largest: number;
  readonly largestStep: number;
}

/**
 * The predicted decrease of each step against what is left to win. A quadratic with a floor has d'Hd ≥ (g·d)² / 2 (V − floor), so
 * ΔV ≥ |g·d| (|g·d| / 4 (V − floor) − 1): where the prediction |g·d| exceeds four times V − floor, the step must raise the loss
 * it was computed on. That takes one gradient, so it holds for each minibatch by itself.
 *
 * V counts at least as much as the first loss: relative to a loss of almost 0 any step would be long.
 */
export class Overreach {
  readonly #floor: number;
  readonly #window: number;
  readonly #last: boolean[] = [];
  #largest = 0;
  #largestStep = 0;

  constructor(floor: number, window: number) {
    this.#floor = floor;
    this.#window = window;
  }

  /** `predicted`: g·d of a step from a point with this loss. */
  add(step: number, predicted: number, loss: number, first: number): void {
    const toWin = Math.max(loss, first) - this.#floor;
    // Below its floor, nothing can be said.
    const ratio = toWin > 0 && loss >= this.#floor ? -predicted / (4 * toWin) : 0;
    this.#last.push(ratio > 1);
    if (this.#last.length > this.#window) this.#last.shift();
    if (ratio > this.#largest) [this.#largest, this.#largestStep] = [ratio, step];
  }

  get summary(): OverreachSummary {
    const share = this.#last.filter(Boolean).length / Math.max(1, this.#last.length);
    return { share, largest: this.#largest, largestStep: this.#largestStep };
  }
}
