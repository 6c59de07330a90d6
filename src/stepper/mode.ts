import { biasOf } from "../bases/base.js";
import { KERNELS } from "../bases/kernels.js";
import type { Clock } from "./clock.js";
import type { Config, Resolved } from "./config.js";
import { Summary, Scalar } from "../engine/kernels.js";
import type { Engine } from "../engine/program.js";
import { NOISE_LIMIT, startRatio, type Mode } from "./gradients.js";
import type { GradientKind } from "../common/kinds.js";

/* What a step finds out before it changes anything, and what a mode means to the kernels and to the clock. */

/**
 * What gradients are, as far as the one in the engine can tell beside the first, unless they are known to be exact; and what
 * S is multiplied by when that is settled. "undecided" where it is the first.
 */
export function judge(
  { kernels }: Engine,
  { rule: { firstGradient, bare }, modes }: Pick<Resolved, "rule" | "modes">,
  clock: Readonly<Clock>,
  exact: boolean,
): { kind: GradientKind; rescaling: number } {
  // Momentum that starts again has no gradient to compare with.
  if (clock.iterations - clock.skipped === clock.momentumStart) return { kind: "undecided", rescaling: 1 };
  const { slot, times } = firstGradient ?? { slot: bare.leadSlot, times: 1 };
  const change = kernels.gradientChange(slot, times);
  const kind = change > NOISE_LIMIT && !exact ? "noisy" : "exact";
  return { kind, rescaling: startRatio(modes, kind, change) };
}

/** The factor that clips the gradient's norm, and the norm that the base sees. */
export function clipping(
  { kernels }: Engine,
  { norm, value }: Config["clip"],
  gradNorm: number,
): { clipScale: number; usedNorm: number } {
  const bounded = value === undefined ? gradNorm : Math.sqrt(kernels.clippedSquares());
  // PyTorch's clip_grad_norm_, with its 1e-6.
  const clipScale = norm === undefined ? 1 : Math.min(1, norm / (bounded + 1e-6));
  return { clipScale, usedNorm: bounded * clipScale };
}

/**
 * Could a step overflow? Then the state is copied first, to go back to. The bound is crude and far away: the base's update
 * is at most 10 000 times the rate times the largest of gradient, parameters and 1. `rescaling`: what the scale is multiplied
 * by besides.
 */
export function couldOverflow(
  { summary }: Engine,
  { config, program, rateFactor, scaleGrowth }: Resolved,
  { start }: Mode,
  eta: number,
  gradNormMax: number,
  rescaling: number,
): boolean {
  const paramsNorm = Math.sqrt(summary[Summary.paramsSquares]);
  const deltaNorm = Math.sqrt(summary[Summary.deltaSquares]);
  const sInit = summary[Summary.sInitMax];
  const scale = Math.max(summary[Summary.scaleMax], sInit) * scaleGrowth * rescaling;
  const update = 1e4 * (eta * rateFactor) * (gradNormMax + paramsNorm + 1);
  let reach = (deltaNorm + update) * Math.max(1, 10 * scale) + paramsNorm;
  // A step that is to find s_init leads so far whatever the base's update is.
  if (start > 0 && sInit === 0) reach += start * Math.max(paramsNorm, Math.sqrt(program.size)) * scaleGrowth;
  // Every coordinate's tuner keeps h² in float32: of ⟨Δ, g⟩, and of the pull in each form.
  if (program.perCoordinate) {
    const pull = scale * deltaNorm * (1 + deltaNorm / paramsNorm) + 1 / paramsNorm;
    reach += gradNormMax * (deltaNorm + config.tuner!.lambda * pull);
  }
  return !(reach < 1e17);
}

/** Writes what stays the same from step to step while the mode and the window last. */
export function enterMode({ scalars }: Engine, mode: Mode, anchors: number, limited: boolean): void {
  const growthLimit = limited ? mode.growthLimit : null;
  scalars[Scalar.base] = KERNELS.indexOf(mode.kernel);
  scalars[Scalar.firstSlot] = mode.firstSlot;
  scalars[Scalar.leadSlot] = mode.leadSlot;
  scalars[Scalar.ownFloor] = Number(mode.ownFloor);
  scalars[Scalar.rewardLimit] = mode.rewardLimit;
  scalars[Scalar.growthLimit] = growthLimit
    ? anchors === 0
      ? growthLimit.first
      : growthLimit.later
    : Infinity;
  scalars[Scalar.start] = mode.start;
}

/** What a step changes in the clock, besides counts. One object for all steps: small ones would be most of what they drop. */
export type After = Pick<
  Clock,
  "age" | "rateMax" | "weightSum" | "squaresMean" | "squaresMax" | "learningRate" | "gradNormMax"
>;

/** Several times as fast as `Object.assign`. */
export function keep(after: After, clock: Clock): void {
  clock.age = after.age;
  clock.rateMax = after.rateMax;
  clock.weightSum = after.weightSum;
  clock.squaresMean = after.squaresMean;
  clock.squaresMax = after.squaresMax;
  clock.learningRate = after.learningRate;
  clock.gradNormMax = after.gradNormMax;
}

/**
 * c_t = w_t / Σ w, w_t = t^power · η_max^ratePower; and what the clock is to hold after the step. The sum is kept in units
 * of the newest weight, as weights themselves may leave the finite numbers: 65 536^64 does.
 */
export function weigh({ averaging }: Mode, clock: Readonly<Clock>, eta: number, after: Partial<After>) {
  const { age, rateMax, weightSum } = clock;
  after.age = averaging ? age + 1 : age;
  after.rateMax = averaging ? Math.max(rateMax, eta) : rateMax;
  after.weightSum = weightSum;
  if (!averaging || (after.rateMax === 0 && averaging.ratePower > 0)) return 0;
  const unit = power(age / after.age, averaging.power) * power(rateMax / after.rateMax, averaging.ratePower);
  after.weightSum = unit * weightSum + 1;
  return 1 / after.weightSum;
}

/** x^y, where `**` itself would take as long as all the rest of a step of few parameters. */
const power = (x: number, y: number): number => (y === 2 ? x * x : x ** y);

/** The mean of ‖g‖² decays like Adam's of g², where no step weighs them. */
export const SQUARES_DECAY = 0.999;
const squaresBias = biasOf(SQUARES_DECAY);

/** Second moments remember 1 / RECENT of the steps so far, and at most a thousand. */
export const RECENT = 5;
/** A mean is stale where no gradient of late has had this share of it: the largest ‖g‖² fades by so much a step. */
export const STALE = 0.1;
export const FADING = 0.98;
/** What g² weighs in a mean that is stale. */
export const FRESH = 0.1;

/** What g² weighs in second moments, and ‖g‖² in its mean alike. The first that is weighed has all the weight: there is no bias to correct. */
export function weightOfSquare(
  { weighsSquares }: Mode,
  { squaresMean, squaresMax }: Readonly<Clock>,
  applied: number,
  norm: number,
  after: Pick<After, "squaresMax">,
): number {
  after.squaresMax = squaresMax;
  if (!weighsSquares) return 1 - SQUARES_DECAY;
  after.squaresMax = Math.max(norm * norm, FADING * squaresMax);
  const least = after.squaresMax < STALE * squaresMean ? FRESH : 1 - SQUARES_DECAY;
  return squaresMax === 0 ? 1 : Math.max(least, RECENT / (applied + RECENT - 1));
}

/** A gradient that is clipped counts in the mean as at most so many times those before it, or the mean would run after it. */
export const MOST_COUNTED = 2;

/** The root mean square of ‖g‖ over so many gradients; Infinity where there were none. Weighed by the steps it has no bias. */
const typicalNorm = ({ weighsSquares }: Mode, squaresMean: number, applied: number): number =>
  applied > 0 ? Math.sqrt(squaresMean / (weighsSquares ? 1 : squaresBias(applied))) : Infinity;

/**
 * A norm up to which gradients, whatever they are, neither are clipped nor make a shorter step, and weigh the same in second
 * moments: where ‖g‖² (b − L² w) ≤ L² (1 − w) ĝ, with the mean ĝ before, its bias b, the weight w and L = gradientLimit.
 */
export function longestWhole(mode: Mode, clock: Readonly<Clock>, applied: number, after: After): number {
  const { gradientLimit, weighsSquares } = mode;
  const { squaresMean, squaresMax } = clock;
  // Whether the mean is stale may depend on the gradient.
  if (weighsSquares && FADING * squaresMax < STALE * squaresMean) return 0;
  const weight = weightOfSquare(mode, clock, applied, 0, after);
  const rest = (weighsSquares ? 1 : squaresBias(applied)) / gradientLimit ** 2 - weight;
  // Less by more than roundings.
  return rest > 0 ? (1 - 1e-6) * Math.sqrt(((1 - weight) * squaresMean) / rest) : Infinity;
}

/** Takes a gradient into the mean of ‖g‖². */
export function remember(
  { squaresMean }: Readonly<Clock>,
  norm: number,
  after: Partial<After>,
  weight: number,
): number {
  return (after.squaresMean = (1 - weight) * squaresMean + weight * norm * norm);
}

/**
 * A factor ≤ 1, where the gradient is longer than gradientLimit times the root mean square of its norm so far, √ĝ:
 * gradientLimit √ĝ / ‖g‖. It is one on the step, so that second moments see the gradient as it is; or on the gradient,
 * so that momentum does not see it as it is.
 */
export function shorten(
  mode: Mode,
  clock: Readonly<Clock>,
  applied: number,
  norm: number,
  after: Partial<After>,
  weight: number,
): number {
  const usual = mode.clipsLong ? typicalNorm(mode, clock.squaresMean, applied - 1) : Infinity;
  const longest = MOST_COUNTED * usual;
  const mean = remember(clock, longest > 0 ? Math.min(norm, longest) : norm, after, weight);
  // A power takes as long as all the rest of a step of few parameters.
  if (mode.gradientLimit === Infinity || norm === 0) return 1;
  return Math.min(1, (mode.gradientLimit * typicalNorm(mode, mean, applied)) / norm);
}

/** Steps over which ⟨e, g⟩ is averaged, and how many standard errors below 0 its mean has to be. */
export const EVIDENCE = 100;
export const ERRORS = 3;

/** β of an average is at least so much where it has forgotten. */
export const LEAST_INTERPOLATION = 0.5;

/**
 * β, or 0 where nothing is averaged. It is less where the average has forgotten a part of the steps: what lags behind a
 * gradient that turns drives it round, in a game of two players for ever.
 */
export function interpolationOf(
  { averages, averaging, shortensAverage }: Mode,
  clock: Readonly<Clock>,
): number {
  if (!averages) return 0;
  const { interpolation } = averaging!;
  const { age, iterations, skipped, momentumStart } = clock;
  const steps = iterations - skipped - momentumStart;
  if (!shortensAverage || age >= steps) return interpolation;
  const forgotten = 1 - age / steps;
  return Math.max(LEAST_INTERPOLATION, interpolation * (1 - forgotten * forgotten));
}

/** How far the average x̄ is behind y, over how far z is ahead of it: y = (1 − β) z + β x̄. */
export const behind = (interpolation: number): number => (1 - interpolation) / interpolation;

/**
 * Where ⟨e, g⟩ was below 0 for long, z is better than y, and the average remembers too much: it forgets half of its age.
 * That changes nothing where the data stay the same, and matters where they change. Says whether it forgot.
 */
export function shortenAverage({ averaging }: Mode, clock: Clock, slope: number): boolean {
  clock.slopeMean += (slope - clock.slopeMean) / EVIDENCE;
  clock.slopeSquares += (slope * slope - clock.slopeSquares) / EVIDENCE;
  clock.slopes++;
  const { slopes, slopeMean: mean, slopeSquares: squares } = clock;
  if (slopes < EVIDENCE || mean >= 0 || mean * mean * EVIDENCE <= ERRORS * ERRORS * squares) return false;
  clock.age /= 2;
  // The sum of weights up to an age, as an integral.
  clock.weightSum = clock.age / (averaging!.power + 1);
  Object.assign(clock, { slopes: 0, slopeMean: 0, slopeSquares: 0 });
  return true;
}

/** What a step may promise while S grows: a share of a loss that is known and not negative. */
export function promiseOf({ promise }: Mode, loss: number | undefined): number {
  return loss !== undefined && loss >= 0 ? promise * loss : Infinity;
}

/**
 * How many times as fast as its evidence S may grow. What it was denied, as a step promised too much, it would get back at
 * once otherwise, and x leap along all of Δ. A loss below 0 has no such bound, and denies nothing.
 */
export function catchUpOf(
  { catchUp }: Mode,
  { iterations, windowStart }: Readonly<Clock>,
  loss: number | undefined,
): number {
  return loss !== undefined && loss < 0 ? Infinity : 1 + catchUp / (iterations - windowStart);
}
