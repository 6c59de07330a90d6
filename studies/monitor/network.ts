import { normals } from "../../src/stability/vectors.js";
import type { Labelled } from "./data.js";

/** In single precision as the optimizer has it; in double precision for twins. */
export type Vector = Float32Array | Float64Array;

/** A multilayer perceptron with softmax, which tells the loss of each example. */
export interface Network {
  readonly size: number;
  start(seed: number): Float32Array;
  /** Mean cross-entropy of some examples; writes its gradient. */
  gradient(params: Vector, grads: Vector, data: Labelled, indices: ArrayLike<number>): number;
  losses(params: Vector, data: Labelled, indices: ArrayLike<number>): Float64Array;
}

export type Activation = "relu" | "tanh";

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** Where weights [inputs, outputs] begin, and biases behind them. */
  readonly weights: number;
  readonly biases: number;
}

const act: Record<Activation, (z: number) => number> = { relu: (z) => Math.max(0, z), tanh: Math.tanh };
/** Slope, from the value. */
const slope: Record<Activation, (a: number) => number> = {
  relu: (a) => (a > 0 ? 1 : 0),
  tanh: (a) => 1 - a * a,
};

/** `sizes` counts the units from the inputs to the classes; two of them make a linear model. */
export function createNetwork(sizes: readonly number[], activation: Activation): Network {
  let size = 0;
  const layers = sizes.slice(1).map((outputs, k): Layer => {
    const weights = size;
    const biases = weights + sizes[k] * outputs;
    size = biases + outputs;
    return { inputs: sizes[k], outputs, weights, biases };
  });
  const depth = layers.length;
  const units = sizes.map((count) => new Float64Array(count));
  const deltas = sizes.map((count) => new Float64Array(count));

  function forward(params: Vector, data: Labelled, example: number): number {
    units[0].set(data.inputs.subarray(example * sizes[0], (example + 1) * sizes[0]));
    layers.forEach((layer, k) => {
      const result = units[k + 1];
      result.set(params.subarray(layer.biases, layer.biases + layer.outputs));
      multiply(params, layer, units[k], result);
      if (k + 1 < depth) for (let j = 0; j < result.length; j++) result[j] = act[activation](result[j]);
    });
    return crossEntropy(units[depth], data.labels[example], deltas[depth]);
  }

  function backward(params: Vector, grads: Vector, share: number): void {
    for (let k = depth - 1; k >= 0; k--) {
      const { inputs, outputs, weights, biases } = layers[k];
      const delta = deltas[k + 1];
      for (let j = 0; j < outputs; j++) grads[biases + j] += share * delta[j];
      for (let i = 0; i < inputs; i++) {
        const factor = share * units[k][i];
        const row = weights + i * outputs;
        if (factor !== 0) for (let j = 0; j < outputs; j++) grads[row + j] += factor * delta[j];
      }
      if (k > 0) backThrough(params, layers[k], delta, units[k], deltas[k]);
    }
  }

  function backThrough(
    params: Vector,
    layer: Layer,
    delta: Float64Array,
    input: Float64Array,
    result: Float64Array,
  ) {
    const { inputs, outputs, weights } = layer;
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      const row = weights + i * outputs;
      for (let j = 0; j < outputs; j++) sum += params[row + j] * delta[j];
      result[i] = sum * slope[activation](input[i]);
    }
  }

  return {
    size,
    start(seed) {
      const normal = normals(seed);
      const params = new Float32Array(size);
      const gain = activation === "relu" ? 2 : 1;
      for (const { inputs, weights, biases } of layers)
        for (let i = weights; i < biases; i++) params[i] = Math.sqrt(gain / inputs) * normal();
      return params;
    },
    gradient(params, grads, data, indices) {
      grads.fill(0);
      let loss = 0;
      for (let k = 0; k < indices.length; k++) {
        loss += forward(params, data, indices[k]) / indices.length;
        backward(params, grads, 1 / indices.length);
      }
      return loss;
    },
    losses: (params, data, indices) =>
      Float64Array.from({ length: indices.length }, (_, k) => forward(params, data, indices[k])),
  };
}

function multiply(params: Vector, layer: Layer, input: Float64Array, result: Float64Array): void {
  const { inputs, outputs, weights } = layer;
  for (let i = 0; i < inputs; i++) {
    const [value, row] = [input[i], weights + i * outputs];
    if (value !== 0) for (let j = 0; j < outputs; j++) result[j] += value * params[row + j];
  }
}

/** −log P(label); writes P − 1{c = label}. */
function crossEntropy(logits: Float64Array, label: number, delta: Float64Array): number {
  const shift = Math.max(...logits);
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += delta[c] = Math.exp(logits[c] - shift);
  for (let c = 0; c < logits.length; c++) delta[c] /= sum;
  delta[label] -= 1;
  return Math.log(sum) + shift - logits[label];
}
