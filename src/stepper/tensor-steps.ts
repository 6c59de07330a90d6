import type { Engine } from "../engine/program.js";
import { TENSOR_SUMS } from "../engine/records.js";
import type { Tensor } from "../tensors.js";
import type { TensorStep } from "./info.js";

/** Of each tensor that is not frozen: from what the kernels summed, or from x_t and what the engine holds. */
export function tensorSteps(
  { tensorSums, params, grads }: Engine,
  list: readonly Tensor[],
  before?: Float32Array,
): TensorStep[] {
  return list.flatMap(({ name, first, size, frozen }, k) => {
    if (frozen) return [];
    const sums = before ? [0, 0, 0] : tensorSums!.subarray(list.length + TENSOR_SUMS * k);
    for (let i = first; before && i < first + size; i++) {
      sums[0] += grads[i] ** 2;
      sums[1] += before[i] ** 2;
      sums[2] += (params[i] - before[i]) ** 2;
    }
    const [gradNorm, paramsNorm, updateNorm] = Array.from(sums, Math.sqrt);
    return { name, gradNorm, paramsNorm, updateNorm, updateRatio: updateNorm && updateNorm / paramsNorm };
  });
}
