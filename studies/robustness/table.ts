/* The study as tables. */
import { groups } from "./problem.js";
import { rateText, type Cell, type Row, type Study } from "./study.js";
import { gapsOf, summaries, type Summary } from "./summary.js";

const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[], names = 1): string {
  const rule = head.map((_, k) => (k < names ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** A minus sign, and no "−0.00". */
function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

const cellName = ({ problem, length }: Cell) => `${problem}, ${length} steps`;

/** What a summary is about, by name. "100 steps": how it goes in a run that is over before most methods have begun. */
export const views: readonly [name: string, chosen: (cell: Cell) => boolean][] = [
  ...groups.map((group): [string, (cell: Cell) => boolean] => [group, (cell) => cell.group === group]),
  ["everything", () => true],
  ["100 steps", ({ length }) => length === 100],
];

export function summaryTable(rows: readonly Summary[], cells: number): string {
  const lines = rows.map(
    ({ label, mean, low, high, worst, worstCell, even, diverged, spikes, cells: ran }) => [
      ran < cells ? `${label} (${ran} of ${cells})` : label,
      signed(mean, 3),
      `${signed(low, 2)} … ${signed(high, 2)}`,
      signed(worst, 2),
      cellName(worstCell),
      `${(100 * even).toFixed(0)} %`,
      diverged,
      spikes,
    ],
  );
  const head = [
    "contender",
    "mean gap",
    "95 %",
    "worst",
    "worst on",
    "gap ≤ 0.05",
    "diverged",
    "late spikes",
  ];
  return table(head, lines);
}

/** Mean gaps of all groups side by side. */
function overview(study: Study): string {
  const columns = views.map(([, chosen]) => summaries(study, chosen));
  const lines = study.rows.map(({ label }) => [
    label,
    ...columns.map((column) => {
      const summary = column.find((one) => one.label === label);
      return summary ? `${signed(summary.mean, 2)} · ${signed(summary.worst, 2)}` : "–";
    }),
  ]);
  return table(["mean · worst gap", ...views.map(([name]) => name)], lines);
}

function bestText({ best }: Cell): string {
  return best
    ? `${(10 ** best.logLoss).toPrecision(2).replace("e-", "e−")} (${best.family}, ${rateText(best.rate)})`
    : "–";
}

/** Gaps problem by problem, of all that is not tuned. */
export function problemTable(study: Study): string {
  const rows = study.rows.filter(({ kind }) => kind === "untuned" || kind === "superlevel");
  const lines = study.cells.map((cell, c) => [
    cellName(cell),
    bestText(cell),
    ...rows.map((row) => {
      const gaps = gapsOf(study, row, c);
      return gaps ? signed(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, 2) : "–";
    }),
  ]);
  return table(["problem", "best tuned loss", ...rows.map(({ label }) => label)], lines, 2);
}

/** log10 of the loss over the one that the run began with: above 0 it got worse. */
export function harmTable(study: Study): string {
  const chosen = study.cells.flatMap((cell, c) =>
    cell.problem.endsWith("fine-tuning") ? [{ cell, c }] : [],
  );
  if (chosen.length === 0) return "";
  const harm = (row: Row, c: number, { initial }: Cell) => {
    const logs = row.readings[c]?.logs;
    return logs ? signed(logs.reduce((sum, log) => sum + log, 0) / logs.length - initial, 2) : "–";
  };
  const lines = study.rows.map((row) => [row.label, ...chosen.map(({ cell, c }) => harm(row, c, cell))]);
  return table(["log10 of loss over the first", ...chosen.map(({ cell }) => cellName(cell))], lines);
}

/** Where the tuned best may not be the best that tuning can reach, or is at the least loss that is told apart. */
function doubts({ cells }: Study): string {
  const ends = cells.filter(({ best }) => best?.atEnd);
  const floors = cells.filter(({ best, initial }) => best && best.logLoss < initial - 7.99);
  const missing = cells.filter(({ best }) => best && best.missing > 0);
  const names = (of: readonly Cell[]) => (of.length > 0 ? of.map(cellName).join("; ") : "none");
  return [
    `Best tuned rate at an end of those that were tried: ${names(ends)}.`,
    `Best tuned loss below 1e−8 of the first: ${names(floors)}.`,
    `Some tuned runs not made yet: ${names(missing)}.`,
  ].join("\n\n");
}

/** Everything as markdown. */
export function report(study: Study, heading: string): string {
  const parts = views.flatMap(([name, chosen]) => {
    const rows = summaries(study, chosen);
    return rows.length > 0 ? [`## ${name}`, summaryTable(rows, study.cells.filter(chosen).length)] : [];
  });
  const harm = harmTable(study);
  return [
    heading,
    overview(study),
    ...parts,
    ...(harm ? ["## Fine-tuning", harm] : []),
    "## Problems",
    problemTable(study),
    doubts(study),
    "",
  ].join("\n\n");
}
