import { OptimizerError } from "../../common/errors.js";
import { expectFunction, expectNumber, expectNumbers, expectOptions } from "../../common/expect.js";
import { largest } from "../../common/extremes.js";
import { expectPoint } from "../loss-grad.js";
import { judgeResponse, type ResponseVerdicts } from "./verdicts.js";
import { distance, norm, randomUnit, unit } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/**
 * One step of training in float64: changes `state` in place. The state may hold more than parameters, momentum for one.
 * Each step is taken on the reference trajectory first and then on the perturbed one, so that the second may share what the
 * first has found, such as Adam's second moments: with its own it reports only how slowly they forget, ln β2.
 */
export type TrainingMap = (
  state: Float64Array,
  step: number,
  trajectory: "reference" | "perturbed",
) => void | Promise<void>;

/** Options of {@link lyapunovExponent}. */
export interface ExponentOptions extends WorkOptions {
  /** T, ≥ 1. */
  steps: number;
  /** u, the direction of the perturbation; default random. */
  direction?: ArrayLike<number>;
  /** δ0 = size · (1 + ‖x‖), > 0; default 2⁻²⁶. A map that rounds to float32 needs 2⁻¹² or so. */
  size?: number;
  /** Of the random direction; default 0. */
  seed?: number;
  /** Steps before the first one counted, ≥ 0: default 0. */
  skip?: number;
}

/** How far a perturbed trajectory goes from its reference. */
export interface TrajectoryResponse extends ResponseVerdicts {
  /** χ = (1/T) Σ ln(‖δ_{t+1}‖ / ‖δ_t‖), per step. */
  readonly exponent: number;
  /** ln(‖δ_t‖ / ‖δ_0‖) for t = 0 … T, to first order in δ. */
  readonly logs: Float64Array;
  /** ‖δ_T‖ / ‖δ_0‖. */
  readonly response: number;
  readonly steps: number;
}

export const EXPONENT_KEYS = ["steps", "direction", "size", "seed", "skip", ...WORK_KEYS];

/** 2⁻²⁶ is the root of float64's rounding: differences and their squares both keep half of the digits. */
const SIZE = 2 ** -26;

export function checkOptions(
  name: string,
  options: ExponentOptions,
  start: ArrayLike<number>,
  keys: readonly string[] = EXPONENT_KEYS,
) {
  expectOptions(name, options, keys);
  const reference = expectPoint("start", start);
  const { direction } = options;
  if (direction !== undefined) expectNumbers(`${name}.direction`, direction, reference.length);
  const given = direction && unit(direction);
  if (direction && !given) throw new RangeError(`${name}.direction: expected a vector that is not 0`);
  return {
    reference,
    steps: expectNumber(`${name}.steps`, options.steps, { min: 1, integer: true }),
    skip: expectNumber(`${name}.skip`, options.skip ?? 0, { min: 0, integer: true }),
    size: expectNumber(`${name}.size`, options.size ?? SIZE, { above: 0 }),
    direction: given ?? randomUnit(reference.length, options.seed ?? 0),
  };
}

function expectState(state: Float64Array, step: number): void {
  const bad = state.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new OptimizerError("diverged", `map: step ${step} made state[${bad}] ${state[bad]}`, { step });
}

/** A step of the reference trajectory, and then one of the perturbed. */
export async function stepBoth(
  [map, perturbedMap]: readonly [TrainingMap, TrainingMap],
  [reference, perturbed]: readonly [Float64Array, Float64Array],
  step: number,
): Promise<void> {
  await map(reference, step, "reference");
  await perturbedMap(perturbed, step, "perturbed");
  expectState(reference, step);
  expectState(perturbed, step);
}

/**
 * The finite-time Lyapunov exponent of a training map (Benettin et al., 1980): a second trajectory starts δ0 u away, takes the
 * same steps, and is brought back to the distance δ0 after each, along the line between the two. Costs one gradient a step more
 * than the run. With χ < 0 runs forget where they began, with χ > 0 they part. Whether the response is bounded, and whether it
 * vanishes, does not follow from χ.
 *
 * @param map one step, the same for both trajectories: same batches, same seeds
 * @param start the state to begin with, n numbers
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when a state is not finite
 * @example
 * import { lyapunovExponent } from "superlevel/stability";
 * const descent = (x: Float64Array) => x.forEach((value, i) => (x[i] -= 0.1 * [1, 4, 9][i] * value));
 * const { exponent, terminalDecay } = await lyapunovExponent(descent, [1, 1, 1], { steps: 500 });
 * exponent.toFixed(3); // → "-0.106"
 * Math.log(0.9).toFixed(3); // → "-0.105"
 * terminalDecay.verdict; // → "decays"
 */
export async function lyapunovExponent(
  map: TrainingMap,
  start: ArrayLike<number>,
  options: ExponentOptions,
): Promise<TrajectoryResponse> {
  expectFunction("map", map);
  const { reference, steps, skip, size, direction } = checkOptions("lyapunovExponent", options, start);
  const work = new Work("lyapunovExponent", options, steps + skip);
  const perturbed = reference.slice();
  const logs = new Float64Array(steps + 1);
  let u: Float64Array = direction;
  for (let step = 1; step <= skip + steps; step++) {
    const delta = size * (1 + norm(reference));
    for (let i = 0; i < perturbed.length; i++) perturbed[i] = reference[i] + delta * u[i];
    const before = distance(perturbed, reference);
    await stepBoth([map, map], [reference, perturbed], step);
    const after = distance(perturbed, reference);
    const t = step - skip;
    // Where rounding has made the difference 0, the smallest number stands for it: its logarithm is finite.
    const growth = Math.log(Math.max(after, Number.MIN_VALUE) / before);
    if (t > 0) logs[t] = logs[t - 1] + growth;
    u = unit(perturbed.map((value, i) => value - reference[i])) ?? u;
    await work.tick();
  }
  const response = Math.exp(logs[steps]);
  return { exponent: logs[steps] / steps, logs, response, steps, ...judgeResponse(logs) };
}

/** ‖perturbed − reference‖ at step `from` and after each later step, up to `to`. */
export async function distancesOf(
  maps: readonly [TrainingMap, TrainingMap],
  [reference, perturbed]: readonly [Float64Array, Float64Array],
  from: number,
  to: number,
  work: Work,
): Promise<Float64Array> {
  const distances = new Float64Array(to - from + 1);
  distances[0] = distance(perturbed, reference);
  for (let step = from + 1; step <= to; step++) {
    await stepBoth(maps, [reference, perturbed], step);
    distances[step - from] = distance(perturbed, reference);
    await work.tick();
  }
  return distances;
}

/** Options of {@link swapResponse}. */
export interface SwapOptions extends WorkOptions {
  /** T, ≥ 1. */
  steps: number;
}

/**
 * Algorithmic stability (Hardt, Recht, Singer, arXiv 1509.01240): how far apart two runs end that began at one point and
 * differ in one training example.
 *
 * @param map a step on the one training set
 * @param swapped a step on the other
 * @param start where both begin, n numbers
 * @returns ‖x'_t − x_t‖ for t = 0 … T, and the last and largest of them
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when a state is not finite
 * @example
 * import { swapResponse } from "superlevel/stability";
 * const towards = (target: number) => (x: Float64Array) => void (x[0] -= 0.5 * (x[0] - target));
 * (await swapResponse(towards(1), towards(1.1), [0], { steps: 30 })).last.toFixed(6); // → "0.100000"
 */
export async function swapResponse(
  map: TrainingMap,
  swapped: TrainingMap,
  start: ArrayLike<number>,
  options: SwapOptions,
): Promise<{ distances: Float64Array; last: number; largest: number }> {
  expectFunction("map", map);
  expectFunction("swapped", swapped);
  const { reference, steps } = checkOptions("swapResponse", options, start, ["steps", ...WORK_KEYS]);
  const work = new Work("swapResponse", options, steps);
  const states = [reference, reference.slice()] as const;
  const distances = await distancesOf([map, swapped], states, 0, steps, work);
  return { distances, last: distances[steps], largest: largest(distances) };
}

/**
 * How far one example among n can move the result of descent on convex losses: (2 G / n) Σ α_t, for all times at once where
 * Σ α converges. Needs α ≤ 2 / β, β the largest curvature of one example's loss (arXiv 1509.01240, theorem 3.8).
 *
 * @param options.gradientBound G: largest ‖∇ℓ_i‖, ≥ 0
 * @param options.examples n, ≥ 1
 * @param options.totalRate Σ α_t, ≥ 0, for example `reachBudget(…).total`
 * @example
 * import { swapBound } from "superlevel/stability";
 * swapBound({ gradientBound: 1, examples: 200, totalRate: 99.5 }); // → 0.995
 */
export function swapBound(options: { gradientBound: number; examples: number; totalRate: number }): number {
  expectOptions("swapBound", options, ["gradientBound", "examples", "totalRate"]);
  const g = expectNumber("swapBound.gradientBound", options.gradientBound, { min: 0 });
  const n = expectNumber("swapBound.examples", options.examples, { min: 1 });
  return (2 * g * expectNumber("swapBound.totalRate", options.totalRate, { min: 0 })) / n;
}
