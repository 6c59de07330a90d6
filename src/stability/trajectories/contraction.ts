import { expectFunction, expectNumber, expectOptions, show } from "../../common/expect.js";
import type { Optimizer } from "../../optimizer.js";
import { expectPoint, LossFunction, type LossGrad } from "../loss-grad.js";
import { distance, norm } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";
import { cloneOf, expectOptimizer, Pair } from "./optimizer-response.js";
import { stepBoth, type TrainingMap } from "./perturbations.js";

/** Options of {@link contractionRate}. */
export interface ContractionOptions extends WorkOptions {
  /** T, ≥ 1. */
  steps: number;
  /** Steps before the first one that counts, ≥ 0 and below `steps`; default half of those whose distances are more than rounding. */
  skip?: number;
  /**
   * Distances up to floor · max(‖x‖, ‖y‖) are rounding, > 0: they and what follows do not count. Default 2⁻⁴⁴ for a map, which works in
   * float64, and 2⁻¹⁵ for optimizers, which round to float32.
   */
  floor?: number;
}

/** How fast two runs approach each other. */
export interface Contraction {
  /** q of ‖x_t − y_t‖ ≈ C qᵗ, per step: below 1 the runs approach, above 1 they part. 0 where they met within one step. */
  readonly rate: number;
  /** The standard error of q; 0 where fewer than three distances count. */
  readonly error: number;
  /** Root mean square of ln ‖x_t − y_t‖ − ln (C qᵗ): 0.01 where distances are within some 1 % of the fit. */
  readonly spread: number;
  /** The largest ‖x_{t+1} − y_{t+1}‖ / ‖x_t − y_t‖ of the whole run before rounding: up to 1 no step drives the runs apart. */
  readonly largest: number;
  /** The first and the last t whose distances count. */
  readonly from: number;
  readonly to: number;
  /** ‖x_t − y_t‖ for t = 0 … T. */
  readonly distances: Float64Array;
}

/** The squares of what is shorter are no normal numbers. */
const SHORTEST = 2 ** -500;

/** Two runs, step by step. */
interface Runs {
  step(t: number): void | Promise<void>;
  distance(): number;
  /** max(‖x‖, ‖y‖). */
  length(): number;
}

/**
 * How fast two runs of one training map approach each other: q of ‖x_t − y_t‖ ≈ C qᵗ, by least squares of ln ‖x_t − y_t‖ over the
 * late steps, with its standard error (after arXiv 2512.21208, which asks for contraction alone). Gradient descent on a quadratic
 * has q = max |1 − η λ|, the heavy ball √β where it swings. Costs two gradients a step.
 *
 * @param map one step, the same for both runs: same batches, same seeds
 * @param starts where they begin, two different states of n numbers
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when a state is not finite
 * @example
 * import { contractionRate } from "superlevel/stability";
 * const descent = (x: Float64Array) => x.forEach((value, i) => (x[i] -= 0.1 * [1, 4, 9][i] * value));
 * const { rate, error, largest } = await contractionRate(descent, [[1, 1, 1], [-1, 2, 0]], { steps: 200 });
 * rate; // → 0.900000
 * error; // → < 1e-9
 * largest; // → < 1
 */
export function contractionRate(
  map: TrainingMap,
  starts: readonly [ArrayLike<number>, ArrayLike<number>],
  options: ContractionOptions,
): Promise<Contraction>;
/**
 * The same for two optimizers, in the norm of their parameters: copies of their whole states take the steps, and they stay as they
 * are.
 *
 * @param optimizers two that have taken equally many steps, of equally many parameters
 * @param lossGrad is told the steps' numbers, which must be all that it depends on besides the parameters
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" as `step` does
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { contractionRate, fromSource } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 4 * y]), (x * x + 4 * y * y) / 2);
 * const at = (x: number[]) => createOptimizer(x, { base: sgd({ learningRate: 0.1 }), tuner: null });
 * const { rate } = await contractionRate([at([1, 1]), at([-2, 3])], fromSource(bowl), { steps: 60 });
 * rate; // → 0.9000
 */
export function contractionRate(
  optimizers: readonly [Optimizer, Optimizer],
  lossGrad: LossGrad,
  options: ContractionOptions,
): Promise<Contraction>;
export async function contractionRate(
  subject: TrainingMap | readonly [Optimizer, Optimizer],
  given: readonly [ArrayLike<number>, ArrayLike<number>] | LossGrad,
  options: ContractionOptions,
): Promise<Contraction> {
  const name = "contractionRate";
  expectOptions(name, options, ["steps", "skip", "floor", ...WORK_KEYS]);
  const steps = expectNumber(`${name}.steps`, options.steps, { min: 1, integer: true });
  const { skip } = options;
  if (skip !== undefined) expectNumber(`${name}.skip`, skip, { min: 0, max: steps - 1, integer: true });
  const ofOptimizers = Array.isArray(subject);
  const floor = expectNumber(`${name}.floor`, options.floor ?? 2 ** (ofOptimizers ? -15 : -44), { above: 0 });
  const runs = ofOptimizers
    ? runsOfOptimizers(subject as readonly Optimizer[], given as LossGrad)
    : runsOfMap(subject as TrainingMap, given as readonly ArrayLike<number>[]);
  const work = new Work(name, options, steps);
  const distances = new Float64Array(steps + 1);
  distances[0] = runs.distance();
  if (!(distances[0] > 0)) throw new RangeError(`${name}: expected runs that begin at different points`);
  let last = steps;
  for (let t = 1; t <= steps; t++) {
    await runs.step(t);
    distances[t] = runs.distance();
    if (t < last && distances[t] <= Math.max(floor * runs.length(), SHORTEST)) last = t;
    await work.tick();
  }
  return { ...fit(distances, last, skip), distances };
}

function runsOfMap(map: TrainingMap, starts: readonly ArrayLike<number>[]): Runs {
  expectFunction("map", map);
  if (!Array.isArray(starts) || starts.length !== 2)
    throw new TypeError(`starts: expected two states, got ${show(starts)}`);
  const x = expectPoint("starts[0]", starts[0]);
  const y = expectPoint("starts[1]", starts[1], x.length);
  return {
    step: (t) => stepBoth([map, map], [x, y], t),
    distance: () => distance(x, y),
    length: () => Math.max(norm(x), norm(y)),
  };
}

function runsOfOptimizers(optimizers: readonly Optimizer[], lossGrad: LossGrad): Runs {
  if (optimizers.length !== 2)
    throw new TypeError(`optimizers: expected two of them, got ${optimizers.length}`);
  optimizers.forEach(expectOptimizer);
  const [one, other] = optimizers;
  for (const key of ["size", "iterations"] as const)
    if (one[key] !== other[key])
      throw new RangeError(`optimizers: expected two of the same ${key}, got ${one[key]} and ${other[key]}`);
  const both = [cloneOf(one), cloneOf(other)] as const;
  const pair = new Pair(both, new LossFunction("lossGrad", lossGrad, one.size), []);
  return {
    step: () => pair.step(),
    distance: () => pair.distance,
    length: () => Math.max(norm(both[0].params), norm(both[1].params)),
  };
}

/** Least squares of ln d_t over t = from … to, up to where rounding begins. */
function fit(distances: Float64Array, last: number, skip?: number): Omit<Contraction, "distances"> {
  let largest = 0;
  for (let t = 1; t <= last; t++) largest = Math.max(largest, distances[t] / distances[t - 1]);
  // What rounding has reached itself does not count, but where nothing else is left.
  const rounded = last < distances.length - 1 && last > 1;
  const to = rounded ? last - 1 : last;
  const from = Math.min(skip ?? to >> 1, to - 1);
  const count = to - from + 1;
  const logs = Array.from(distances.subarray(from, to + 1), Math.log);
  if (logs[count - 1] === -Infinity) return { rate: 0, error: 0, spread: 0, largest, from, to };
  const mean = logs.reduce((sum, value) => sum + value, 0) / count;
  const middle = (count - 1) / 2;
  const squares = (count * (count * count - 1)) / 12;
  const slope = logs.reduce((sum, value, k) => sum + (k - middle) * value, 0) / squares;
  const missed = logs.reduce((sum, value, k) => sum + (value - mean - slope * (k - middle)) ** 2, 0);
  const rate = Math.exp(slope);
  const error = count > 2 ? rate * Math.sqrt(missed / (count - 2) / squares) : 0;
  return { rate, error, spread: Math.sqrt(missed / count), largest, from, to };
}
