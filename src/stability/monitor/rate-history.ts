const LENGTH = 60;

/** The learning rates of the last steps, and the exponential decay that they follow, if they do. */
export class RateHistory {
  readonly #steps: number[] = [];
  readonly #rates: number[] = [];
  #tuned = false;

  add(step: number, rate: number, scale: number): void {
    this.#steps.push(step);
    this.#rates.push(rate);
    if (this.#steps.length > LENGTH) {
      this.#steps.shift();
      this.#rates.shift();
    }
    // A tuner's scale may make up for any decay.
    if (scale !== 1) this.#tuned = true;
  }

  get last(): number {
    return this.#rates.at(-1) ?? NaN;
  }

  /** initial · exp(−rate · t) where the last rates fall like that; t counts from 1 as steps do. */
  decay(step: number): { initial: number; rate: number } | undefined {
    const count = this.#rates.length;
    if (this.#tuned || count < 20) return undefined;
    const logs = this.#rates.map(Math.log);
    const middle = count >> 1;
    const [first, last] = [logs[0], logs[count - 1]];
    const span = this.#steps[count - 1] - this.#steps[0];
    const expected = first + ((last - first) * (this.#steps[middle] - this.#steps[0])) / span;
    const falls = first - last;
    if (!(falls > 1e-6) || Math.abs(logs[middle] - expected) > 0.02 * falls) return undefined;
    const rate = falls / span;
    return { initial: Math.exp(last + rate * step), rate };
  }
}
