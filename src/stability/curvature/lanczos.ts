import { largest } from "../../common/extremes.js";
import { eigenvalue, eigenvector } from "./tridiagonal.js";
import { addScaled, dot, norm, unit } from "../vectors.js";

/** v ↦ A v for a symmetric A. */
export type Apply = (v: Float64Array) => Promise<Float64Array>;

/** An extreme eigenvalue and its vector. */
export interface Extreme {
  readonly value: number;
  /** Of length 1. */
  readonly vector: Float64Array;
  /** ‖A v − value · v‖: some eigenvalue is no farther from `value`. */
  readonly residual: number;
}

/** Both ends of a spectrum, from products alone. */
export interface Spectrum {
  readonly largest: Extreme;
  readonly smallest: Extreme;
  readonly products: number;
}

/**
 * Lanczos with full reorthogonalisation from `start`, until the largest eigenvalue's residual is at most `tolerance` times
 * it, the Krylov space is exhausted, or `maxProducts` products are made. The smallest is as good as it got by then.
 */
export async function lanczos(
  apply: Apply,
  start: Float64Array,
  maxProducts: number,
  tolerance: number,
): Promise<Spectrum> {
  const basis: Float64Array[] = [start];
  const diagonal: number[] = [];
  const offDiagonal: number[] = [];
  for (;;) {
    const k = diagonal.length;
    const image = await apply(basis[k]);
    diagonal.push(dot(basis[k], image));
    // Twice, as rounding puts a little back the first time.
    for (let pass = 0; pass < 2; pass++)
      for (const vector of basis) addScaled(image, -dot(vector, image), vector);
    const remainder = norm(image);
    const top = eigenvalue(diagonal, offDiagonal, k);
    const last = Math.abs(eigenvector(diagonal, offDiagonal, top)[k]);
    const span = largest(offDiagonal, largest(diagonal.map(Math.abs)));
    const exhausted = remainder <= 1e-12 * span || k + 1 >= start.length;
    if (exhausted || k + 1 >= maxProducts || remainder * last <= tolerance * Math.abs(top)) {
      const found = { basis, diagonal, offDiagonal, remainder: exhausted ? 0 : remainder };
      return { largest: ritz(found, k), smallest: ritz(found, 0), products: k + 1 };
    }
    offDiagonal.push(remainder);
    basis.push(unit(image)!);
  }
}

interface Krylov {
  readonly basis: readonly Float64Array[];
  readonly diagonal: readonly number[];
  readonly offDiagonal: readonly number[];
  readonly remainder: number;
}

function ritz({ basis, diagonal, offDiagonal, remainder }: Krylov, k: number): Extreme {
  const value = eigenvalue(diagonal, offDiagonal, k);
  const weights = eigenvector(diagonal, offDiagonal, value);
  const vector = new Float64Array(basis[0].length);
  weights.forEach((weight, i) => addScaled(vector, weight, basis[i]));
  return { value, vector, residual: remainder * Math.abs(weights[weights.length - 1]) };
}

/** Power iteration: the eigenvalue that is largest in size, with its sign. */
async function largestInSize(
  apply: Apply,
  start: Float64Array,
  maxProducts: number,
  tolerance: number,
): Promise<{ found: Extreme; products: number }> {
  let vector = start;
  for (let products = 1; ; products++) {
    const image = await apply(vector);
    const value = dot(vector, image);
    const residual = norm(addScaled(image.slice(), -value, vector));
    const next = unit(image);
    if (!next || products >= maxProducts || residual <= tolerance * Math.abs(value))
      return { found: { value, vector, residual }, products };
    vector = next;
  }
}

/**
 * The largest eigenvalue by power iteration. Where the one that is largest in size is negative, it is the smallest, μ, and the
 * largest is found of A − μ, which has no negative ones; that takes at most half as many products again.
 */
export async function powerIteration(
  apply: Apply,
  start: Float64Array,
  maxProducts: number,
  tolerance: number,
): Promise<{ largest: Extreme; smallest?: Extreme; products: number }> {
  const { found, products } = await largestInSize(apply, start, maxProducts, tolerance);
  if (found.value >= 0) return { largest: found, products };
  const shifted: Apply = async (v) => addScaled(await apply(v), -found.value, v);
  const rest = Math.max(maxProducts - products, Math.ceil(maxProducts / 2));
  const { found: top, products: more } = await largestInSize(shifted, start, rest, tolerance);
  const largest = { ...top, value: top.value + found.value };
  return { largest, smallest: found, products: products + more };
}
