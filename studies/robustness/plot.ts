import { colors, picture, place } from "../kit/svg.js";
import type { Study } from "./study.js";
import { summaries, type Summary } from "./summary.js";
import { views } from "./table.js";

const panel = { width: 470, left: 205, right: 16, top: 26, row: 15, bottom: 26 };
const columns = 2;
const header = 56;
const axis = { low: -1, high: 2 };
const ticks = [-1, -0.5, 0, 0.5, 1, 1.5, 2];

interface Panel {
  readonly title: string;
  readonly rows: readonly Summary[];
}

/** For each group of problems: mean gap and its interval as a bar, the worst as a tick, one line for each contender. */
export function gapChart(study: Study): string {
  const panels = views.flatMap(([title, chosen]): Panel[] => {
    const count = study.cells.filter(chosen).length;
    // What was not run everywhere cannot be compared. Variants of the default are in the tables alone.
    const complete = summaries(study, chosen).filter(
      ({ cells, label }) => cells === count && !label.startsWith("superlevel, β"),
    );
    const rows = complete.sort((a, b) => a.mean - b.mean);
    return rows.length > 0 ? [{ title, rows }] : [];
  });
  const height = panel.top + panel.bottom + panel.row * Math.max(0, ...panels.map(({ rows }) => rows.length));
  const note =
    "log10(loss / best tuned Adam or AdamW): mean with its 95 % interval; triangle: the worst, ▸ where beyond 2";
  return picture(
    columns * panel.width,
    header + Math.ceil(panels.length / columns) * height,
    "Gap to the best tuned run",
    [
      `<text x="14" y="40">${note}</text>`,
      ...panels.flatMap((one, k) =>
        draw(one, (k % columns) * panel.width, header + Math.floor(k / columns) * height),
      ),
    ],
  );
}

function draw({ title, rows }: Panel, left: number, top: number): string[] {
  const x = (value: number) =>
    place(
      Math.min(axis.high, Math.max(axis.low, value)),
      axis.low,
      axis.high,
      left + panel.left,
      left + panel.width - panel.right,
    );
  const [first, last] = [top + panel.top, top + panel.top + rows.length * panel.row];
  return [
    `<text x="${left + panel.left}" y="${first - 8}" font-size="12" font-weight="600">${title}</text>`,
    ...ticks.flatMap((tick) => [
      `<path d="M${x(tick)} ${first}V${last}" stroke="${tick === 0 ? "#777" : "#e5e5e0"}"/>`,
      `<text x="${x(tick)}" y="${last + 13}" text-anchor="middle">${String(tick).replace("-", "−")}</text>`,
    ]),
    ...rows.flatMap((row, k) => drawRow(row, left + panel.left, first + (k + 0.5) * panel.row, x)),
  ];
}

const colorOf = ({ kind, label }: Summary) =>
  kind === "superlevel" || label.startsWith("superlevel")
    ? colors[0]
    : kind === "untuned"
      ? colors[5]
      : "#888";

function drawRow(row: Summary, edge: number, y: number, x: (value: number) => number): string[] {
  const { label, mean, low, high, worst } = row;
  const color = colorOf(row);
  const weight = row.kind === "superlevel" ? ' font-weight="600"' : "";
  return [
    `<text x="${edge - 6}" y="${y + 3.5}" text-anchor="end" font-size="9.5"${weight}>${label.replace(", one rate", "")}</text>`,
    `<path d="M${x(low)} ${y}H${x(high)}" stroke="${color}" stroke-width="3" stroke-opacity="0.45"/>`,
    `<circle cx="${x(mean)}" cy="${y}" r="3" fill="${color}"/>`,
    worst > axis.high
      ? `<path d="M${x(worst) - 5} ${y - 3.5}l6 3.5l-6 3.5z" fill="${color}"/>`
      : `<path d="M${x(worst)} ${y - 3}l3 5h-6z" fill="none" stroke="${color}"/>`,
  ];
}
