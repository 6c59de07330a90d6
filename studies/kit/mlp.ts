/* A multilayer perceptron, one row at a time: affine layers, and between them an activation. */

/** In single precision as the optimizer has it; in double precision for twins. */
export type Vector = Float32Array | Float64Array;

export type Activation = "relu" | "tanh";

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** Where weights [inputs, outputs] begin, and biases behind them. */
  readonly weights: number;
  readonly biases: number;
}

export interface Mlp {
  /** Of the parameter vector: for each layer its weights [inputs, outputs], then its biases. */
  readonly size: number;
  /** Of the row that `forward` saw last. */
  readonly outputs: Float64Array;
  /** The loss by `outputs`: written by the caller between `forward` and `backward`. */
  readonly delta: Float64Array;
  /** Normal weights of the usual size (He's for ReLU), biases 0. */
  start(normal: () => number): Float32Array;
  forward(params: Vector, input: Float32Array | Float64Array): void;
  /** Adds `share` times the gradient for the row that `forward` saw last. */
  backward(params: Vector, grads: Vector, share: number): void;
}

const act: Record<Activation, (z: number) => number> = { relu: (z) => Math.max(0, z), tanh: Math.tanh };
/** Slope, from the value. */
const slope: Record<Activation, (a: number) => number> = {
  relu: (a) => (a > 0 ? 1 : 0),
  tanh: (a) => 1 - a * a,
};

/** `sizes` counts the units from the inputs to the outputs; two of them make a linear model. */
export function createMlp(sizes: readonly number[], activation: Activation): Mlp {
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

  function forward(params: Vector, input: Float32Array | Float64Array): void {
    units[0].set(input);
    layers.forEach((layer, k) => {
      const result = units[k + 1];
      result.set(params.subarray(layer.biases, layer.biases + layer.outputs));
      multiply(params, layer, units[k], result);
      if (k + 1 < depth) for (let j = 0; j < result.length; j++) result[j] = act[activation](result[j]);
    });
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

  function start(normal: () => number): Float32Array {
    const params = new Float32Array(size);
    const gain = activation === "relu" ? 2 : 1;
    for (const { inputs, weights, biases } of layers)
      for (let i = weights; i < biases; i++) params[i] = Math.sqrt(gain / inputs) * normal();
    return params;
  }

  return { size, outputs: units[depth], delta: deltas[depth], start, forward, backward };
}

function multiply(params: Vector, layer: Layer, input: Float64Array, result: Float64Array): void {
  const { inputs, outputs, weights } = layer;
  for (let i = 0; i < inputs; i++) {
    const [value, row] = [input[i], weights + i * outputs];
    if (value !== 0) for (let j = 0; j < outputs; j++) result[j] += value * params[row + j];
  }
}

/** Writes softmax(logits); returns the logarithm of the sum of exponentials. */
export function softmax(logits: Float64Array, chances: Float64Array): number {
  const shift = Math.max(...logits);
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += chances[c] = Math.exp(logits[c] - shift);
  for (let c = 0; c < logits.length; c++) chances[c] /= sum;
  return Math.log(sum) + shift;
}
