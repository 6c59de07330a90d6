import { expectNumber, expectOneOf, expectOptions, show } from "../../common/expect.js";
import { expectPoint } from "../loss-grad.js";
import type { CheckedPlane } from "./slices.js";
import { addScaled, dot, norm, normals } from "../vectors.js";

/** How a {@link randomPlane} is drawn. */
export interface RandomPlaneOptions {
  /** Default 1. */
  seed?: number;
  /** The shapes of the tensors in `origin`, in order, e.g. `optimizer.tensors`; default one vector. */
  tensors?: readonly { readonly shape: readonly number[] }[];
  /** Which axis counts the filters: "last", as in TensorFlow, or "first", as in PyTorch; default "last". */
  filterAxis?: "first" | "last";
  /** Directions in tensors with less than two axes, such as biases: none, or as one filter; default "zero". */
  vectors?: "zero" | "filter";
}

/**
 * Two random directions through `origin`, filter-normalised: normal numbers d, and for each filter (all weights that
 * lead to one unit or channel) d ← d ‖θ‖ / ‖d‖. So slices of networks whose weights are scaled differently can be
 * compared; without it ReLU networks look as flat as their weights are large. Without `tensors` the whole vector is one
 * filter. (Li et al., arXiv 1712.09913, section 4.)
 *
 * @throws TypeError or RangeError for bad arguments, or when the shapes do not add up to `origin.length`
 * @example
 * import { randomPlane } from "superlevel/stability";
 * const { directions } = randomPlane([3, 4, 7], { tensors: [{ shape: [2, 1] }, { shape: [1] }] });
 * Math.hypot(directions[0][0], directions[0][1]); // → 5.000
 * directions[0][2]; // → 0
 */
export function randomPlane(origin: ArrayLike<number>, options: RandomPlaneOptions = {}): CheckedPlane {
  expectOptions("options", options, ["seed", "tensors", "filterAxis", "vectors"]);
  const point = expectPoint("origin", origin);
  const seed = expectNumber("options.seed", options.seed ?? 1, { min: 0, max: 2 ** 32 - 1, integer: true });
  const axis = expectOneOf("options.filterAxis", options.filterAxis ?? "last", ["first", "last"]);
  const vectors = expectOneOf("options.vectors", options.vectors ?? "zero", ["zero", "filter"]);
  const filters = filtersOf(options.tensors, point.length, axis, vectors);
  const normal = normals(seed);
  const draw = () => normalised(Float64Array.from(point, normal), point, filters);
  return { origin: point, directions: [draw(), draw()] };
}

/** The coordinates begin, begin + stride, … of one filter. */
interface Filter {
  readonly begin: number;
  readonly stride: number;
  readonly count: number;
}

function filtersOf(
  tensors: RandomPlaneOptions["tensors"],
  size: number,
  axis: "first" | "last",
  vectors: "zero" | "filter",
): Filter[] {
  if (tensors === undefined) return [{ begin: 0, stride: 1, count: size }];
  if (!Array.isArray(tensors)) {
    throw new TypeError(`options.tensors: expected an array of { shape }, got ${show(tensors)}`);
  }
  const filters: Filter[] = [];
  let begin = 0;
  for (const [k, { shape }] of tensors.entries()) {
    const axes = expectPoint(`options.tensors[${k}].shape`, shape);
    const length = axes.reduce((product, axisLength) => product * axisLength, 1);
    const units = axes.length < 2 ? 1 : axes[axis === "first" ? 0 : axes.length - 1];
    const count = length / units;
    if (axes.length >= 2 || vectors === "filter") {
      for (let unit = 0; unit < units; unit++) {
        if (axis === "first") filters.push({ begin: begin + unit * count, stride: 1, count });
        else filters.push({ begin: begin + unit, stride: units, count });
      }
    }
    begin += length;
  }
  if (begin !== size) {
    throw new RangeError(`options.tensors: expected shapes of ${size} numbers together, got ${begin}`);
  }
  return filters;
}

/** Zero outside the filters. */
function normalised(drawn: Float64Array, point: Float64Array, filters: readonly Filter[]): Float64Array {
  const direction = new Float64Array(drawn.length);
  for (const { begin, stride, count } of filters) {
    let [squares, pointSquares] = [0, 0];
    for (let i = 0; i < count; i++) {
      squares += drawn[begin + stride * i] ** 2;
      pointSquares += point[begin + stride * i] ** 2;
    }
    const factor = Math.sqrt(pointSquares / squares);
    for (let i = 0; i < count; i++) direction[begin + stride * i] = factor * drawn[begin + stride * i];
  }
  return direction;
}

/** A plane that shows as much of a trajectory as a plane can. */
export interface TrajectoryPlane extends CheckedPlane {
  /** The share of the trajectory's variance along each direction. */
  readonly explained: readonly [number, number];
}

/**
 * The plane of the two principal components of a trajectory, through its last point: orthonormal directions, the first
 * with the most variance. (Li et al., arXiv 1712.09913, section 7.) The work grows with the third power of the number
 * of points or of parameters, whichever is less: some hundreds are fine.
 *
 * @param points θ_0, θ_1, …, at least 3 that lie on no line
 * @throws TypeError or RangeError for bad arguments, or when the points span no plane
 * @example
 * import { trajectoryPlane } from "superlevel/stability";
 * const { directions, explained } = trajectoryPlane([[0, 0, 0], [0, 9, 0], [0, 0, 3], [0, 9, 3]]);
 * directions[0]; // → Float64Array [0, 1, 0]
 * explained; // → [0.9, 0.1]
 */
export function trajectoryPlane(points: readonly ArrayLike<number>[]): TrajectoryPlane {
  if (!Array.isArray(points) || points.length < 3) {
    throw new RangeError(`points: expected an array of at least 3, got ${show(points)}`);
  }
  const centred = points.map((point: unknown, k) =>
    expectPoint(`points[${k}]`, point, (points[0] as ArrayLike<number>).length),
  );
  const origin = centred[centred.length - 1].slice();
  const mean = new Float64Array(origin.length);
  for (const point of centred) addScaled(mean, 1 / centred.length, point);
  for (const point of centred) addScaled(point, -1, mean);
  const { total, components } = principal(centred);
  const [first, second] = components;
  if (!(second.variance > 1e-14 * total))
    throw new RangeError("points: expected a plane, got a line or a point");
  const explained = [first.variance / total, second.variance / total] as const;
  return { origin, directions: [first.direction, second.direction], explained };
}

/** The first two eigenvectors of the sum of squares XᵀX, through the smaller of XᵀX and XXᵀ. */
function principal(rows: Float64Array[]) {
  const total = rows.reduce((sum, row) => sum + dot(row, row), 0);
  const transposed = rows[0].length < rows.length;
  const vectors = transposed ? columnsOf(rows) : rows;
  const { values, vectors: eigenvectors } = symmetricEigen(vectors.map((a) => vectors.map((b) => dot(a, b))));
  const order = Array.from(values.keys()).sort((a, b) => values[b] - values[a]);
  const components = [0, 1].map((rank) => {
    const k = order[rank];
    if (k === undefined) return { variance: 0, direction: new Float64Array(rows[0].length) };
    const weights = eigenvectors.map((row) => row[k]);
    const direction = transposed ? Float64Array.from(weights) : new Float64Array(rows[0].length);
    if (!transposed) weights.forEach((weight, i) => addScaled(direction, weight, rows[i]));
    return { variance: values[k], direction: oriented(direction) };
  });
  return { total, components };
}

function columnsOf(rows: Float64Array[]): Float64Array[] {
  return Array.from(rows[0], (_, i) => Float64Array.from(rows, (row) => row[i]));
}

/** Length 1, the coordinate farthest from 0 positive: a sign that does not depend on the method. */
function oriented(direction: Float64Array): Float64Array {
  const farthest = direction.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const factor = Math.sign(farthest) / norm(direction);
  // Adding 0 makes 0 of −0.
  return direction.map((value) => factor * value + 0);
}

/** All eigenvalues and, in columns, eigenvectors of a symmetric matrix, which is overwritten: cyclic Jacobi. */
function symmetricEigen(matrix: number[][]): { values: number[]; vectors: number[][] } {
  const n = matrix.length;
  const vectors = matrix.map((_, i) => matrix.map((_, j) => (i === j ? 1 : 0)));
  const size = Math.sqrt(matrix.flat().reduce((sum, value) => sum + value * value, 0));
  for (let sweep = 0; sweep < 50; sweep++) {
    let rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(matrix[p][q]) <= 1e-16 * size) continue;
        rotate(matrix, vectors, p, q);
        rotated = true;
      }
    }
    if (!rotated) break;
  }
  return { values: matrix.map((row, i) => row[i]), vectors };
}

/** Turns coordinates p and q so that matrix[p][q] becomes 0. */
function rotate(matrix: number[][], vectors: number[][], p: number, q: number): void {
  const slope = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
  const tangent = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.hypot(slope, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (const row of [...matrix, ...vectors]) {
    const [a, b] = [row[p], row[q]];
    row[p] = cosine * a - sine * b;
    row[q] = sine * a + cosine * b;
  }
  const [rowP, rowQ] = [matrix[p], matrix[q]];
  for (let k = 0; k < rowP.length; k++) {
    const [a, b] = [rowP[k], rowQ[k]];
    rowP[k] = cosine * a - sine * b;
    rowQ[k] = sine * a + cosine * b;
  }
}
