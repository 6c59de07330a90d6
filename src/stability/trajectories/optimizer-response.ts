import { expectBoolean, expectNumber, expectNumbers, expectOptions } from "../../common/expect.js";
import { createOptimizer } from "../../create.js";
import type { Optimizer } from "../../optimizer.js";
import { placesOf } from "../../bases/base.js";
import { resolveBase } from "../../bases/index.js";
import { LossFunction, type LossGrad } from "../loss-grad.js";
import type { TrajectoryResponse } from "./perturbations.js";
import { judgeResponse } from "./verdicts.js";
import { distance, norm, randomUnit } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/** Options of {@link optimizerResponse}. */
export interface OptimizerResponseOptions extends WorkOptions {
  /** Steps to look ahead, ≥ 1; default 50. */
  steps?: number;
  /** δ0 = size · (1 + ‖x‖), > 0; default 2⁻¹², the root of float32's rounding. */
  size?: number;
  /** u; default random. */
  direction?: ArrayLike<number>;
  seed?: number;
  /** The perturbed copy takes the reference's second moments after each step; default true. Its own only tell how they decay. */
  shareSecondMoments?: boolean;
}

/** Another optimizer in the same state. */
export function cloneOf(optimizer: Optimizer): Optimizer {
  const { tensors, ...options } = optimizer.config;
  return createOptimizer(tensors, options).restore(optimizer.save());
}

export function expectOptimizer(optimizer: unknown): void {
  const { config, save } = (optimizer ?? {}) as Partial<Optimizer>;
  if (typeof config === "object" && typeof save === "function") return;
  throw new TypeError("optimizer: expected what createOptimizer returned");
}

/** u of length 1, 0 where frozen. */
function directionOf(
  name: string,
  optimizer: Optimizer,
  { direction, seed = 0 }: OptimizerResponseOptions,
): Float64Array {
  if (direction !== undefined) expectNumbers(`${name}.direction`, direction, optimizer.size);
  const u = direction ? Float64Array.from(direction) : randomUnit(optimizer.size, seed);
  let first = 0;
  optimizer.config.tensors.forEach(({ frozen }, k) => {
    const last = first + optimizer.tensors[k].params.length;
    if (frozen) u.fill(0, first, last);
    first = last;
  });
  const length = norm(u);
  if (!(length > 0)) throw new RangeError(`${name}.direction: expected a vector that is not 0`);
  return u.map((value) => value / length);
}

/** The names of {@link OptimizerResponseOptions}. */
export const RESPONSE_KEYS = ["steps", "size", "direction", "seed", "shareSecondMoments", ...WORK_KEYS];

/** The moments that the second of two runs takes from the first. */
export function sharedSlots({ config }: Optimizer): readonly number[] {
  return placesOf(resolveBase(config.base).rule.slots, "secondMoment", "center");
}

/** Two optimizers that take the same steps, one after the other; the second may share moments of the first. */
export class Pair {
  readonly #both: readonly [Optimizer, Optimizer];
  readonly #lossFunction: LossFunction;
  readonly #slots: readonly number[];
  #isFirst = true;

  constructor(both: readonly [Optimizer, Optimizer], lossFunction: LossFunction, slots: readonly number[]) {
    this.#both = both;
    this.#lossFunction = lossFunction;
    this.#slots = slots;
  }

  /** How far apart they are. */
  get distance(): number {
    const [one, other] = this.#both;
    return distance(one.params, other.params);
  }

  /** A step of both. The first time, the source has to give the same gradient twice. */
  async step(): Promise<void> {
    const [one, other] = this.#both;
    for (const each of this.#both)
      await this.#lossFunction.gradient(each.params, each.grads, each.iterations + 1);
    const { params, grads, iterations } = other;
    const change = distance(grads, one.grads);
    if (this.#isFirst) await this.#lossFunction.expectSameGradient(params, grads, change, iterations + 1);
    this.#isFirst = false;
    one.step();
    other.step();
    for (const slot of this.#slots) other.moments[slot].set(one.moments[slot]);
  }
}

/** {@link optimizerResponse} to an impulse behind step `at` of `steps`. */
export async function respond(
  name: string,
  optimizer: Optimizer,
  lossGrad: LossGrad,
  options: OptimizerResponseOptions & { at?: number },
  keys = RESPONSE_KEYS,
): Promise<TrajectoryResponse> {
  expectOptimizer(optimizer);
  const lossFunction = new LossFunction("lossGrad", lossGrad, optimizer.size);
  expectOptions(name, options, keys);
  const steps = expectNumber(`${name}.steps`, options.steps ?? 50, { min: 1, integer: true });
  const at = expectNumber(`${name}.at`, options.at ?? 0, { min: 0, max: steps - 1, integer: true });
  const size = expectNumber(`${name}.size`, options.size ?? 2 ** -12, { above: 0 });
  const shares = expectBoolean(`${name}.shareSecondMoments`, options.shareSecondMoments ?? true);
  const u = directionOf(name, optimizer, options);
  const work = new Work(name, options, steps);
  const reference = cloneOf(optimizer);
  for (let t = 1; t <= at; t++) {
    await lossFunction.gradient(reference.params, reference.grads, reference.iterations + 1);
    reference.step();
    await work.tick();
  }
  const perturbed = cloneOf(reference);
  const delta = size * (1 + norm(reference.params));
  perturbed.translate(u.map((value) => delta * value));
  const pair = new Pair([reference, perturbed], lossFunction, shares ? sharedSlots(reference) : []);
  const logs = new Float64Array(steps - at + 1);
  const start = pair.distance;
  for (let t = 1; t < logs.length; t++) {
    await pair.step();
    logs[t] = Math.log(Math.max(pair.distance, Number.MIN_VALUE) / start);
    await work.tick();
  }
  const last = logs[steps - at];
  return { exponent: last / (steps - at), response: Math.exp(last), logs, steps, ...judgeResponse(logs) };
}

/**
 * How an optimizer responds to a small change of its parameters: two copies of its whole state, made by save and restore, one of
 * them moved by δ0 u, take the same steps. The optimizer itself stays as it is. Costs 2 T + 1 gradients: with 50 steps of every
 * 500 a fifth more than training alone.
 *
 * @param optimizer where to begin
 * @param lossGrad is told the steps' numbers, which must be all that it depends on besides the parameters
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" as `step` does
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { fromSource, optimizerResponse } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 4 * y]), (x * x + 4 * y * y) / 2);
 * const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.1 }), tuner: null });
 * const { exponent, terminalDecay } = await optimizerResponse(optimizer, fromSource(bowl), { steps: 60, direction: [1, 0] });
 * exponent.toFixed(3); // → "-0.105"
 * terminalDecay.verdict; // → "decays"
 */
export async function optimizerResponse(
  optimizer: Optimizer,
  lossGrad: LossGrad,
  options: OptimizerResponseOptions = {},
): Promise<TrajectoryResponse> {
  return respond("optimizerResponse", optimizer, lossGrad, options);
}
