/* Lines with bands around them, in panels side by side that share both axes. */
import { halfWidth, mean } from "./statistics.js";
import { escapeXml, frame, legendEntry, picture, place, polyline, roundTicks, type Scale } from "./svg.js";

/** A mean, and half of its interval. */
export interface BandPoint {
  readonly x: number;
  readonly y: number;
  readonly half: number;
}

/** The mean of some values, with its 95 % interval. */
export const bandPoint = (x: number, values: readonly number[]): BandPoint => ({
  x,
  y: mean(values),
  half: halfWidth(values),
});

export interface Line {
  readonly name: string;
  /** Those whose y is not finite are left out. */
  readonly points: readonly BandPoint[];
}

export interface Axis {
  readonly title: string;
  /** Where it is marked; default: at round numbers. */
  readonly ticks?: readonly number[];
  readonly label?: (tick: number) => string;
}

export interface Chart {
  readonly title: string;
  readonly note: string;
  readonly x: Axis;
  readonly y: Axis;
  /** A line has the same colour in every panel. */
  readonly panels: readonly { readonly title: string; readonly lines: readonly Line[] }[];
}

/** Okabe and Ito's colours, which people who see no red or no green can tell apart. */
export const safeColors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333"];
const dashes = ["", "7 3", "2 2"];
const size = { width: 300, height: 240, left: 50, top: 76, right: 8, entry: 16, columns: 3 };

function scaleOf(
  { ticks, label = String }: Axis,
  values: readonly number[],
  first: number,
  last: number,
): Scale {
  const all = [...values, ...(ticks ?? [])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = 0.03 * (high - low || 1);
  const at = (value: number) => place(value, low - room, high + room, first, last);
  return { ticks: ticks ?? roundTicks(low, high), label, at };
}

function style(k: number): string {
  const dash = dashes[Math.floor(k / safeColors.length) % dashes.length];
  const dashed = dash === "" ? "" : ` stroke-dasharray="${dash}"`;
  return `fill="none" stroke="${safeColors[k % safeColors.length]}" stroke-width="1.8"${dashed}`;
}

/** The picture, as text of SVG. */
export function bandChart({ title, note, x, y, panels }: Chart): string {
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const points = panels.flatMap(({ lines }) => lines.flatMap((line) => line.points)).filter(isFinitePoint);
  const bottom = size.top + size.height;
  const yScale = scaleOf(
    y,
    points.flatMap((point) => [point.y - point.half, point.y + point.half]),
    bottom,
    size.top,
  );
  const width = Math.max(2, panels.length) * size.width + size.left;
  const content = panels.flatMap((panel, p) => {
    const left = size.left + p * size.width + 10;
    const right = left + size.width - size.right - 20;
    const xScale = scaleOf(
      x,
      points.map((point) => point.x),
      left,
      right,
    );
    const box = { left, right, top: size.top, bottom };
    return [
      ...frame(panel.title, box, xScale, yScale, { x: x.title, ...(p === 0 && { y: y.title }) }),
      ...panel.lines.flatMap((line) => drawLine(line, names.indexOf(line.name), xScale, yScale)),
    ];
  });
  const rows = Math.ceil(names.length / size.columns);
  return picture(width, bottom + 48 + rows * size.entry, title, [
    `<text x="14" y="40">${escapeXml(note)}</text>`,
    ...content,
    ...names.flatMap((name, k) => {
      const at = {
        x: size.left + 10 + (k % size.columns) * (width / 3 - 20),
        y: bottom + 52 + Math.floor(k / size.columns) * size.entry,
      };
      return legendEntry(at, name, style(k));
    }),
  ]);
}

const isFinitePoint = ({ y, half }: BandPoint) => Number.isFinite(y) && Number.isFinite(half);

function drawLine({ name, points }: Line, k: number, x: Scale, y: Scale): string[] {
  const drawn = points.filter(isFinitePoint);
  if (drawn.length === 0) return [];
  const color = safeColors[k % safeColors.length];
  const upper = drawn.map((point) => ({ x: x.at(point.x), y: y.at(point.y + point.half) }));
  const lower = drawn.map((point) => ({ x: x.at(point.x), y: y.at(point.y - point.half) }));
  const band = [...upper, ...lower.reverse()].map((corner) => `${corner.x},${corner.y}`).join(" ");
  const middle = drawn.map((point) => ({ x: x.at(point.x), y: y.at(point.y) }));
  return [
    `<g><title>${escapeXml(name)}</title>`,
    `<polygon points="${band}" fill="${color}" fill-opacity="0.15"/>`,
    polyline(middle, style(k)),
    ...middle.map((dot) => `<circle cx="${dot.x}" cy="${dot.y}" r="2.4" fill="${color}"/>`),
    "</g>",
  ];
}
