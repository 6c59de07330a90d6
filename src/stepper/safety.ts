import { OptimizerError } from "../common/errors.js";
import { show } from "../common/expect.js";
import type { Tensors } from "../tensors.js";

/* Why a step may fail, found before it changes anything or undone after. */

/**
 * Squares of gradients are summed and kept in float32, which ends at 3.4e38, Adagrad's over all steps. Below this norm nothing
 * overflows in a hundred million of them.
 */
const GRADIENT_LIMIT = 1e15;

export function nonFiniteGradient(grads: Float32Array, { list }: Tensors, step: number): OptimizerError {
  const index = grads.findIndex((value) => !Number.isFinite(value));
  let [{ name, first }] = list;
  for (const tensor of list) if (tensor.first <= index) ({ name, first } = tensor);
  const place = list.length > 1 ? `, at ${index - first} in ${show(name)},` : "";
  return new OptimizerError("diverged", `step ${step}: grads[${index}]${place} is ${grads[index]}`, { step });
}

export function isHuge(norm: number): boolean {
  return norm > GRADIENT_LIMIT;
}

export function hugeGradient(norm: number, step: number): OptimizerError {
  const cure = "divide the loss by a constant, or clip";
  const message = `step ${step}: the gradient's norm is ${norm}; float32 moments hold at most ${GRADIENT_LIMIT}: ${cure}`;
  return new OptimizerError("diverged", message, { step });
}

export function leftRange(step: number): OptimizerError {
  return new OptimizerError(
    "diverged",
    `step ${step}: parameters or Δ would pass 1e19, where float32 sums of squares end`,
    { step },
  );
}

export function singular(step: number): OptimizerError {
  const cure = "start elsewhere, or use superlevel()";
  return new OptimizerError(
    "singular",
    `step ${step}: h is infinite, as (26) divides by ‖x‖ and x = 0; ${cure}`,
    {
      step,
    },
  );
}

/** Refuses a point, or what shall be added to `from`, whose norm float32 sums of squares do not hold. */
export function expectNorm(name: string, values: ArrayLike<number>, from?: Float32Array): void {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] + (from ? from[i] : 0)) ** 2;
  if (squares < 1e38) return;
  const what = from ? "parameters whose norm stays" : "a norm";
  throw new RangeError(
    `${name}: expected ${what} below 1e19, as float32 sums need, got ${Math.sqrt(squares)}`,
  );
}
