import { expectFunction, expectNumber } from "../../common/expect.js";
import type { Optimizer } from "../../optimizer.js";
import type { LossGrad } from "../loss-grad.js";
import { norm } from "../vectors.js";
import { Work } from "../work.js";
import { respond, RESPONSE_KEYS, type OptimizerResponseOptions } from "./optimizer-response.js";
import {
  checkOptions,
  distancesOf,
  EXPONENT_KEYS,
  type ExponentOptions,
  type TrainingMap,
  type TrajectoryResponse,
} from "./perturbations.js";
import { judgeResponse } from "./verdicts.js";

/** Options of {@link impulseResponse} for a training map. */
export interface ImpulseOptions extends Omit<ExponentOptions, "skip"> {
  /** s: the step after which the state is perturbed, ≥ 0. */
  at: number;
}

/** Options of {@link impulseResponse} for an optimizer. */
export interface OptimizerImpulseOptions extends OptimizerResponseOptions {
  /** s: the step after which the parameters are moved, counted from where the optimizer is, ≥ 0 and below `steps`. */
  at: number;
}

/** How an impulse fares: as {@link TrajectoryResponse}, from the impulse on. */
export type ImpulseResponse = Omit<TrajectoryResponse, "exponent">;

/**
 * What becomes of an impulse: ‖δ_T‖ / ‖δ_s‖ after the state was moved by δ0 u behind step s (the profile's response to updates,
 * arXiv 2512.21208). On a quadratic it is Π_{t>s} |1 − α_t λ| along an eigenvector. With an exponentially decaying rate late
 * impulses are never forgotten. Costs T + (T − s) gradients.
 *
 * @param map one step
 * @param start the state to begin with, n numbers
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when a state is not finite
 * @example
 * import { impulseResponse } from "superlevel/stability";
 * const decaying = (x: Float64Array, t: number) => void (x[0] -= 0.5 * Math.exp(-0.01 * t) * 0.1 * x[0]);
 * const { response } = await impulseResponse(decaying, [1], { steps: 1000, at: 300 });
 * response; // → 0.781
 */
export function impulseResponse(
  map: TrainingMap,
  start: ArrayLike<number>,
  options: ImpulseOptions,
): Promise<ImpulseResponse>;
/**
 * The same for an optimizer, from its present point: a copy of its whole state takes s steps, is then copied once more and moved,
 * and both go on to step T. The optimizer itself stays as it is.
 *
 * @param optimizer where to begin
 * @param lossGrad as for {@link optimizerResponse}
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" as `step` does
 * @example
 * import { createOptimizer, exponentialDecay, sgd } from "superlevel";
 * import { fromSource, impulseResponse } from "superlevel/stability";
 * const bowl = ([x]: Float32Array, g: Float32Array) => ((g[0] = x), (x * x) / 2);
 * const learningRate = exponentialDecay({ initial: 0.5, rate: 0.1 });
 * const optimizer = createOptimizer([1], { base: sgd({ learningRate }), tuner: null });
 * const at = async (step: number) =>
 *   (await impulseResponse(optimizer, fromSource(bowl), { steps: 60, at: step })).response;
 * await at(0); // → 0.004
 * await at(40); // → 0.93
 * optimizer.iterations; // → 0
 */
export function impulseResponse(
  optimizer: Optimizer,
  lossGrad: LossGrad,
  options: OptimizerImpulseOptions,
): Promise<ImpulseResponse>;
export async function impulseResponse(
  subject: TrainingMap | Optimizer,
  given: ArrayLike<number> | LossGrad,
  options: ImpulseOptions | OptimizerImpulseOptions,
): Promise<ImpulseResponse> {
  if (typeof subject !== "object" || subject === null)
    return impulseOfMap(subject, given as ArrayLike<number>, options as ImpulseOptions);
  const keys = [...RESPONSE_KEYS, "at"];
  return respond("impulseResponse", subject, given as LossGrad, options, keys);
}

async function impulseOfMap(
  map: TrainingMap,
  start: ArrayLike<number>,
  options: ImpulseOptions,
): Promise<ImpulseResponse> {
  const name = "impulseResponse";
  expectFunction("map", map);
  const keys = [...EXPONENT_KEYS.filter((key) => key !== "skip"), "at"];
  const { reference, steps, size, direction } = checkOptions(name, options, start, keys);
  const at = expectNumber(`${name}.at`, options.at, { min: 0, max: steps - 1, integer: true });
  const work = new Work(name, options, steps);
  for (let step = 1; step <= at; step++) {
    await map(reference, step, "reference");
    await work.tick();
  }
  const delta = size * (1 + norm(reference));
  const perturbed = reference.map((value, i) => value + delta * direction[i]);
  const distances = await distancesOf([map, map], [reference, perturbed], at, steps, work);
  const logs = distances.map((d) => Math.log(Math.max(d, Number.MIN_VALUE) / distances[0]));
  return { logs, response: distances[distances.length - 1] / distances[0], steps, ...judgeResponse(logs) };
}
