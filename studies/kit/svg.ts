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
    `<path d="M${x} ${y}h22" ${style}/>`,
    `<text x="${x + 28}" y="${y + 3.5}">${escapeXml(name)}</text>`,
  ];
}

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

/** Labels of a logarithmic axis: 1, 2 and 5 times the powers of ten from `low` to `high`. */
export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of [1, 2, 5]) ticks.push(Number(`${factor}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** An axis: where it is marked, with what, and where a value lies on it. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly label: (tick: number) => string;
  readonly at: (value: number) => number;
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A box with its title, both axes and the names of these: what every chart is drawn in. */
export function frame(
  title: string,
  box: Box,
  x: Scale,
  y: Scale,
  names: { x?: string; y?: string } = {},
): string[] {
  const { left, right, top, bottom } = box;
  const middle = (top + bottom) / 2;
  return [
    ...(title
      ? [`<text x="${left}" y="${top - 8}" font-size="12" font-weight="600">${escapeXml(title)}</text>`]
      : []),
    `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="none" stroke="#ccc"/>`,
    ...y.ticks.flatMap((tick) => [
      `<path d="M${left} ${y.at(tick)}H${right}" stroke="#e5e5e0"/>`,
      `<text x="${left - 4}" y="${y.at(tick) + 3}" text-anchor="end">${escapeXml(y.label(tick))}</text>`,
    ]),
    ...x.ticks.flatMap((tick) => [
      `<path d="M${x.at(tick)} ${bottom}v4" stroke="#999"/>`,
      `<text x="${x.at(tick)}" y="${bottom + 16}" text-anchor="middle">${escapeXml(x.label(tick))}</text>`,
    ]),
    ...(names.x
      ? [
          `<text x="${(left + right) / 2}" y="${bottom + 32}" text-anchor="middle">${escapeXml(names.x)}</text>`,
        ]
      : []),
    ...(names.y
      ? [
          `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escapeXml(names.y)}</text>`,
        ]
      : []),
  ];
}

export function picture(width: number, height: number, title: string, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="10" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fcfcfa"/>`,
    `<text x="14" y="22" font-size="15" font-weight="600">${escapeXml(title)}</text>`,
    ...content,
    "</svg>",
    "",
  ].join("\n");
}
