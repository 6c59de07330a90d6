import { digits, percent, share, type Evidence, type Finding } from "./evidence.js";
import { pastEdge } from "./past-edge.js";

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

/** Clean data leave some examples behind: of those that are hard, but seldom contradicted, a few in a hundred. */
const RISEN = { share: 0.08, expected: 0.04 };
const CONTRADICTED = { share: 0.03, expected: 0.01 };

/** Above the share, and more than chance makes of what is expected of clean data. */
function exceeds(found: number, examples: number, { share, expected }: typeof RISEN): boolean {
  const error = Math.sqrt((expected * (1 - expected)) / examples);
  return found > Math.max(share, expected + 3.3 * error);
}

function labelNoise({ probe, step }: Evidence): Finding | undefined {
  const labels = probe?.labels;
  if (!labels) return undefined;
  const { examples, risenShare, contradictedShare, suspects } = labels;
  if (!exceeds(risenShare, examples, RISEN) && !exceeds(contradictedShare, examples, CONTRADICTED))
    return undefined;
  const names = suspects.length > 0 ? `; first suspects: ${suspects.slice(0, 5).join(", ")}` : "";
  const message =
    `label noise, or classes that overlap: while the others were learnt, ${percent(risenShare)} of ${examples} fixed ` +
    `examples stood above the loss that was typical at the start, ${percent(contradictedShare)} so far that their ` +
    `labels were half as likely${names}`;
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
