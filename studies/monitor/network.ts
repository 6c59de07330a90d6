import { classified, type Classified } from "../kit/classifier.js";
import { createMlp, type Activation, type Tensor, type Vector } from "../kit/mlp.js";
import { normals } from "../../src/stability/vectors.js";

/** A classifier whose loss is the cross-entropy of each example. */
export interface Network extends Classified {
  /** The tensors with their start values. */
  start(seed: number): Tensor[];
}

/** `sizes` counts the units from the inputs to the classes; two of them make a linear model. `gain` multiplies the first weights. */
export function perceptron(sizes: readonly number[], activation: Activation, gain = 1): Network {
  const mlp = createMlp(sizes, activation);
  return {
    ...classified(mlp),
    start: (seed) =>
      mlp
        .tensors(mlp.start(normals(seed)))
        .map((tensor) => ({ ...tensor, values: tensor.values.map((value) => gain * value) })),
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
  let row: Float32Array | Float64Array = new Float32Array();
  const length = () => row.length * turns;

  function forward(params: Vector, input: Float32Array | Float64Array): void {
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
    ...classified({ outputs, delta, forward, backward }),
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
