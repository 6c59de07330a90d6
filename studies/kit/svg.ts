/* Pictures as text: what the benchmarks' plots share. */

export const colors = [
  "#dc2626",
  "#f59e0b",
  "#65a30d",
  "#db2777",
  "#7c3aed",
  "#1d4ed8",
  "#0891b2",
  "#15803d",
  "#4b5563",
  "#a16207",
];

export interface Point {
  readonly x: number;
  readonly y: number;
}

const round = (value: number) => Math.round(10 * value) / 10;

/** Where a value lies between two places, to a tenth of a pixel. */
export function place(value: number, from: number, to: number, first: number, last: number): number {
  return round(first + ((value - from) / (to - from)) * (last - first));
}

export function stroke(color: number, bold: boolean): string {
  // Where colours come round again, dashes become dots.
  const dashes = color < colors.length ? "4 2" : "1.5 2";
  const style = bold ? 'stroke-width="2"' : `stroke-width="1.2" stroke-dasharray="${dashes}"`;
  return `fill="none" stroke="${colors[color % colors.length]}" ${style}`;
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function polyline(points: readonly Point[], style: string): string {
  return `<polyline points="${points.map(({ x, y }) => `${x},${y}`).join(" ")}" ${style}/>`;
}

/** A line and what it stands for. */
export function legendEntry({ x, y }: Point, name: string, style: string): string[] {
  return [
    `<path d="M${x} ${y}h20" ${style}/>`,
    `<text x="${x + 24}" y="${y + 3.5}" font-size="9.5">${name}</text>`,
  ];
}

export function picture(width: number, height: number, title: string, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="10" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fcfcfa"/>`,
    `<text x="14" y="22" font-size="15" font-weight="600">${title}</text>`,
    ...content,
    "</svg>",
    "",
  ].join("\n");
}

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

const frame = { width: 420, height: 340, left: 52, top: 78, right: 12, entry: 15 };

/** Labels of a logarithmic axis: 1, 2 and 5 times the powers of ten from `low` to `high`. */
export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of [1, 2, 5]) ticks.push(Number(`${factor}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** Logarithms of an axis' labels: powers of ten, and 2 and 5 times these where there would be fewer than three. */
function ticks(low: number, high: number): number[] {
  const all = logTicks(10 ** (low - 1e-9), 10 ** (high + 1e-9)).map(Math.log10);
  const powers = all.filter(Number.isInteger);
  return powers.length < 3 ? all : powers;
}

/** 1e4 or 2e4: sizes are too long to write out under an axis. */
function label(tick: number): string {
  return Number((10 ** tick).toPrecision(1))
    .toExponential()
    .replace("+", "");
}

/** Panels side by side, both axes logarithmic. */
export function logChart({ title, note, panels }: LogChart): string {
  const content = panels.flatMap((panel, p) => drawPanel(panel, p * frame.width));
  const rows = Math.ceil(Math.max(...panels.map(({ series }) => series.length)) / 2);
  const height = frame.top + frame.height + rows * frame.entry;
  return picture(panels.length * frame.width, height, title, [
    `<text x="14" y="40">${note}</text>`,
    ...content,
  ]);
}

function drawPanel({ title, series }: LogChart["panels"][number], at: number): string[] {
  const values = series.flatMap(({ points }) => points.map(([, y]) => Math.log10(y)));
  const low = Math.floor(Math.min(...values) * 2) / 2;
  const high = Math.ceil(Math.max(...values) * 2) / 2;
  const sizes = series.flatMap(({ points }) => points.map(([x]) => Math.log10(x)));
  const [from, to] = [Math.min(...sizes), Math.max(...sizes)];
  const [left, right] = [at + frame.left, at + frame.width - frame.right];
  const [top, bottom] = [frame.top, frame.top + frame.height - 40];
  const x = (value: number) => place(value, from, to, left, right);
  const y = (value: number) => place(value, low, high, bottom, top);
  return [
    `<text x="${left}" y="${top - 8}" font-size="12" font-weight="600">${title}</text>`,
    `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="none" stroke="#ccc"/>`,
    ...ticks(low, high).flatMap((tick) => [
      `<path d="M${left} ${y(tick)}H${right}" stroke="#e5e5e0"/>`,
      `<text x="${left - 4}" y="${y(tick) + 3}" text-anchor="end">${Number((10 ** tick).toPrecision(1))}</text>`,
    ]),
    ...ticks(from, to).map(
      (tick) => `<text x="${x(tick)}" y="${bottom + 14}" text-anchor="middle">${label(tick)}</text>`,
    ),
    ...series.flatMap(({ name, bold, points }, k) => {
      const style = stroke(k, bold);
      const entry = { x: left + (k % 2) * 180, y: bottom + 34 + Math.floor(k / 2) * frame.entry };
      const places = points.map(([size, value]) => ({ x: x(Math.log10(size)), y: y(Math.log10(value)) }));
      return [polyline(places, style), ...legendEntry(entry, name, style)];
    }),
  ];
}
