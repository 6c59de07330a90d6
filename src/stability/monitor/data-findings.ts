import { digits, percent, type Evidence } from "./evidence.js";

/* What fixed examples tell of the data. Each returns the message, or undefined where it does not show. */

/** Of clean data less than an eighth stays behind, where no more is learnt; by chance a little more of a few examples. */
const BEHIND = 0.07;
const LEAST_BEHIND = 0.12;
/** The median falls by less than this share in the last four tenths of the tests: what can be learnt is learnt. */
const SETTLED = 0.8;

/** Share of the probe's tests that find fixed examples worse, and not by chance. */
export const OFTEN_WORSE = 0.2;

/** Wrong labels, by examples that are learnt last. */
export function labelNoise(evidence: Evidence): string | undefined {
  const { probe } = evidence;
  if (!probe?.labels || overfits(evidence)) return undefined;
  const { examples, standing, pace, left, suspects } = probe.labels;
  const chance = BEHIND + 2 * Math.sqrt((BEHIND * (1 - BEHIND)) / examples);
  if (!(standing > Math.max(LEAST_BEHIND, chance)) || !(pace > SETTLED)) return undefined;
  return (
    `label noise, or classes that overlap or are not learnt yet: the median loss of ${examples} fixed examples fell to ${percent(left)} of its start and stays, ` +
    `while ${percent(standing)} stand above it; look at the labels of the first suspects: ${suspects.slice(0, 5).join(", ")}`
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
