import { median } from "../vectors.js";
import { OFTEN_WORSE, overfits } from "./data-findings.js";
import { digits, percent, share, type Evidence } from "./evidence.js";
import type { StepRecord } from "./record.js";

/* Signs of a learning rate past the edge of stability. Each returns the message, or undefined where it does not show. */

const PAST_EDGE = "learning rate past the edge of stability:";
const CURE = "take a third of the rate, or a guard";

/** A share of steps in which V rises that is no accident. */
const OFTEN_RISES = 0.2;
/** With momentum V may rise while what is in motion falls. */
const rises = ({ status, change, energyChange }: StepRecord) =>
  status === "violation" && !(energyChange < change && energyChange <= 0);
/** It goes down, and arrives where it goes up: what a step beyond the edge does, and a slow swing does seldom. */
const flips = ({ predicted, overshoot = 1 }: StepRecord) => predicted < 0 && overshoot > 0;

/** With momentum V rises in every second step near the edge; past it, this is above 1. */
const NEAR_EDGE = 0.97;

/** How the last steps went that were not at the end; undefined where they are too few. */
function lastSteps({ records, regressed }: Evidence) {
  const active = records.filter(({ status }) => status !== "converged");
  if (active.length < (regressed ? 1 : 5)) return undefined;
  const descents = active.filter(({ predicted }) => predicted < 0);
  // 1 − ρ along the steps is ½ η β̂ for descent, and 1 at the edge.
  const edgeRatio = median(descents.map(({ ratio }) => 1 - ratio));
  const risen = share(active, rises);
  const turning = share(active, flips);
  const failed = risen + share(active, ({ status }) => status === "stall");
  const numbers = `V rose in ${percent(risen)} of the last ${active.length} steps, edge ratio ${digits(edgeRatio)}`;
  return { edgeRatio, risen, turning, failed, numbers, mostly: active.length > records.length / 2 };
}

/** V rises or stalls, and the loss makes no headway. */
function stuck(evidence: Evidence): string | undefined {
  const steps = lastSteps(evidence);
  const { progress, regressed, converged, gradNorm, momentum, swings } = evidence;
  if (!steps || (progress && !regressed) || converged) return undefined;
  const { edgeRatio, risen, turning, failed, numbers, mostly } = steps;
  // A swing of stable momentum rises at every other half of its period, and comes down.
  if (swings || (momentum > 0 && (turning < 0.4 || edgeRatio < NEAR_EDGE))) return undefined;
  if (risen >= OFTEN_RISES || edgeRatio > 1.1) return `${PAST_EDGE} ${numbers}, where 1 is the edge; ${CURE}`;
  if (failed < 0.5 || !mostly) return undefined;
  return `${PAST_EDGE} the steps go to and fro, V does not fall though ‖g‖ = ${digits(gradNorm)} (${numbers}); ${CURE}`;
}

/** Where no change of V is known: each step ends where the loss rises as steeply as it fell at its start, or more. */
function overshoot({ records, regressed }: Evidence): string | undefined {
  const overshoots = records.map((record) => record.overshoot ?? NaN).filter((value) => !Number.isNaN(value));
  const typical = median(overshoots);
  if (!regressed || !(typical > 0.5)) return undefined;
  return (
    `${PAST_EDGE} steps end where the loss rises ${digits(typical)} times as steeply ` +
    `as it fell where they began, where 1 is the edge; ${CURE}`
  );
}

/** A share of steps that overreach which is no accident. */
const OFTEN_OVERREACHES = 0.1;

/** Minibatches: the gradient predicts a larger decrease than the batch's loss has to give. */
function overreaches({ noisy, overreach, first, now }: Evidence): string | undefined {
  const unwon = overreach.largest > 1 && !(now < first);
  if (!noisy || !(unwon || overreach.share >= OFTEN_OVERREACHES)) return undefined;
  return (
    `${PAST_EDGE} step ${overreach.largestStep} was to lower the loss by ` +
    `${digits(4 * overreach.largest)} times itself, and where that is above 4 it must rise; so it was in ` +
    `${percent(overreach.share)} of the last steps; the loss began at ${digits(first)} and is at ${digits(now)}; ${CURE}`
  );
}

/**
 * After one huge step the units of a network may be dead, so that the loss is still, or the loss may go on swinging. Where
 * it comes down again and V seldom rises, the spike did no harm.
 */
function spike(evidence: Evidence): string | undefined {
  const { spiked, recovered, records, peak, first, now, shareAboveFirst } = evidence;
  const within = evidence.momentum > 0 && (lastSteps(evidence)?.edgeRatio ?? 0) < NEAR_EDGE;
  if (!spiked || (recovered && (within || share(records, rises) < OFTEN_RISES))) return undefined;
  return (
    `${PAST_EDGE} the loss leapt from ${digits(first)} to ${digits(peak.loss)} at step ` +
    `${peak.step}, was above where it began in ${percent(shareAboveFirst)} of all steps, and is at ${digits(now)}; ${CURE}`
  );
}

/** Fixed examples get worse. */
function probeAlarms(evidence: Evidence): string | undefined {
  const { probe, regressed } = evidence;
  if (!probe || probe.tests < 3 || overfits(evidence)) return undefined;
  if (probe.alarms / probe.tests <= OFTEN_WORSE && !(regressed && probe.alarms > 0)) return undefined;
  return (
    `learning rate past the edge of stability, or too high for this noise: the loss of fixed examples rose ` +
    `at ${probe.alarms} of ${probe.tests} tests, last after step ${probe.alarmSteps.at(-1)}; ${CURE}`
  );
}

const isMeasured = ({ records }: Evidence) => records.some(({ status }) => status !== "unknown");

/** The first sign of a rate past the edge. */
export function pastEdge(evidence: Evidence): string | undefined {
  const signs = isMeasured(evidence)
    ? [stuck, overreaches, spike]
    : [probeAlarms, overshoot, overreaches, spike];
  for (const sign of signs) {
    const message = sign(evidence);
    if (message) return message;
  }
  return undefined;
}

/** V rises often, but none of those signs shows. */
export function atEdge(evidence: Evidence): string | undefined {
  if (!isMeasured(evidence) || pastEdge(evidence)) return undefined;
  const steps = lastSteps(evidence);
  if (!steps || steps.risen < OFTEN_RISES) return undefined;
  const state = evidence.converged ? "has come down" : "still falls";
  return `at the edge of stability, but the loss ${state}: ${steps.numbers}; nothing has to be done, a third of the rate is calmer`;
}
