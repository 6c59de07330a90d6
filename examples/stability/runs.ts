import { createOptimizer, type GradientSource, type OptimizerOptions, type TensorSpec } from "superlevel";
import type { ReportStep } from "superlevel/stability";

/** What descent from one start does. */
export interface Run {
  readonly steps: ReportStep[];
  /** Parameters before each step, and at the end. */
  readonly points: Float64Array[];
}

/** Rounding of a loss whose parameters are float32, relative. */
const TOLERANCE = 2 ** -20;

/** Minimizes, and compares each change of the loss with what the gradient promised. */
export function descend(
  params: ArrayLike<number> | TensorSpec[],
  source: GradientSource,
  count: number,
  options: OptimizerOptions & { guarded?: boolean } = {},
): Run {
  const { guarded = true, ...own } = options;
  const optimizer = createOptimizer(params, own);
  const points = [Float64Array.from(optimizer.params)];
  const record = () => void points.push(Float64Array.from(optimizer.params));
  optimizer.minimize(source, { steps: count, deterministic: guarded, monitors: [record] });
  const grads = new Float32Array(optimizer.size);
  const losses = points.map((point) => source(Float32Array.from(point), grads, 1));
  const steps = losses.slice(0, -1).map((before, k): ReportStep => {
    source(Float32Array.from(points[k]), grads, 1);
    const promised = grads.reduce((sum, g, i) => sum + g * (points[k + 1][i] - points[k][i]), 0);
    const change = losses[k + 1] - before;
    const rounding = TOLERANCE * Math.max(1, Math.abs(before));
    // Between two roundings a ratio says nothing.
    const ratio = Math.max(Math.abs(change), Math.abs(promised)) > rounding ? change / promised : NaN;
    return { step: k + 1, before, ratio, ...(change > rounding && { status: "violation" }) };
  });
  optimizer.dispose();
  return { steps, points };
}
