import { classImbalance, labelNoise, overfitting } from "./data-findings.js";
import { digits, percent, share, type Evidence } from "./evidence.js";
import { deadUnits, exploding, largeInputs, stillLayer, vanishing, wrongSigned } from "./layer-findings.js";
import { atEdge, pastEdge } from "./past-edge.js";
import { rateTooSmall, scaleCollapsed, scaleRanAway, weightDecay } from "./rate-findings.js";

/** Something that a monitor names, and when. */
interface FindingRule {
  readonly code: string;
  readonly severity: Finding["severity"];
  /** How it is seen: its row in docs/stability.md. */
  readonly seenBy: string;
  /** One sentence with the numbers where it holds, otherwise undefined. */
  readonly detect: (evidence: Evidence) => string | undefined;
}

/** Everything that a monitor names, causes before effects. */
export const FINDINGS = [
  {
    code: "wrong-sign",
    severity: "problem",
    seenBy:
      "ΔV fits Σ ½ (g + g')·d over the layers only with the sign of some turned round; minibatches: also where one layer's steps are to lower V steadily, and V falls by less than a third of that",
    detect: wrongSigned,
  },
  {
    code: "inputs-too-large",
    severity: "problem",
    seenBy: "the first weights' gradient is 150 times that of their biases, at the first steps",
    detect: largeInputs,
  },
  {
    code: "weight-decay",
    severity: "problem",
    seenBy:
      "weight decay pulls at x half as hard as the gradient or more, ‖x‖ falls, and the loss makes no headway",
    detect: weightDecay,
  },
  {
    code: "dead-units",
    severity: "problem",
    seenBy:
      "most units of a layer get a gradient of exactly 0 at each step, or return 0 at every example where activations are seen",
    detect: (evidence) => deadUnits(evidence, pastEdge(evidence)),
  },
  {
    code: "vanishing-gradient",
    severity: "problem",
    seenBy: "gradients fall from layer to layer on their way back, to a thousandth, and little is learnt",
    detect: vanishing,
  },
  {
    code: "exploding-gradient",
    severity: "problem",
    seenBy:
      "‖g‖ ‖x‖ is 25 times the loss at the start, or ‖g‖ becomes 30 times larger at an early layer than at the last while no rate is past the edge, and the loss makes no headway",
    detect: (evidence) => exploding(evidence, pastEdge(evidence)),
  },
  {
    code: "scale-ran-away",
    severity: "problem",
    seenBy:
      "the tuner's S is ten times where it began, or steps are longer than x, and the loss leapt or rose",
    detect: (evidence) => scaleRanAway(evidence, pastEdge(evidence)),
  },
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
        ? "the loss had been rising: lower the rate"
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
      return `diverging: the loss began at ${digits(first)}${between} and is at ${digits(now)}; lower the rate, or begin anew where it was lowest`;
    },
  },
  {
    code: "frozen",
    severity: "problem",
    seenBy: "Σα of the steps to come cannot lower the loss by a hundredth, though ‖g‖ is not small",
    detect({ budget, gradNorm, gradNormMax, now }) {
      if (!budget?.frozen || gradNorm <= 1e-3 * gradNormMax) return undefined;
      return (
        `schedule frozen: Σα left is ${digits(budget.remaining)}, which cannot move x by more than ${digits(budget.reach)} ` +
        `or lower the loss of ${digits(now)} by more than ${digits(budget.predictedDrop)}; ‖g‖ = ${digits(gradNorm)}; let the rate fall more slowly, or begin higher`
      );
    },
  },
  {
    code: "scale-collapsed",
    severity: "problem",
    seenBy: "the tuner's S is so small that nothing moves, or fell to a thousandth, and little is learnt",
    detect: scaleCollapsed,
  },
  {
    code: "rate-too-small",
    severity: "problem",
    seenBy:
      "x moves by less than a fiftieth of its length in the whole run, far below the edge, and the loss stays; or not at all",
    detect: rateTooSmall,
  },
  {
    code: "layer-not-learning",
    severity: "problem",
    seenBy: "a layer's updates are 0, or a thousandth of the others'",
    detect: stillLayer,
  },
  {
    code: "overfitting",
    severity: "problem",
    seenBy:
      "fixed examples get worse, since their best or from test to test, while the batches' loss is below half of theirs",
    detect: overfitting,
  },
  {
    code: "class-imbalance",
    severity: "problem",
    seenBy:
      "a rare class of the fixed examples, with their `labels`, is predicted worse than by chance while the others are learnt",
    detect: classImbalance,
  },
  {
    code: "label-noise",
    severity: "problem",
    seenBy:
      "while the median loss falls, of 100 fixed examples or more some of all classes alike rise a quarter of a nat above the first median, and the surest fifth is not sure yet",
    detect: labelNoise,
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
      return `the guard took back ${rejections} tries in ${step} steps: the rate is too high, or the gradient wrong; lower it, and compare with finiteDifferences`;
    },
  },
  {
    code: "kinks",
    severity: "note",
    seenBy: "a fifth of the steps cross kinks",
    detect({ records }) {
      const crossing = share(records, ({ kink }) => kink === true);
      if (records.length < 5 || crossing < 0.2) return undefined;
      return `${percent(crossing)} of the last ${records.length} steps cross kinks: smoothness and curvature say little; go by the loss`;
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
