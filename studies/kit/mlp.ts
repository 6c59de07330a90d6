/* A multilayer perceptron, one row at a time: affine layers, and between them an activation. */

/** In single precision as the optimizer has it; in double precision to compare with. */
export type Vector = Float32Array | Float64Array;

interface ActivationFunction {
  readonly value: (z: number) => number;
  /** By z, and by the value there. */
  readonly slope: (z: number, value: number) => number;
  /** Weights start with this variance, over the number of inputs. */
  readonly gain: number;
  /** Is it linear on either side of 0? */
  readonly kinked: boolean;
}

const [root, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
/** tanh in the usual approximation of GELU. */
const bend = (z: number) => Math.tanh(root * (z + cubic * z * z * z));

function slopeOfGelu(z: number): number {
  const t = bend(z);
  return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * root * (1 + 3 * cubic * z * z);
}

export const activations = {
  relu: { value: (z) => Math.max(0, z), slope: (_, a) => (a > 0 ? 1 : 0), gain: 2, kinked: true },
  "leaky relu": {
    value: (z) => (z > 0 ? z : 0.01 * z),
    slope: (z) => (z > 0 ? 1 : 0.01),
    gain: 2,
    kinked: true,
  },
  tanh: { value: Math.tanh, slope: (_, a) => 1 - a * a, gain: 1, kinked: false },
  sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), slope: (_, a) => a * (1 - a), gain: 1, kinked: false },
  gelu: { value: (z) => 0.5 * z * (1 + bend(z)), slope: slopeOfGelu, gain: 2, kinked: false },
} satisfies Record<string, ActivationFunction>;

export type Activation = keyof typeof activations;

/** As `createOptimizer` takes it. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

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
  /** Of the row that `forward` saw last, for each layer before its activation. */
  readonly preactivations: readonly Float64Array[];
  /** The last of them. */
  readonly outputs: Float64Array;
  /** The loss by `outputs`: written by the caller between `forward` and `backward`. */
  readonly delta: Float64Array;
  /** Normal weights of the usual size (He's for ReLU and GELU), biases 0. */
  readonly start: (normal: () => number) => Float32Array;
  /** The parameter vector in parts: weights1, biases1, weights2 and so on. */
  tensors(params: Float32Array): Tensor[];
  forward(params: Vector, input: Float32Array | Float64Array): void;
  /** Adds `share` times the gradient for the row that `forward` saw last. */
  backward(params: Vector, grads: Vector, share: number): void;
}

/**
 * `sizes` counts the units from the inputs to the outputs; two of them make a linear model. With residual connections a
 * hidden layer but the first gives h + act(W h + b), and its weights start smaller by the root of the number of hidden layers.
 */
export function createMlp(sizes: readonly number[], activation: Activation, residual = false): Mlp {
  const { value, slope, gain }: ActivationFunction = activations[activation];
  const layers = layersOf(sizes);
  const depth = layers.length;
  const vectors = () => sizes.map((count) => new Float64Array(count));
  const [units, sums, deltas, inner] = [vectors(), vectors(), vectors(), vectors()];
  /** Without a connection around the layer its values are its units. */
  const values = units.map((own, k) => (skips(k - 1) ? new Float64Array(own.length) : own));
  inner[depth] = deltas[depth];
  /** What is silent has slope 0, and nothing flows around it. */
  const silent = activation === "relu" && !residual;

  function skips(layer: number): boolean {
    return residual && layer > 0 && layer < depth - 1;
  }

  function forward(params: Vector, input: Float32Array | Float64Array): void {
    units[0].set(input);
    for (let k = 0; k < depth; k++) {
      affine(params, layers[k], units[k], sums[k + 1]);
      if (k + 1 < depth) activate(k);
    }
  }

  function activate(k: number): void {
    const [from, z, own, to] = [units[k], sums[k + 1], values[k + 1], units[k + 1]];
    for (let j = 0; j < z.length; j++) own[j] = value(z[j]);
    if (own !== to) for (let j = 0; j < z.length; j++) to[j] = own[j] + from[j];
  }

  function backward(params: Vector, grads: Vector, share: number): void {
    for (let k = depth - 1; k >= 0; k--) {
      const [own, delta] = [inner[k + 1], deltas[k + 1]];
      if (k + 1 < depth)
        for (let j = 0; j < own.length; j++) own[j] = delta[j] * slope(sums[k + 1][j], values[k + 1][j]);
      addOuterProduct(grads, layers[k], units[k], own, share);
      if (k > 0) backThrough(params, k);
    }
  }

  function backThrough(params: Vector, k: number): void {
    const { inputs, outputs, weights } = layers[k];
    const [input, own, result] = [units[k], inner[k + 1], deltas[k]];
    const around = skips(k) ? deltas[k + 1] : undefined;
    for (let i = 0; i < inputs; i++) {
      let sum = around?.[i] ?? 0;
      const row = weights + i * outputs;
      if (!silent || input[i] !== 0) for (let j = 0; j < outputs; j++) sum += params[row + j] * own[j];
      result[i] = sum;
    }
  }

  function start(normal: () => number): Float32Array {
    const params = new Float32Array(layers[depth - 1].biases + sizes[depth]);
    layers.forEach(({ inputs, weights, biases }, k) => {
      const variance = gain / inputs / (skips(k) ? depth - 1 : 1);
      for (let i = weights; i < biases; i++) params[i] = Math.sqrt(variance) * normal();
    });
    return params;
  }

  return {
    size: layers[depth - 1].biases + sizes[depth],
    preactivations: sums.slice(1),
    outputs: sums[depth],
    delta: deltas[depth],
    start,
    tensors: (params) => layers.flatMap((layer, k) => tensorsOf(layer, k + 1, params)),
    forward,
    backward,
  };
}

function layersOf(sizes: readonly number[]): Layer[] {
  let end = 0;
  return sizes.slice(1).map((outputs, k) => {
    const weights = end;
    const biases = weights + sizes[k] * outputs;
    end = biases + outputs;
    return { inputs: sizes[k], outputs, weights, biases };
  });
}

function tensorsOf(
  { inputs, outputs, weights, biases }: Layer,
  count: number,
  params: Float32Array,
): Tensor[] {
  return [
    { name: `weights${count}`, shape: [inputs, outputs], values: params.slice(weights, biases) },
    { name: `biases${count}`, shape: [outputs], values: params.slice(biases, biases + outputs) },
  ];
}

/** output = biases + weightsᵀ·input. Blank pixels and silent units are skipped: most inputs are 0. */
function affine(params: Vector, layer: Layer, input: Float64Array, output: Float64Array): void {
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
}

/** Adds `share` times dL/dweights = input ⊗ delta, and dL/dbiases = delta. */
function addOuterProduct(
  grads: Vector,
  layer: Layer,
  input: Float64Array,
  delta: Float64Array,
  share: number,
): void {
  const { inputs, outputs, weights, biases } = layer;
  for (let j = 0; j < outputs; j++) grads[biases + j] += share * delta[j];
  for (let i = 0; i < inputs; i++) {
    const value = share * input[i];
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

export function largest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * Writes softmax(logits); returns the logarithm of the sum of exp(logit − the largest). Subtracting the largest leaves
 * the chances as they are, and no exponential can overflow.
 */
export function softmax(logits: Float64Array, chances: Float64Array): number {
  const shift = logits[largest(logits)];
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += chances[c] = Math.exp(logits[c] - shift);
  for (let c = 0; c < logits.length; c++) chances[c] /= sum;
  return Math.log(sum);
}

/** −log P(label), with P = softmax(logits): (40) and (41). Writes P − 1{c = label}, the factor of ∇f_c in (42). */
export function crossEntropy(logits: Float64Array, label: number, delta: Float64Array): number {
  const logSum = softmax(logits, delta) + logits[largest(logits)];
  delta[label] -= 1;
  return logSum - logits[label];
}
