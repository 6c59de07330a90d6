import { digits, percent, share, type Evidence } from "./evidence.js";
import { atEdge, overfitting, pastEdge } from "./past-edge.js";

/** Something that a monitor names, and when. */
interface FindingRule {
  readonly code: string;
  readonly severity: Finding["severity"];
  /** How it is seen: its row in docs/stability.md. */
  readonly seenBy: string;
  /** One sentence with the numbers where it holds, otherwise undefined. */
  readonly detect: (evidence: Evidence) => string | undefined;
}

/** Of clean data a few in a hundred fall behind, and more of them while less is learnt. */
const BEHIND = 0.04;
const LEAST_BEHIND = 0.075;
const BEHIND_WHILE_UNLEARNT = 0.45;

/** Everything that a monitor names, causes before effects. */
export const FINDINGS = [
  {
    code: "past-edge",
    severity: "problem",
    seenBy:
      "V rises in a fifth of the last 50 steps, or falls far less than predicted, and the loss makes no headway; " +
      "the loss leapt and stayed up; minibatches: fixed examples get worse, or predictions exceed what there is to win",
    detect: pastEdge,
  },
  {
    code: "edge",
    severity: "note",
    seenBy:
      "V rises in a fifth of the steps while the loss falls in the long run, or has come down to a 10⁻⁵th",
    detect: atEdge,
  },
  {
    code: "non-finite",
    severity: "problem",
    seenBy: "loss or gradient NaN or infinite: the step, and whether the loss had been rising",
    detect({ nonFinite, regressed }) {
      if (!nonFinite) return undefined;
      const hint = regressed
        ? "the loss had been rising"
        : "the loss had not been rising: look for log 0, 0 / 0 or bad data";
      return `non-finite ${nonFinite.what} at step ${nonFinite.step}; ${hint}`;
    },
  },
  {
    code: "diverging",
    severity: "problem",
    seenBy: "more than half of what was won is lost again",
    detect({ regressed, first, now }) {
      if (!regressed) return undefined;
      const between = now > first ? "" : ", fell,";
      return `diverging: the loss began at ${digits(first)}${between} and is at ${digits(now)}`;
    },
  },
  {
    code: "label-noise",
    severity: "problem",
    seenBy:
      "many fixed examples stand above the typical first loss while the others are learnt; classes that overlap look the same",
    detect({ probe }) {
      if (!probe?.labels) return undefined;
      const { examples, risenShare, left, suspects } = probe.labels;
      const chance = BEHIND + 2.5 * Math.sqrt((BEHIND * (1 - BEHIND)) / examples);
      if (!(risenShare > Math.max(LEAST_BEHIND, chance, BEHIND_WHILE_UNLEARNT * left))) return undefined;
      return (
        `label noise, or classes that overlap: while the median loss of ${examples} fixed examples fell to ${percent(left)} ` +
        `of its start, the losses of ${percent(risenShare)} stood above it half of the way; first suspects: ` +
        suspects.slice(0, 5).join(", ")
      );
    },
  },
  {
    code: "overfitting",
    severity: "note",
    seenBy: "fixed examples get worse while the batches' loss is below half of theirs",
    detect: overfitting,
  },
  {
    code: "frozen",
    severity: "problem",
    seenBy: "Σα of the steps to come cannot lower the loss by a hundredth, though ‖g‖ is not small",
    detect({ budget, gradNorm, gradNormMax, now }) {
      if (!budget?.frozen || gradNorm <= 1e-3 * gradNormMax) return undefined;
      return (
        `schedule frozen: Σα left is ${digits(budget.remaining)}, which cannot move x by more than ${digits(budget.reach)} ` +
        `or lower the loss of ${digits(now)} by more than ${digits(budget.predictedDrop)}; ‖g‖ = ${digits(gradNorm)}`
      );
    },
  },
  {
    code: "noise",
    severity: "note",
    seenBy: "less than 5 % of a minibatch gradient is signal and the loss no longer falls",
    detect({ noisy, signalShare, stepsSinceBest, window, regressed }) {
      if (!noisy || regressed || signalShare > 0.05 || stepsSinceBest < window) return undefined;
      return (
        `noise dominates: ${percent(signalShare)} of the gradient is signal and the loss has not fallen for ` +
        `${stepsSinceBest} steps; a lower rate or larger batches help, more steps do not`
      );
    },
  },
  {
    code: "stalled",
    severity: "note",
    seenBy: "the guard takes back half as many tries as there are steps",
    detect({ rejections, step, nonFinite }) {
      if (step < 10 || rejections < step / 2 || nonFinite) return undefined;
      return `the guard took back ${rejections} tries in ${step} steps: the rate is too high, or the gradient wrong`;
    },
  },
  {
    code: "kinks",
    severity: "note",
    seenBy: "a fifth of the steps cross kinks",
    detect({ records }) {
      const crossing = share(records, ({ kink }) => kink === true);
      if (records.length < 5 || crossing < 0.2) return undefined;
      return `${percent(crossing)} of the last ${records.length} steps cross kinks: smoothness and curvature say little`;
    },
  },
] as const satisfies readonly FindingRule[];

/** What may be wrong with a run; docs/stability.md says how each is seen. */
export type FindingCode = (typeof FINDINGS)[number]["code"];

/** One thing that a monitor names. */
export interface Finding {
  readonly code: FindingCode;
  /** A problem stops or spoils training; a note does not. */
  readonly severity: "problem" | "note";
  /** The step at which it was seen. */
  readonly step: number;
  /** One sentence with the numbers. */
  readonly message: string;
}

/** Everything that is wrong, problems before notes. */
export function findingsOf(evidence: Evidence): Finding[] {
  const found = FINDINGS.flatMap((rule): Finding[] => {
    const message = rule.detect(evidence);
    return message ? [{ code: rule.code, severity: rule.severity, step: evidence.step, message }] : [];
  });
  const of = (wanted: Finding["severity"]) => found.filter(({ severity }) => severity === wanted);
  return [...of("problem"), ...of("note")];
}
