import type { PageLandscape } from "../data.js";
import { componentColour } from "./dom.js";
import type { Levels } from "./levels.js";

type Rgb = readonly [number, number, number];

/** Shades of low and of high loss. */
export interface Shades {
  readonly low: Rgb;
  readonly high: Rgb;
}

/** The interpolated landscape at each pixel, and the triangle that it lies in. */
export class Surface {
  readonly #values: Float64Array;
  readonly #shares: Float32Array;
  /** First corner of the pixel's cell; the sign says which half of it, split by its rising diagonal. */
  readonly #corners: Int32Array;
  readonly #columns: number;

  constructor(
    { columns, rows }: PageLandscape,
    values: Float64Array,
    levels: Levels,
    readonly width: number,
    readonly height: number,
  ) {
    this.#columns = columns;
    const heights = values.map((value) => levels.share(value));
    this.#values = new Float64Array(width * height);
    this.#shares = new Float32Array(width * height);
    this.#corners = new Int32Array(width * height);
    for (let py = 0; py < height; py++) {
      const y = ((height - 1 - py) / (height - 1)) * (rows - 1);
      const row = Math.min(Math.floor(y), rows - 2);
      for (let px = 0; px < width; px++) {
        const x = (px / (width - 1)) * (columns - 1);
        const column = Math.min(Math.floor(x), columns - 2);
        const corner = row * columns + column;
        const [fx, fy] = [x - column, y - row];
        const side = fx >= fy ? corner + 1 : corner + columns;
        const far = corner + columns + 1;
        const more = Math.max(fx, fy);
        const less = Math.min(fx, fy);
        const pixel = py * width + px;
        this.#values[pixel] =
          values[corner] + more * (values[side] - values[corner]) + less * (values[far] - values[side]);
        this.#shares[pixel] =
          heights[corner] + more * (heights[side] - heights[corner]) + less * (heights[far] - heights[side]);
        this.#corners[pixel] = fx >= fy ? corner : ~corner;
      }
    }
  }

  /** Shades of the loss, and the components that the labels name in their colours. */
  paint(labels: Int32Array, isInside: (value: number) => boolean, { low, high }: Shades): ImageData {
    const image = new ImageData(this.width, this.height);
    const palette = new Map<number, Rgb>();
    for (const label of new Set(labels)) palette.set(label, rgb(componentColour(label)));
    for (let pixel = 0; pixel < this.#values.length; pixel++) {
      const share = this.#shares[pixel];
      const label = isInside(this.#values[pixel]) ? this.#labelAt(labels, this.#corners[pixel]) : -1;
      const tint = label < 0 ? undefined : palette.get(label);
      for (let c = 0; c < 3; c++) {
        const shade = low[c] + share * (high[c] - low[c]);
        image.data[4 * pixel + c] = tint ? 0.78 * tint[c] + 0.22 * shade : shade;
      }
      image.data[4 * pixel + 3] = 255;
    }
    return image;
  }

  /** The corners of a triangle that are in the level set are neighbours, so any of them will do. */
  #labelAt(labels: Int32Array, place: number): number {
    const corner = place >= 0 ? place : ~place;
    const side = place >= 0 ? corner + 1 : corner + this.#columns;
    return Math.max(labels[corner], labels[side], labels[corner + this.#columns + 1]);
  }
}

/** Of "#rrggbb". */
export function rgb(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
