import type { DecayEvidence } from "./decay.js";
import type { OverreachSummary } from "./overreach.js";
import type { MonitorPoint } from "./point.js";
import type { ProbeSummary } from "./probe.js";
import type { ReachBudget } from "./reach-budget.js";
import type { StepRecord } from "./record.js";
import type { StepsSeen } from "./scales.js";
import type { WrongSign } from "./sign-test.js";
import type { LayerEvidence } from "./step-history.js";

/** What is known of a run: what findings rest on. */
export interface Evidence {
  readonly step: number;
  /** The last steps that were measured. */
  readonly records: readonly StepRecord[];
  /** Losses and gradients are of different batches. */
  readonly noisy: boolean;
  /** Losses at the start and now; a moving average where they are noisy. */
  readonly first: number;
  readonly now: number;
  /** Over the first ten steps where losses are noisy, else the first. */
  readonly early: number;
  readonly best: number;
  /** The lowest value that the loss may take. */
  readonly floor: number;
  /** The loss lost more than half of what it had won. */
  readonly regressed: boolean;
  /** The loss once rose by five times what it has won since the start. */
  readonly spiked: boolean;
  /** Momentum has not settled yet. */
  readonly swings: boolean;
  /** The loss has come down by three quarters of what it can, and was seldom above its start. */
  readonly recovered: boolean;
  /** Share of the steps that began above the first loss. */
  readonly shareAboveFirst: number;
  readonly overreach: OverreachSummary;
  readonly peak: { readonly loss: number; readonly step: number };
  readonly stepsSinceBest: number;
  /** The loss fell by more than a thousandth of what it had won in half a window, or by a twentieth in a quarter of the run. */
  readonly progress: boolean;
  /** Of what the loss could fall, a hundred-thousandth is left at most. */
  readonly converged: boolean;
  readonly gradNorm: number;
  readonly gradNormMax: number;
  /** Share of the gradient that is signal; 1 without noise. */
  readonly signalShare: number;
  readonly nonFinite: { readonly step: number; readonly what: string } | undefined;
  readonly budget: ReachBudget | undefined;
  readonly probe: ProbeSummary | undefined;
  readonly rejections: number;
  /** Steps that findings look back on. */
  readonly window: number;
  /** Tensors, or parts of a vector of which no tensors are known: these have no shape. */
  readonly layers: readonly LayerEvidence[];
  /** Shares of units that were 0 at every example, by layer, where activations were seen. */
  readonly deadUnits: NonNullable<MonitorPoint["deadUnits"]>;
  readonly seen: StepsSeen;
  /** ‖g‖ ‖x‖ / V, by how much V changes relative to itself with all of x: at the first point, and at most. */
  readonly steepness: { readonly first: number; readonly max: number };
  /** Median ‖d‖ / ‖x‖ of the last steps; NaN before the first that was measured. */
  readonly updateRatio: number;
  /** β of the base's momentum. */
  readonly momentum: number;
  /** A tuner sets the scale of the rate. */
  readonly tuned: boolean;
  readonly decay: DecayEvidence | undefined;
  readonly wrongSign: WrongSign | undefined;
}

/** Numbers in messages. */
export const percent = (share: number): string => `${Math.round(100 * share)} %`;
export const digits = (value: number): string => Number(value.toPrecision(3)).toString();

/** The share of the steps that have the property. */
export function share(records: readonly StepRecord[], has: (record: StepRecord) => boolean): number {
  return records.length === 0 ? 0 : records.filter(has).length / records.length;
}

/** Share that is won of what the loss could fall; negative where it rose. */
export const won = ({ first, now, floor }: Evidence): number => (first - now) / Math.abs(first - floor);
