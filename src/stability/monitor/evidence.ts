import type { OverreachSummary } from "./overreach.js";
import type { ProbeSummary } from "./probe.js";
import type { ReachBudget } from "./reach-budget.js";
import type { StepRecord } from "./record.js";

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
  /** The loss lost more than half of what it had won. */
  readonly regressed: boolean;
  /** The loss once rose by five times what it has won since the start. */
  readonly spiked: boolean;
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
}

/** Numbers in messages. */
export const percent = (share: number): string => `${Math.round(100 * share)} %`;
export const digits = (value: number): string => Number(value.toPrecision(3)).toString();

/** The share of the steps that have the property. */
export function share(records: readonly StepRecord[], has: (record: StepRecord) => boolean): number {
  return records.length === 0 ? 0 : records.filter(has).length / records.length;
}
