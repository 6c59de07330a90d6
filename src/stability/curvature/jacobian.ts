import { expectNumbers, isArrayLike, isKind, show } from "../../common/expect.js";
import { OptimizerError } from "../../common/errors.js";
import { expectPoint } from "../loss-grad.js";
import { addScaled, randomUnit } from "../vectors.js";
import { denseOperator, type LinearOperator } from "./operators.js";
import { lanczos } from "./lanczos.js";

/** A layer, a branch or a network: what it makes of an input. It may return a promise. `x` is a copy, which it may keep and change. */
export type LayerMap = (x: Float64Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** f(x), finite, in float64, and how it was rounded. */
async function valueAt(name: string, f: LayerMap, x: Float64Array, rows?: number) {
  const values: unknown = await f(x.slice());
  const length = isArrayLike(values) ? values.length : 1;
  const value = Float64Array.from(expectNumbers(`${name}: its output`, values, rows ?? length));
  const bad = value.findIndex((one) => !Number.isFinite(one));
  if (bad >= 0) throw new OptimizerError("diverged", `${name}: its output has ${value[bad]} at ${bad}`);
  return { value, roundoff: isKind(values, "Float32Array") ? 2 ** -24 : 2 ** -53 };
}

/** A map at a point: its value, and its Jacobian by central differences. */
export interface Linearization {
  readonly value: Float64Array;
  readonly jacobian: LinearOperator;
  /** Row by row. */
  readonly matrix: Float64Array;
  /** What entries are about wrong by, as a share: u^⅔. */
  readonly error: number;
}

/**
 * f(x) and J, column by column: [f(x + ε e_i) − f(x − ε e_i)] / 2ε, ε = u^⅓ (1 + |x_i|) with u = 2⁻²⁴ for what returns a
 * Float32Array, else 2⁻⁵³. Costs 2n + 1 calls.
 */
export async function linearize(
  name: string,
  f: LayerMap,
  x: Float64Array,
  epsilon?: number,
): Promise<Linearization> {
  const { value, roundoff } = await valueAt(name, f, x);
  const [rows, columns] = [value.length, x.length];
  const matrix = new Float64Array(rows * columns);
  const point = x.slice();
  const at = async (i: number, moved: number) => {
    point[i] = x[i] + moved;
    return (await valueAt(name, f, point, rows)).value;
  };
  for (let i = 0; i < columns; i++) {
    const wanted = epsilon ?? Math.cbrt(roundoff) * (1 + Math.abs(x[i]));
    const ahead = await at(i, wanted);
    const up = point[i];
    const behind = await at(i, -wanted);
    const width = up - point[i];
    point[i] = x[i];
    for (let r = 0; r < rows; r++) matrix[r * columns + i] = (ahead[r] - behind[r]) / width;
  }
  return { value, jacobian: denseOperator(matrix, rows, columns), matrix, error: Math.cbrt(roundoff) ** 2 };
}

/** More products than this are hardly ever needed: Lanczos ends with the space. */
const PRODUCTS = 300;
const TOLERANCE = 1e-10;

async function largestEigenvalue(size: number, apply: (v: Float64Array) => Float64Array): Promise<number> {
  const symmetric = (v: Float64Array) => Promise.resolve(apply(v));
  return (await lanczos(symmetric, randomUnit(size, 0), PRODUCTS, TOLERANCE)).largest.value;
}

/** ‖A‖₂, the root of the largest eigenvalue of AᵀA. */
export async function largestSingularValue({ columns, apply, transpose }: LinearOperator): Promise<number> {
  const squared = await largestEigenvalue(columns, (v) => Float64Array.from(transpose(apply(v))));
  return Math.sqrt(Math.max(0, squared));
}

/** λ_max of ½ (A + Aᵀ): ⟨v, A v⟩ is at most this for ‖v‖ = 1. */
export function largestQuotient({ columns, apply, transpose }: LinearOperator): Promise<number> {
  return largestEigenvalue(columns, (v) => {
    const [there, back] = [apply(v), transpose(v)];
    return v.map((_, i) => (there[i] + back[i]) / 2);
  });
}

/** I + h A. */
export function residual({ rows, columns, apply, transpose }: LinearOperator, h: number): LinearOperator {
  const plus = (v: Float64Array, image: Float64Array) => addScaled(v.slice(), h, image);
  return { rows, columns, apply: (v) => plus(v, apply(v)), transpose: (v) => plus(v, transpose(v)) };
}

/** A B, both row by row, `inner` columns of A. */
export function product(a: Float64Array, b: Float64Array, inner: number): Float64Array {
  const [rows, columns] = [a.length / inner, b.length / inner];
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < inner; k++) {
      const factor = a[r * inner + k];
      if (factor !== 0) for (let c = 0; c < columns; c++) out[r * columns + c] += factor * b[k * columns + c];
    }
  return out;
}

/** At least one point, all finite and of one length. */
export function expectPoints(name: string, points: readonly ArrayLike<number>[]): Float64Array[] {
  if (!Array.isArray(points))
    throw new TypeError(`${name}: expected an array of points, got ${show(points)}`);
  if (points.length === 0) throw new RangeError(`${name}: expected at least 1 point to look at, got none`);
  const first = expectPoint(`${name}[0]`, points[0]);
  return points.map((point, k) => expectPoint(`${name}[${k}]`, point, first.length));
}
