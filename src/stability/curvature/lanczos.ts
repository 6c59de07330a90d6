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
 * it, the Krylov space is exhausted, or `most` products are made. The smallest is as good as it got by then.
 */
export async function lanczos(
  apply: Apply,
  start: Float64Array,
  most: number,
  tolerance: number,
): Promise<Spectrum> {
  const basis: Float64Array[] = [start];
  const diagonal: number[] = [];
  const off: number[] = [];
  for (;;) {
    const k = diagonal.length;
    const image = await apply(basis[k]);
    diagonal.push(dot(basis[k], image));
    // Twice: once leaves what rounding put back.
    for (let turn = 0; turn < 2; turn++)
      for (const vector of basis) addScaled(image, -dot(vector, image), vector);
    const left = norm(image);
    const top = eigenvalue(diagonal, off, k);
    const last = Math.abs(eigenvector(diagonal, off, top)[k]);
    const span = largest(off, largest(diagonal.map(Math.abs)));
    const exhausted = left <= 1e-12 * span || k + 1 >= start.length;
    if (exhausted || k + 1 >= most || left * last <= tolerance * Math.abs(top)) {
      const found = { basis, diagonal, off, left: exhausted ? 0 : left };
      return { largest: ritz(found, k), smallest: ritz(found, 0), products: k + 1 };
    }
    off.push(left);
    basis.push(unit(image)!);
  }
}

interface Krylov {
  readonly basis: readonly Float64Array[];
  readonly diagonal: readonly number[];
  readonly off: readonly number[];
  readonly left: number;
}

function ritz({ basis, diagonal, off, left }: Krylov, k: number): Extreme {
  const value = eigenvalue(diagonal, off, k);
  const weights = eigenvector(diagonal, off, value);
  const vector = new Float64Array(basis[0].length);
  weights.forEach((weight, i) => addScaled(vector, weight, basis[i]));
  return { value, vector, residual: left * Math.abs(weights[weights.length - 1]) };
}

/** Power iteration: the eigenvalue that is largest in size, with its sign. */
export async function powerIteration(
  apply: Apply,
  start: Float64Array,
  most: number,
  tolerance: number,
): Promise<{ largest: Extreme; products: number }> {
  let vector = start;
  for (let products = 1; ; products++) {
    const image = await apply(vector);
    const value = dot(vector, image);
    const residual = norm(addScaled(image.slice(), -value, vector));
    const next = unit(image);
    if (!next || products >= most || residual <= tolerance * Math.abs(value))
      return { largest: { value, vector, residual }, products };
    vector = next;
  }
}
