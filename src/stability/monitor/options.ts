import type { DecayingRate, ReachBudget } from "./reach-budget.js";
import type { Finding, FindingCode } from "./findings.js";
import type { TensorShape } from "./point.js";
import type { ProbeOptions, ProbeSummary } from "./probe.js";
import type { StepRecord } from "./record.js";

/** Options of a Lyapunov monitor. */
export interface LyapunovOptions {
  /**
   * What V is. Default `"fullBatch"` where the run is `deterministic` or the monitor is fed by hand; otherwise
   * `"sameBatch"` where a guard asks for V again after each step, else `"batch"`.
   */
  objective?: "fullBatch" | "sameBatch" | "batch";
  /** c₁ of Armijo's condition ΔV ≤ −c₁ |g·d|, in (0, 1); default 1e-4. */
  sufficient?: number;
  /** In units of max(1, |V|), ≥ 0; default 2⁻²⁰, for Float64Array 2⁻⁴⁹. */
  tolerance?: number;
  /** κ: share of |g·d| by which the trapezoid may miss ΔV before a step counts as crossing a kink; default 0.1. */
  kink?: number;
  /** Steps that findings look back on, ≥ 5; default 50. */
  window?: number;
  /** M of policy `"guard"`: V must not exceed the largest of the last M; default 10. */
  memory?: number;
  /** Fixed examples, on which V is tested in a run with minibatches. */
  probe?: ProbeOptions;
  /** The schedule, for a run without a tuner. Without it, exponential decay is recognised from the rates. */
  budget?: { schedule: DecayingRate; steps?: number; normAdaptive?: boolean; floor?: number };
  /**
   * Of so many steps two are measured, ≥ 1. Default: each step with up to 4096 parameters; with more the first eight, then two in
   * size / 125, and two in ten while V rises. A step that is measured takes some passes over x and g; each step's loss is followed.
   */
  every?: number;
  /** β of the momentum, in [0, 1); default: the base's, where a run tells it, else 0. */
  momentum?: number;
  /** The tensors of the parameters, in their order; default: those of the optimizer, where a run tells them. */
  layers?: readonly TensorShape[];
  /** Called with each step measured. */
  onStep?: (record: StepRecord) => void;
}

/** What a monitor has seen, as a plain object. */
export interface LyapunovSummary {
  /** The first problem found, or `"healthy"`. */
  readonly verdict: FindingCode | "healthy";
  readonly findings: readonly Finding[];
  readonly steps: number;
  readonly objective: LyapunovOptions["objective"];
  /** Losses at the start, at their lowest and now; moving averages where they are of different batches. */
  readonly loss: { readonly first: number; readonly best: number; readonly now: number };
  /** ‖g‖; of the signal alone where batches differ. */
  readonly gradNorm: number;
  readonly counts: Readonly<Record<StepRecord["status"], number>>;
  /** Median ρ of the last steps. */
  readonly ratio: number | undefined;
  /** 1 − ρ: ½ η β̂ for descent, and 1 at the edge of stability. */
  readonly edge: number | undefined;
  /** Largest β̂ of the last twenty steps. */
  readonly smoothness: number | undefined;
  /** Times that the run's guard saw V rise, and tries that it took back. */
  readonly violations: number;
  readonly rejections: number;
  /** ‖ḡ‖² / E‖g‖² where batches differ. */
  readonly signalShare: number | undefined;
  readonly budget: ReachBudget | undefined;
  readonly probe: ProbeSummary | undefined;
  readonly last: StepRecord | undefined;
}
