import { expectNumber, expectOptions } from "../../common/expect.js";
import { largest, smallest } from "../../common/extremes.js";
import { expectPoint, LossFunction, type LossGrad } from "../loss-grad.js";
import { addScaled, dot, norm, normals, unit } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/** The point of least norm in the convex hull of some vectors, by Mitchell, Demyanov and Malozemov's method. */
export function minimumNormPoint(vectors: readonly Float64Array[]): Float64Array {
  const weights = vectors.map((_, k): number => (k === 0 ? 1 : 0));
  const point = vectors[0].slice();
  for (let iteration = 0; iteration < 10_000; iteration++) {
    const heights = vectors.map((vector) => dot(vector, point));
    const low = heights.indexOf(smallest(heights));
    let high = -1;
    heights.forEach((height, k) => {
      if (weights[k] > 0 && (high < 0 || height > heights[high])) high = k;
    });
    const gap = heights[high] - heights[low];
    if (gap <= 1e-13 * Math.max(dot(point, point), 1e-30)) break;
    // Weight goes from the highest in use to the lowest, as far as the norm falls.
    const way = vectors[low].map((value, i) => value - vectors[high][i]);
    const share = Math.min(weights[high], gap / dot(way, way));
    weights[high] = share === weights[high] ? 0 : weights[high] - share;
    weights[low] += share;
    for (let i = 0; i < point.length; i++) point[i] += share * way[i];
  }
  return point;
}

/** Options of {@link gradientSampling}. */
export interface GradientSamplingOptions extends WorkOptions {
  /** ε of the ball, > 0; default 0.01. */
  radius?: number;
  /** m gradients, ≥ 1; default min(n + 1, 20). For the exact answer it takes n + 1 or more. */
  samples?: number;
  seed?: number;
  /** The step that `lossGrad` is told; default 1. */
  step?: number;
}

/**
 * How stationary a point of a function with kinks is (Burke, Lewis, Overton 2005): the least norm in the hull of gradients
 * in an ε-ball around it. 0 says that no direction leads down at this scale. For networks, with m far below
 * the number of parameters, it is an upper bound. Costs m gradients.
 *
 * @param params x, n numbers
 * @returns `stationarity` ‖v‖, and −v / ‖v‖ as `direction`, which leads down; undefined where v = 0
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when a gradient is not finite
 * @example
 * import { gradientSampling } from "superlevel/stability";
 * const f = ([x, y]: Float64Array) => ({ loss: Math.abs(x) + 2 * Math.abs(y), grads: [Math.sign(x), 2 * Math.sign(y)] });
 * (await gradientSampling(f, [1, 1])).stationarity.toFixed(3); // → "2.236"
 * (await gradientSampling(f, [0, 1], { samples: 6 })).stationarity.toFixed(3); // → "2.000"
 */
export async function gradientSampling(
  lossGrad: LossGrad,
  params: ArrayLike<number>,
  options: GradientSamplingOptions = {},
): Promise<{ stationarity: number; direction: Float64Array | undefined; samples: number }> {
  expectOptions("gradientSampling", options, ["radius", "samples", "seed", "step", ...WORK_KEYS]);
  const point = expectPoint("params", params);
  const size = point.length;
  const radius = expectNumber("gradientSampling.radius", options.radius ?? 0.01, { above: 0 });
  const samples = expectNumber("gradientSampling.samples", options.samples ?? Math.min(size + 1, 20), {
    min: 1,
    integer: true,
  });
  const lossFunction = new LossFunction("lossGrad", lossGrad, size, options.step);
  const work = new Work("gradientSampling", options, samples);
  const normal = normals(options.seed ?? 0);
  const gradients: Float64Array[] = [];
  for (let k = 0; k < samples; k++) {
    const direction = Float64Array.from({ length: size }, normal);
    // Uniform in the ball: the radius of a share u of its volume is u^(1/n).
    const length = (radius * ((k + 0.5) / samples) ** (1 / size)) / norm(direction);
    const grads = new Float64Array(size);
    await lossFunction.gradient(addScaled(point.slice(), length, direction), grads);
    gradients.push(grads);
    await work.tick();
  }
  const least = minimumNormPoint(gradients);
  const scale = largest(gradients.map(norm));
  const stationarity = norm(least) <= 1e-9 * scale ? 0 : norm(least);
  return { stationarity, direction: stationarity > 0 ? unit(least)?.map((v) => -v) : undefined, samples };
}
