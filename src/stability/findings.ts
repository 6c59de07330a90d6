import type { ReachBudget } from "./budget.js";
import type { StepRecord } from "./record.js";
import type { ProbeReport } from "./probe.js";
import { median } from "./vectors.js";

/**
 * What may be wrong with a run:
 *
 * - `"past-edge"`: the learning rate is past the edge of stability, η λ_max > 2 in the simplest case.
 * - `"edge"`: at that edge, though the loss still falls.
 * - `"non-finite"`: the loss or the gradient was NaN or infinite.
 * - `"diverging"`: the loss lost more than half of what it had won.
 * - `"frozen"`: what is left of the schedule cannot lower the loss to speak of.
 * - `"label-noise"`: many fixed examples get worse while the others are learnt. Classes that overlap look the same.
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
  readonly peak: { readonly loss: number; readonly step: number };
  /** Steps since the loss was lowest. */
  readonly stale: number;
  /** The loss fell by more than a thousandth of what it had won, in the last window. */
  readonly progress: boolean;
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

const percent = (share: number) => `${Math.round(100 * share)} %`;
const digits = (value: number) => Number(value.toPrecision(3)).toString();

/** Some step, and the share of it that had the property. */
function share(records: readonly StepRecord[], has: (record: StepRecord) => boolean): number {
  return records.length === 0 ? 0 : records.filter(has).length / records.length;
}

/** Along the steps: 1 − ρ = ½ η β̂ for descent, 1 at the edge. */
function edgeOf(records: readonly StepRecord[]): number {
  return median(records.filter(({ predicted }) => predicted < 0).map(({ ratio }) => 1 - ratio));
}

function edge(evidence: Evidence): Finding | undefined {
  const { records, step, progress, gradNorm, lost } = evidence;
  const active = records.filter(({ status }) => status !== "converged");
  if (active.length < (lost ? 1 : 5)) return undefined;
  const measured = edgeOf(active);
  const risen = share(active, ({ status }) => status === "violation");
  const failed = risen + share(active, ({ status }) => status === "stall");
  const numbers = `V rose in ${percent(risen)} of the last ${active.length} steps, edge ratio ${digits(measured)}`;
  const stuck = !progress || lost;
  if (stuck && (risen >= 0.2 || measured > 1.1)) {
    const message = `learning rate past the edge of stability: ${numbers}; 1 is the edge`;
    return { code: "past-edge", severity: "problem", step, message };
  }
  if (stuck && failed >= 0.5 && active.length > records.length / 2) {
    const message =
      `learning rate past the edge of stability: the steps go to and fro, V does not fall ` +
      `though ‖g‖ = ${digits(gradNorm)} (${numbers})`;
    return { code: "past-edge", severity: "problem", step, message };
  }
  if (risen < 0.2) return undefined;
  const message = `at the edge of stability, but the loss still falls: ${numbers}`;
  return { code: "edge", severity: "note", step, message };
}

/** Where no change of V is known: each step ends where it rises as steeply as it fell, or more. */
function batchEdge({ records, step, lost }: Evidence): Finding | undefined {
  const overshoots = records.map(({ overshoot }) => overshoot ?? NaN).filter((value) => !Number.isNaN(value));
  const measured = median(overshoots);
  if (!lost || !(measured > 0.5)) return undefined;
  const message =
    `learning rate past the edge of stability: steps end where the loss rises ${digits(measured)} times as steeply ` +
    `as it fell where they began; 1 is the edge`;
  return { code: "past-edge", severity: "problem", step, message };
}

/** A network that one huge step has killed lies still afterwards. */
function leap({ leapt, peak, first, now, step }: Evidence): Finding | undefined {
  if (!leapt) return undefined;
  const message =
    `learning rate past the edge of stability: the loss leapt from ${digits(first)} to ${digits(peak.loss)} at step ` +
    `${peak.step}, and is at ${digits(now)}`;
  return { code: "past-edge", severity: "problem", step, message };
}

function nonFinite(evidence: Evidence): Finding | undefined {
  if (!evidence.nonFinite) return undefined;
  const { step, what } = evidence.nonFinite;
  const hint = evidence.lost
    ? "the loss had been rising"
    : "the loss had not been rising: look for log 0, 0 / 0 or bad data";
  return {
    code: "non-finite",
    severity: "problem",
    step,
    message: `non-finite ${what} at step ${step}; ${hint}`,
  };
}

function diverging({ lost, step, first, now }: Evidence): Finding | undefined {
  if (!lost) return undefined;
  const message = `diverging: the loss began at ${digits(first)}, fell, and is at ${digits(now)}`.replace(
    now > first ? ", fell, and is" : "",
    now > first ? " and is" : "",
  );
  return { code: "diverging", severity: "problem", step, message };
}

function frozen({ budget, step, gradNorm, gradNormMax, now }: Evidence): Finding | undefined {
  if (!budget?.frozen || gradNorm <= 1e-3 * gradNormMax) return undefined;
  const message =
    `schedule frozen: Σα left is ${digits(budget.remaining)}, which cannot move x by more than ${digits(budget.reach)} ` +
    `or lower the loss of ${digits(now)} by more than ${digits(budget.predictedDrop)}; ‖g‖ = ${digits(gradNorm)}`;
  return { code: "frozen", severity: "problem", step, message };
}

/** Clean data leave some hard examples behind: of MNIST's digits, 3 to 5 in a hundred. */
const NOISY_SHARE = 0.08;

function labelNoise({ probe, step }: Evidence): Finding | undefined {
  if (!probe || !((probe.risenShare ?? 0) > NOISY_SHARE)) return undefined;
  const message =
    `label noise, or classes that overlap: ${percent(probe.risenShare!)} of the fixed examples got worse ` +
    `than at the start while the others were learnt`;
  return { code: "label-noise", severity: "problem", step, message };
}

function noise({ noisy, signalShare, stale, step, window, lost }: Evidence): Finding | undefined {
  if (!noisy || lost || signalShare > 0.05 || stale < window) return undefined;
  const message =
    `noise dominates: ${percent(signalShare)} of the gradient is signal and the loss has not fallen for ${stale} steps; ` +
    `a lower rate or larger batches help, more steps do not`;
  return { code: "noise", severity: "note", step, message };
}

function alarms({ probe, step, lost }: Evidence): Finding | undefined {
  if (!probe || probe.tests < 3) return undefined;
  const recent = probe.alarmSteps.length > 0 && probe.alarms / probe.tests > 0.2;
  if (!recent && !(lost && probe.alarms > 0)) return undefined;
  const message =
    `learning rate past the edge of stability, or too high for this noise: the loss of fixed examples rose ` +
    `at ${probe.alarms} of ${probe.tests} tests, last after step ${probe.alarmSteps.at(-1)}`;
  return { code: "past-edge", severity: "problem", step, message };
}

function stalled({ rejections, step, nonFinite }: Evidence): Finding | undefined {
  if (step < 10 || rejections < step / 2 || nonFinite) return undefined;
  const message = `the guard took back ${rejections} tries in ${step} steps: the rate is too high, or the gradient wrong`;
  return { code: "stalled", severity: "note", step, message };
}

function kinks({ records, step }: Evidence): Finding | undefined {
  const crossing = share(records, ({ kink }) => kink === true);
  if (records.length < 5 || crossing < 0.2) return undefined;
  const message = `${percent(crossing)} of the last ${records.length} steps cross kinks: smoothness and curvature say little`;
  return { code: "kinks", severity: "note", step, message };
}

/** Everything that is wrong, causes before effects and problems before notes. */
export function findingsOf(evidence: Evidence): Finding[] {
  const measured = evidence.records.some(({ status }) => status !== "unknown");
  const found = [
    (measured ? edge(evidence) : (alarms(evidence) ?? batchEdge(evidence))) ?? leap(evidence),
    nonFinite(evidence),
    diverging(evidence),
    labelNoise(evidence),
    frozen(evidence),
    noise(evidence),
    stalled(evidence),
    kinks(evidence),
  ].filter((finding) => finding !== undefined);
  return [
    ...found.filter(({ severity }) => severity === "problem"),
    ...found.filter(({ severity }) => severity === "note"),
  ];
}
