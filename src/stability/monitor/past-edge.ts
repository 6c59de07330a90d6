import { digits, percent, share, type Evidence, type Finding } from "./evidence.js";
import type { StepRecord } from "./record.js";
import { median } from "../vectors.js";

/* Signs of a learning rate past the edge of stability. */

const rises = ({ status }: StepRecord) => status === "violation";
/** A share of steps in which V rises that is no accident. */
const RESTLESS = 0.2;

/** Along the steps: 1 − ρ = ½ η β̂ for descent, 1 at the edge. */
function edgeOf(records: readonly StepRecord[]): number {
  return median(records.filter(({ predicted }) => predicted < 0).map(({ ratio }) => 1 - ratio));
}

function edge(evidence: Evidence): Finding | undefined {
  const { records, step, progress, gradNorm, lost, arrived } = evidence;
  const active = records.filter(({ status }) => status !== "converged");
  if (active.length < (lost ? 1 : 5)) return undefined;
  const measured = edgeOf(active);
  const risen = share(active, rises);
  const failed = risen + share(active, ({ status }) => status === "stall");
  const numbers = `V rose in ${percent(risen)} of the last ${active.length} steps, edge ratio ${digits(measured)}`;
  const stuck = (!progress || lost) && !arrived;
  if (stuck && (risen >= RESTLESS || measured > 1.1)) {
    const message = `learning rate past the edge of stability: ${numbers}; 1 is the edge`;
    return { code: "past-edge", severity: "problem", step, message };
  }
  if (stuck && failed >= 0.5 && active.length > records.length / 2) {
    const message =
      `learning rate past the edge of stability: the steps go to and fro, V does not fall ` +
      `though ‖g‖ = ${digits(gradNorm)} (${numbers})`;
    return { code: "past-edge", severity: "problem", step, message };
  }
  if (risen < RESTLESS) return undefined;
  const message = `at the edge of stability, but the loss ${arrived ? "has come down" : "still falls"}: ${numbers}`;
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

/** The same of steps that promise too much. */
const OVERREACHING = 0.1;

/** Minibatches: the gradient promises more than the batch's loss has to give. */
function overreach({ noisy, promises, first, now, step }: Evidence): Finding | undefined {
  const unwon = promises.most > 1 && !(now < first);
  if (!noisy || !(unwon || promises.share >= OVERREACHING)) return undefined;
  const message =
    `learning rate past the edge of stability: step ${promises.mostStep} was to lower the loss by ` +
    `${digits(4 * promises.most)} times itself, and where that is above 4 it must rise; so it was in ` +
    `${percent(promises.share)} of the last steps; the loss began at ${digits(first)} and is at ${digits(now)}`;
  return { code: "past-edge", severity: "problem", step, message };
}

/** A network that one huge step has killed lies still afterwards; another swings for ever. Some get over it. */
function leap(evidence: Evidence): Finding | undefined {
  const { leapt, recovered, records, peak, first, now, step, above } = evidence;
  if (!leapt || (recovered && share(records, rises) < RESTLESS)) return undefined;
  const message =
    `learning rate past the edge of stability: the loss leapt from ${digits(first)} to ${digits(peak.loss)} at step ` +
    `${peak.step}, was above where it began in ${percent(above)} of all steps, and is at ${digits(now)}`;
  return { code: "past-edge", severity: "problem", step, message };
}

/** Fixed examples got worse, and too often for chance: share of the tests that found it. */
const OFTEN = 0.2;

/** The batches' loss is far below that of the fixed examples, which then are not what is trained on. */
function overfits({ probe, now, lost }: Evidence): boolean {
  return probe !== undefined && !lost && probe.alarms / probe.tests > OFTEN && now < probe.last / 2;
}

function alarms(evidence: Evidence): Finding | undefined {
  const { probe, step, lost } = evidence;
  if (!probe || probe.tests < 3 || overfits(evidence)) return undefined;
  if (probe.alarms / probe.tests <= OFTEN && !(lost && probe.alarms > 0)) return undefined;
  const message =
    `learning rate past the edge of stability, or too high for this noise: the loss of fixed examples rose ` +
    `at ${probe.alarms} of ${probe.tests} tests, last after step ${probe.alarmSteps.at(-1)}`;
  return { code: "past-edge", severity: "problem", step, message };
}

export function overfitting(evidence: Evidence): Finding | undefined {
  const { probe, step, now } = evidence;
  if (!probe || probe.tests < 3 || !overfits(evidence)) return undefined;
  const message =
    `overfitting: the loss of fixed examples rose at ${probe.alarms} of ${probe.tests} tests, from ${digits(probe.best)} ` +
    `to ${digits(probe.last)}, while that of the batches fell to ${digits(now)}`;
  return { code: "overfitting", severity: "note", step, message };
}

/** Is the rate past the edge, or at it? A problem that one sign shows comes before what the others make of the run. */
export function pastEdge(evidence: Evidence): Finding | undefined {
  const measured = evidence.records.some(({ status }) => status !== "unknown");
  const signs = measured ? [edge, overreach, leap] : [alarms, batchEdge, overreach, leap];
  const found = signs.map((sign) => sign(evidence)).filter((finding) => finding !== undefined);
  return found.find(({ severity }) => severity === "problem") ?? found[0];
}
