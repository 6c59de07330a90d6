/* Fully connected layers of one width, deep if asked for, with or without residual connections. */

interface ActivationFunction {
  readonly value: (z: number) => number;
  readonly slope: (z: number) => number;
  /** Weights start with this variance, over the number of inputs. */
  readonly gain: number;
  /** Is it linear on either side of 0? */
  readonly kinked: boolean;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const [root, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
/** tanh in the usual approximation of GELU. */
const bend = (z: number) => Math.tanh(root * (z + cubic * z * z * z));

function slopeOfGelu(z: number): number {
  const t = bend(z);
  return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * root * (1 + 3 * cubic * z * z);
}

function slopeOfSigmoid(z: number): number {
  const s = sigmoid(z);
  return s * (1 - s);
}

export const activations = {
  ReLU: { value: (z) => Math.max(0, z), slope: (z) => (z > 0 ? 1 : 0), gain: 2, kinked: true },
  "leaky ReLU": {
    value: (z) => (z > 0 ? z : 0.01 * z),
    slope: (z) => (z > 0 ? 1 : 0.01),
    gain: 2,
    kinked: true,
  },
  tanh: { value: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2, gain: 1, kinked: false },
  sigmoid: { value: sigmoid, slope: slopeOfSigmoid, gain: 1, kinked: false },
  GELU: { value: (z) => 0.5 * z * (1 + bend(z)), slope: slopeOfGelu, gain: 2, kinked: false },
} satisfies Record<string, ActivationFunction>;

export type ActivationName = keyof typeof activations;

export interface Architecture {
  readonly inputs: number;
  readonly width: number;
  /** Hidden layers. */
  readonly depth: number;
  readonly classes: number;
  readonly activation: ActivationName;
  /** h + act(W h + b) in place of act(W h + b), from the second hidden layer on. */
  readonly residual: boolean;
}

export interface DeepNetwork {
  readonly size: number;
  /** Of all rows and hidden units, by the last call of `gradient`. */
  readonly preactivations: Float64Array;
  /** Weights of a residual branch are smaller by √depth, so that the sum of all does not grow with depth. */
  start(normal: () => number): Float32Array;
  /** Mean cross-entropy of all rows; writes its gradient. */
  gradient(params: ArrayLike<number>, grads: Float32Array | Float64Array): number;
}

/** On fixed rows: `inputs` [rows, inputs], and a class for each. */
export function createNetwork(
  { inputs, width, depth, classes, activation, residual }: Architecture,
  rows: ArrayLike<number>,
  labels: ArrayLike<number>,
): DeepNetwork {
  const { value, slope, gain }: ActivationFunction = activations[activation];
  const count = labels.length;
  const sizes = [inputs, ...Array.from({ length: depth }, () => width), classes];
  const firsts = sizes.slice(1).reduce((at, to, k) => [...at, at[k] + (sizes[k] + 1) * to], [0]);
  const size = firsts[depth + 1];
  const preactivations = new Float64Array(depth * count * width);
  /** What comes into each layer, and out of the last; and the loss by them. */
  const states = sizes.map((units) => new Float64Array(count * units));
  const deltas = sizes.map((units) => new Float64Array(count * units));
  const before = new Float64Array(Math.max(width, classes));
  /** In double precision whatever the caller has: so the loops see one kind of array. */
  const [weights, gradient] = [new Float64Array(size), new Float64Array(size)];
  states[0].set(Array.from(rows));
  const skips = (layer: number) => residual && layer > 0 && layer < depth;

  function forwardRow(layer: number, row: number): void {
    const [from, to, first] = [sizes[layer], sizes[layer + 1], firsts[layer]];
    const [input, output] = [states[layer], states[layer + 1]];
    const [at, out] = [row * from, row * to];
    for (let j = 0; j < to; j++) output[out + j] = weights[first + from * to + j];
    for (let i = 0; i < from; i++) {
      const [x, w] = [input[at + i], first + i * to];
      for (let j = 0; j < to; j++) output[out + j] += x * weights[w + j];
    }
    if (layer === depth) return;
    const kept = (layer * count + row) * width;
    const share = skips(layer) ? 1 : 0;
    for (let j = 0; j < to; j++) {
      const z = (preactivations[kept + j] = output[out + j]);
      output[out + j] = value(z);
      if (share === 1) output[out + j] += input[at + j];
    }
  }

  function backwardRow(layer: number, row: number): void {
    const [from, to, first] = [sizes[layer], sizes[layer + 1], firsts[layer]];
    const [input, delta, back] = [states[layer], deltas[layer + 1], deltas[layer]];
    const [at, out, kept] = [row * from, row * to, (layer * count + row) * width];
    for (let j = 0; j < to; j++) {
      before[j] = delta[out + j];
      if (layer < depth) before[j] *= slope(preactivations[kept + j]);
      gradient[first + from * to + j] += before[j];
    }
    const passes = skips(layer);
    for (let i = 0; i < from; i++) {
      const [x, w] = [input[at + i], first + i * to];
      let sum = passes ? delta[out + i] : 0;
      for (let j = 0; j < to; j++) {
        gradient[w + j] += x * before[j];
        sum += weights[w + j] * before[j];
      }
      back[at + i] = sum;
    }
  }

  /** Mean cross-entropy, and its derivative by the logits. */
  function lossOf(): number {
    const [logits, delta] = [states[depth + 1], deltas[depth + 1]];
    let loss = 0;
    for (let row = 0; row < count; row++) {
      const own = logits.subarray(row * classes, (row + 1) * classes);
      const top = Math.max(...own);
      const sum = own.reduce((total, logit) => total + Math.exp(logit - top), 0);
      loss += (Math.log(sum) + top - own[labels[row]]) / count;
      for (let c = 0; c < classes; c++)
        delta[row * classes + c] = (Math.exp(own[c] - top) / sum - Number(c === labels[row])) / count;
    }
    return loss;
  }

  return {
    size,
    preactivations,
    start(normal) {
      const params = new Float32Array(size);
      for (let layer = 0; layer <= depth; layer++) {
        const variance = gain / sizes[layer] / (skips(layer) ? depth : 1);
        const last = firsts[layer] + sizes[layer] * sizes[layer + 1];
        for (let i = firsts[layer]; i < last; i++) params[i] = Math.sqrt(variance) * normal();
      }
      return params;
    },
    gradient(params, grads) {
      weights.set(params);
      gradient.fill(0);
      for (let layer = 0; layer <= depth; layer++)
        for (let row = 0; row < count; row++) forwardRow(layer, row);
      const loss = lossOf();
      for (let layer = depth; layer >= 0; layer--)
        for (let row = 0; row < count; row++) backwardRow(layer, row);
      grads.set(gradient);
      return loss;
    },
  };
}
