const LENGTH = 128;

/** The lowest loss so far after each step of a run: the last ones, and all of them, thinned out as the run grows. */
export class BestLosses {
  readonly #window: number;
  readonly #last: number[] = [];
  #thinned: number[] = [];
  #stride = 1;
  #count = 0;

  constructor(window: number) {
    this.#window = window;
  }

  add(best: number): void {
    this.#last.push(best);
    if (this.#last.length > this.#window + 1) this.#last.shift();
    if (this.#count++ % this.#stride === 0) this.#thinned.push(best);
    if (this.#thinned.length < LENGTH) return;
    this.#thinned = this.#thinned.filter((_, k) => k % 2 === 0);
    this.#stride *= 2;
  }

  /** What it was half a window ago, or half of a run that is shorter. */
  get recent(): number {
    return this.#last[this.#last.length - 1 - (this.#last.length >> 1)] ?? Infinity;
  }

  /** What it was when three quarters of the run so far were done. */
  get earlier(): number {
    return this.#thinned[Math.floor((0.75 * this.#count) / this.#stride)] ?? Infinity;
  }
}
