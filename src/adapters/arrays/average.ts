import type { Averaging } from "../../bases/base.js";
import { ERRORS, EVIDENCE, LEAST_INTERPOLATION, MOST_COUNTED, SQUARES_DECAY } from "../../stepper/mode.js";
import { FADING, FRESH, RECENT, STALE } from "../../stepper/mode.js";
import { TINY, type Algebra, type Flag, type Value } from "./algebra.js";

/** What a schedule-free average remembers of its weights, and what limits long gradients. */
export type Average<V> = {
  readonly age: V;
  /** Σ w, in units of the newest. */
  readonly weightSum: V;
  readonly rateMax: V;
  /** Mean of ‖g‖², its largest of late, and what the mean's weights sum to. */
  readonly squares: V;
  readonly squaresMax: V;
  readonly squaresBias: V;
  /** Mean of ⟨e, g⟩, its root mean square, and over how many steps. The square itself would leave float32 where gradients are long. */
  readonly slope: V;
  readonly rootSlope: V;
  readonly slopes: V;
};

/** c_t = w_t / Σ w with w_t = t^power · η_max^ratePower, and the weights after the step. */
export function weighed<A>(
  c: Algebra<A>,
  average: Average<Value<A>>,
  averaging: Averaging | undefined,
  eta: Value<A>,
  counts: Flag<A>,
): { average: Average<Value<A>>; share: Value<A> } {
  if (!averaging) return { average, share: 0 };
  const { power, ratePower } = averaging;
  const age = c.add(average.age, 1);
  const rateMax = c.max(average.rateMax, eta);
  const rates = c.pow(c.div(average.rateMax, c.max(rateMax, TINY)), ratePower);
  const unit = c.mul(c.pow(c.div(average.age, age), power), rates);
  const weightSum = c.add(c.mul(unit, average.weightSum), 1);
  return {
    share: c.div(1, weightSum),
    average: {
      ...average,
      age: c.where(counts, age, average.age),
      rateMax: c.where(counts, rateMax, average.rateMax),
      weightSum: c.where(counts, weightSum, average.weightSum),
    },
  };
}

const PLAIN = { varies: false, fresh: 1 - SQUARES_DECAY, kept: SQUARES_DECAY };

/** What g² weighs in second moments, and ‖g‖² in its mean alike, and what is left of them; and whether that varies from step to step. */
export interface SquareWeight<A> {
  readonly varies: Flag<A>;
  readonly fresh: Value<A>;
  readonly kept: Value<A>;
}

/** The weight of the square of a gradient of such a norm, after so many. */
export function weighedSquare<A>(
  c: Algebra<A>,
  average: Average<Value<A>>,
  applied: Value<A>,
  norm: Value<A>,
  { varies, moves }: { varies: Flag<A>; moves: Flag<A> },
): { average: Average<Value<A>>; weight: SquareWeight<A> } {
  if (varies === false) return { average, weight: PLAIN };
  const { squares, squaresMax } = average;
  const most = c.max(c.square(norm), c.mul(FADING, squaresMax));
  const least = c.where(c.less(most, c.mul(STALE, squares)), FRESH, PLAIN.fresh);
  const later = c.max(least, c.div(RECENT, c.add(applied, RECENT)));
  const fresh = c.where(varies, c.where(c.less(0, squaresMax), later, 1), PLAIN.fresh);
  return {
    average: { ...average, squaresMax: c.where(c.and(varies, moves), most, squaresMax) },
    weight: { varies, fresh, kept: c.sub(1, fresh) },
  };
}

/** A factor ≤ 1 where the gradient is longer than `limit` times the root mean square of its norm so far. */
export function shortened<A>(
  c: Algebra<A>,
  average: Average<Value<A>>,
  { limit, clips }: { limit: Value<A> | undefined; clips: Flag<A> },
  norm: Value<A>,
  { moves, counts, weight }: { moves: Flag<A>; counts: Flag<A>; weight: SquareWeight<A> },
): { average: Average<Value<A>>; factor: Value<A> } {
  if (limit === undefined) return { average, factor: 1 };
  const next = (taken: Flag<A>, before: Value<A>, value: Value<A>, { kept, fresh } = weight) =>
    c.where(taken, c.add(c.mul(kept, before), c.mul(fresh, value)), before);
  const typicalOf = (squares: Value<A>, bias: Value<A>) =>
    c.sqrt(c.div(squares, c.where(weight.varies, 1, c.max(bias, TINY))));
  const bounds = c.and(clips, c.less(0, average.squares));
  const before = bounds === false ? 0 : typicalOf(average.squares, average.squaresBias);
  const counted = c.where(bounds, c.min(norm, c.mul(MOST_COUNTED, before)), norm);
  const squares = next(moves, average.squares, c.square(counted));
  const squaresBias = next(counts, average.squaresBias, 1, PLAIN);
  const typical = typicalOf(squares, squaresBias);
  const factor = c.min(1, c.mul(limit, c.div(typical, c.max(norm, TINY))));
  return { average: { ...average, squares, squaresBias }, factor: c.where(c.less(0, norm), factor, 1) };
}

/** β after so many steps: less where the average has forgotten a part of them. `forgets`: could it ever? */
export function interpolationOf<A>(
  c: Algebra<A>,
  interpolation: number,
  age: Value<A>,
  steps: Value<A>,
  forgets: Flag<A>,
): Value<A> {
  if (forgets === false) return interpolation;
  const forgotten = c.max(0, c.sub(1, c.div(age, c.max(1, steps))));
  return c.max(LEAST_INTERPOLATION, c.mul(interpolation, c.sub(1, c.square(forgotten))));
}

/** How far the average is behind y, over how far z is ahead of it. */
export const behind = <A>(c: Algebra<A>, interpolation: Value<A>): Value<A> =>
  c.div(c.sub(1, interpolation), interpolation);

/**
 * Where ⟨e, g⟩ was below 0 for long, by so many standard errors, the average forgets half of its age, and β falls. `left`: what
 * is left of e then, so that neither y nor the average moves. `steps`: how many there were, with this one.
 */
export function lookedBack<A>(
  c: Algebra<A>,
  average: Average<Value<A>>,
  { interpolation, power }: Averaging,
  { slope, looks, steps }: { slope: Value<A>; looks: Flag<A>; steps: Value<A> },
): { average: Average<Value<A>>; left: Value<A> } {
  if (looks === false) return { average, left: 1 };
  const fresh = 1 / EVIDENCE;
  const mean = c.where(looks, c.add(average.slope, c.mul(fresh, c.sub(slope, average.slope))), average.slope);
  const kept = c.mul(Math.sqrt(1 - fresh), average.rootSlope);
  const root = c.where(looks, c.hypot(kept, c.mul(Math.sqrt(fresh), c.abs(slope))), average.rootSlope);
  const slopes = c.add(average.slopes, c.where(looks, 1, 0));
  // Below 0, and by so many standard errors.
  const certain = c.less(c.mul(ERRORS / Math.sqrt(EVIDENCE), root), c.sub(0, mean));
  const forgets = c.and(looks, certain, c.less(EVIDENCE - 0.5, slopes));
  const age = c.mul(c.where(forgets, 0.5, 1), average.age);
  const behindAt = (age: Value<A>) => behind(c, interpolationOf(c, interpolation, age, steps, true));
  return {
    left: c.where(forgets, c.div(behindAt(average.age), behindAt(age)), 1),
    average: {
      ...average,
      age,
      weightSum: c.where(forgets, c.div(age, power + 1), average.weightSum),
      slope: c.where(forgets, 0, mean),
      rootSlope: c.where(forgets, 0, root),
      slopes: c.where(forgets, 0, slopes),
    },
  };
}
