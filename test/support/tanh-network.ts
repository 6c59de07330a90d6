import { normals } from "../../src/stability/vectors.js";

type Vector = Float32Array | Float64Array;

/** A network with tanh, 8-24-24-3: 891 parameters, and the half of its mean squared error. */
const SIZES = [8, 24, 24, 3];
const LAYERS = SIZES.slice(1).map((outputs, k) => {
  const begin = SIZES.slice(0, k + 1).reduce(
    (sum, inputs, j) => sum + (j < k ? (inputs + 1) * SIZES[j + 1] : 0),
    0,
  );
  return { inputs: SIZES[k], outputs, weights: begin, biases: begin + SIZES[k] * outputs };
});
export const SIZE = 891;

/** Weights of variance 1 / inputs, biases 0. */
export function tanhStart(seed: number): Float64Array {
  const normal = normals(seed);
  const params = new Float64Array(SIZE);
  for (const { inputs, weights, biases } of LAYERS)
    for (let i = weights; i < biases; i++) params[i] = normal() / Math.sqrt(inputs);
  return params;
}

/** Mean over `examples` of ½ ‖f(x) − y‖², y a wave along a direction of its own for each output; writes the gradient. */
export function tanhLoss(examples: number, seed: number): (params: Vector, grads: Vector) => number {
  const normal = normals(seed);
  const inputs = Array.from({ length: examples }, () => Float64Array.from({ length: 8 }, normal));
  const directions = Array.from({ length: 3 }, () => Float64Array.from({ length: 8 }, normal));
  const targets = inputs.map((x) =>
    directions.map((w) => Math.sin(x.reduce((sum, value, i) => sum + value * w[i], 0))),
  );
  const units = SIZES.map((count) => new Float64Array(count));
  const deltas = SIZES.map((count) => new Float64Array(count));
  return (params, grads) => {
    grads.fill(0);
    let loss = 0;
    inputs.forEach((x, example) => {
      units[0].set(x);
      LAYERS.forEach((layer, k) => forward(params, layer, units[k], units[k + 1], k < 2));
      for (let j = 0; j < 3; j++) {
        const error = units[3][j] - targets[example][j];
        deltas[3][j] = error / examples;
        loss += error ** 2 / 2 / examples;
      }
      for (let k = 2; k >= 0; k--) backward(params, grads, LAYERS[k], units[k], deltas[k], deltas[k + 1]);
    });
    return loss;
  };
}

type Layer = (typeof LAYERS)[number];

function forward(
  params: Vector,
  layer: Layer,
  input: Float64Array,
  output: Float64Array,
  bends: boolean,
): void {
  const { inputs, outputs, weights, biases } = layer;
  for (let j = 0; j < outputs; j++) output[j] = params[biases + j];
  for (let i = 0; i < inputs; i++)
    for (let j = 0; j < outputs; j++) output[j] += input[i] * params[weights + i * outputs + j];
  if (bends) for (let j = 0; j < outputs; j++) output[j] = Math.tanh(output[j]);
}

/** `before`: what becomes of the error at the layer's inputs, which are values of tanh. */
function backward(
  params: Vector,
  grads: Vector,
  { inputs, outputs, weights, biases }: Layer,
  input: Float64Array,
  before: Float64Array,
  delta: Float64Array,
): void {
  for (let j = 0; j < outputs; j++) grads[biases + j] += delta[j];
  for (let i = 0; i < inputs; i++) {
    let sum = 0;
    for (let j = 0; j < outputs; j++) {
      grads[weights + i * outputs + j] += input[i] * delta[j];
      sum += params[weights + i * outputs + j] * delta[j];
    }
    before[i] = sum * (1 - input[i] ** 2);
  }
}
