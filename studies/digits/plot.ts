import { finalLoss, heightOf, spreadLabels, type Curve, type Frame } from "./curves.js";
import { logTicks } from "../kit/svg.js";

export interface PlotSize {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

/** Characters of a plot, each with the colour it is drawn in. A braille character holds 2 x 4 dots. */
interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly dots: Uint8Array;
  readonly colors: string[];
  readonly marks: Map<number, string>;
}

const axisWidth = 7;
const labelWidth = 25;
// Bits of a braille character by row and column of the dot.
const dotBits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/** Loss curves for a terminal, the name of each at the height where it ends. */
export function terminalPlot(curves: readonly Curve[], frame: Frame, size: PlotSize): string {
  const columns = Math.max(20, size.columns - axisWidth - labelWidth);
  const canvas = createCanvas(columns, size.rows);
  // The first curve is drawn last, so that nothing covers it.
  for (const curve of [...curves].reverse()) drawCurve(canvas, curve, frame);
  const paint = size.color ? paintAnsi : (text: string) => text;
  const axis = axisLabels(frame, size.rows);
  const names = nameLabels(curves, frame, size.rows, paint);
  const lines = axis.map((label, row) => `${label} ${canvasRow(canvas, row, paint)} ${names[row]}`.trimEnd());
  lines.push(`${" ".repeat(axisWidth - 1)}└${"─".repeat(columns)}`);
  const left = "step 0";
  lines.push(" ".repeat(axisWidth) + left + String(frame.steps).padStart(columns - left.length));
  return lines.join("\n");
}

function createCanvas(columns: number, rows: number): Canvas {
  return {
    columns,
    rows,
    dots: new Uint8Array(columns * rows),
    colors: new Array<string>(columns * rows).fill(""),
    marks: new Map(),
  };
}

function drawCurve(canvas: Canvas, curve: Curve, frame: Frame): void {
  const x = (step: number) => Math.round((step / frame.steps) * (2 * canvas.columns - 1));
  const y = (loss: number) => Math.round((1 - heightOf(loss, frame)) * (4 * canvas.rows - 1));
  const { points, color, divergedAt } = curve;
  for (let i = 1; i < points.length; i++) {
    drawLine(
      canvas,
      x(points[i - 1].step),
      y(points[i - 1].loss),
      x(points[i].step),
      y(points[i].loss),
      color,
    );
  }
  if (divergedAt === undefined) return;
  const row = points.length > 0 ? y(points[points.length - 1].loss) >> 2 : 0;
  const cell = row * canvas.columns + (x(divergedAt) >> 1);
  canvas.marks.set(cell, "×");
  canvas.colors[cell] = color;
}

function drawLine(canvas: Canvas, x0: number, y0: number, x1: number, y1: number, color: string): void {
  const length = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  for (let i = 0; i <= length; i++) {
    const x = Math.round(x0 + ((x1 - x0) * i) / length);
    const y = Math.round(y0 + ((y1 - y0) * i) / length);
    const cell = (y >> 2) * canvas.columns + (x >> 1);
    canvas.dots[cell] |= dotBits[y & 3][x & 1];
    canvas.colors[cell] = color;
  }
}

function canvasRow(canvas: Canvas, row: number, paint: (text: string, color: string) => string): string {
  let line = "";
  for (let column = 0; column < canvas.columns; column++) {
    const cell = row * canvas.columns + column;
    const dots = canvas.dots[cell];
    const character = canvas.marks.get(cell) ?? (dots === 0 ? " " : String.fromCharCode(0x2800 + dots));
    line += character === " " ? character : paint(character, canvas.colors[cell]);
  }
  return line;
}

function axisLabels(frame: Frame, rows: number): string[] {
  const labels = new Array<string>(rows).fill(" ".repeat(axisWidth - 1) + "│");
  for (const tick of logTicks(frame.low, frame.high)) {
    const row = Math.round((1 - heightOf(tick, frame)) * (rows - 1));
    labels[row] = `${String(tick).padStart(axisWidth - 2)} ┤`;
  }
  return labels;
}

function nameLabels(
  curves: readonly Curve[],
  frame: Frame,
  rows: number,
  paint: (text: string, color: string) => string,
): string[] {
  const wanted = curves.map((curve) => (1 - heightOf(finalLoss(curve), frame)) * (rows - 1));
  const labels = new Array<string>(rows).fill("");
  spreadLabels(wanted, 1, rows - 1).forEach((row, i) => {
    const { name, color, family, divergedAt } = curves[i];
    const text = divergedAt === undefined ? name : `${name} × at step ${divergedAt}`;
    const label = family === "superlevel" ? `◀ ${text}` : `  ${text}`;
    const at = Math.max(0, Math.round(row));
    labels[at] = paint(label, color);
  });
  return labels;
}

/** The nearest of the 216 colours that every colour terminal knows. */
function paintAnsi(text: string, color: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => Math.round((parseInt(color.slice(at, at + 2), 16) / 255) * 5));
  return `\x1b[38;5;${16 + 36 * r + 6 * g + b}m${text}\x1b[0m`;
}
