/* Deep networks of one width on fixed rows: the loss over all of them, and every pre-activation. */
import { createMlp, crossEntropy, type Activation } from "../kit/mlp.js";

export interface Architecture {
  readonly inputs: number;
  readonly width: number;
  /** Hidden layers. */
  readonly depth: number;
  readonly classes: number;
  readonly activation: Activation;
  /** h + act(W h + b) in place of act(W h + b), from the second hidden layer on. */
  readonly residual: boolean;
}

export interface DeepNetwork {
  readonly size: number;
  /** [rows, hidden layers, width], by the last call of `gradient`. */
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
  const mlp = createMlp(
    [inputs, ...Array.from({ length: depth }, () => width), classes],
    activation,
    residual,
  );
  const count = labels.length;
  const all = Float64Array.from(rows);
  const preactivations = new Float64Array(count * depth * width);
  /** In double precision whatever the caller has. */
  const [weights, sums] = [new Float64Array(mlp.size), new Float64Array(mlp.size)];

  return {
    size: mlp.size,
    preactivations,
    start: mlp.start,
    gradient(params, grads) {
      weights.set(params);
      sums.fill(0);
      let loss = 0;
      for (let row = 0; row < count; row++) {
        mlp.forward(weights, all.subarray(row * inputs, (row + 1) * inputs));
        for (let k = 0; k < depth; k++) preactivations.set(mlp.preactivations[k], (row * depth + k) * width);
        loss += crossEntropy(mlp.outputs, labels[row], mlp.delta) / count;
        for (let c = 0; c < classes; c++) mlp.delta[c] /= count;
        mlp.backward(weights, sums, 1);
      }
      grads.set(sums);
      return loss;
    },
  };
}
