/*
 * Arithmetic of the scalar rules. Each operation is rounded to float32, in the order of the SIMD kernels.
 */

export const round = Math.fround;

/** sum + a·b, rounded twice. */
export const addProduct = (sum: number, a: number, b: number): number => round(sum + round(a * b));

/** a·x + b·y. */
export const blend = (a: number, x: number, b: number, y: number): number => addProduct(round(a * x), b, y);

/** mean + share · (g − mean). */
export const drift = (mean: number, share: number, g: number): number =>
  addProduct(mean, share, round(g - mean));

export const square = (x: number): number => round(x * x);
export const root = (x: number): number => round(Math.sqrt(x));

/** b where a < b, else a: in either order of NaN and of zeros as the kernels' pmax. */
export const larger = (a: number, b: number): number => (a < b ? b : a);

/** Within low … high. */
export function bounded(value: number, low: number, high: number): number {
  const raised = value < low ? low : value;
  return high < raised ? high : raised;
}
