import { expectFunction, expectNumber, expectNumbers, expectOptions } from "../../common/expect.js";
import { addScaled, norm, randomUnit, unit } from "../vectors.js";

/** A linear map and its transpose, given by what they do. */
export interface LinearOperator {
  /** Length of what it takes. */
  readonly columns: number;
  /** Length of what it gives. */
  readonly rows: number;
  readonly apply: (v: Float64Array) => Float64Array;
  readonly transpose: (v: Float64Array) => Float64Array;
}

/**
 * A dense layer: x ↦ W x, or x ↦ Wᵀ x as TensorFlow.js keeps kernels, [inputs, outputs].
 *
 * @param matrix rows · columns numbers, row by row
 * @throws TypeError or RangeError when the count is wrong
 * @example
 * import { denseOperator } from "superlevel/stability";
 * Array.from(denseOperator([1, 2, 3, 4], 2, 2).apply(Float64Array.of(1, 1))); // → [3, 7]
 */
export function denseOperator(matrix: ArrayLike<number>, rows: number, columns: number): LinearOperator {
  expectNumber("denseOperator(rows)", rows, { min: 1, integer: true });
  expectNumber("denseOperator(columns)", columns, { min: 1, integer: true });
  expectNumbers("denseOperator(matrix)", matrix, rows * columns);
  return {
    rows,
    columns,
    apply(v) {
      const out = new Float64Array(rows);
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) out[r] += matrix[r * columns + c] * v[c];
      return out;
    },
    transpose(v) {
      const out = new Float64Array(columns);
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) out[c] += matrix[r * columns + c] * v[r];
      return out;
    },
  };
}

/** Options of {@link convolutionOperator}. */
export interface ConvolutionOptions {
  /** kernelHeight · kernelWidth · inputs · outputs numbers in this order, as TensorFlow.js keeps them. */
  kernel: ArrayLike<number>;
  kernelShape: readonly [height: number, width: number, inputs: number, outputs: number];
  /** What it is applied to. */
  inputShape: readonly [height: number, width: number, channels: number];
  /** Default 1. */
  stride?: number;
}

/**
 * A convolution layer on images of a given size, padded with zeros ("same"). Its norm is that of this operator: the kernel
 * reshaped to a matrix has another.
 *
 * @throws TypeError or RangeError when shapes do not fit
 * @example
 * import { convolutionOperator } from "superlevel/stability";
 * const smooth = convolutionOperator({ kernel: [1, 2, 1], kernelShape: [1, 3, 1, 1], inputShape: [1, 4, 1] });
 * Array.from(smooth.apply(Float64Array.of(1, 0, 0, 1))); // → [2, 1, 1, 2]
 */
export function convolutionOperator(options: ConvolutionOptions): LinearOperator {
  const { inputShape, kernelShape, stride = 1 } = checkConvolution(options);
  const [height, width, inputs] = inputShape;
  const size = Math.ceil(height / stride) * Math.ceil(width / stride);
  const [rows, columns] = [size * kernelShape[3], height * width * inputs];
  return {
    rows,
    columns,
    apply(v) {
      const out = new Float64Array(rows);
      eachProduct(options, (input, output, weight) => (out[output] += weight * v[input]));
      return out;
    },
    transpose(v) {
      const out = new Float64Array(columns);
      eachProduct(options, (input, output, weight) => (out[input] += weight * v[output]));
      return out;
    },
  };
}

function checkConvolution(options: ConvolutionOptions): ConvolutionOptions {
  const name = "convolutionOperator";
  expectOptions(name, options, ["kernel", "kernelShape", "inputShape", "stride"]);
  const { kernel, kernelShape, inputShape, stride = 1 } = options;
  expectNumber(`${name}.stride`, stride, { min: 1, integer: true });
  expectNumbers(`${name}.kernelShape`, kernelShape, 4);
  expectNumbers(`${name}.inputShape`, inputShape, 3);
  if (kernelShape[2] !== inputShape[2])
    throw new RangeError(`${name}.inputShape: expected ${kernelShape[2]} channels, got ${inputShape[2]}`);
  const count = kernelShape.reduce((product, extent) => product * extent, 1);
  expectNumbers(`${name}.kernel`, kernel, count);
  return options;
}

/** Every product of the convolution: which input, which output, which weight. */
function eachProduct(
  { kernel, kernelShape, inputShape, stride = 1 }: ConvolutionOptions,
  visit: (input: number, output: number, weight: number) => void,
): void {
  const [kh, kw, inputs, outputs] = kernelShape;
  const [height, width] = inputShape;
  const [high, wide] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const top = Math.floor(Math.max(0, (high - 1) * stride + kh - height) / 2);
  const left = Math.floor(Math.max(0, (wide - 1) * stride + kw - width) / 2);
  for (let place = 0; place < high * wide; place++) {
    for (let tap = 0; tap < kh * kw; tap++) {
      const row = Math.floor(place / wide) * stride + Math.floor(tap / kw) - top;
      const column = (place % wide) * stride + (tap % kw) - left;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < outputs; o++)
          visit(
            (row * width + column) * inputs + i,
            place * outputs + o,
            kernel[(tap * inputs + i) * outputs + o],
          );
    }
  }
}

/**
 * ‖W‖₂, the largest singular value, by power iteration on WᵀW: a lower bound that grows with each iteration. No gradients.
 * `residual` is ‖WᵀW v − σ² v‖ / σ²: some squared singular value is within this share of σ². `converged` is false where the
 * iterations ran out before the tolerance was met.
 *
 * @param options.iterations at most, ≥ 1, two products each; default 10 000
 * @param options.tolerance stops when an iteration adds less than this share; default 1e-9
 * @throws TypeError or RangeError when an argument is not understood
 * @example
 * import { denseOperator, operatorNorm } from "superlevel/stability";
 * const { value } = operatorNorm(denseOperator([3, 0, 0, 1], 2, 2));
 * value.toFixed(6); // → "3.000000"
 */
export function operatorNorm(
  operator: LinearOperator,
  options: { iterations?: number; tolerance?: number; seed?: number } = {},
): { value: number; residual: number; converged: boolean; iterations: number; vector: Float64Array } {
  expectOptions("operatorNorm", options, ["iterations", "tolerance", "seed"]);
  expectFunction("operator.apply", operator?.apply);
  expectFunction("operator.transpose", operator.transpose);
  const maxIterations = expectNumber("operatorNorm.iterations", options.iterations ?? 10_000, {
    min: 1,
    integer: true,
  });
  const tolerance = expectNumber("operatorNorm.tolerance", options.tolerance ?? 1e-9, { min: 0 });
  let vector = randomUnit(operator.columns, options.seed ?? 0);
  let value = 0;
  for (let iterations = 1; ; iterations++) {
    const image = operator.apply(vector);
    const before = value;
    value = norm(image);
    const back = Float64Array.from(operator.transpose(image));
    const next = unit(back);
    const converged = !next || value - before <= tolerance * value;
    if (!next || converged || iterations >= maxIterations) {
      const residual = next ? norm(addScaled(back, -(value ** 2), vector)) / value ** 2 : 0;
      return { value, residual, converged, iterations, vector };
    }
    vector = next;
  }
}

/** What {@link layerGain} found. */
export interface LayerGain {
  /** Π ‖W_l‖ · L_l: no input's gain is larger. Often far too large. */
  readonly upper: number;
  /** Largest ‖f(x + ε v) − f(x)‖ / ε seen: no smaller bound holds. */
  readonly lower: number;
}

/**
 * How much a network may amplify a small change of its input: between what was seen and the product of its layers' norms.
 *
 * @param forward the network
 * @param inputs points to look at, each a vector
 * @param options.norms ‖W_l‖ of each layer, times the Lipschitz constant of its activation (1 for ReLU and tanh)
 * @param options.directions random directions at each point, ≥ 1; default 8
 * @example
 * import { layerGain } from "superlevel/stability";
 * const forward = (x: Float64Array) => Float64Array.of(Math.max(0, 2 * x[0]), Math.max(0, x[1]));
 * const { lower, upper } = layerGain(forward, [[1, 1]], { norms: [2] });
 * lower <= upper; // → true
 */
export function layerGain(
  forward: (x: Float64Array) => ArrayLike<number>,
  inputs: readonly ArrayLike<number>[],
  options: { norms: readonly number[]; directions?: number; epsilon?: number; seed?: number },
): LayerGain {
  expectFunction("forward", forward);
  expectOptions("layerGain", options, ["norms", "directions", "epsilon", "seed"]);
  const directions = expectNumber("layerGain.directions", options.directions ?? 8, { min: 1, integer: true });
  const epsilon = expectNumber("layerGain.epsilon", options.epsilon ?? 1e-5, { above: 0 });
  expectNumbers("layerGain.norms", options.norms, options.norms?.length ?? 1);
  if (!(inputs?.length > 0))
    throw new RangeError("inputs: expected at least 1 point to look at, got none");
  const upper = options.norms.reduce((product, value) => product * value, 1);
  let lower = 0;
  inputs.forEach((input, k) => {
    const x = Float64Array.from(input);
    const here = Float64Array.from(forward(x));
    for (let trial = 0; trial < directions; trial++) {
      const v = randomUnit(x.length, (options.seed ?? 0) + k * directions + trial);
      const there = forward(x.map((value, i) => value + epsilon * v[i]));
      lower = Math.max(lower, norm(here.map((value, i) => there[i] - value)) / epsilon);
    }
  });
  return { upper, lower };
}
