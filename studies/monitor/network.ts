import type { TensorSpec } from "superlevel";
import { createMlp, softmax, type Activation, type Vector } from "../kit/mlp.js";
import { normals } from "../../src/stability/vectors.js";
import type { Labelled } from "./data.js";

export type { Activation, Vector };

/** A classifier whose loss is the cross-entropy of each example. */
export interface Network {
  /** The tensors with their start values. */
  start(seed: number): (TensorSpec & { name: string; values: Float32Array })[];
  /** Mean cross-entropy of some examples; writes its gradient. */
  gradient(params: Vector, grads: Vector, data: Labelled, indices: ArrayLike<number>): number;
  losses(params: Vector, data: Labelled, indices: ArrayLike<number>): Float64Array;
}

interface Model {
  readonly outputs: Float64Array;
  readonly delta: Float64Array;
  forward(params: Vector, input: Float32Array): void;
  backward(params: Vector, grads: Vector, share: number): void;
}

/** A model's loss and gradient on labelled data. */
function classifier(model: Model): Omit<Network, "start"> {
  /** −log P(label); writes P − 1{c = label}. */
  function lossOf(params: Vector, data: Labelled, example: number): number {
    model.forward(params, data.inputs.subarray(example * data.width, (example + 1) * data.width));
    const label = data.labels[example];
    const logSum = softmax(model.outputs, model.delta);
    model.delta[label] -= 1;
    return logSum - model.outputs[label];
  }
  return {
    gradient(params, grads, data, indices) {
      grads.fill(0);
      let loss = 0;
      for (let k = 0; k < indices.length; k++) {
        loss += lossOf(params, data, indices[k]) / indices.length;
        model.backward(params, grads, 1 / indices.length);
      }
      return loss;
    },
    losses: (params, data, indices) =>
      Float64Array.from({ length: indices.length }, (_, k) => lossOf(params, data, indices[k])),
  };
}

/** `sizes` counts the units from the inputs to the classes; two of them make a linear model. `gain` multiplies the first weights. */
export function perceptron(sizes: readonly number[], activation: Activation, gain = 1): Network {
  const mlp = createMlp(sizes, activation);
  return {
    ...classifier(mlp),
    start(seed) {
      const values = mlp.start(normals(seed));
      let at = 0;
      return sizes.slice(1).flatMap((outputs, k) => {
        const weights = values.slice(at, (at += sizes[k] * outputs)).map((value) => gain * value);
        const biases = values.slice(at, (at += outputs));
        return [
          { name: `w${k + 1}`, shape: [sizes[k], outputs], values: weights },
          { name: `b${k + 1}`, shape: [outputs], values: biases },
        ];
      });
    },
  };
}

/** h ← act(W h + U x_t + b) over a row's inputs one at a time, `turns` times over; the classes from the last h. */
export function recurrent(
  classes: number,
  units: number,
  gain: number,
  linear: boolean,
  turns: number,
): Network {
  const places = { u: 0, w: units, b: units + units * units, v: 0, c: 0 };
  places.v = places.b + units;
  places.c = places.v + units * classes;
  const [outputs, delta] = [new Float64Array(classes), new Float64Array(classes)];
  let states: Float64Array[] = [];
  let row: Float32Array = new Float32Array();
  const length = () => row.length * turns;

  function forward(params: Vector, input: Float32Array): void {
    row = input;
    states = [new Float64Array(units)];
    for (let t = 0; t < length(); t++) {
      const [before, after] = [states[t], new Float64Array(units)];
      for (let j = 0; j < units; j++) {
        let sum = params[places.b + j] + params[places.u + j] * input[t % input.length];
        for (let i = 0; i < units; i++) sum += params[places.w + i * units + j] * before[i];
        after[j] = linear ? sum : Math.tanh(sum);
      }
      states.push(after);
    }
    const last = states[length()];
    for (let c = 0; c < classes; c++) {
      outputs[c] = params[places.c + c];
      for (let j = 0; j < units; j++) outputs[c] += params[places.v + j * classes + c] * last[j];
    }
  }

  function backward(params: Vector, grads: Vector, share: number): void {
    let back = new Float64Array(units);
    const last = states[length()];
    for (let c = 0; c < classes; c++) grads[places.c + c] += share * delta[c];
    for (let j = 0; j < units; j++)
      for (let c = 0; c < classes; c++) {
        grads[places.v + j * classes + c] += share * delta[c] * last[j];
        back[j] += params[places.v + j * classes + c] * delta[c];
      }
    for (let t = length() - 1; t >= 0; t--) {
      const [before, after, next] = [states[t], states[t + 1], new Float64Array(units)];
      for (let j = 0; j < units; j++) {
        const slope = back[j] * (linear ? 1 : 1 - after[j] ** 2);
        grads[places.b + j] += share * slope;
        grads[places.u + j] += share * slope * row[t % row.length];
        for (let i = 0; i < units; i++) {
          grads[places.w + i * units + j] += share * slope * before[i];
          next[i] += params[places.w + i * units + j] * slope;
        }
      }
      back = next;
    }
  }

  return {
    ...classifier({ outputs, delta, forward, backward }),
    start(seed) {
      const normal = normals(seed);
      const draw = (count: number, spread: number) =>
        Float32Array.from({ length: count }, () => spread * normal());
      return [
        { name: "input weights", shape: [1, units], values: draw(units, 0.5) },
        {
          name: "recurrent weights",
          shape: [units, units],
          values: draw(units * units, gain / Math.sqrt(units)),
        },
        { name: "state biases", shape: [units], values: new Float32Array(units) },
        {
          name: "output weights",
          shape: [units, classes],
          values: draw(units * classes, 1 / Math.sqrt(units)),
        },
        { name: "output biases", shape: [classes], values: new Float32Array(classes) },
      ];
    },
  };
}
