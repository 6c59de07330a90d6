/** How often, and how far, steps went beyond what a function with a floor allows. */
export interface PromiseCount {
  /** Share of the last steps with |g·d| > 4 (V − floor). */
  readonly share: number;
  /** Largest |g·d| / 4 (V − floor) so far, and its step. */
  readonly most: number;
  readonly mostStep: number;
}

/**
 * What the gradients promise against what there is to win. A quadratic with a floor has d'Hd ≥ (g·d)² / 2 (V − floor), so
 * ΔV ≥ |g·d| (|g·d| / 4 (V − floor) − 1): where the promise |g·d| exceeds four times what there is to win, the step must raise
 * the loss it was computed on. That takes one gradient, so it holds for each minibatch by itself.
 *
 * Losses of almost 0 would make much of little, so V counts at least as much as the first loss.
 */
export class Promises {
  readonly #floor: number;
  readonly #window: number;
  #last: boolean[] = [];
  #most = 0;
  #mostStep = 0;

  constructor(floor: number, window: number) {
    this.#floor = floor;
    this.#window = window;
  }

  /** `predicted`: g·d of a step from a point with this loss. */
  add(step: number, predicted: number, loss: number, first: number): void {
    const toWin = Math.max(loss, first) - this.#floor;
    // Below its floor, nothing can be said.
    const ratio = toWin > 0 && loss >= this.#floor ? -predicted / (4 * toWin) : 0;
    this.#last = [...this.#last, ratio > 1].slice(-this.#window);
    if (ratio > this.#most) [this.#most, this.#mostStep] = [ratio, step];
  }

  get count(): PromiseCount {
    const over = this.#last.filter(Boolean).length;
    return { share: over / Math.max(1, this.#last.length), most: this.#most, mostStep: this.#mostStep };
  }
}
