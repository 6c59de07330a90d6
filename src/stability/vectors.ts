import { seededRandom } from "../sources/random.js";

/* Float64 arithmetic on vectors. */

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/** ‖a − b‖. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

/** target ← target + factor · a. */
export function addScaled(target: Float64Array, factor: number, a: ArrayLike<number>): Float64Array {
  for (let i = 0; i < target.length; i++) target[i] += factor * a[i];
  return target;
}

/** a / ‖a‖, or undefined for 0. */
export function unit(a: ArrayLike<number>): Float64Array | undefined {
  const length = norm(a);
  return length > 0 ? Float64Array.from(a, (value) => value / length) : undefined;
}

/** Standard normal numbers, by Box and Muller. */
export function normals(seed: number): () => number {
  const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1));
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A direction, all alike likely. */
export function randomUnit(size: number, seed: number): Float64Array {
  const normal = normals(seed);
  return unit(Float64Array.from({ length: size }, normal)) ?? new Float64Array(size).fill(1);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
