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

/**
 * g within +-value, then within the ball of radius `norm`, then times `more`; and its norm before rounding. `gradNorm` is
 * |g| as it is.
 */
export function clipped(
  raw: Float64Array,
  gradNorm: number,
  { norm: radius = Infinity, value: bound = Infinity }: ClipOptions = {},
  round: Round,
  more = 1,
): { g: Float64Array; gNorm: number } {
  const value = round(bound);
  const within = raw.map((g) => Math.min(value, Math.max(-value, g)));
  const length = bound === Infinity ? gradNorm : norm(within);
  const scale = Math.min(1, radius / (length + 1e-6)) * more;
  const factor = round(scale);
  return { g: factor === 1 ? within : within.map((g) => round(g * factor)), gNorm: length * scale };
}
