import { digits, percent, share, type Evidence, type Finding } from "./evidence.js";
import { overfitting, pastEdge } from "./past-edge.js";

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

/** Of clean data a few in a hundred stay behind, and more of them while less is learnt. */
const BEHIND = 0.04;
const LEAST = 0.075;
const UNLEARNT = 0.45;

function labelNoise({ probe, step }: Evidence): Finding | undefined {
  if (!probe?.labels) return undefined;
  const { examples, risenShare, left, suspects } = probe.labels;
  const chance = BEHIND + 2.5 * Math.sqrt((BEHIND * (1 - BEHIND)) / examples);
  if (!(risenShare > Math.max(LEAST, chance, UNLEARNT * left))) return undefined;
  const message =
    `label noise, or classes that overlap: while the median loss of ${examples} fixed examples fell to ${percent(left)} ` +
    `of its start, the losses of ${percent(risenShare)} stood above it half of the way; first suspects: ` +
    suspects.slice(0, 5).join(", ");
  return { code: "label-noise", severity: "problem", step, message };
}

function noise({ noisy, signalShare, stale, step, window, lost }: Evidence): Finding | undefined {
  if (!noisy || lost || signalShare > 0.05 || stale < window) return undefined;
  const message =
    `noise dominates: ${percent(signalShare)} of the gradient is signal and the loss has not fallen for ${stale} steps; ` +
    `a lower rate or larger batches help, more steps do not`;
  return { code: "noise", severity: "note", step, message };
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
  const found = [
    pastEdge(evidence),
    nonFinite(evidence),
    diverging(evidence),
    labelNoise(evidence),
    overfitting(evidence),
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
