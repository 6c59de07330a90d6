import { expectNumber, expectNumbers, expectOptions } from "../../common/expect.js";
import { expectPoint } from "../loss-grad.js";
import { addScaled, norm } from "../vectors.js";
import { CRITERION, statusOf, toleranceFor, type StepStatus } from "../monitor/lyapunov-step.js";
import type { EvaluatedPoint } from "../monitor/point.js";
import { expectSet, type ConvexSet } from "./sets.js";

/** Options of {@link projectedGradient} and {@link projectedStep}. */
export interface ProjectedOptions {
  /** C. */
  set: ConvexSet;
  /** η > 0; default 1. */
  learningRate?: number;
}

/**
 * How stationary a point of a convex set is: the projected gradient G = (x − P(x − η g)) / η, which is g where nothing is in the way, and 0
 * exactly where no feasible direction leads down (Beck, First-Order Methods in Optimization, 2017, chapter 10).
 *
 * @param point x and ∇L(x)
 * @returns `gradient` G, and its `norm`
 * @throws TypeError or RangeError when an argument is not understood
 * @example
 * import { box, projectedGradient } from "superlevel/stability";
 * const set = box({ lower: 0 });
 * projectedGradient({ params: [0, 2], grads: [1, 0.5] }, { set }).norm; // → 0.5
 * projectedGradient({ params: [0, 2], grads: [1, 0] }, { set }).norm; // → 0
 */
export function projectedGradient(
  point: Pick<EvaluatedPoint, "params" | "grads">,
  options: ProjectedOptions,
): { gradient: Float64Array; norm: number } {
  const [set, eta] = checkOptions("projectedGradient", options);
  const x = expectPoint("params", point.params);
  const next = addScaled(x.slice(), -eta, expectNumbers("grads", point.grads, x.length));
  set.project(next);
  const gradient = x.map((value, i) => (value - next[i]) / eta);
  return { gradient, norm: norm(gradient) };
}

function checkOptions(name: string, options: ProjectedOptions): [ConvexSet, number] {
  expectOptions(name, options, ["set", "learningRate"]);
  const { set, learningRate = 1 } = options;
  return [expectSet(set), expectNumber(`${name}.learningRate`, learningRate, { above: 0 })];
}

/** What a projected step did to V. */
export interface ProjectedStep {
  /** ΔV. */
  readonly change: number;
  /** ‖G‖ at x_t: 0 where it is stationary in the set. ‖g‖ is not. */
  readonly stationarity: number;
  /** −½ η ‖G‖², which V falls by at least where η ≤ 1 / L, L the largest curvature. */
  readonly promised: number;
  /** ΔV ≤ promised, but for the tolerance. */
  readonly kept: boolean;
  /** As that of `lyapunovStep`, with −η ‖G‖² for what the gradient predicts. */
  readonly status: StepStatus;
}

/**
 * The Lyapunov check of a projected step x_{t+1} = P(x_t − η g): V falls by ½ η ‖G‖² or more where η ≤ 1 / L, with the projected gradient G
 * of {@link projectedGradient} in the place of g (arXiv 2512.21208 asks for such an energy of non-smooth updates; the inequality is
 * that of Beck, First-Order Methods in Optimization, 2017, chapter 10). At a minimum on the boundary ‖g‖ stays, and G is 0.
 *
 * @param before V, x_t and ∇V(x_t)
 * @param after V and x_{t+1}
 * @param options the set, and the rate of the step
 * @throws TypeError or RangeError when an argument is not understood
 * @example
 * import { box, projectedStep } from "superlevel/stability";
 * const set = box({ upper: 1 });
 * // ½ (x − 3)² from 0.5, with η = 0.4: 0.5 + 1 is cut to 1.
 * const step = projectedStep({ loss: 3.125, params: [0.5], grads: [-2.5] }, { loss: 2 }, { set, learningRate: 0.4 });
 * step.stationarity; // → 1.25
 * step.promised; // → -0.3125
 * step.change; // → -1.125
 * step.status; // → "ok"
 */
export function projectedStep(
  before: EvaluatedPoint,
  after: { readonly loss: number },
  options: ProjectedOptions,
): ProjectedStep {
  const [set, eta] = checkOptions("projectedStep", options);
  const { norm: stationarity } = projectedGradient(before, { set, learningRate: eta });
  const change = after.loss - before.loss;
  const promised = -0.5 * eta * stationarity ** 2;
  const tolerance = toleranceFor(before.params);
  return {
    change,
    stationarity,
    promised,
    kept: change <= promised + tolerance * Math.max(1, Math.abs(before.loss)),
    status: statusOf(change, 2 * promised, before.loss, { ...CRITERION, tolerance }),
  };
}
