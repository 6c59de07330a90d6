import { mean, median } from "../kit/statistics.js";
import type { Contender } from "./contenders.js";
import type { Run } from "./train.js";

/** All runs of one optimizer, one for each seed. */
export interface Result {
  readonly contender: Contender;
  readonly runs: readonly Run[];
}

interface Summary {
  readonly name: string;
  readonly loss: number;
  readonly lossSpread: number;
  readonly accuracy: number;
  readonly accuracySpread: number;
  readonly stepTime: number;
  readonly wholeTime: number;
  readonly divergedAt: readonly number[];
  readonly runs: number;
}

/** The table, one line for each optimizer, and a closing sentence. */
export function report(results: readonly Result[]): string {
  const summaries = results.map(summarise);
  const finished = summaries.filter((summary) => summary.divergedAt.length === 0);
  if (finished.length === 0) return "Every optimizer diverged.";
  const bestLoss = Math.min(...finished.map((summary) => summary.loss));
  const bestAccuracy = Math.max(...finished.map((summary) => summary.accuracy));
  const seeds = results[0].runs.length;
  const header = [
    ["", "", "", "loss, log10", "accuracy,", "step,", "gradient"],
    ["optimizer", "train loss", "test accuracy", "behind best", "behind best", "µs", "and step, ms"],
  ];
  const rows = summaries.map((summary) => cells(summary, bestLoss, bestAccuracy));
  const lines = alignColumns([...header, ...rows]);
  lines.splice(2, 0, "─".repeat(Math.max(...lines.map((line) => line.length))));
  if (seeds > 1) lines.push("", `Means of ${seeds} seeds ± standard deviation; times are medians.`);
  else lines.push("", "Times are medians.");
  return [...lines, verdict(summaries)].join("\n");
}

/** One run in a few words, for the progress lines. */
export function runText(run: Run): string {
  if (run.divergedAt !== undefined) return `diverged at step ${run.divergedAt}`;
  return `train loss ${run.trainLoss.toPrecision(3)}, test accuracy ${percent(run.testAccuracy)}`;
}

function summarise({ contender, runs }: Result): Summary {
  const losses = runs.map((run) => run.trainLoss);
  const accuracies = runs.map((run) => run.testAccuracy);
  return {
    name: contender.name,
    loss: mean(losses),
    lossSpread: deviation(losses),
    accuracy: mean(accuracies),
    accuracySpread: deviation(accuracies),
    stepTime: median(runs.map((run) => run.stepTime)),
    wholeTime: median(runs.map((run) => run.wholeTime)),
    divergedAt: runs.flatMap((run) => run.divergedAt ?? []),
    runs: runs.length,
  };
}

function cells(summary: Summary, bestLoss: number, bestAccuracy: number): string[] {
  const { name, divergedAt, runs } = summary;
  if (divergedAt.length > 0) {
    const which = runs > 1 ? ` (${divergedAt.length} of ${runs} seeds)` : "";
    return [name, `diverged at step ${divergedAt.join(", ")}${which}`];
  }
  const many = runs > 1;
  const points = 100 * (bestAccuracy - summary.accuracy);
  return [
    name,
    summary.loss.toPrecision(3) + (many ? ` ± ${summary.lossSpread.toPrecision(2)}` : ""),
    percent(summary.accuracy) + (many ? ` ± ${(100 * summary.accuracySpread).toFixed(2)}` : ""),
    // A loss of 0 is no nearer than the smallest number above 0; it cannot be put on a log scale.
    summary.loss > 0 && bestLoss > 0 ? Math.log10(summary.loss / bestLoss).toFixed(2) : "–",
    points.toFixed(2),
    summary.stepTime.toFixed(0),
    (summary.wholeTime / 1000).toFixed(2),
  ];
}

/** Names to the left, numbers to the right; a row with a single remark lets it run on. */
function alignColumns(rows: readonly string[][]): string[] {
  const full = rows.filter((row) => row.length > 2);
  const widths = full[0].map((_, column) => Math.max(...full.map((row) => row[column].length)));
  return rows.map(([name, ...rest]) => {
    const first = name.padEnd(widths[0]);
    if (rest.length === 1) return `${first}  ${rest[0]}`;
    return [first, ...rest.map((cell, column) => cell.padStart(widths[column + 1]))].join("   ").trimEnd();
  });
}

function verdict(summaries: readonly Summary[]): string {
  const [own, ...others] = summaries;
  if (own.divergedAt.length > 0) return `${own.name} diverged.`;
  const finished = others.filter((summary) => summary.divergedAt.length === 0);
  if (finished.length === 0)
    return `${own.name}, given no learning rate: ${percent(own.accuracy)}; all others diverged.`;
  const best = finished.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  const points = 100 * (own.accuracy - best.accuracy);
  const where = `${Math.abs(points).toFixed(2)} points ${points < 0 ? "below" : "above"}`;
  return `${own.name}, given no learning rate: ${percent(own.accuracy)}, ${where} the best of the others (${best.name}, ${percent(best.accuracy)}).`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}
