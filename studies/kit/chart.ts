/* Lines with bands around them, in panels side by side that share both axes. */
import { halfWidth, mean } from "./statistics.js";
import { escapeXml, picture, place, polyline } from "./svg.js";

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
const frame = { width: 300, height: 240, left: 50, top: 76, right: 8, entry: 16, columns: 3 };

/** Some six round numbers from `low` to `high`. */
export function roundTicks(low: number, high: number): number[] {
  const rough = (high - low) / 6 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= 0.999 * rough)!;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++)
    ticks.push(Number((k * step).toPrecision(6)));
  return ticks;
}

interface Scale {
  readonly ticks: readonly number[];
  readonly label: (tick: number) => string;
  readonly at: (value: number) => number;
}

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
  const bottom = frame.top + frame.height;
  const yScale = scaleOf(
    y,
    points.flatMap((point) => [point.y - point.half, point.y + point.half]),
    bottom,
    frame.top,
  );
  const width = Math.max(2, panels.length) * frame.width + frame.left;
  const content = panels.flatMap((panel, p) => {
    const left = frame.left + p * frame.width + 10;
    const right = left + frame.width - frame.right - 20;
    const xScale = scaleOf(
      x,
      points.map((point) => point.x),
      left,
      right,
    );
    return [
      ...axes(panel.title, [left, right], xScale, yScale),
      ...panel.lines.flatMap((line) => drawLine(line, names.indexOf(line.name), xScale, yScale)),
      `<text x="${(left + right) / 2}" y="${bottom + 32}" text-anchor="middle">${escapeXml(x.title)}</text>`,
    ];
  });
  const middle = frame.top + frame.height / 2;
  const rows = Math.ceil(names.length / frame.columns);
  return picture(width, bottom + 48 + rows * frame.entry, escapeXml(title), [
    `<text x="14" y="40">${escapeXml(note)}</text>`,
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escapeXml(y.title)}</text>`,
    ...content,
    ...names.flatMap((name, k) => {
      const at = {
        x: frame.left + 10 + (k % frame.columns) * (width / 3 - 20),
        y: bottom + 52 + Math.floor(k / frame.columns) * frame.entry,
      };
      return [
        `<path d="M${at.x} ${at.y}h22" ${style(k)}/>`,
        `<text x="${at.x + 28}" y="${at.y + 3.5}">${escapeXml(name)}</text>`,
      ];
    }),
  ]);
}

const isFinitePoint = ({ y, half }: BandPoint) => Number.isFinite(y) && Number.isFinite(half);

function axes(title: string, [left, right]: readonly [number, number], x: Scale, y: Scale): string[] {
  const [top, bottom] = [frame.top, frame.top + frame.height];
  return [
    `<text x="${left}" y="${top - 8}" font-size="12" font-weight="600">${escapeXml(title)}</text>`,
    `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="none" stroke="#ccc"/>`,
    ...y.ticks.flatMap((tick) => [
      `<path d="M${left} ${y.at(tick)}H${right}" stroke="#e5e5e0"/>`,
      `<text x="${left - 4}" y="${y.at(tick) + 3}" text-anchor="end">${escapeXml(y.label(tick))}</text>`,
    ]),
    ...x.ticks.flatMap((tick) => [
      `<path d="M${x.at(tick)} ${bottom}v4" stroke="#999"/>`,
      `<text x="${x.at(tick)}" y="${bottom + 16}" text-anchor="middle">${escapeXml(x.label(tick))}</text>`,
    ]),
  ];
}

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
