import { contours } from "d3-contour";

import type { PageLandscape, PlaneLine } from "../data.js";
import { colour, html, short } from "./dom.js";
import type { Levels } from "./levels.js";
import { rgb, Surface } from "./surface.js";

const MARGIN = { left: 52, right: 12, top: 8, bottom: 36 };
const WIDTH = 440;
const ISOLINES = 12;
const LINES = ["ink", "second", "accent", "third"];
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3]];

/** What the chart shows of a level set. */
export interface View {
  readonly level: number;
  readonly labels: Int32Array;
  readonly isInside: (value: number) => boolean;
}

/** The landscape with contours, lines and the components of a level set. */
export class Chart {
  readonly canvas = html("canvas", { role: "img" });
  readonly #landscape: PageLandscape;
  readonly #values: Float64Array;
  readonly #surface: Surface;
  readonly #isolines: Path2D[];
  readonly #ratio = Math.min(2, devicePixelRatio || 1);
  readonly #width = WIDTH - MARGIN.left - MARGIN.right;
  readonly #height: number;

  constructor(landscape: PageLandscape, levels: Levels) {
    const { x, y, values } = landscape;
    this.#landscape = landscape;
    // What is infinitely high is drawn as high as the rest.
    this.#values = Float64Array.from(values, (value) =>
      Math.min(Math.max(value, levels.lowest), levels.highest),
    );
    const shape = (y[1] - y[0]) / (x[1] - x[0]);
    this.#height = Math.round(this.#width * Math.min(1, Math.max(0.6, Number.isFinite(shape) ? shape : 1)));
    const pixels = [this.#width, this.#height].map((length) => Math.round(length * this.#ratio));
    this.#surface = new Surface(landscape, this.#values, levels, pixels[0], pixels[1]);
    const at = Array.from({ length: ISOLINES }, (_, k) => levels.at((k + 1) / (ISOLINES + 1)));
    this.#isolines = at.map((level) => this.#outline(level));
    const height = this.#height + MARGIN.top + MARGIN.bottom;
    this.canvas.width = Math.round(WIDTH * this.#ratio);
    this.canvas.height = Math.round(height * this.#ratio);
    this.canvas.style.aspectRatio = `${WIDTH} / ${height}`;
  }

  draw({ level, labels, isInside }: View): void {
    const context = this.canvas.getContext("2d")!;
    context.resetTransform();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const shades = { low: rgb(colour("low")), high: rgb(colour("high")) };
    const image = this.#surface.paint(labels, isInside, shades);
    context.putImageData(image, MARGIN.left * this.#ratio, MARGIN.top * this.#ratio);
    context.scale(this.#ratio, this.#ratio);
    this.#drawAxes(context);
    context.translate(MARGIN.left, MARGIN.top);
    context.beginPath();
    context.rect(0, 0, this.#width, this.#height);
    context.clip();
    context.strokeStyle = colour("isoline");
    context.lineWidth = 0.7;
    for (const line of this.#isolines) context.stroke(line);
    context.strokeStyle = colour("ink");
    context.lineWidth = 1.4;
    context.stroke(this.#outline(level));
    this.#landscape.lines.forEach((line, k) => this.#drawLine(context, line, k));
  }

  /** The place and the loss under the pointer, or nothing outside. */
  read(event: PointerEvent): string {
    const box = this.canvas.getBoundingClientRect();
    const zoom = WIDTH / box.width;
    const px = ((event.clientX - box.left) * zoom - MARGIN.left) / this.#width;
    const py = 1 - ((event.clientY - box.top) * zoom - MARGIN.top) / this.#height;
    if (px < 0 || px > 1 || py < 0 || py > 1) return "";
    const { columns, rows, x, y, values, axes } = this.#landscape;
    const value = values[Math.round(py * (rows - 1)) * columns + Math.round(px * (columns - 1))];
    const [u, v] = [x[0] + px * (x[1] - x[0]), y[0] + py * (y[1] - y[0])];
    return `${axes[0]} ${short(u)}, ${axes[1]} ${short(v)}: L ${short(value)}`;
  }

  /** How the line with this number looks, for a legend. */
  static styleOf(k: number): { colour: string; dash: readonly number[] } {
    return { colour: colour(LINES[k % LINES.length]), dash: DASHES[k % DASHES.length] };
  }

  /** The border of {L ≥ level}. d3 puts the first value at ½, and closes areas along the window's edge. */
  #outline(level: number): Path2D {
    const { columns, rows } = this.#landscape;
    const path = new Path2D();
    const place = ([cx, cy]: number[]): [number, number] => [
      ((cx - 0.5) / (columns - 1)) * this.#width,
      (1 - (cy - 0.5) / (rows - 1)) * this.#height,
    ];
    const { coordinates } = contours()
      .size([columns, rows])
      .contour(this.#values as never, level);
    for (const ring of coordinates.flat()) {
      ring.forEach((point, k) => (k === 0 ? path.moveTo(...place(point)) : path.lineTo(...place(point))));
      path.closePath();
    }
    return path;
  }

  #drawAxes(context: CanvasRenderingContext2D): void {
    const { x, y, axes } = this.#landscape;
    const { left, top } = MARGIN;
    context.fillStyle = colour("muted");
    context.font = "11px system-ui, sans-serif";
    const bottom = top + this.#height;
    for (const [share, align] of [
      [0, "left"],
      [0.5, "center"],
      [1, "right"],
    ] as const) {
      context.textAlign = align;
      context.textBaseline = "top";
      context.fillText(short(x[0] + share * (x[1] - x[0]), 3), left + share * this.#width, bottom + 4);
      context.textAlign = "right";
      context.textBaseline = share === 0 ? "bottom" : share === 1 ? "top" : "middle";
      context.fillText(short(y[0] + share * (y[1] - y[0]), 2), left - 5, bottom - share * this.#height);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText(axes[0], left + this.#width / 2, bottom + 19);
    context.save();
    context.translate(2, top + this.#height / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(axes[1], 0, 0);
    context.restore();
  }

  #drawLine(context: CanvasRenderingContext2D, line: PlaneLine, k: number): void {
    const { x, y } = this.#landscape;
    const px = (i: number) => ((line.x[i] - x[0]) / (x[1] - x[0])) * this.#width;
    const py = (i: number) => (1 - (line.y[i] - y[0]) / (y[1] - y[0])) * this.#height;
    const path = new Path2D();
    for (let i = 0; i < line.x.length; i++) path.lineTo(px(i), py(i));
    const style = Chart.styleOf(k);
    context.lineJoin = "round";
    // A border, so that the line stands out from any component.
    for (const [stroke, width] of [
      [colour("paper"), 4],
      [style.colour, 1.8],
    ] as const) {
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.setLineDash(stroke === style.colour ? [...style.dash] : []);
      context.stroke(path);
    }
    context.setLineDash([]);
    const last = line.x.length - 1;
    for (const [i, radius] of [
      [0, 3],
      [last, 5],
    ] as const) {
      context.beginPath();
      context.arc(px(i), py(i), radius, 0, 2 * Math.PI);
      context.fillStyle = i === last ? style.colour : colour("paper");
      context.fill();
      context.strokeStyle = i === last ? colour("paper") : style.colour;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }
}
