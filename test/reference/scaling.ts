/** From Delta and g to S: one tuner for all coordinates, or one for each group of them. */
import type { Mode } from "./kinds.js";
import type { Adopted, Round, TunerOptions } from "./options.js";
import { innerProduct, limitPromise, Tuner, type Sums } from "./tuner.js";
import { dot, norm, within, type Range } from "./vectors.js";

/** What a step has found before S moves; all vectors are 0 where tensors are frozen, but for x. */
export interface Point {
  /** lambda over what S has just been multiplied by: x is still where it was before. */
  lambda: number;
  g: Float64Array;
  x: Float64Array;
  /** x_t + u_t, where the base alone would go. */
  ahead: Float64Array;
  /** Delta_t and Delta_{t+1} */
  delta: Float64Array;
  next: Float64Array;
}

export interface Measured {
  /** h of each tuner, and the same where the engine's is taken over. */
  own: number[];
  h: number[];
  /** |x_t|, or |x_t + u_t| in the form "mechanic". */
  xNorm: number;
}

/** How S may move in a step. */
export interface Drive {
  mode: Mode;
  /** S over the S at the window's start, at most. */
  growth: number;
  /** How many times as fast as its evidence S may grow. */
  pace: number;
  /** What the step may promise while S grows. */
  promise: number;
}

/** <Delta_t, g_t> and <Delta_{t+1}, g_t> of a tuner's coordinates: S times the difference is what a step promises. */
export interface Slopes {
  before: number;
  after: number;
}

/** What kept S from growing, and what the twin's own slopes are where the promise was looked at. */
export interface Limited {
  byGrowth: boolean;
  byPace: boolean;
  byPromise: boolean;
  slopes?: Slopes[];
}

export interface Scaling {
  /** Those with one S; of coordinates, what bounds theirs. */
  readonly tuners: readonly Tuner[];
  readonly mean: number;
  /** s_init is still to be found. */
  readonly unstarted: boolean;
  at(i: number): number;
  start(sInit: number): void;
  rescale(factor: number): void;
  restart(carry: number): void;
  measure(point: Point, adopt: Adopted): Measured;
  advance(measured: Measured, point: Point, drive: Drive, adopt: Adopted): Limited;
}

/** The tuners of "global" and "tensor". */
export class Groups implements Scaling {
  readonly tuners: readonly Tuner[];
  readonly #options: TunerOptions;
  readonly #groups: readonly (readonly Range[])[];
  readonly #groupOf: Int32Array;

  constructor(options: TunerOptions, size: number, groups: readonly (readonly Range[])[], sStart?: number) {
    this.#options = options;
    this.#groups = groups;
    this.tuners = groups.map(() => new Tuner(options, sStart));
    this.#groupOf = new Int32Array(size);
    groups.forEach((ranges, k) => ranges.forEach(({ start, end }) => this.#groupOf.fill(k, start, end)));
  }

  get mean(): number {
    return this.tuners.reduce((sum, { S }) => sum + S, 0) / this.tuners.length;
  }

  get unstarted(): boolean {
    return this.tuners[0].sInit === 0;
  }

  at(i: number): number {
    return this.tuners[this.#groupOf[i]].S;
  }

  start(sInit: number): void {
    for (const tuner of this.tuners) tuner.start(sInit);
  }

  rescale(factor: number): void {
    for (const tuner of this.tuners) tuner.rescale(factor);
  }

  restart(carry: number): void {
    for (const tuner of this.tuners) tuner.restart(carry);
  }

  /** (26) */
  measure(point: Point, { h }: Adopted): Measured {
    const sums = this.#groups.map((ranges) => sumsOf(this.#options, ranges, point));
    const own = sums.map((sums, k) =>
      innerProduct({ ...this.#options, lambda: point.lambda }, sums, this.tuners[k].S),
    );
    const given = typeof h === "number" ? [h] : h;
    return { own, h: own.map((own, k) => given?.[k] ?? own), xNorm: sums[0].xNorm };
  }

  /** (27)-(32), and no S beyond its limits. */
  advance({ h }: Measured, { g, delta, next }: Point, drive: Drive, { slopes }: Adopted): Limited {
    let [byGrowth, byPace] = [false, false];
    this.tuners.forEach((tuner, k) => {
      const { earned, S: before } = tuner;
      tuner.advance(h[k], drive.mode);
      if (drive.pace < Infinity && tuner.limit(before * (Math.max(1, tuner.S / earned) * drive.pace)))
        byPace = true;
      if (tuner.limit(drive.growth * tuner.sInit)) byGrowth = true;
    });
    const grows = this.tuners.some(({ S, SBefore }) => S > SBefore);
    if (!grows || !(drive.promise < Infinity)) return { byGrowth, byPace, byPromise: false };
    const own = this.#groups.map((ranges) => {
      const part = within(ranges, g);
      return { before: dot(delta, part), after: dot(next, part) };
    });
    const byPromise = limitPromise(this.tuners, slopes ?? own, drive.promise);
    return { byGrowth, byPace, byPromise, slopes: own };
  }
}

function sumsOf({ form }: TunerOptions, ranges: readonly Range[], { g, x, ahead, delta }: Point): Sums {
  const part = within(ranges, delta);
  // The PyTorch implementation measures the point that the base has already moved.
  const at = within(ranges, form === "mechanic" ? ahead : x);
  return {
    dot: dot(part, g),
    gNorm: norm(within(ranges, g)),
    xNorm: norm(at),
    deltaNorm: norm(part),
    dotX: dot(part, at),
  };
}

/** Delta_t where it is not kept: made from where x is, or "additive" as (25) is printed. */
export function madeAgain(
  { delta, eps, granularity }: TunerOptions,
  scaling: Scaling,
  x: Float64Array,
  xRef: Float64Array,
  round: Round,
): Float64Array {
  const own = granularity === "parameter";
  return x.map((x, i) => {
    const moved = round(x - xRef[i]);
    const scale = own ? round(scaling.at(i) + round(eps)) : scaling.at(i) + eps;
    return delta === "additive" ? round(moved + round(scale)) : round(moved * round(1 / scale)); // (25)
  });
}
