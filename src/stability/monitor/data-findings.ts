import { digits, percent, type Evidence } from "./evidence.js";

/* What fixed examples tell of the data. Each returns the message, or undefined where it does not show. */

/** Of clean data the share of high losses, times how unsure the surest are, is less. */
const CONTRADICTS = 0.1;
/** Of clean data fewer stay behind where no more is learnt. */
const BEHIND = 0.1;
/** Fewer examples tell too little. */
const ENOUGH = 100;
/** The batches' loss is as high as that of examples that are trained on. */
const TRAINED_ON = 0.9;

/** Share of the probe's tests that find fixed examples worse, and not by chance. */
export const OFTEN_WORSE = 0.2;

/** Wrong labels, by examples that contradict what is learnt, until they are learnt by heart. */
export function labelNoise({ probe, now }: Evidence): string | undefined {
  // Mistakes on examples that are held out are none of their labels.
  if (!probe?.labels || now < TRAINED_ON * probe.last) return undefined;
  const { examples, contradiction, standing, left, risenShare, suspects } = probe.labels;
  if (examples < ENOUGH || (contradiction < CONTRADICTS && standing < BEHIND)) return undefined;
  return (
    `label noise, or classes that overlap: while the median loss of ${examples} fixed examples fell to ${percent(left)} of its start, ` +
    `the losses of ${percent(Math.max(risenShare, standing))} stood above it, and none of the others became sure; look at the labels of the first suspects: ${suspects.slice(0, 5).join(", ")}`
  );
}

/** The batches' loss is far below that of the fixed examples, which then are not what is trained on, and these get worse. */
export function overfits({ probe, now, regressed }: Evidence): boolean {
  if (!probe || probe.tests < 3 || regressed) return false;
  return now < probe.last / 2 && (probe.alarms / probe.tests > OFTEN_WORSE || probe.worsened);
}

/** Fixed examples get worse while the batches' loss is far below theirs. */
export function overfitting(evidence: Evidence): string | undefined {
  const { probe, now } = evidence;
  if (!probe || !overfits(evidence)) return undefined;
  return (
    `overfitting: the loss of fixed examples went from ${digits(probe.best)} to ${digits(probe.last)}, while that of the batches fell ` +
    `to ${digits(now)}; stop where theirs is lowest, or take more data, a smaller network or weight decay`
  );
}

/** A rare class is left out. */
export function classImbalance({ probe }: Evidence): string | undefined {
  const found = probe?.classes;
  if (!found) return undefined;
  const { rarest, share, loss, others } = found;
  return (
    `class imbalance: class ${rarest}, ${percent(share)} of the fixed examples, has a mean loss of ${digits(loss)}, worse than by chance, ` +
    `and the others of ${digits(others)}; weigh its losses up (classWeights of superlevel/objective), or show it more often`
  );
}
