import type { Digits } from "../kit/digits/draw.js";
import { createRandom } from "../kit/random.js";

/** Parameters in single precision; in double precision for checking gradients. */
export type Vector = Float32Array | Float64Array;

/** One tensor of the network, as `createOptimizer` takes it. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Evaluation {
  readonly loss: number;
  /** Part of the examples classified right, 0 to 1. */
  readonly accuracy: number;
}

/** A multilayer perceptron: affine layers with ReLU between them and a softmax at the end. */
export interface Network {
  readonly sizes: readonly number[];
  /** Length of the parameter vector: for each layer its weights [inputs, outputs], then its biases. */
  readonly size: number;
  /** Initial values: He's normal weights, zero biases. */
  initialTensors(seed: number): Tensor[];
  /** Mean cross-entropy of the examples `indices`; writes its gradient. */
  gradient(params: Vector, grads: Vector, data: Digits, indices: Uint32Array): number;
  /** Mean cross-entropy and accuracy over all of `data`. */
  evaluate(params: Vector, data: Digits): Evaluation;
}

/** Where one layer's parameters lie. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: number;
  readonly biases: number;
}

/** `sizes` counts the units from the input to the classes, e.g. [784, 64, 10]. */
export function createNetwork(sizes: readonly number[]): Network {
  const layers = layersOf(sizes);
  const last = layers[layers.length - 1];
  // activations[0] is the image and activations[k] the output of layer k; deltas[k] is dL/d of that output.
  const activations = sizes.map((units) => new Float64Array(units));
  const deltas = sizes.map((units) => new Float64Array(units));

  const forward = (params: Vector, data: Digits, example: number) => {
    readImage(data, example, activations[0]);
    layers.forEach((layer, k) => affine(params, layer, activations[k], activations[k + 1], layer !== last));
    return softmaxCrossEntropy(activations[layers.length], data.labels[example], deltas[layers.length]);
  };

  const backward = (params: Vector, grads: Vector, share: number) => {
    const output = deltas[layers.length];
    for (let c = 0; c < output.length; c++) output[c] *= share;
    for (let k = layers.length - 1; k >= 0; k--) {
      addOuterProduct(grads, layers[k], activations[k], deltas[k + 1]);
      if (k > 0) backThroughReLU(params, layers[k], deltas[k + 1], activations[k], deltas[k]);
    }
  };

  return {
    sizes,
    size: last.biases + last.outputs,
    initialTensors: (seed) => initialTensors(layers, seed),
    gradient(params, grads, data, indices) {
      grads.fill(0);
      let loss = 0;
      for (const example of indices) {
        loss += forward(params, data, example);
        backward(params, grads, 1 / indices.length);
      }
      return loss / indices.length;
    },
    evaluate(params, data) {
      let loss = 0;
      let right = 0;
      for (let example = 0; example < data.count; example++) {
        loss += forward(params, data, example);
        if (largest(activations[layers.length]) === data.labels[example]) right++;
      }
      return { loss: loss / data.count, accuracy: right / data.count };
    },
  };
}

function layersOf(sizes: readonly number[]): Layer[] {
  let offset = 0;
  return sizes.slice(1).map((outputs, k) => {
    const inputs = sizes[k];
    const weights = offset;
    const biases = weights + inputs * outputs;
    offset = biases + outputs;
    return { inputs, outputs, weights, biases };
  });
}

function initialTensors(layers: readonly Layer[], seed: number): Tensor[] {
  const random = createRandom(seed);
  return layers.flatMap(({ inputs, outputs }, k) => {
    const spread = Math.sqrt(2 / inputs);
    const weights = Float32Array.from({ length: inputs * outputs }, () => spread * random.normal());
    return [
      { name: `weights${k + 1}`, shape: [inputs, outputs], values: weights },
      { name: `biases${k + 1}`, shape: [outputs], values: new Float32Array(outputs) },
    ];
  });
}

function readImage(data: Digits, example: number, image: Float64Array): void {
  const start = example * data.pixels;
  for (let p = 0; p < data.pixels; p++) image[p] = data.images[start + p] / 255;
}

/** output = biases + weightsᵀ·input, then ReLU. Blank pixels and silent units are skipped: most inputs are 0. */
function affine(
  params: Vector,
  layer: Layer,
  input: Float64Array,
  output: Float64Array,
  relu: boolean,
): void {
  const { inputs, outputs, weights, biases } = layer;
  for (let j = 0; j < outputs; j++) output[j] = params[biases + j];
  for (let i = 0; i < inputs; i++) {
    const value = input[i];
    if (value === 0) continue;
    const row = weights + i * outputs;
    let j = 0;
    // Four units a turn: otherwise the loop costs as much as the arithmetic.
    for (; j + 3 < outputs; j += 4) {
      output[j] += value * params[row + j];
      output[j + 1] += value * params[row + j + 1];
      output[j + 2] += value * params[row + j + 2];
      output[j + 3] += value * params[row + j + 3];
    }
    for (; j < outputs; j++) output[j] += value * params[row + j];
  }
  if (!relu) return;
  for (let j = 0; j < outputs; j++) if (output[j] < 0) output[j] = 0;
}

/**
 * −log P(label), with P = softmax(logits): one term of (40), with (41). Writes P − 1{c = label}, the factor
 * of ∇f_c in (42). Subtracting the largest logit leaves P as it is, and no exponential can overflow.
 */
export function softmaxCrossEntropy(logits: Float64Array, label: number, delta: Float64Array): number {
  const shift = logits[largest(logits)];
  let sum = 0;
  for (let c = 0; c < logits.length; c++) {
    delta[c] = Math.exp(logits[c] - shift);
    sum += delta[c];
  }
  for (let c = 0; c < logits.length; c++) delta[c] /= sum;
  delta[label] -= 1;
  return Math.log(sum) + (shift - logits[label]);
}

/** Adds dL/dweights = input ⊗ delta and dL/dbiases = delta: (42) for one layer. */
function addOuterProduct(grads: Vector, layer: Layer, input: Float64Array, delta: Float64Array): void {
  const { inputs, outputs, weights, biases } = layer;
  for (let j = 0; j < outputs; j++) grads[biases + j] += delta[j];
  for (let i = 0; i < inputs; i++) {
    const value = input[i];
    if (value === 0) continue;
    const row = weights + i * outputs;
    let j = 0;
    for (; j + 3 < outputs; j += 4) {
      grads[row + j] += value * delta[j];
      grads[row + j + 1] += value * delta[j + 1];
      grads[row + j + 2] += value * delta[j + 2];
      grads[row + j + 3] += value * delta[j + 3];
    }
    for (; j < outputs; j++) grads[row + j] += value * delta[j];
  }
}

/** dL/dinput = weights·delta where the unit was on, 0 where ReLU held it at 0. */
function backThroughReLU(
  params: Vector,
  layer: Layer,
  delta: Float64Array,
  activation: Float64Array,
  result: Float64Array,
): void {
  const { inputs, outputs, weights } = layer;
  for (let i = 0; i < inputs; i++) {
    result[i] = 0;
    if (activation[i] === 0) continue;
    const row = weights + i * outputs;
    let sum = 0;
    for (let j = 0; j < outputs; j++) sum += params[row + j] * delta[j];
    result[i] = sum;
  }
}

function largest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
