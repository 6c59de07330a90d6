import { expectNumber, expectNumbers, show } from "../../common/expect.js";

/** Values of a function at the points of a regular grid, e.g. of a loss on a slice. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** f at column i and row j is `values[j * columns + i]`. */
  readonly values: ArrayLike<number>;
  /** Coordinates of the first and the last column; default 0 and columns − 1. */
  readonly x?: readonly [number, number];
  /** Coordinates of the first and the last row; default 0 and rows − 1. */
  readonly y?: readonly [number, number];
}

/** Distance of neighbours in a range of `count` points; 0 for a single point. */
export function spacing([from, to]: readonly [number, number], count: number): number {
  return count > 1 ? Math.abs(to - from) / (count - 1) : 0;
}

/** The distances of columns and of rows. */
export function spacings({ columns, rows, x, y }: Grid): [number, number] {
  return [spacing(x ?? [0, columns - 1], columns), spacing(y ?? [0, rows - 1], rows)];
}

export function expectRange(name: string, value: unknown): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) {
    throw new TypeError(`${name}: expected [from, to], got ${show(value)}`);
  }
  const from = expectNumber(`${name}[0]`, value[0]);
  return [from, expectNumber(`${name}[1]`, value[1], { min: from })];
}

/** A grid; points where it is NaN belong to no level set. */
export function expectGrid(name: string, grid: Grid): void {
  if (typeof grid !== "object" || grid === null) {
    throw new TypeError(`${name}: expected a grid, got ${show(grid)}`);
  }
  const columns = expectNumber(`${name}.columns`, grid.columns, { min: 1, integer: true });
  const rows = expectNumber(`${name}.rows`, grid.rows, { min: 1, integer: true });
  if (grid.x !== undefined) expectRange(`${name}.x`, grid.x);
  if (grid.y !== undefined) expectRange(`${name}.y`, grid.y);
  expectNumbers(`${name}.values`, grid.values, columns * rows);
}
