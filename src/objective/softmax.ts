import { expectNumber, expectNumbers, expectOptions } from "../common/expect.js";
import { none, type Robust } from "./robust.js";

/** Options of {@link softmaxCrossEntropy}. */
export interface SoftmaxOptions {
  /** w_c of each class; default ones. */
  classWeights?: ArrayLike<number>;
  /** ρ; default 1. */
  robust?: Robust;
  /** The examples' numbers in the data, for a ρ that knows them; default 0, 1, … */
  indices?: ArrayLike<number>;
  /** γ > 0; default 1. */
  gamma?: number;
}

/** What {@link softmaxCrossEntropy} returns. */
export interface SoftmaxResult {
  /** J = (γ / N) Σ w_y cost(ℓ). */
  readonly loss: number;
  /** ∂J/∂z, N × C: (γ / N) w_y f (p − e_y). */
  readonly grads: Float64Array;
  /** ℓ_i = −ln p_y, without weights. */
  readonly losses: Float64Array;
}

/**
 * Softmax cross-entropy with class weights, ρ and γ in one pass: loss and gradient with respect to the logits.
 * J = (γ/N) Σ w_{y_i} cost(ℓ_i), ∂J/∂z_i = (γ/N) w_{y_i} f_i (p_i − e_{y_i}) (paper, 8–12).
 *
 * @param logits N × C numbers, row by row
 * @param labels N whole numbers, 0 … C − 1
 * @param classes C ≥ 2
 * @throws TypeError or RangeError when an argument is not understood
 * @example
 * import { softmaxCrossEntropy } from "superlevel/objective";
 * const { loss, grads } = softmaxCrossEntropy([0, 0, 1, 1], [0, 1], 2);
 * loss; // → 0.693
 * Array.from(grads); // → [-0.25, 0.25, 0.25, -0.25]
 */
export function softmaxCrossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  options: SoftmaxOptions = {},
): SoftmaxResult {
  const { weights, robust, indices, gamma, count } = checkOptions(logits, labels, classes, options);
  const grads = new Float64Array(count * classes);
  const losses = new Float64Array(count);
  for (let i = 0; i < count; i++) losses[i] = softmaxInto(logits, labels[i], i * classes, classes, grads);
  robust.prepare?.(losses);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const index = indices?.[i] ?? i;
    const share = (gamma * (weights?.[labels[i]] ?? 1)) / count;
    loss += share * robust.cost(losses[i], index);
    const factor = share * robust.factor(losses[i], index);
    for (let c = i * classes; c < (i + 1) * classes; c++) grads[c] *= factor;
  }
  return { loss, grads, losses };
}

/** Writes p − e_y to `out` from `at` on, and returns −ln p_y. Subtracting the largest logit keeps exponentials finite. */
function softmaxInto(
  logits: ArrayLike<number>,
  label: number,
  at: number,
  classes: number,
  out: Float64Array,
): number {
  let shift = -Infinity;
  for (let c = 0; c < classes; c++) shift = Math.max(shift, logits[at + c]);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += out[at + c] = Math.exp(logits[at + c] - shift);
  for (let c = 0; c < classes; c++) out[at + c] /= sum;
  out[at + label] -= 1;
  return Math.log(sum) + (shift - logits[at + label]);
}

function checkOptions(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  options: SoftmaxOptions,
) {
  const name = "softmaxCrossEntropy";
  expectOptions(name, options, ["classWeights", "robust", "indices", "gamma"]);
  expectNumber(`${name}(classes)`, classes, { min: 2, integer: true });
  const count = expectNumber(`${name}(labels).length`, labels?.length, { min: 1, integer: true });
  expectNumbers(`${name}(logits)`, logits, count * classes);
  for (let i = 0; i < count; i++)
    expectNumber(`${name}(labels)[${i}]`, labels[i], { min: 0, max: classes - 1, integer: true });
  const { classWeights: weights, indices, robust = none() } = options;
  if (weights) expectNumbers(`${name}.classWeights`, weights, classes);
  if (indices) expectNumbers(`${name}.indices`, indices, count);
  const gamma = expectNumber(`${name}.gamma`, options.gamma ?? 1, { above: 0 });
  return { weights, indices, robust, gamma, count };
}
