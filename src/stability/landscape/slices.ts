import { expectNumber, expectOptions, show } from "../../common/expect.js";
import { expectRange, type Grid } from "./grid.js";
import { expectPoint, LossFunction, type Loss } from "../loss-grad.js";
import { addScaled, distance, norm, dot } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/** The plane θ = origin + x u + y v, with directions [u, v]. */
export interface Plane {
  readonly origin: ArrayLike<number>;
  readonly directions: readonly [ArrayLike<number>, ArrayLike<number>];
}

/** The part of a plane that is looked at. */
export interface Window {
  /** Range of x; default [−1, 1]. */
  x?: readonly [number, number];
  /** Range of y; default that of x. */
  y?: readonly [number, number];
}

/** How a {@link slice} is sampled. */
export interface SliceOptions extends Window, WorkOptions {
  /** Points in x, ≥ 2; default 65. */
  columns?: number;
  /** Points in y, ≥ 2; default as many as columns. */
  rows?: number;
}

/** The loss on a plane, as a plain object. */
export interface Slice extends Grid {
  readonly values: Float64Array;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Values that are NaN: such points are in no level set. */
  readonly notNumbers: number;
  readonly evaluations: number;
}

/** {@link Plane}, checked and in float64. */
export interface CheckedPlane {
  readonly origin: Float64Array;
  readonly directions: readonly [Float64Array, Float64Array];
}

export function checkPlane(plane: Plane): CheckedPlane {
  if (typeof plane !== "object" || plane === null) {
    throw new TypeError(`plane: expected { origin, directions }, got ${show(plane)}`);
  }
  const origin = expectPoint("plane.origin", plane.origin);
  const { directions } = plane;
  if (!Array.isArray(directions) || directions.length !== 2) {
    throw new TypeError(`plane.directions: expected two vectors, got ${show(directions)}`);
  }
  const settled = directions.map((direction, k) =>
    expectPoint(`plane.directions[${k}]`, direction, origin.length),
  );
  return { origin, directions: [settled[0], settled[1]] };
}

/**
 * The loss on a plane through parameter space: L(origin + x u + y v) at `columns` · `rows` points, ends included. One
 * evaluation for each.
 *
 * @throws TypeError or RangeError for bad arguments, as rejections
 * @example
 * import { slice } from "superlevel/stability";
 * const plane = { origin: [0, 0], directions: [[1, 0], [0, 1]] } as const;
 * const { values } = await slice(([x, y]) => x * x + y, plane, { columns: 3 });
 * values; // → Float64Array [0, -1, 0, 1, 0, 1, 2, 1, 2]
 */
export async function slice(loss: Loss, plane: Plane, options: SliceOptions = {}): Promise<Slice> {
  expectOptions("options", options, ["x", "y", "columns", "rows", ...WORK_KEYS]);
  const { origin, directions } = checkPlane(plane);
  const columns = expectNumber("options.columns", options.columns ?? 65, { min: 2, integer: true });
  const rows = expectNumber("options.rows", options.rows ?? columns, { min: 2, integer: true });
  const x = expectRange("options.x", options.x ?? [-1, 1]);
  const y = expectRange("options.y", options.y ?? x);
  const lossFunction = new LossFunction("loss", loss, origin.length);
  const work = new Work("options", options, columns * rows);
  const values = new Float64Array(columns * rows);
  const point = new Float64Array(origin.length);
  let notNumbers = 0;
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      point.set(origin);
      addScaled(point, at(x, i, columns), directions[0]);
      addScaled(point, at(y, j, rows), directions[1]);
      const value = await lossFunction.loss(point);
      if (Number.isNaN(value)) notNumbers++;
      values[j * columns + i] = value;
      await work.tick();
    }
  }
  return { columns, rows, x, y, values, notNumbers, evaluations: lossFunction.evaluations };
}

/** The coordinate of point i of `count`, exact at both ends. */
function at([from, to]: readonly [number, number], i: number, count: number): number {
  const share = i / (count - 1);
  return from * (1 - share) + to * share;
}

/** Points seen in a plane. */
export interface Projection {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** ‖θ − Πθ‖ / ‖θ − origin‖: the share of the way to θ that the plane does not show; 0 at the origin. */
  readonly residual: Float64Array;
}

/**
 * Orthogonal projection Πθ of points to a plane, e.g. of a trajectory: least squares, so the directions need not be
 * orthogonal. Where the residual is not small, the loss on the slice is not the loss of the point.
 *
 * @throws TypeError or RangeError for bad arguments, or when the directions span no plane
 * @example
 * import { project } from "superlevel/stability";
 * const plane = { origin: [0, 0, 0], directions: [[1, 0, 0], [1, 1, 0]] } as const;
 * const { x, y, residual } = project([[3, 4, 0], [0, 4, 3]], plane);
 * [x[0], y[0], residual[0], residual[1]]; // → [-1, 4, 0, 0.6]
 */
export function project(points: readonly ArrayLike<number>[], plane: Plane): Projection {
  const { origin, directions } = checkPlane(plane);
  const [u, v] = directions;
  const [uu, uv, vv] = [dot(u, u), dot(u, v), dot(v, v)];
  const determinant = uu * vv - uv * uv;
  if (!(determinant > 1e-12 * uu * vv)) {
    throw new RangeError("plane.directions: expected two directions that span a plane, got parallel ones");
  }
  const [x, y, residual] = [0, 1, 2].map(() => new Float64Array(points.length));
  points.forEach((given, k) => {
    const offset = expectPoint(`points[${k}]`, given, origin.length);
    addScaled(offset, -1, origin);
    const [a, b] = [dot(offset, u), dot(offset, v)];
    x[k] = (a * vv - b * uv) / determinant;
    y[k] = (b * uu - a * uv) / determinant;
    const shown = new Float64Array(offset.length);
    addScaled(shown, x[k], u);
    addScaled(shown, y[k], v);
    const away = norm(offset);
    residual[k] = away > 0 ? distance(offset, shown) / away : 0;
  });
  return { x, y, residual };
}

/**
 * The smallest window around projected points, widened on each side by `margin` times its width.
 *
 * @throws RangeError when there are no points, or `margin` is negative
 * @example
 * import { windowAround } from "superlevel/stability";
 * windowAround({ x: [0, 4], y: [1, 3] }, 0.25); // → { x: [-1, 5], y: [0.5, 3.5] }
 */
export function windowAround(
  points: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  margin = 0.2,
): Required<Window> {
  expectNumber("margin", margin, { min: 0 });
  return { x: widened("points.x", points.x, margin), y: widened("points.y", points.y, margin) };
}

function widened(name: string, given: ArrayLike<number>, margin: number): [number, number] {
  const values = expectPoint(name, given);
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  // Points in one place get a window of width 2.
  const pad = high > low ? margin * (high - low) : 1;
  return [low - pad, high + pad];
}
