import { KINDS, type GradientKind } from "../common/kinds.js";

/** Where a run stands. */
export interface Clock {
  /** Steps taken, the skipped ones included. */
  iterations: number;
  skipped: number;
  /** The step of the last anchor; 0 before the first. */
  windowStart: number;
  learningRate: number;
  /** Largest gradient norm so far. */
  gradNormMax: number;
  /** Updates before momentum last started from 0; 0 unless a step was rejected. */
  momentumStart: number;
  /** What a guard multiplies the rate by, in (0, 1]. */
  rateFactor: number;
  gradients: GradientKind;
  /** Anchors so far, by hand as well: there may be more of them than steps. */
  anchors: number;
  /** Of schedule-free averaging: t in the weights w, Σ w over the newest of them, and the largest rate. */
  age: number;
  weightSum: number;
  rateMax: number;
  /** Running mean of ‖g‖², and the largest of late. */
  squaresMean: number;
  squaresMax: number;
  /** Running means of ⟨e, g⟩ and of its square, and over how many steps. */
  slopeMean: number;
  slopeSquares: number;
  slopes: number;
  /** What a run knows that another one goes on from. */
  watch?: Watch;
}

/** What a run that watches its loss goes by from step to step. */
export interface Watch {
  /** The first loss, the lowest, the one that the lowest is compared with, and for how many steps it has not fallen. */
  readonly first?: number;
  readonly best?: number;
  readonly reference?: number;
  readonly waited?: number;
  /** Steps in a row that a level held in place. */
  readonly held?: number;
  /** V as the guard's probe measured it last; null where it is no measure of the next step. */
  readonly probed?: number | null;
  /** The loss where the run ended. A run that begins with another one is not the same. */
  readonly loss?: number;
}

export const newClock = (gradients: GradientKind): Clock => ({
  iterations: 0,
  skipped: 0,
  windowStart: 0,
  learningRate: 0,
  gradNormMax: 0,
  momentumStart: 0,
  rateFactor: 1,
  gradients,
  anchors: 0,
  ...newAverage(),
  rateMax: 0,
  squaresMean: 0,
  squaresMax: 0,
  watch: undefined,
});

/** An average of nothing. */
export const newAverage = () => ({ age: 0, weightSum: 0, slopeMean: 0, slopeSquares: 0, slopes: 0 });

/** Every number of a clock: counts of steps, of steps that moved the parameters, and what only those change. */
const COUNTS = ["iterations", "skipped", "windowStart", "anchors"] as const;
const APPLIED_COUNTS = ["momentumStart", "slopes"] as const;
const MEASURES = [
  ...(["learningRate", "gradNormMax", "age", "weightSum", "rateMax"] as const),
  ...(["squaresMean", "squaresMax", "slopeSquares"] as const),
];

/** JSON has null for what is no number: a V, or a loss. */
const OPEN = ["probed", "loss"];
const WATCHED = ["first", "best", "reference", "waited", "held", ...OPEN];

const isWatch = (watch: unknown): boolean =>
  watch === undefined ||
  (typeof watch === "object" &&
    watch !== null &&
    Object.entries(watch).every(([name, value]) =>
      value === null ? OPEN.includes(name) : WATCHED.includes(name) && Number.isFinite(value),
    ));

/** A clock out of a saved state; undefined where it is damaged. */
export function checkClock(clock: unknown): Clock | undefined {
  const found = (clock ?? {}) as Clock;
  const { gradients, slopeMean, rateFactor } = found;
  // Whatever else is there, a stack may end at making it a number.
  const numbers = [...COUNTS, ...APPLIED_COUNTS, ...MEASURES].every(
    (name) => typeof found[name] === "number",
  );
  const applied = numbers ? found.iterations - found.skipped : -1;
  const isCount = (value: number, most: number) => Number.isSafeInteger(value) && value >= 0 && value <= most;
  const isMeasure = (value: number) => Number.isFinite(value) && value >= 0 && (applied > 0 || value === 0);
  const whole =
    numbers &&
    COUNTS.every((name) => isCount(found[name], name === "anchors" ? Infinity : found.iterations)) &&
    APPLIED_COUNTS.every((name) => isCount(found[name], applied)) &&
    MEASURES.every((name) => isMeasure(found[name])) &&
    Number.isFinite(slopeMean) &&
    Number.isFinite(rateFactor) &&
    rateFactor >= 0 &&
    rateFactor <= 1 &&
    KINDS.includes(gradients) &&
    isWatch(found.watch);
  if (!whole) return undefined;
  // In the order of a new clock, so that what is saved again has the same bytes.
  const fields = Object.keys(newClock(gradients)).map((name) => [name, found[name as keyof Clock]]);
  return Object.fromEntries(fields) as Clock;
}
