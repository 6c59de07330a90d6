import { expectBoolean, expectNumber, expectNumbers, expectOptions } from "../common/expect.js";
import { createOptimizer } from "../create.js";
import type { Optimizer } from "../optimizer.js";
import { placesOf } from "../bases/base.js";
import { resolveBase } from "../bases/index.js";
import { Evaluator, type LossGrad } from "./loss-grad.js";
import { judgeResponse, type ResponseVerdicts } from "./verdicts.js";
import { distance, norm, randomUnit } from "./vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "./work.js";

/** Options of {@link optimizerTwins}. */
export interface OptimizerTwinOptions extends WorkOptions {
  /** Steps to look ahead, ≥ 1; default 50. */
  steps?: number;
  /** δ0 = size · (1 + ‖x‖), > 0; default 2⁻¹², the root of float32's rounding. */
  size?: number;
  /** u; default random. */
  direction?: ArrayLike<number>;
  seed?: number;
  /** The twin takes the base's second moments after each step; default true. Its own would only tell how they fade. */
  shareSecondMoments?: boolean;
}

/** What {@link optimizerTwins} found. */
export interface OptimizerTwinResult extends ResponseVerdicts {
  /** χ = ln(‖δ_T‖ / ‖δ_0‖) / T, per step. */
  readonly exponent: number;
  /** ‖δ_T‖ / ‖δ_0‖. */
  readonly response: number;
  /** ln(‖δ_t‖ / ‖δ_0‖), t = 0 … T. */
  readonly logs: Float64Array;
  readonly steps: number;
}

/** Another optimizer that goes on from the same state. */
export function twinOf(optimizer: Optimizer): Optimizer {
  const { tensors, ...options } = optimizer.config;
  return createOptimizer(tensors, options).restore(optimizer.save());
}

export function expectOptimizer(optimizer: unknown): void {
  const { config, save } = (optimizer ?? {}) as Partial<Optimizer>;
  if (typeof config === "object" && typeof save === "function") return;
  throw new TypeError("optimizer: expected what createOptimizer returned");
}

/** u of length 1, 0 where frozen. */
function directionOf(optimizer: Optimizer, { direction, seed = 0 }: OptimizerTwinOptions): Float64Array {
  if (direction !== undefined) expectNumbers("optimizerTwins.direction", direction, optimizer.size);
  const u = direction ? Float64Array.from(direction) : randomUnit(optimizer.size, seed);
  let first = 0;
  optimizer.config.tensors.forEach(({ frozen }, k) => {
    const last = first + optimizer.tensors[k].params.length;
    if (frozen) u.fill(0, first, last);
    first = last;
  });
  const length = norm(u);
  if (!(length > 0)) throw new RangeError("optimizerTwins.direction: expected a vector that is not 0");
  return u.map((value) => value / length);
}

/**
 * Twin runs of an optimizer from where it is: two copies of its whole state, made by save and restore, one of them moved by
 * δ0 u, take the same steps against the same source. The optimizer itself stays as it is. Costs 2 T gradients: with 50 steps
 * of every 500 a fifth more than training alone.
 *
 * @param optimizer where to begin
 * @param lossGrad a source is told the steps' numbers, which must be all that it depends on besides the parameters
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" as `step` does
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { optimizerTwins } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 4 * y]), (x * x + 4 * y * y) / 2);
 * const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.1 }), tuner: null });
 * const { exponent, terminalDecay } = await optimizerTwins(optimizer, bowl, { steps: 60, direction: [1, 0] });
 * exponent.toFixed(3); // → "-0.105"
 * terminalDecay.verdict; // → "decays"
 */
export async function optimizerTwins(
  optimizer: Optimizer,
  lossGrad: LossGrad,
  options: OptimizerTwinOptions = {},
): Promise<OptimizerTwinResult> {
  expectOptimizer(optimizer);
  const evaluator = new Evaluator("lossGrad", lossGrad, optimizer.size);
  const keys = ["steps", "size", "direction", "seed", "shareSecondMoments", ...WORK_KEYS];
  expectOptions("optimizerTwins", options, keys);
  const steps = expectNumber("optimizerTwins.steps", options.steps ?? 50, { min: 1, integer: true });
  const size = expectNumber("optimizerTwins.size", options.size ?? 2 ** -12, { above: 0 });
  const shares = expectBoolean("optimizerTwins.shareSecondMoments", options.shareSecondMoments ?? true);
  const u = directionOf(optimizer, options);
  const work = new Work("optimizerTwins", options, steps);
  const [base, twin] = [twinOf(optimizer), twinOf(optimizer)];
  const delta = size * (1 + norm(base.params));
  twin.translate(u.map((value) => delta * value));
  const { slots: roles } = resolveBase(base.config.base).rule;
  const slots = shares ? placesOf(roles, "secondMoment", "center") : [];
  const logs = new Float64Array(steps + 1);
  const start = distance(twin.params, base.params);
  for (let t = 1; t <= steps; t++) {
    for (const each of [base, twin]) {
      await evaluator.gradient(each.params, each.grads, each.iterations + 1);
      each.step();
    }
    for (const slot of slots) twin.moments[slot].set(base.moments[slot]);
    logs[t] = Math.log(Math.max(distance(twin.params, base.params), Number.MIN_VALUE) / start);
    await work.tick();
  }
  const response = Math.exp(logs[steps]);
  return { exponent: logs[steps] / steps, response, logs, steps, ...judgeResponse(logs) };
}
