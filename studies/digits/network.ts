import { readImage, type Digits } from "../kit/digits/draw.js";
import { createMlp, largest, softmax, type Tensor, type Vector } from "../kit/mlp.js";
import { createRandom } from "../kit/random.js";

export type { Tensor };

export interface Evaluation {
  readonly loss: number;
  /** Part of the examples classified right, 0 to 1. */
  readonly accuracy: number;
}

/** A multilayer perceptron for digits: ReLU between its layers and a softmax at the end. */
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

/** `sizes` counts the units from the input to the classes, e.g. [784, 64, 10]. */
export function createNetwork(sizes: readonly number[]): Network {
  const mlp = createMlp(sizes, "relu");
  const image = new Float64Array(sizes[0]);

  function forward(params: Vector, data: Digits, example: number): number {
    readImage(data, example, image);
    mlp.forward(params, image);
    return softmaxCrossEntropy(mlp.outputs, data.labels[example], mlp.delta);
  }

  return {
    sizes,
    size: mlp.size,
    initialTensors: (seed) => mlp.tensors(mlp.start(createRandom(seed).normal)),
    gradient(params, grads, data, indices) {
      grads.fill(0);
      const share = 1 / indices.length;
      let loss = 0;
      for (const example of indices) {
        loss += forward(params, data, example);
        for (let c = 0; c < mlp.delta.length; c++) mlp.delta[c] *= share;
        mlp.backward(params, grads, 1);
      }
      return loss / indices.length;
    },
    evaluate(params, data) {
      let loss = 0;
      let right = 0;
      for (let example = 0; example < data.count; example++) {
        loss += forward(params, data, example);
        if (largest(mlp.outputs) === data.labels[example]) right++;
      }
      return { loss: loss / data.count, accuracy: right / data.count };
    },
  };
}

/** As the kit's cross-entropy, in another order of sums: recorded runs rest on its bits. */
export function softmaxCrossEntropy(logits: Float64Array, label: number, delta: Float64Array): number {
  const logSum = softmax(logits, delta);
  delta[label] -= 1;
  return logSum + (logits[largest(logits)] - logits[label]);
}
