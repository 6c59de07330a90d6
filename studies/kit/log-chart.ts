/* Lines over many sizes, in panels side by side: both axes are logarithmic. */
import {
  escapeXml,
  frame,
  legendEntry,
  logTicks,
  picture,
  place,
  polyline,
  stroke,
  type Scale,
} from "./svg.js";

export interface Series {
  readonly name: string;
  readonly bold: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LogChart {
  readonly title: string;
  readonly note: string;
  readonly panels: readonly { readonly title: string; readonly series: readonly Series[] }[];
}

const size = { width: 420, height: 340, left: 52, top: 78, right: 12, entry: 15 };

/** Powers of ten, and 2 and 5 times these where there would be fewer than three. */
function logScale(low: number, high: number, label: Scale["label"], first: number, last: number): Scale {
  const all = logTicks(10 ** (low - 1e-9), 10 ** (high + 1e-9));
  const powers = all.filter((tick) => Number.isInteger(Math.log10(tick)));
  return {
    ticks: powers.length < 3 ? all : powers,
    label,
    at: (value) => place(Math.log10(value), low, high, first, last),
  };
}

/** 1e4 or 2e4: sizes are too long to write out under an axis. */
const exponent = (tick: number) => tick.toExponential().replace("+", "");

/** Panels side by side, both axes logarithmic. */
export function logChart({ title, note, panels }: LogChart): string {
  const content = panels.flatMap((panel, p) => drawPanel(panel, p * size.width));
  const rows = Math.ceil(Math.max(...panels.map(({ series }) => series.length)) / 2);
  const height = size.top + size.height + rows * size.entry;
  return picture(panels.length * size.width, height, title, [
    `<text x="14" y="40">${escapeXml(note)}</text>`,
    ...content,
  ]);
}

function drawPanel({ title, series }: LogChart["panels"][number], at: number): string[] {
  const values = series.flatMap(({ points }) => points.map(([, y]) => Math.log10(y)));
  const low = Math.floor(Math.min(...values) * 2) / 2;
  const high = Math.ceil(Math.max(...values) * 2) / 2;
  const sizes = series.flatMap(({ points }) => points.map(([x]) => Math.log10(x)));
  const [from, to] = [Math.min(...sizes), Math.max(...sizes)];
  const [left, right] = [at + size.left, at + size.width - size.right];
  const [top, bottom] = [size.top, size.top + size.height - 40];
  const x = logScale(from, to, exponent, left, right);
  const y = logScale(low, high, String, bottom, top);
  return [
    ...frame(title, { left, right, top, bottom }, x, y),
    ...series.flatMap(({ name, bold, points }, k) => {
      const style = stroke(k, bold);
      const entry = { x: at + 14 + (k % 2) * 205, y: bottom + 34 + Math.floor(k / 2) * size.entry };
      const places = points.map(([count, value]) => ({ x: x.at(count), y: y.at(value) }));
      return [polyline(places, style), ...legendEntry(entry, name, style)];
    }),
  ];
}
