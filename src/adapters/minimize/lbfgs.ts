import type { MinimizeResult } from "./options.js";
import { strongWolfe, type Trial } from "./line-search.js";
import { largest, type Progress } from "./progress.js";

/** Pairs of differences that are kept, as most implementations do. */
const MEMORY = 10;
/** Iterations between two looks at ftol. */
const ROUND = 10;
/** Of |fun|: what a sum in float64 is uncertain by. */
const NOISE = 2 ** -48;

/** A point of a line search, with all that belongs to it. */
interface Point extends Trial {
  readonly x: Float64Array;
  readonly grads: Float64Array;
}

/** How a step changed x and the gradient. */
interface Pair {
  readonly dx: Float64Array;
  readonly dg: Float64Array;
}

/** Coordinates that may move; all of them where there are no bounds. */
type Free = (i: number) => boolean;

function dot(a: Float64Array, b: Float64Array, free: Free): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) if (free(i)) sum += a[i] * b[i];
  return sum;
}

function addTo(sum: Float64Array, factor: number, vector: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += factor * vector[i];
}

/**
 * −H g of the free coordinates, where H is the inverse Hessian that the pairs tell (Nocedal and Wright, algorithm 7.4);
 * pairs whose curvature there is not positive are passed over.
 */
function quasiNewton(grads: Float64Array, pairs: readonly Pair[], free: Free): Float64Array {
  const length = (vector: Float64Array) => Math.sqrt(dot(vector, vector, free));
  const usable = pairs.filter(({ dx, dg }) => dot(dx, dg, free) > Number.EPSILON * length(dx) * length(dg));
  const direction = grads.map((g, i) => (free(i) ? -g : 0));
  const shares = usable.map(() => 0);
  for (let k = usable.length - 1; k >= 0; k--) {
    const { dx, dg } = usable[k];
    shares[k] = dot(dx, direction, free) / dot(dx, dg, free);
    addTo(direction, -shares[k], dg);
  }
  const last = usable.at(-1);
  const size = last ? dot(last.dx, last.dg, free) / dot(last.dg, last.dg, free) : 1;
  for (let i = 0; i < direction.length; i++) direction[i] *= size;
  usable.forEach(({ dx, dg }, k) => {
    addTo(direction, shares[k] - dot(dg, direction, free) / dot(dx, dg, free), dx);
  });
  return direction.map((d, i) => (free(i) ? d : 0));
}

/**
 * Limited-memory BFGS. With bounds, coordinates at a bound that the gradient points out of stay there, the others take the
 * quasi-Newton direction, and every point is projected into the bounds (Bertsekas 1982, projected Newton methods).
 */
export class Lbfgs {
  readonly #progress: Progress;
  #pairs: Pair[] = [];

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  run(): MinimizeResult {
    const progress = this.#progress;
    progress.begin();
    while (!progress.reason) {
      if (progress.settings.signal?.aborted) progress.reason = "aborted";
      else if (!this.#iterate()) progress.reason = "precision";
    }
    return progress.result("lbfgs");
  }

  /** False where no step lowers fun, also not against the gradient. */
  #iterate(): boolean {
    const { x, grads } = this.#progress;
    const next = this.#search();
    if (!next && this.#pairs.length > 0) {
      // What the pairs tell may be of another place.
      this.#pairs = [];
      return this.#iterate();
    }
    if (!next) return false;
    const pair = { dx: next.x.map((value, i) => value - x[i]), dg: next.grads.map((g, i) => g - grads[i]) };
    this.#pairs = [...this.#pairs, pair].slice(-MEMORY);
    this.#progress.moved(next.x, next.value, next.grads, ROUND, false);
    return true;
  }

  #search(): Point | undefined {
    const { x, grads, fun } = this.#progress;
    const free = this.#free();
    const direction = quasiNewton(grads, this.#pairs, free);
    const slope = dot(grads, direction, free);
    if (!(slope < 0)) return undefined;
    const begin: Point = { step: 0, value: fun, slope, x, grads };
    // The quasi-Newton step is 1; the first moves x by about a tenth of its size.
    const first = this.#pairs.length > 0 ? 1 : (largest(x) || 1) / 10 / largest(direction);
    return strongWolfe((step) => this.#at(step, direction), begin, first, NOISE * Math.abs(fun));
  }

  #free(): Free {
    const { x, grads, settings } = this.#progress;
    if (!settings.bounds) return () => true;
    const { least, greatest } = settings.bounds;
    return (i) => !(x[i] <= least[i] && grads[i] > 0) && !(x[i] >= greatest[i] && grads[i] < 0);
  }

  /** fun on the line, or on what the bounds make of it. Above where it began the slope is not needed. */
  #at(step: number, direction: Float64Array): Point {
    const { x: from, fun, evaluator, settings } = this.#progress;
    const { bounds } = settings;
    const x = from.map((value, i) => value + step * direction[i]);
    if (bounds)
      x.forEach((value, i) => (x[i] = Math.min(bounds.greatest[i], Math.max(bounds.least[i], value))));
    const ceiling = fun + NOISE * Math.abs(fun);
    const value = evaluator.at(x, ceiling);
    if (!(value <= ceiling)) return { step, value, slope: NaN, x, grads: from };
    const grads = evaluator.grads.slice();
    const within: Free = bounds
      ? (i) => direction[i] === 0 || x[i] === from[i] + step * direction[i]
      : () => true;
    const slope = dot(grads, direction, within);
    // A gradient that is not finite is as bad as such a value.
    return Number.isFinite(slope) || value === -Infinity
      ? { step, value, slope, x, grads }
      : { step, value: NaN, slope: NaN, x, grads: from };
  }
}
