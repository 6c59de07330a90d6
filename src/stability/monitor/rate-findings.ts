import { digits, percent, won, type Evidence } from "./evidence.js";

/* Steps that are too short. Each returns the message, or undefined where it does not show. */

/** Steps that it takes to say that nothing happens. */
const PATIENCE = 30;
/** A run in which x moves by less than this share of its length, and the loss falls by less than this, goes nowhere. */
const [SHORT_WAY, LITTLE_WON] = [0.02, 0.1];

/** No finding explains better why so little happens. */
function hardlyMoves(evidence: Evidence): boolean {
  const { step, updateRatio, gradNorm, seen, records, noisy, signalShare, nonFinite, early } = evidence;
  if (step < PATIENCE || nonFinite || !(updateRatio * step < SHORT_WAY)) return false;
  if (won({ ...evidence, first: early }) > LITTLE_WON) return false;
  // At a minimum steps are short as well, but then gradients have become small, or are noise.
  if (noisy) return signalShare > 0.02;
  const edges = records.filter(({ predicted }) => predicted < 0).map(({ ratio }) => 1 - ratio);
  const low = edges.filter((edge) => edge < 0.02).length >= edges.length / 2;
  return low && gradNorm > 0.3 * seen.gradNormFirst;
}

const still = ({ updateRatio, records }: Evidence) =>
  records.length > 0 && updateRatio === 0 && records.every(({ distance }) => distance === 0);

const numbers = ({ updateRatio, step, first, now }: Evidence) =>
  `a step moves x by ${digits(updateRatio)} of its length, and in ${step} steps the loss went from ${digits(first)} to ${digits(now)}`;

/** Nothing moves, or next to nothing, and no tuner is there to change that. */
export function rateTooSmall(evidence: Evidence): string | undefined {
  const { seen, tuned, step, gradNorm, layers } = evidence;
  const stays = still(evidence) && step > 1 && gradNorm > 0 && !layers.every(({ frozen }) => frozen);
  if (stays && (!tuned || seen.rate === 0)) {
    const rate =
      seen.steps > 0
        ? `the learning rate is ${digits(seen.rate)}`
        : "the learning rate is 0, or steps are not taken";
    return `x does not move: ${rate}; set a rate, such as 0.001 for Adam or 0.1 for descent, or leave it to a tuner`;
  }
  if (tuned || !hardlyMoves(evidence)) return undefined;
  return `learning rate far too small: ${numbers(evidence)}; try one ten to a thousand times as large`;
}

/** The tuner's scale is so small that nothing moves, or fell. */
export function scaleCollapsed(evidence: Evidence): string | undefined {
  const { tuned, seen, progress, step } = evidence;
  if (!tuned || seen.rate === 0 || seen.steps < PATIENCE || won(evidence) > 0.5) return undefined;
  const fell = seen.scale < 1e-3 * seen.scaleMax && !progress;
  const slow = hardlyMoves(evidence) || (still(evidence) && step > 1);
  if (!fell && !slow) return undefined;
  const way = fell ? `fell from ${digits(seen.scaleMax)} to` : "is still";
  return (
    `scale collapsed: S ${way} ${digits(seen.scale)} after ${seen.steps} steps, and ${numbers(evidence)}; begin anew with a larger sInit ` +
    "or its default, and look whether gradients agree from step to step"
  );
}

/** The tuner's scale is far above what the loss bears. */
export function scaleRanAway(evidence: Evidence, pastEdge: string | undefined): string | undefined {
  const { tuned, seen, regressed, spiked, recovered, updateRatio, now, first } = evidence;
  if (!tuned || seen.steps === 0) return undefined;
  const bad = regressed || (spiked && !recovered) || (pastEdge !== undefined && !(now < first));
  const far = seen.scaleMax >= 10 * seen.scaleFirst || updateRatio > 1 || seen.scaleFirst >= 1;
  if (!bad || !far) return undefined;
  return (
    `scale ran away: S began at ${digits(seen.scaleFirst)}, rose to ${digits(seen.scaleMax)} and is at ${digits(seen.scale)}, while the loss ` +
    `went from ${digits(first)} to ${digits(now)}; take a smaller sInit or learningRate, or a guard (deterministic: true)`
  );
}

/** Weight decay as strong as this share of what it works against. */
const STRONG = 0.5;

/** Weights are pulled to 0 before they learn. */
export function weightDecay(evidence: Evidence): string | undefined {
  const { decay, progress, step } = evidence;
  if (!decay || step < PATIENCE || progress || won(evidence) > 0.6) return undefined;
  if (!(decay.pull >= STRONG) || decay.growth > 0.8) return undefined;
  return (
    `weight decay too strong: λ = ${digits(decay.lambda)} pulls weights to 0 ${digits(decay.pull)} times as hard as the gradient ` +
    `moves them, ‖x‖ fell to ${percent(decay.growth)} of its start; take a tenth of it or less`
  );
}
