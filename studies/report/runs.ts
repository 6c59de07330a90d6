import {
  createOptimizer,
  type GradientSource,
  type Monitor,
  type OptimizerOptions,
  type TensorSpec,
} from "superlevel";
import { lyapunovMonitor, type LyapunovSummary, type StepRecord } from "superlevel/stability";

/** What descent from one start does. */
export interface Run {
  readonly steps: readonly StepRecord[];
  readonly report: LyapunovSummary;
  /** Parameters before each step, and at the end. */
  readonly points: readonly Float64Array[];
  /** η S of each step. */
  readonly rates: readonly number[];
}

/** Minimizes a function of the parameters alone, with a monitor that compares each change with what the gradient promised. */
export function descend(
  params: ArrayLike<number> | TensorSpec[],
  source: GradientSource,
  count: number,
  options: OptimizerOptions & { guarded?: boolean } = {},
): Run {
  const { guarded = true, ...own } = options;
  const optimizer = createOptimizer(params, own);
  const steps: StepRecord[] = [];
  const monitor = lyapunovMonitor({ every: 1, onStep: (record) => steps.push(record) });
  const points = [Float64Array.from(optimizer.params)];
  const rates: number[] = [];
  const follow: Monitor = ({ learningRate, scale }) => {
    points.push(Float64Array.from(optimizer.params));
    rates.push(learningRate * scale);
  };
  const run = { steps: count, deterministic: true, monitors: [monitor, follow] };
  optimizer.minimize(source, guarded ? run : { ...run, guard: null });
  optimizer.dispose();
  return { steps, report: monitor.summary(), points, rates };
}
