import { expectFunction, expectLoss, expectNumber } from "../common/expect.js";
import type { GradientSource } from "./source.js";

/**
 * Gradient accumulation: every step is the mean of `count` calls of `source`, for batches larger than memory. Step t
 * calls it with steps (t − 1) · count + 1 … t · count.
 *
 * @param count micro-batches a step, ≥ 1
 * @throws TypeError or RangeError when an argument is of the wrong kind or out of range
 * @example
 * const source = accumulate((x, grads, step) => ((grads[0] = step), step), 4);
 * const grads = new Float32Array(1);
 * source(new Float32Array(1), grads, 2); // → 6.5
 * grads[0]; // → 6.5
 */
export function accumulate(source: GradientSource, count: number): GradientSource {
  expectFunction("accumulate(source)", source);
  expectNumber("accumulate(count)", count, { min: 1, integer: true });
  let sum = new Float64Array(0);
  return (params, grads, step) => {
    if (sum.length !== grads.length) sum = new Float64Array(grads.length);
    sum.fill(0);
    let loss = 0;
    for (let k = 1; k <= count; k++) {
      loss += expectLoss("accumulate(source)", source(params, grads, (step - 1) * count + k));
      for (let i = 0; i < sum.length; i++) sum[i] += grads[i];
    }
    for (let i = 0; i < sum.length; i++) grads[i] = sum[i] / count;
    return loss / count;
  };
}
