/** What went wrong: see {@link OptimizerError}. */
export type OptimizerErrorCode =
  "diverged" | "singular" | "moved" | "busy" | "disposed" | "state" | "engine" | "threads";

/**
 * A run that cannot go on, with the reason in `code`. Bad arguments are `TypeError`s and `RangeError`s instead.
 *
 * - `"diverged"`: the loss, the gradient or the parameters left the finite numbers. The step was not taken:
 *   the optimizer is as it was before. `step` and the last finite `loss` say where.
 * - `"singular"`: a form of the method divides by ‖x‖, and x = 0.
 * - `"moved"`: `params` was written to between steps; use `setParams`.
 * - `"busy"`: a run of this optimizer is under way, and only that may step.
 * - `"disposed"`: the optimizer was disposed of.
 * - `"state"`: a saved state does not belong to this optimizer, or is damaged.
 * - `"engine"`: the engine that was asked for does not run here.
 * - `"threads"`: threads cannot be had here, or one of them has died; of `superlevel/threads` only.
 *
 * @example
 * const optimizer = createOptimizer([1, 2]);
 * try {
 *   optimizer.step([NaN, 0]);
 * } catch (error) {
 *   (error as OptimizerError).code; // → "diverged"
 *   (error as OptimizerError).step; // → 1
 * }
 */
export class OptimizerError extends Error {
  override readonly name = "OptimizerError";
  readonly code: OptimizerErrorCode;
  /** The step that failed, counted from 1; `undefined` where there is none. */
  readonly step: number | undefined;
  /** The last finite loss before it, where the optimizer knows the loss. */
  readonly loss: number | undefined;

  constructor(code: OptimizerErrorCode, message: string, where: { step?: number; loss?: number } = {}) {
    super(message);
    this.code = code;
    this.step = where.step;
    this.loss = where.loss;
  }
}
