import { createRandom } from "../kit/random.js";
import { addProduct, multiply, multiplyBack } from "./matrix.js";

/** Rows of `size` inputs; a class or a row of targets for each. */
export interface Examples {
  readonly count: number;
  readonly size: number;
  readonly inputs: Float64Array;
  readonly labels?: Uint8Array;
  readonly targets?: Float64Array;
}

export interface Architecture {
  /** Units from the inputs to the outputs. */
  readonly sizes: readonly number[];
  readonly hidden: "relu" | "tanh" | "sigmoid";
  /** The mean over the examples, for squares over the outputs too. */
  readonly loss: "cross-entropy" | "squares";
  /** Outputs go through a sigmoid. */
  readonly squash?: boolean;
  /** Inputs are numbers of characters, each of which stands for a row of `width` parameters. */
  readonly embedding?: { readonly characters: number; readonly width: number };
}

/** Mean loss of some examples; writes its gradient where `grads` is given. */
export type Trainer = (x: Float32Array, indices: ArrayLike<number>, grads?: Float32Array) => number;

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** Where weights [inputs, outputs] begin, and the biases behind them. */
  readonly weights: number;
  readonly biases: number;
}

const embedded = ({ embedding }: Architecture) => (embedding ? embedding.characters * embedding.width : 0);

function layersOf(architecture: Architecture): Layer[] {
  const { sizes } = architecture;
  let end = embedded(architecture);
  return sizes.slice(1).map((outputs, k) => {
    const weights = end;
    const biases = weights + sizes[k] * outputs;
    end = biases + outputs;
    return { inputs: sizes[k], outputs, weights, biases };
  });
}

/** Sizes of the tensors in the parameter vector. */
export function tensorSizes(architecture: Architecture): number[] {
  const layers = layersOf(architecture).flatMap(({ inputs, outputs }) => [inputs * outputs, outputs]);
  return architecture.embedding ? [embedded(architecture), ...layers] : layers;
}

/** Normal weights of the usual size (He's for ReLU) times the layer's scale, biases 0, embeddings standard normal. */
export function initialParameters(
  architecture: Architecture,
  seed: number,
  scaleOf: (layer: number) => number = () => 1,
): Float32Array {
  const random = createRandom(1000 + seed);
  const table = Array.from({ length: embedded(architecture) }, () => random.normal());
  const layers = layersOf(architecture).flatMap(({ inputs, outputs }, k) => {
    const spread = scaleOf(k) * Math.sqrt((architecture.hidden === "relu" ? 2 : 1) / inputs);
    const weights = Array.from({ length: inputs * outputs }, () => spread * random.normal());
    return [...weights, ...new Array<number>(outputs).fill(0)];
  });
  return Float32Array.from([...table, ...layers]);
}

/** Rows that go through the network at a time: what they need stays in the cache. */
const chunk = 64;

export function createTrainer(architecture: Architecture, examples: Examples): Trainer {
  const pass = createPass(architecture, examples);
  return (x, indices, grads) => {
    pass.values.set(x);
    if (grads) pass.slopes.fill(0);
    let sum = 0;
    for (let first = 0; first < indices.length; first += chunk) {
      const rows = Math.min(chunk, indices.length - first);
      sum += pass.forward(indices, first, rows, indices.length);
      if (grads) pass.backward(rows);
    }
    grads?.set(pass.slopes);
    return sum;
  };
}

function viewsOf(layers: readonly Layer[], values: Float64Array) {
  return layers.map(({ weights, biases, outputs }) => ({
    weights: values.subarray(weights, biases),
    biases: values.subarray(biases, biases + outputs),
  }));
}

/** The network in float64, with room for a chunk of rows. */
function createPass(architecture: Architecture, examples: Examples) {
  const { sizes, hidden, squash = false } = architecture;
  const layers = layersOf(architecture);
  const last = layers.length - 1;
  const values = new Float64Array(layers[last].biases + layers[last].outputs);
  const slopes = values.slice();
  const [parameters, gradients] = [viewsOf(layers, values), viewsOf(layers, slopes)];
  const units = sizes.map((size) => new Float64Array(chunk * size));
  const deltas = sizes.map((size) => new Float64Array(chunk * size));
  const inputs = createInputs(architecture, examples, values, slopes);
  const lossOf = architecture.loss === "squares" ? squares : crossEntropy;

  function forward(indices: ArrayLike<number>, first: number, rows: number, count: number): number {
    inputs.read(indices, first, rows, units[0]);
    layers.forEach((layer, k) => {
      const { weights, biases } = parameters[k];
      multiply(units[k], weights, biases, units[k + 1], rows, layer.inputs);
      if (k < last) activate(hidden, units[k + 1], rows * layer.outputs);
      else if (squash) activate("sigmoid", units[k + 1], rows * layer.outputs);
    });
    return lossOf(examples, indices, first, rows, count, units[last + 1], deltas[last + 1]);
  }

  function backward(rows: number): void {
    if (squash) slopeThrough("sigmoid", units[last + 1], deltas[last + 1], rows * layers[last].outputs);
    for (let k = last; k >= 0; k--) {
      const { inputs: inner, outputs } = layers[k];
      addProduct(units[k], deltas[k + 1], gradients[k].weights, gradients[k].biases, rows, inner);
      if (k > 0 || architecture.embedding) {
        multiplyBack(deltas[k + 1], parameters[k].weights, deltas[k], rows, inner, outputs);
      }
      if (k > 0) slopeThrough(hidden, units[k], deltas[k], rows * inner);
    }
    inputs.addSlopes(deltas[0], rows);
  }
  return { values, slopes, forward, backward };
}

/** Copies rows of inputs, or looks characters up and takes their slopes back. */
function createInputs(
  { embedding }: Architecture,
  { size, inputs }: Examples,
  values: Float64Array,
  slopes: Float64Array,
) {
  const codes = new Float64Array(chunk * size);
  const width = embedding?.width ?? 1;
  function read(indices: ArrayLike<number>, first: number, rows: number, out: Float64Array): void {
    const to = embedding ? codes : out;
    for (let r = 0; r < rows; r++) {
      const from = indices[first + r] * size;
      for (let i = 0; i < size; i++) to[r * size + i] = inputs[from + i];
    }
    if (!embedding) return;
    for (let k = 0; k < rows * size; k++) {
      for (let i = 0; i < width; i++) out[k * width + i] = values[codes[k] * width + i];
    }
  }
  function addSlopes(d: Float64Array, rows: number): void {
    if (!embedding) return;
    for (let k = 0; k < rows * size; k++) {
      for (let i = 0; i < width; i++) slopes[codes[k] * width + i] += d[k * width + i];
    }
  }
  return { read, addSlopes };
}

function activate(kind: Architecture["hidden"], units: Float64Array, size: number): void {
  if (kind === "relu") {
    for (let i = 0; i < size; i++) if (units[i] < 0) units[i] = 0;
  } else if (kind === "tanh") {
    // Math.tanh takes three times as long.
    for (let i = 0; i < size; i++) units[i] = 1 - 2 / (Math.exp(2 * units[i]) + 1);
  } else {
    for (let i = 0; i < size; i++) units[i] = 1 / (1 + Math.exp(-units[i]));
  }
}

/** deltas ← deltas times the activation's derivative, which its value gives. */
function slopeThrough(
  kind: Architecture["hidden"],
  units: Float64Array,
  deltas: Float64Array,
  size: number,
): void {
  if (kind === "relu") {
    for (let i = 0; i < size; i++) if (!(units[i] > 0)) deltas[i] = 0;
  } else if (kind === "tanh") {
    for (let i = 0; i < size; i++) deltas[i] *= 1 - units[i] * units[i];
  } else {
    for (let i = 0; i < size; i++) deltas[i] *= units[i] * (1 - units[i]);
  }
}

/** These rows' share of a mean over `count` rows, and its slopes by the outputs. */
type LossOf = (
  examples: Examples,
  indices: ArrayLike<number>,
  first: number,
  rows: number,
  count: number,
  outputs: Float64Array,
  deltas: Float64Array,
) => number;

const crossEntropy: LossOf = ({ labels }, indices, first, rows, count, outputs, deltas) => {
  const classes = outputs.length / chunk;
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const from = r * classes;
    let shift = -Infinity;
    for (let c = 0; c < classes; c++) shift = Math.max(shift, outputs[from + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += deltas[from + c] = Math.exp(outputs[from + c] - shift);
    for (let c = 0; c < classes; c++) deltas[from + c] /= sum * count;
    const right = from + labels![indices[first + r]];
    deltas[right] -= 1 / count;
    loss += Math.log(sum) + shift - outputs[right];
  }
  return loss / count;
};

const squares: LossOf = ({ targets }, indices, first, rows, count, outputs, deltas) => {
  const width = outputs.length / chunk;
  const share = 1 / (count * width);
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const from = indices[first + r] * width;
    for (let j = 0; j < width; j++) {
      const error = outputs[r * width + j] - targets![from + j];
      loss += error * error;
      deltas[r * width + j] = 2 * share * error;
    }
  }
  return loss * share;
};
