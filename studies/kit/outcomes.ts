/* From the runs of a study to what its page says. */
import { groupBy, halfWidth, mean } from "./statistics.js";
import type { Json, Run } from "./study.js";

/** Five digits are more than differ between seeds, and keep a file of results small; null is not a finite number. */
export const rounded = (value: number, digits = 5): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;

/** Outcomes of the seeds of each setting, by the setting's name, in the order in which these first come. */
export function bySetting<Job extends Json, Outcome extends Json>(
  runs: readonly Run<Job, Outcome>[],
  nameOf: (job: Job) => string,
): Map<string, Outcome[]> {
  const groups = groupBy(runs, ({ job }) => nameOf(job));
  return new Map([...groups].map(([name, own]) => [name, own.map(({ outcome }) => outcome)]));
}

export const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "–";

/** A share, as a number of percent. */
export const percent = (share: number, digits = 0): string => `${fixed(100 * share, digits)} %`;

/** The mean, and half of its 95 % interval. */
export function interval(values: readonly number[], digits: number): string {
  if (values.length === 0) return "–";
  return `${fixed(mean(values), digits)} ± ${fixed(halfWidth(values), digits)}`;
}

/**
 * Is `a` below `b` by the 95 % interval of the difference, seed by seed? Seeds share data and starts, so differences vary less
 * than either. Of a single seed, or where seeds are missing, nobody knows.
 */
export function clearlyBelow(a: readonly number[], b: readonly number[]): boolean {
  if (a.length < 2 || a.length !== b.length) return false;
  const differences = a.map((value, k) => value - b[k]);
  return mean(differences) + halfWidth(differences) < 0;
}

/** "a, b and c"; "none" of nothing. */
export function listed(items: readonly string[]): string {
  if (items.length === 0) return "none";
  return items.length === 1 ? items[0] : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}

/** A table of Markdown, as prettier leaves it: the first `texts` columns to the left, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], texts = 1): string {
  const widths = head.map((cell, k) => Math.max(3, cell.length, ...rows.map((row) => row[k].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, k) => (k < texts ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join(" | ")} |`;
  const rule = widths.map((width, k) => (k < texts ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
