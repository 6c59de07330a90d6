/** Vectors: sums over them, in plain f64, and parts of them. */
import type { ClipOptions, Round } from "./options.js";

/** |a|, right also where the squares overflow or vanish. */
export function norm(a: ArrayLike<number>): number {
  let sum = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    sum += a[i] * a[i];
    largest = Math.max(largest, Math.abs(a[i]));
  }
  if ((sum > 1e-280 && sum < Infinity) || largest === 0 || !(largest < Infinity)) return Math.sqrt(sum);
  sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Coordinates start ... end - 1. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A copy that is 0 outside of the ranges. */
export function within(ranges: readonly Range[], values: ArrayLike<number>): Float64Array {
  const copy = new Float64Array(values.length);
  for (const { start, end } of ranges) for (let i = start; i < end; i++) copy[i] = values[i];
  return copy;
}

/** g within +-value, then within the ball of radius `norm`; `gradNorm` is |g| as it is. */
export function clipped(
  raw: Float64Array,
  gradNorm: number,
  { norm: radius, value: bound = Infinity }: ClipOptions = {},
  round: Round,
): Float64Array {
  const value = round(bound);
  const g = raw.map((g) => Math.min(value, Math.max(-value, g)));
  if (radius === undefined) return g;
  const length = bound === Infinity ? gradNorm : norm(g);
  const scale = round(Math.min(1, radius / (length + 1e-6)));
  return scale === 1 ? g : g.map((g) => round(g * scale));
}
