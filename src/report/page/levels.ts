/**
 * Levels on the scale of their ranks: how much of the window lies below. Losses range over many powers of ten, which a
 * linear scale cannot show.
 */
export class Levels {
  /** Finite values, ascending. */
  readonly sorted: Float64Array;

  constructor(values: readonly number[]) {
    this.sorted = Float64Array.from(values.filter((value) => Number.isFinite(value))).sort();
  }

  get lowest(): number {
    return this.sorted[0];
  }

  get highest(): number {
    return this.sorted[this.sorted.length - 1];
  }

  /** The level below which a share of the window lies. */
  at(share: number): number {
    const place = share * (this.sorted.length - 1);
    const index = Math.min(Math.floor(place), this.sorted.length - 1);
    const next = this.sorted[Math.min(index + 1, this.sorted.length - 1)];
    return this.sorted[index] + (place - index) * (next - this.sorted[index]);
  }

  /** The share of the window below a level, 0 to 1; the inverse of `at`. */
  share(level: number): number {
    const { sorted } = this;
    if (!(level > sorted[0])) return 0;
    if (level >= this.highest) return 1;
    let [low, high] = [0, sorted.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < level) low = middle;
      else high = middle;
    }
    const gap = sorted[high] - sorted[low];
    return (low + (gap > 0 ? (level - sorted[low]) / gap : 0)) / (sorted.length - 1);
  }
}
