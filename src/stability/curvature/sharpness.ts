import {
  expectFunction,
  expectNumber,
  expectNumbers,
  expectOneOf,
  expectOptions,
} from "../../common/expect.js";
import { lanczos, powerIteration, type Apply } from "./lanczos.js";
import { expectPoint, LossFunction, type LossGrad } from "../loss-grad.js";
import { addScaled, distance, dot, norm, randomUnit, unit } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

/** Options of {@link sharpness}. */
export interface SharpnessOptions extends WorkOptions {
  /** "lanczos" (default) also finds the smallest eigenvalue; "power" costs no memory and is cheap with `start`. */
  method?: "lanczos" | "power";
  /** Most Hessian products, ≥ 1; default 30. */
  products?: number;
  /** Stops when ‖H v − λ v‖ ≤ tolerance · |λ|; default 0.01. */
  tolerance?: number;
  /** A vector to begin with, such as the one found some steps before; default random. */
  start?: ArrayLike<number>;
  /** D ≥ 0 for the spectrum of D^½ H D^½, which is that of D H; default ones. */
  preconditioner?: ArrayLike<number>;
  /** C for the spectrum of D^½ H D^½ + C, diagonal; default zeros. */
  diagonal?: ArrayLike<number>;
  /** ε of the differences; default u^⅓ √Σ v̂_i² (1 + |x_i|)² along v, u = 2⁻²⁴ for grads in a Float32Array, else 2⁻⁵³. */
  epsilon?: number;
  /** The step that `lossGrad` is told, ≥ 1; default 1. */
  step?: number;
  /** Random direction to begin with; default 0. */
  seed?: number;
  /** Preactivations of ReLU-like units at a point: the share that changes sign between x ± ε v is reported. */
  preactivations?: (params: Float64Array) => ArrayLike<number>;
}

/** What {@link sharpness} found. */
export interface Sharpness {
  /** λ_max of H, or of D^½ H D^½. */
  readonly lambdaMax: number;
  /** λ_min as good as Lanczos knows it by then: an upper bound, and often a poor one. */
  readonly lambdaMin: number | undefined;
  /** ‖H v − λ v‖: some eigenvalue lies within this of λ_max, but for the differences' error. */
  readonly residual: number;
  /**
   * By how much λ_max is wrong, at most, as the differences are not exact: a third of what it changes by with 2 ε, where that is their
   * curvature, and more where it is rounding.
   */
  readonly error: number;
  /** Of length 1, to start from next time. */
  readonly vector: Float64Array;
  /** Hessian products, two gradients each. */
  readonly products: number;
  /** Share of preactivations that change sign between x ± ε v: where it is not 0, differences cross kinks. */
  readonly kinkFraction: number | undefined;
}

/** Central differences of the gradient at a point. */
export class Hessian {
  readonly #lossFunction: LossFunction;
  readonly #point: Float64Array;
  readonly #ahead: Float64Array;
  readonly #behind: Float64Array;
  #epsilon: number | undefined;
  /** Where the last gradient was taken. */
  #last: Float64Array | undefined;

  constructor(lossFunction: LossFunction, point: Float64Array, epsilon?: number) {
    this.#lossFunction = lossFunction;
    this.#point = point;
    this.#ahead = new Float64Array(point.length);
    this.#behind = new Float64Array(point.length);
    this.#epsilon = epsilon;
  }

  /**
   * Half the distance between the two gradients along v: u^⅓ times the size of the coordinates that v moves, √Σ v̂_i² (1 + |x_i|)². By
   * default it takes one gradient to know how they round.
   */
  async epsilon(v: Float64Array): Promise<number> {
    if (this.#epsilon !== undefined) return this.#epsilon;
    if (this.#lossFunction.roundoff === undefined)
      await this.#lossFunction.gradient(this.#point, this.#ahead);
    const size = norm(v.map((value, i) => value * (1 + Math.abs(this.#point[i])))) / (norm(v) || 1);
    return Math.cbrt(this.#lossFunction.roundoff!) * size;
  }

  /** H v; `times` multiplies ε. */
  async times(v: Float64Array, times = 1): Promise<Float64Array> {
    const length = norm(v);
    if (length === 0) return new Float64Array(v.length);
    const step = (times * (await this.epsilon(v))) / length;
    await this.#lossFunction.gradient(addScaled(this.#point.slice(), step, v), this.#ahead);
    this.#last = addScaled(this.#point.slice(), -step, v);
    await this.#lossFunction.gradient(this.#last, this.#behind);
    return this.#ahead.map((g, i) => (g - this.#behind[i]) / (2 * step));
  }

  /** Takes the last gradient once more, as products of a callback that is not a function of the parameters are chance. */
  async expectSameGradient(): Promise<void> {
    const change = distance(this.#ahead, this.#behind);
    if (this.#last) await this.#lossFunction.expectSameGradient(this.#last, this.#behind, change);
  }
}

/**
 * H v by central differences of gradients: [∇L(x + ε v̂) − ∇L(x − ε v̂)] / 2ε · ‖v‖, two gradients, one more to see that the
 * second comes out again, and one more for the default ε. Second derivatives by automatic differentiation are not needed, and across a kink neither is right.
 *
 * @param params x, n numbers
 * @param vector v, n numbers
 * @param options.epsilon default u^⅓ √Σ v̂_i² (1 + |x_i|)², u = 2⁻²⁴ for grads in a Float32Array, else 2⁻⁵³
 * @param options.step the step that `lossGrad` is told; default 1
 * @throws TypeError or RangeError when an argument is not understood; TypeError when gradients at one point differ;
 *   OptimizerError "diverged" when one is not finite
 * @example
 * import { hessianVector } from "superlevel/stability";
 * const f = (x: Float64Array) => ({ loss: x[0] ** 2 * x[1], grads: [2 * x[0] * x[1], x[0] ** 2] });
 * const product = await hessianVector(f, [1, 2], [1, 1]);
 * Array.from(product, (value) => value.toFixed(6)); // → ["6.000000", "2.000000"]
 */
export async function hessianVector(
  lossGrad: LossGrad,
  params: ArrayLike<number>,
  vector: ArrayLike<number>,
  options: { epsilon?: number; step?: number } = {},
): Promise<Float64Array> {
  expectOptions("hessianVector", options, ["epsilon", "step"]);
  const point = expectPoint("params", params);
  expectNumbers("vector", vector, point.length);
  if (options.epsilon !== undefined) expectNumber("hessianVector.epsilon", options.epsilon, { above: 0 });
  const lossFunction = new LossFunction("lossGrad", lossGrad, point.length, options.step);
  const hessian = new Hessian(lossFunction, point, options.epsilon);
  const product = await hessian.times(Float64Array.from(vector));
  await hessian.expectSameGradient();
  return product;
}

const KEYS = [
  ...["method", "products", "tolerance", "start", "preconditioner", "diagonal", "epsilon", "step", "seed"],
  ...["preactivations", ...WORK_KEYS],
];

function checkOptions(options: SharpnessOptions, size: number) {
  expectOptions("sharpness", options, KEYS);
  const { epsilon, preactivations, start, preconditioner, diagonal } = options;
  if (diagonal !== undefined) expectNumbers("sharpness.diagonal", diagonal, size);
  if (epsilon !== undefined) expectNumber("sharpness.epsilon", epsilon, { above: 0 });
  if (preactivations !== undefined) expectFunction("sharpness.preactivations", preactivations);
  if (start !== undefined) expectNumbers("sharpness.start", start, size);
  if (preconditioner !== undefined) expectNumbers("sharpness.preconditioner", preconditioner, size);
  const roots = preconditioner && Float64Array.from(preconditioner, Math.sqrt);
  roots?.forEach((root, i) => expectNumber(`sharpness.preconditioner[${i}]`, root, { min: 0 }));
  const given = start && unit(start);
  return {
    roots,
    method: expectOneOf("sharpness.method", options.method ?? "lanczos", ["lanczos", "power"]),
    maxProducts: expectNumber("sharpness.products", options.products ?? 30, { min: 1, integer: true }),
    tolerance: expectNumber("sharpness.tolerance", options.tolerance ?? 0.01, { min: 0 }),
    start: given ?? randomUnit(size, options.seed ?? 0),
  };
}

/**
 * The largest eigenvalue of the Hessian, from gradients alone: about 8 products of two gradients each to 1 %, or 3 where
 * `start` is the vector of some steps before. The last gradient is taken twice: a callback that answers otherwise the second
 * time, as one of a new minibatch does, would have chance for curvature.
 *
 * @param params x, n numbers
 * @throws TypeError or RangeError when an argument is not understood; TypeError when gradients at one point differ;
 *   OptimizerError "diverged" when one is not finite
 * @example
 * import { sharpness } from "superlevel/stability";
 * const bowl = (x: Float64Array) => ({ loss: x[0] ** 2 / 2 + 4.5 * x[1] ** 2, grads: [x[0], 9 * x[1]] });
 * const { lambdaMax, lambdaMin } = await sharpness(bowl, [1, 1]);
 * lambdaMax.toFixed(6); // → "9.000000"
 * lambdaMin!.toFixed(6); // → "1.000000"
 */
export async function sharpness(
  lossGrad: LossGrad,
  params: ArrayLike<number>,
  options: SharpnessOptions = {},
): Promise<Sharpness> {
  const point = expectPoint("params", params);
  const { roots, method, maxProducts, tolerance, start } = checkOptions(options, point.length);
  const { diagonal } = options;
  const work = new Work("sharpness", options, maxProducts);
  const hessian = new Hessian(
    new LossFunction("lossGrad", lossGrad, point.length, options.step),
    point,
    options.epsilon,
  );
  const scaled = (v: Float64Array) => (roots ? v.map((value, i) => value * roots[i]) : v);
  const apply: Apply = async (v) => {
    const image = scaled(await hessian.times(scaled(v)));
    if (diagonal) for (let i = 0; i < image.length; i++) image[i] += diagonal[i] * v[i];
    await work.tick();
    return image;
  };
  const find = method === "lanczos" ? lanczos : powerIteration;
  const found: Awaited<ReturnType<typeof powerIteration>> & { smallest?: { value: number } } = await find(
    apply,
    start,
    maxProducts,
    tolerance,
  );
  const { largest, smallest, products } = found;
  await hessian.expectSameGradient();
  const { preactivations } = options;
  const direction = scaled(largest.vector);
  const shift = await hessian.epsilon(direction);
  const added = diagonal ? largest.vector.reduce((sum, v, i) => sum + diagonal[i] * v * v, 0) : 0;
  const error = await errorOf(hessian, direction, largest.value - added);
  return {
    lambdaMax: largest.value,
    error,
    lambdaMin: smallest?.value,
    residual: largest.residual,
    vector: largest.vector,
    products,
    kinkFraction: preactivations && flipped(preactivations, point, direction, shift),
  };
}

/** A third of what a curvature changes by where ε doubles: differences are wrong by c ε². A spectrum of zeros has no direction. */
async function errorOf(hessian: Hessian, direction: Float64Array, curvature: number): Promise<number> {
  if (!(norm(direction) > 0)) return 0;
  return Math.abs(dot(direction, await hessian.times(direction, 2)) - curvature) / 3;
}

/** Share of preactivations whose sign changes between x − ε v̂ and x + ε v̂. */
function flipped(
  preactivations: (params: Float64Array) => ArrayLike<number>,
  point: Float64Array,
  direction: Float64Array,
  epsilon: number,
): number {
  const step = epsilon / (norm(direction) || 1);
  const ahead = Float64Array.from(preactivations(point.map((x, i) => x + step * direction[i])));
  const behind = Float64Array.from(preactivations(point.map((x, i) => x - step * direction[i])));
  return ahead.filter((value, i) => value > 0 !== behind[i] > 0).length / Math.max(1, ahead.length);
}
