import { largest, smallest } from "../../common/extremes.js";
import { norm } from "../vectors.js";

/* Eigenvalues of small symmetric tridiagonal matrices. */

/** How many eigenvalues lie below `at` (Sturm). */
function countBelow(diagonal: readonly number[], offDiagonal: readonly number[], at: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    pivot = diagonal[i] - at - (i === 0 ? 0 : offDiagonal[i - 1] ** 2 / pivot);
    if (pivot === 0) pivot = 1e-300;
    if (pivot < 0) count++;
  }
  return count;
}

/** The k-th smallest eigenvalue, k from 0, by bisection to the last bit. */
export function eigenvalue(diagonal: readonly number[], offDiagonal: readonly number[], k: number): number {
  const radius = (i: number) => Math.abs(offDiagonal[i - 1] ?? 0) + Math.abs(offDiagonal[i] ?? 0);
  let low = smallest(diagonal.map((d, i) => d - radius(i)));
  let high = largest(diagonal.map((d, i) => d + radius(i)));
  for (let iteration = 0; iteration < 200; iteration++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (countBelow(diagonal, offDiagonal, middle) > k) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** The eigenvector of an eigenvalue, of length 1: three steps of inverse iteration, with pivots. */
export function eigenvector(
  diagonal: readonly number[],
  offDiagonal: readonly number[],
  value: number,
): number[] {
  const size = diagonal.length;
  const span = largest(offDiagonal.map(Math.abs), largest(diagonal.map(Math.abs), 1e-300));
  let vector = Array.from({ length: size }, (_, i) => 1 + 0.1 * ((i * 7) % 5));
  for (let iteration = 0; iteration < 3; iteration++) {
    vector = solve(diagonal, offDiagonal, value + 1e-14 * span, vector);
    // Its numbers are so large that their squares may overflow.
    const top = largest(vector.map(Math.abs));
    const length = top * norm(vector.map((v) => v / top));
    vector = vector.map((v) => v / length);
  }
  return vector;
}

/** (T − shift) x = b by Gaussian elimination with partial pivoting. */
function solve(
  diagonal: readonly number[],
  offDiagonal: readonly number[],
  shift: number,
  b: readonly number[],
): number[] {
  const size = diagonal.length;
  const x = [...b];
  // Row i holds its entries at columns i, i + 1, i + 2.
  const rows = diagonal.map((d, i) => [d - shift, offDiagonal[i] ?? 0, 0]);
  for (let i = 0; i + 1 < size; i++) {
    let below = [offDiagonal[i], rows[i + 1][0], rows[i + 1][1]];
    if (Math.abs(below[0]) > Math.abs(rows[i][0])) {
      [rows[i], below] = [below, rows[i]];
      [x[i], x[i + 1]] = [x[i + 1], x[i]];
    }
    if (rows[i][0] === 0) rows[i][0] = 1e-300;
    const factor = below[0] / rows[i][0];
    rows[i + 1] = [below[1] - factor * rows[i][1], below[2] - factor * rows[i][2], 0];
    x[i + 1] -= factor * x[i];
  }
  for (let i = size - 1; i >= 0; i--) {
    const rest = rows[i][1] * (x[i + 1] ?? 0) + rows[i][2] * (x[i + 2] ?? 0);
    x[i] = (x[i] - rest) / (rows[i][0] || 1e-300);
  }
  return x;
}
