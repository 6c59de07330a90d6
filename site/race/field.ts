import { contours } from "d3-contour";
import {
  countComponents,
  labelComponents,
  mergeTree,
  type MergeTree,
  type Sense,
} from "superlevel/stability";

import type { Landscape } from "./landscapes.js";

export const COLUMNS = 97;
const ISOLINES = 14;

/** A closed curve round an area, with the curves round its holes, in shares of the window from its lower left. */
export type Area = readonly (readonly (readonly [number, number])[])[];

/** What a level set looks like. */
export interface LevelSet {
  /** λ */
  readonly level: number;
  readonly count: number;
  /** The component of each point of the grid, or −1. */
  readonly labels: Int32Array;
  /** The components' areas and their numbers, and the curve L = λ. */
  readonly parts: readonly { readonly area: Area; readonly label: number }[];
}

/** The loss on a grid over the window, row by row from the lower left. */
export class Field {
  readonly values = new Float64Array(COLUMNS * COLUMNS);
  /** Heights in the picture, 0 to 1. */
  readonly heights: Float64Array;
  readonly isolines: readonly { readonly height: number; readonly areas: readonly Area[] }[];
  readonly #sorted: Float64Array;
  readonly #trees = new Map<Sense, MergeTree>();
  readonly #raise: (value: number) => number;

  constructor(readonly landscape: Landscape) {
    for (let row = 0; row < COLUMNS; row++) {
      for (let column = 0; column < COLUMNS; column++) {
        const [x, y] = this.toPlane(column / (COLUMNS - 1), row / (COLUMNS - 1));
        this.values[row * COLUMNS + column] = landscape.loss(x, y);
      }
    }
    this.#sorted = this.values.slice().sort();
    this.#raise = raiser(landscape.height, this.#sorted);
    this.heights = this.values.map(this.#raise);
    this.isolines = Array.from({ length: ISOLINES }, (_, k) => {
      const height = (k + 0.5) / ISOLINES;
      return { height, areas: areasAbove(this.heights, height) };
    });
  }

  /** A place in the window, in shares of it, as a point of the plane. */
  toPlane(u: number, v: number): [number, number] {
    const { x, y } = this.landscape;
    return [x[0] + u * (x[1] - x[0]), y[0] + v * (y[1] - y[0])];
  }

  toWindow(x: number, y: number): [number, number] {
    const own = this.landscape;
    return [(x - own.x[0]) / (own.x[1] - own.x[0]), (y - own.y[0]) / (own.y[1] - own.y[0])];
  }

  /** The height at which a loss is drawn. */
  heightOf(loss: number): number {
    return Math.min(1, Math.max(0, this.#raise(loss)));
  }

  /** The loss below which a share of the window lies. */
  levelAt(share: number): number {
    const place = share * (this.#sorted.length - 1);
    const [below, above] = [this.#sorted[Math.floor(place)], this.#sorted[Math.ceil(place)]];
    return below + (place % 1) * (above - below);
  }

  levelSet(side: Sense, level: number): LevelSet {
    const tree = this.#tree(side);
    const labels = labelComponents(tree, this.values, level);
    const sign = side === "super" ? 1 : -1;
    const signed = sign === 1 ? this.values : this.values.map((value) => -value);
    const parts = areasAbove(signed, sign * level).map((area) => ({ area, label: labelIn(area, labels) }));
    return { level, labels, parts, count: countComponents(tree, level) };
  }

  #tree(sense: Sense): MergeTree {
    const known = this.#trees.get(sense);
    if (known) return known;
    const { x, y, coercive } = this.landscape;
    const grid = { columns: COLUMNS, rows: COLUMNS, values: this.values, x, y };
    const tree = mergeTree(grid, { sense, outer: coercive ? "joined" : "separate" });
    this.#trees.set(sense, tree);
    return tree;
  }
}

function raiser(kind: Landscape["height"], sorted: Float64Array): (value: number) => number {
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  if (kind === "linear") return (value) => (value - low) / (high - low);
  const unit = Math.max(1e-12, sorted[Math.floor(0.02 * sorted.length)] - low);
  const span = Math.log1p((high - low) / unit);
  return (value) => Math.log1p(Math.max(0, value - low) / unit) / span;
}

/** d3 puts the first value at ½, and closes areas along the window's edge. */
function areasAbove(values: Float64Array, level: number): Area[] {
  const { coordinates } = contours()
    .size([COLUMNS, COLUMNS])
    .contour(values as never, level);
  const place = (c: number) => Math.min(1, Math.max(0, (c - 0.5) / (COLUMNS - 1)));
  return coordinates.map((rings) =>
    rings.map((ring) => ring.map(([cx, cy]) => [place(cx), place(cy)] as const)),
  );
}

/** The label that most of the grid's points just inside an area's outer curve have. */
function labelIn(area: Area, labels: Int32Array): number {
  const votes = new Map<number, number>();
  for (const [u, v] of area[0]) {
    const [column, row] = [u * (COLUMNS - 1), v * (COLUMNS - 1)];
    for (const c of [Math.floor(column), Math.ceil(column)]) {
      for (const r of [Math.floor(row), Math.ceil(row)]) {
        const label = labels[r * COLUMNS + c];
        if (label >= 0) votes.set(label, (votes.get(label) ?? 0) + 1);
      }
    }
  }
  let [best, most] = [-1, 0];
  for (const [label, count] of votes) if (count > most) [best, most] = [label, count];
  return best;
}
