import { isKind } from "../../common/expect.js";
import { sumStep, type StepSums } from "./layers.js";
import type { EvaluatedPoint } from "./point.js";

/** Numbers by which a step is judged. */
export interface Criterion {
  /** c₁ of Armijo's condition, in (0, 1). */
  readonly sufficient: number;
  /** Changes of V below tolerance · max(1, |V|) count as none. */
  readonly tolerance: number;
  /** κ: a step crosses a kink where the trapezoid misses ΔV by more than κ |g·d|. */
  readonly kink: number;
}

/**
 * - `"ok"`: ΔV ≤ −c₁ |g·d|, Armijo's condition.
 * - `"violation"`: ΔV > tolerance · max(1, |V|).
 * - `"converged"`: |g·d| and |ΔV| are both within the tolerance: what is left is rounding.
 * - `"stall"`: none of these. V does not rise, but does not fall as the gradient predicted either.
 */
export type StepStatus = "ok" | "stall" | "violation" | "converged";

/** What one step did to V. */
export interface StepMeasure {
  /** ΔV = V(x_{t+1}) − V(x_t). */
  readonly change: number;
  /** g·d, d = x_{t+1} − x_t: what the gradient predicts. */
  readonly predicted: number;
  /** ρ = ΔV / (g·d): 1 like the flow, ½ like exact line search on a quadratic, 0 at the edge, below 0 where V rose. */
  readonly ratio: number;
  /** β̂ = 2 (ΔV − g·d) / ‖d‖²: curvature along the step; g'Hg / ‖g‖² for descent on a quadratic. */
  readonly smoothness: number;
  /** ‖d‖. */
  readonly distance: number;
  /** ‖g‖ at x_t. */
  readonly gradNorm: number;
  readonly status: StepStatus;
  /** |ΔV − ½ (g_t + g_{t+1})·d| > κ |g·d|; undefined where g_{t+1} is not known. */
  readonly kink: boolean | undefined;
  /**
   * −(g_{t+1}·d) / (g_t·d): how steeply it rises where the step ends, over how steeply it fell where it began. 1 at the edge
   * on a quadratic. Undefined where g_{t+1} is not known.
   */
  readonly overshoot: number | undefined;
}

/** The same as a guard's: a few roundings in float32; of a loss in float64, a few of those. */
export function toleranceFor(params: ArrayLike<number>): number {
  return isKind(params, "Float32Array") ? 2 ** -20 : 2 ** -49;
}

/** The usual numbers: c₁ = 1e-4, κ = 0.1. */
export const CRITERION = { sufficient: 1e-4, kink: 0.1 } as const;

/** `predicted` is below 0, `before` V. */
export function statusOf(
  change: number,
  predicted: number,
  before: number,
  criterion: Criterion,
): StepStatus {
  const tolerance = criterion.tolerance * Math.max(1, Math.abs(before));
  if (!(change <= tolerance)) return "violation";
  if (Math.abs(predicted) <= tolerance && Math.abs(change) <= tolerance) return "converged";
  return change <= -criterion.sufficient * Math.abs(predicted) ? "ok" : "stall";
}

/**
 * Compares V before and after a step with what the gradient predicted. Costs no gradient that descent does not need.
 *
 * @param before V, x_t and ∇V(x_t)
 * @param after V and x_{t+1}; with ∇V(x_{t+1}), also whether the step crossed a kink
 * @param options `sufficient` c₁ (1e-4), `kink` κ (0.1), `tolerance` (2⁻²⁰ for Float32Array, 2⁻⁴⁹ otherwise)
 * @example
 * import { lyapunovStep } from "superlevel/stability";
 * const before = { loss: 2, params: [1], grads: [4] }; // 2 x²
 * const { ratio, smoothness, status } = lyapunovStep(before, { loss: 0.5, params: [-0.5] });
 * ratio; // → 0.25
 * smoothness; // → 4
 * status; // → "ok"
 */
export function lyapunovStep(
  before: EvaluatedPoint,
  after: { readonly loss: number; readonly params: ArrayLike<number>; readonly grads?: ArrayLike<number> },
  options: Partial<Criterion> = {},
): StepMeasure {
  const { tolerance } = { tolerance: toleranceFor(before.params), ...options };
  return measureOf(sumStep(before, after), before.loss, after.loss, { ...CRITERION, ...options, tolerance });
}

/** The same from the sums over all layers. */
export function measureOf(sums: StepSums, before: number, after: number, criterion: Criterion): StepMeasure {
  const { gd: predicted, dd, gg, arrival } = sums;
  const change = after - before;
  const known = !Number.isNaN(arrival);
  const slack = criterion.tolerance * Math.max(1, Math.abs(before));
  const missed = Math.abs(change - (predicted + arrival) / 2);
  return {
    change,
    predicted,
    ratio: change / predicted,
    smoothness: (2 * (change - predicted)) / dd,
    distance: Math.sqrt(dd),
    gradNorm: Math.sqrt(gg),
    status: statusOf(change, predicted, before, criterion),
    kink: known ? missed > Math.max(criterion.kink * Math.abs(predicted), slack) : undefined,
    overshoot: known ? -arrival / predicted : undefined,
  };
}
