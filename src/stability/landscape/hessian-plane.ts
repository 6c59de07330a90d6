import { expectNumber, expectOptions } from "../../common/expect.js";
import { Hessian } from "../curvature/sharpness.js";
import { lanczos } from "../curvature/lanczos.js";
import { expectPoint, LossFunction, type LossGrad } from "../loss-grad.js";
import type { CheckedPlane } from "./slices.js";
import { addScaled, dot, randomUnit, unit } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/** How a {@link hessianPlane} is found. */
export interface HessianPlaneOptions extends WorkOptions {
  /** Most Hessian products for each direction, two gradients each; default 50. */
  products?: number;
  /** Stops when ‖H v − λ v‖ ≤ tolerance · |λ|; default 1e-3. */
  tolerance?: number;
  /** Of the directions to begin with; default 1. */
  seed?: number;
}

/** The plane of most curvature. */
export interface HessianPlane extends CheckedPlane {
  /** The two largest eigenvalues of the Hessian. */
  readonly eigenvalues: readonly [number, number];
}

/**
 * The plane through `origin` of the two eigenvectors of the Hessian with the largest eigenvalues, orthonormal: where the
 * loss is steepest around a minimum. Lanczos on central differences of gradients, the second time with the first vector
 * projected out.
 *
 * @throws TypeError or RangeError for bad arguments and gradients at one point that differ, OptimizerError "diverged" for a gradient that is not finite, and
 *   the signal's reason when aborted, all as rejections
 * @example
 * import { hessianPlane } from "superlevel/stability";
 * const bowl = ([x, y, z]: Float64Array) => ({ loss: x * x + 4 * y * y + 2 * z * z, grads: [2 * x, 8 * y, 4 * z] });
 * const { eigenvalues } = await hessianPlane(bowl, [0, 0, 0]);
 * eigenvalues.map((value) => value.toFixed(3)); // → ["8.000", "4.000"]
 */
export async function hessianPlane(
  lossGrad: LossGrad,
  origin: ArrayLike<number>,
  options: HessianPlaneOptions = {},
): Promise<HessianPlane> {
  expectOptions("options", options, ["products", "tolerance", "seed", ...WORK_KEYS]);
  const point = expectPoint("origin", origin);
  if (point.length < 2) throw new RangeError(`origin: expected at least 2 numbers, got ${point.length}`);
  const products = expectNumber("options.products", options.products ?? 50, { min: 1, integer: true });
  const tolerance = expectNumber("options.tolerance", options.tolerance ?? 1e-3, { min: 0 });
  const seed = expectNumber("options.seed", options.seed ?? 1, { min: 0, integer: true });
  const work = new Work("options", options, 2 * products);
  const hessian = new Hessian(new LossFunction("lossGrad", lossGrad, point.length), point);
  const find = (start: Float64Array, size: number, keep: (v: Float64Array) => Float64Array) => {
    const apply = async (v: Float64Array) => {
      const image = await hessian.times(v);
      await work.tick();
      return keep(image);
    };
    return lanczos(apply, start, Math.min(products, size), tolerance);
  };
  const { largest: first } = await find(randomUnit(point.length, seed), point.length, (v) => v);
  const without = (v: Float64Array) => addScaled(v, -dot(first.vector, v), first.vector);
  const start = unit(without(randomUnit(point.length, seed + 1)))!;
  const { largest } = await find(start, point.length - 1, without);
  await hessian.expectSameGradient();
  const second = unit(without(largest.vector.slice()))!;
  return {
    origin: point,
    directions: [first.vector, second],
    eigenvalues: [first.value, largest.value],
  };
}
