import { legendEntry, picture, place, polyline, stroke as line } from "../svg.js";
import { rateText, type Entry, type Table } from "./table.js";

const panel = { width: 230, height: 170, left: 46, top: 30, right: 10, bottom: 26 };
const columns = 4;
const header = 74;
const rates = { low: -4, high: 2 };

interface Frame {
  left: number;
  top: number;
  low: number;
  high: number;
}

/** Final loss against learning rate, one small picture for each problem. */
export function rateCurves(table: Table): string {
  const families = [...new Set(table.entries.filter(isDrawn).map(({ family }) => family))];
  const rows = Math.ceil(table.problems.length / columns);
  const [width, height] = [columns * panel.width, header + rows * panel.height];
  return picture(width, height, "Final loss (log scale) against learning rate", [
    ...legend(families),
    ...table.problems.flatMap((problem, p) => onePanel(table, families, problem, p)),
  ]);
}

/** Rates above 1 exist for superlevel only; cosine families are left out, to keep the picture readable. */
function isDrawn({ kind, family }: Entry): boolean {
  return kind === "superlevel" || (kind === "tuned" && !family.endsWith("cosine"));
}

const stroke = (family: string, k: number) => line(k, family.startsWith("superlevel"));

function legend(families: readonly string[]): string[] {
  return families.flatMap((family, k) =>
    legendEntry({ x: 14 + (k % 5) * 180, y: 40 + Math.floor(k / 5) * 16 }, family, stroke(family, k)),
  );
}

function onePanel(table: Table, families: readonly string[], problem: string, p: number): string[] {
  const losses = table.entries.filter(isDrawn).map(({ results }) => results[p].logLoss);
  const low = Math.floor(Math.min(...losses) * 2 - 0.1) / 2;
  // A diverged run is at ten times the first loss: the frame ends there at the latest.
  const high = Math.min(low + 9, Math.ceil(Math.max(...losses) * 2 + 0.1) / 2);
  const left = (p % columns) * panel.width + panel.left;
  const frame = { left, top: header + Math.floor(p / columns) * panel.height + panel.top, low, high };
  return [
    `<text x="${left}" y="${frame.top - 7}" font-weight="600">${problem}</text>`,
    ...axes(frame),
    ...families.map((family, k) => curve(table, family, k, p, frame)),
  ];
}

const innerWidth = panel.width - panel.left - panel.right;
const innerHeight = panel.height - panel.top - panel.bottom;

function x(logRate: number, { left }: Frame): number {
  return place(logRate, rates.low, rates.high, left, left + innerWidth);
}

function y(logLoss: number, { top, low, high }: Frame): number {
  return place(Math.min(logLoss, high), low, high, top + innerHeight, top);
}

function axes(frame: Frame): string[] {
  const { left, top, low, high } = frame;
  const bottom = top + innerHeight;
  const every = Math.max(1, Math.ceil((high - low) / 5));
  const levels = Array.from({ length: 30 }, (_, k) => Math.ceil(low) + k * every).filter(
    (tick) => tick <= high,
  );
  return [
    `<rect x="${left}" y="${top}" width="${innerWidth}" height="${innerHeight}" fill="none" stroke="#ccc"/>`,
    ...levels.map(
      (tick) => `<text x="${left - 4}" y="${y(tick, frame) + 3}" text-anchor="end">1e${tick}</text>`,
    ),
    ...[-4, -2, 0, 2].map(
      (tick) =>
        `<text x="${x(tick, frame)}" y="${bottom + 12}" text-anchor="middle">${rateText(Number(`1e${tick}`))}</text>`,
    ),
  ];
}

function curve(table: Table, family: string, k: number, p: number, frame: Frame): string {
  const points = table.entries
    .filter((entry) => entry.family === family)
    .sort((a, b) => a.rate - b.rate)
    .map(({ rate, results }) => ({ x: x(Math.log10(rate), frame), y: y(results[p].logLoss, frame) }));
  return polyline(points, stroke(family, k));
}
