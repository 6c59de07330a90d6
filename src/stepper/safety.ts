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

/** What bounds a step's length. */
export interface Reach {
  paramsNorm: number;
  /** How far a step leads that is to find s_init, whatever the base's update is; 0 where that is known. */
  firstStep: number;
  deltaNorm: number;
  scale: number;
  learningRate: number;
  gradNormMax: number;
  /** λ where every coordinate has a tuner, which keeps h² in float32. */
  lambda: number | undefined;
}

/**
 * Could this step overflow? Then the state is copied first, to go back to. The bound is crude and far away: the base's
 * update is at most 10 000 times the rate times the largest of gradient, parameters and 1.
 */
export function isRisky(reach: Reach): boolean {
  const { paramsNorm, firstStep, deltaNorm, scale, learningRate, gradNormMax } = reach;
  const update = 1e4 * learningRate * (gradNormMax + paramsNorm + 1);
  const moved = (deltaNorm + update) * Math.max(1, 10 * scale) + firstStep;
  return !(moved + paramsNorm + largestH(reach) < 1e17);
}

/** Bounds h where its square is kept in float32: ⟨Δ, g⟩, and the pull in each form. */
function largestH({ paramsNorm, deltaNorm, scale, gradNormMax, lambda }: Reach): number {
  if (lambda === undefined) return 0;
  const pull = scale * deltaNorm * (1 + deltaNorm / paramsNorm) + 1 / paramsNorm;
  return gradNormMax * (deltaNorm + lambda * pull);
}
