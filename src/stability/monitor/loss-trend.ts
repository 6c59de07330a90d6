/** An exponential moving average with its bias corrected, and the variance around it. */
export class MovingAverage {
  readonly #decay: number;
  #sum = 0;
  #squares = 0;
  #weight = 0;

  constructor(decay: number) {
    this.#decay = decay;
  }

  add(value: number): void {
    const before = this.#weight > 0 ? this.mean : value;
    this.#sum = this.#decay * this.#sum + (1 - this.#decay) * value;
    this.#squares = this.#decay * this.#squares + (1 - this.#decay) * (value - before) ** 2;
    this.#weight = this.#decay * this.#weight + (1 - this.#decay);
  }

  get mean(): number {
    return this.#sum / this.#weight;
  }

  /** Standard deviation of the values. */
  get spread(): number {
    return Math.sqrt(this.#squares / this.#weight);
  }

  /** Standard error of the mean, for values that are independent. */
  get error(): number {
    return this.spread * Math.sqrt((1 - this.#decay) / (1 + this.#decay));
  }
}

/** Losses that it takes to know their noise. */
const WARM_UP = 10;

/** Where the loss began, how low it came and when, and where it is; of a moving average where it is noisy. */
export class LossTrend {
  first = NaN;
  /** The mean of the first losses where they are noisy: one batch may be high by chance. */
  early = NaN;
  best = Infinity;
  bestStep = 0;
  now = NaN;
  peak = -Infinity;
  peakStep = 0;
  /** Largest moving average: one batch may be high by chance. */
  #highest = -Infinity;
  #count = 0;
  #above = 0;
  /** Standard error of the moving average where the loss was lowest: later it may have diverged. */
  #noise = 0;
  readonly #average = new MovingAverage(0.95);

  /** `noisy`: the losses are of different batches. */
  add(loss: number, step: number, noisy: boolean): void {
    this.#average.add(loss);
    this.#count++;
    this.now = noisy ? this.#average.mean : loss;
    if (this.#count === 1) this.first = this.early = loss;
    if (noisy && this.#count <= WARM_UP) this.early = this.now;
    // The mean of a few batches is low by chance: the first ones count as one.
    if (noisy && this.#count <= WARM_UP) {
      this.#noise = this.#average.spread;
      this.best = Math.max(this.first, this.now);
      this.bestStep = step;
    }
    if (loss > this.first) this.#above++;
    if (loss > this.peak) [this.peak, this.peakStep] = [loss, step];
    if (this.#count >= 2 * WARM_UP) this.#highest = Math.max(this.#highest, this.now);
    if (this.now < this.best) [this.best, this.bestStep] = [this.now, step];
    if (this.bestStep === step && this.#count > WARM_UP) this.#noise = this.#average.error;
  }

  /** Share of the losses that were above the first. */
  get shareAboveFirst(): number {
    return this.#above / Math.max(1, this.#count);
  }

  /** It once rose by five times what it has won since the start, and not by noise. */
  spiked(noisy: boolean, tolerance: number, floor: number): boolean {
    const { first, best } = this;
    const peak = noisy ? this.#highest : this.peak;
    const slack = noisy
      ? 2 * Math.max(this.#average.spread, first - floor)
      : tolerance * Math.max(1, Math.abs(first));
    return peak - first > Math.max(5 * (first - best), slack);
  }

  /** It has come down by three quarters of what it can, and was seldom above its start. */
  recovered(floor: number): boolean {
    return this.first - this.now >= 0.75 * (this.first - floor) && this.shareAboveFirst < 1 / 3;
  }

  /** It lost more than half of what it had won, and not by noise. */
  regressed(noisy: boolean, tolerance: number): boolean {
    const slack = noisy
      ? 4 * this.#noise + 3 * this.#average.error
      : tolerance * Math.max(1, Math.abs(this.best));
    return this.now - this.best > Math.max((this.first - this.best) / 2, slack);
  }
}

const DECAY = 0.9;

/**
 * How much of a minibatch gradient is signal: with m the moving average of g, E‖m‖² = ‖ḡ‖² + c tr Σ and E‖g‖² = ‖ḡ‖² + tr Σ,
 * where c = (1 − β) / (1 + β) once enough steps are averaged.
 */
export class SignalShare {
  #mean: Float64Array | undefined;
  #weight = 0;
  /** Σ of squared weights: what noise keeps in the mean. */
  #squaredWeight = 0;
  readonly #total = new MovingAverage(0.98);
  readonly #ofMean = new MovingAverage(0.98);

  add(grads: ArrayLike<number>): void {
    const mean = (this.#mean ??= new Float64Array(grads.length));
    let squares = 0;
    let meanSquares = 0;
    for (let i = 0; i < mean.length; i++) {
      mean[i] = DECAY * mean[i] + (1 - DECAY) * grads[i];
      squares += grads[i] ** 2;
      meanSquares += mean[i] ** 2;
    }
    this.#weight = DECAY * this.#weight + (1 - DECAY);
    this.#squaredWeight = DECAY ** 2 * this.#squaredWeight + (1 - DECAY) ** 2;
    this.#total.add(squares);
    this.#ofMean.add(meanSquares / this.#weight ** 2);
  }

  /** ‖ḡ‖², at least 0. */
  get signal(): number {
    const kept = this.#squaredWeight / this.#weight ** 2;
    if (kept === 1) return this.#total.mean;
    return Math.max(0, (this.#ofMean.mean - kept * this.#total.mean) / (1 - kept));
  }

  /** ‖ḡ‖² / E‖g‖², 0 … 1. */
  get share(): number {
    return Math.min(1, this.signal / this.#total.mean);
  }
}
