import type { ReachBudget } from "./reach-budget.js";
import type { StepRecord } from "./record.js";
import type { ProbeReport } from "./probe.js";
import type { PromiseCount } from "./predicted-reductions.js";

/**
 * What may be wrong with a run:
 *
 * - `"past-edge"`: the learning rate is past the edge of stability, η λ_max > 2 in the simplest case.
 * - `"edge"`: at that edge, though the loss still falls.
 * - `"non-finite"`: the loss or the gradient was NaN or infinite.
 * - `"diverging"`: the loss lost more than half of what it had won.
 * - `"frozen"`: what is left of the schedule cannot lower the loss to speak of.
 * - `"label-noise"`: many fixed examples get worse while the others are learnt. Classes that overlap look the same.
 * - `"overfitting"`: fixed examples get worse while the batches' loss is far below theirs.
 * - `"noise"`: the minibatches' noise dominates and the loss no longer falls.
 * - `"stalled"`: the guard took back every try of a step, or very many.
 * - `"kinks"`: many steps cross kinks, where finite differences and smoothness say little.
 */
export type FindingCode =
  | "past-edge"
  | "edge"
  | "non-finite"
  | "diverging"
  | "frozen"
  | "label-noise"
  | "overfitting"
  | "noise"
  | "stalled"
  | "kinks";

/** One thing that a report names. */
export interface Finding {
  readonly code: FindingCode;
  /** A problem stops or spoils training; a note does not. */
  readonly severity: "problem" | "note";
  /** The step at which it was seen. */
  readonly step: number;
  /** One sentence with the numbers. */
  readonly message: string;
}

/** What is known of a run. */
export interface Evidence {
  readonly step: number;
  /** The last steps that were measured. */
  readonly records: readonly StepRecord[];
  readonly noisy: boolean;
  readonly first: number;
  readonly now: number;
  /** The loss lost more than half of what it had won. */
  readonly lost: boolean;
  /** The loss once rose by five times what it has won since the start. */
  readonly leapt: boolean;
  /** The loss has come down by three quarters of what it can, and was seldom above its start. */
  readonly recovered: boolean;
  /** Share of the steps that began above the first loss. */
  readonly above: number;
  readonly promises: PromiseCount;
  readonly peak: { readonly loss: number; readonly step: number };
  /** Steps since the loss was lowest. */
  readonly stale: number;
  /** The loss fell by more than a thousandth of what it had won in half a window, or by a twentieth in a quarter of the run. */
  readonly progress: boolean;
  /** Of what the loss could fall, a hundred-thousandth is left at most. */
  readonly arrived: boolean;
  readonly gradNorm: number;
  readonly gradNormMax: number;
  /** Share of the gradient that is signal; 1 without noise. */
  readonly signalShare: number;
  readonly nonFinite: { readonly step: number; readonly what: string } | undefined;
  readonly budget: ReachBudget | undefined;
  readonly probe: ProbeReport | undefined;
  readonly rejections: number;
  readonly window: number;
}

export const percent = (share: number): string => `${Math.round(100 * share)} %`;
export const digits = (value: number): string => Number(value.toPrecision(3)).toString();

/** The share of the steps that have the property. */
export function share(records: readonly StepRecord[], has: (record: StepRecord) => boolean): number {
  return records.length === 0 ? 0 : records.filter(has).length / records.length;
}
