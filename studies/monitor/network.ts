import { createMlp, softmax, type Activation, type Vector } from "../kit/mlp.js";
import { normals } from "../../src/stability/vectors.js";
import type { Labelled } from "./data.js";

export type { Activation, Vector };

/** A multilayer perceptron with softmax, which tells the loss of each example. */
export interface Network {
  readonly size: number;
  start(seed: number): Float32Array;
  /** Mean cross-entropy of some examples; writes its gradient. */
  gradient(params: Vector, grads: Vector, data: Labelled, indices: ArrayLike<number>): number;
  losses(params: Vector, data: Labelled, indices: ArrayLike<number>): Float64Array;
}

/** `sizes` counts the units from the inputs to the classes; two of them make a linear model. */
export function createNetwork(sizes: readonly number[], activation: Activation): Network {
  const mlp = createMlp(sizes, activation);

  /** −log P(label); writes P − 1{c = label}. */
  function lossOf(params: Vector, data: Labelled, example: number): number {
    mlp.forward(params, data.inputs.subarray(example * sizes[0], (example + 1) * sizes[0]));
    const label = data.labels[example];
    const logSum = softmax(mlp.outputs, mlp.delta);
    mlp.delta[label] -= 1;
    return logSum - mlp.outputs[label];
  }

  return {
    size: mlp.size,
    start: (seed) => mlp.start(normals(seed)),
    gradient(params, grads, data, indices) {
      grads.fill(0);
      let loss = 0;
      for (let k = 0; k < indices.length; k++) {
        loss += lossOf(params, data, indices[k]) / indices.length;
        mlp.backward(params, grads, 1 / indices.length);
      }
      return loss;
    },
    losses: (params, data, indices) =>
      Float64Array.from({ length: indices.length }, (_, k) => lossOf(params, data, indices[k])),
  };
}
