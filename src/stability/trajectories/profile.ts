import { expectOptions } from "../../common/expect.js";
import type { Optimizer } from "../../optimizer.js";
import { edgeRatio, type EdgeRatio } from "../curvature/edge.js";
import { expectOptimizer, optimizerResponse } from "./optimizer-response.js";
import type { TrajectoryResponse } from "./perturbations.js";
import { LossFunction, type LossGrad } from "../loss-grad.js";
import { BOUND, type ResponseVerdicts } from "./verdicts.js";
import { norm } from "../vectors.js";
import { WORK_KEYS, type Progress, type WorkOptions } from "../work.js";

/** Options of {@link stabilityProfile}. */
export interface ProfileOptions extends WorkOptions {
  /** Steps to look ahead, ≥ 1; default 50. */
  steps?: number;
  /** Most Hessian products, ≥ 1; default 30. */
  products?: number;
  seed?: number;
  /** `vector` of the profile before, to start from. */
  start?: ArrayLike<number>;
}

/** A learning stability profile at one point of a run, as a plain object. */
export interface StabilityProfile extends ResponseVerdicts {
  readonly step: number;
  /** Of the source at the next step. */
  readonly loss: number;
  readonly gradNorm: number;
  /** Response to a change of the parameters. */
  readonly trajectory: TrajectoryResponse;
  /** Curvature in units of what the optimizer can bear. */
  readonly edge: EdgeRatio;
  /** What is wrong, one sentence each; empty where nothing is. */
  readonly alerts: readonly string[];
}

/**
 * A learning stability profile (after arXiv 2512.21208, v3) of an optimizer at its present point: how a small change of
 * the parameters fares in the next steps, with three separate verdicts, and how near the step is to the edge of stability. The
 * optimizer stays as it is.
 *
 * @param optimizer after at least one step
 * @param lossGrad for {@link optimizerResponse}
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" as `step` does
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { fromSource, stabilityProfile } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 10 * y]), (x * x + 10 * y * y) / 2);
 * const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.25 }), tuner: null });
 * optimizer.minimize(bowl, { steps: 5 });
 * const { edge, growth, boundedness, alerts } = await stabilityProfile(optimizer, fromSource(bowl));
 * edge.ratio!.toFixed(2); // → "1.25"
 * growth.verdict; // → "exponential"
 * boundedness.verdict; // → "unbounded"
 * alerts.length; // → 2
 */
export async function stabilityProfile(
  optimizer: Optimizer,
  lossGrad: LossGrad,
  options: ProfileOptions = {},
): Promise<StabilityProfile> {
  expectOptimizer(optimizer);
  expectOptions("stabilityProfile", options, ["steps", "products", "seed", "start", ...WORK_KEYS]);
  const { steps = 50, products = 30, seed, start, signal } = options;
  let before = 0;
  const onProgress = ({ done }: Progress) =>
    options.onProgress?.({ done: before + done, total: steps + products });
  const edge = await edgeRatio(optimizer, lossGrad, { products, seed, start, signal, onProgress });
  before = products;
  const trajectory = await optimizerResponse(optimizer, lossGrad, { steps, seed, signal, onProgress });
  const grads = new Float64Array(optimizer.size);
  const lossFunction = new LossFunction("lossGrad", lossGrad, optimizer.size, optimizer.iterations + 1);
  const loss = await lossFunction.gradient(optimizer.params, grads);
  const { terminalDecay, boundedness, growth } = trajectory;
  const alerts = [];
  if ((edge.ratio ?? 0) > 1.1) alerts.push(`edge ratio ${edge.ratio!.toPrecision(3)}: ${edge.verdict}`);
  if (boundedness.verdict === "unbounded")
    alerts.push(
      `a small change grew ${boundedness.value.toPrecision(3)}-fold in ${steps} steps, over ${BOUND}`,
    );
  return {
    step: optimizer.iterations,
    loss,
    gradNorm: norm(grads),
    trajectory,
    edge,
    terminalDecay,
    boundedness,
    growth,
    alerts,
  };
}
