import { expectNumber, expectNumbers, expectOptions } from "../common/expect.js";

/** What {@link earlyLearning} returns. */
export interface EarlyLearning {
  /**
   * Adds (λ/N) Σ log(1 − ⟨p, t⟩) and its gradient with respect to the logits, after moving t ← β t + (1 − β) p.
   *
   * @param indices the examples' numbers in the data
   * @param chances p, N × C, from a softmax
   * @param grads N × C: the gradient is added to it
   * @returns the regulariser's value
   */
  add(indices: ArrayLike<number>, chances: ArrayLike<number>, grads: Float64Array): number;
}

/**
 * Early-learning regularisation (ELR, Liu et al., arXiv 2007.00151): λ log(1 − ⟨p, t⟩) with t an exponential moving average of
 * p. It holds the model to its predictions from before it began to learn wrong labels by heart. ∂/∂z_c = λ p_c (⟨p, t⟩ − t_c) / (1 − ⟨p, t⟩), t held still.
 *
 * @param options.examples how many there are, ≥ 1
 * @param options.classes C ≥ 2
 * @param options.lambda λ ≥ 0; default 3
 * @param options.beta β of t in [0, 1); default 0.7
 * @throws TypeError or RangeError when an option is not understood
 * @example
 * import { earlyLearning } from "superlevel/objective";
 * const elr = earlyLearning({ examples: 1, classes: 2, lambda: 1, beta: 0 });
 * const grads = new Float64Array(2);
 * elr.add([0], [0.5, 0.5], grads).toFixed(6); // → "-0.693147"
 */
export function earlyLearning(options: {
  examples: number;
  classes: number;
  lambda?: number;
  beta?: number;
}): EarlyLearning {
  expectOptions("earlyLearning", options, ["examples", "classes", "lambda", "beta"]);
  const examples = expectNumber("earlyLearning.examples", options.examples, { min: 1, integer: true });
  const classes = expectNumber("earlyLearning.classes", options.classes, { min: 2, integer: true });
  const lambda = expectNumber("earlyLearning.lambda", options.lambda ?? 3, { min: 0 });
  const beta = expectNumber("earlyLearning.beta", options.beta ?? 0.7, { min: 0, below: 1 });
  const targets = new Float64Array(examples * classes);
  return {
    add(indices, chances, grads) {
      const count = indices.length;
      expectNumbers("chances", chances, count * classes);
      let value = 0;
      for (let i = 0; i < count; i++) {
        const [t, at] = [indices[i] * classes, i * classes];
        let agreement = 0;
        for (let c = 0; c < classes; c++) {
          targets[t + c] = beta * targets[t + c] + (1 - beta) * chances[at + c];
          agreement += chances[at + c] * targets[t + c];
        }
        // Bounded, as the logarithm is not where p and t are both sure of one class.
        const rest = Math.max(1e-4, 1 - agreement);
        value += (lambda / count) * Math.log(rest);
        for (let c = 0; c < classes; c++)
          grads[at + c] += ((lambda / count) * chances[at + c] * (agreement - targets[t + c])) / rest;
      }
      return value;
    },
  };
}
