/** What a step did. */
export interface StepInfo {
  /** Its number, from 1; skipped steps count. */
  readonly step: number;
  /** η_t; times `scale` it is the effective rate. */
  readonly learningRate: number;
  /** ‖g_t‖ before clipping. */
  readonly gradNorm: number;
  /** h_t (26), summed over tensors or coordinates where each has its own; 0 without a tuner. */
  readonly h: number;
  /** S_{t+1}, the mean over tensors or coordinates where each has its own; 1 without a tuner. */
  readonly scale: number;
  /** The gradient or the loss was not finite, and the step was dropped (`nonFinite: "skip"`). */
  readonly skipped: boolean;
}

/** A tensor as live views into the optimizer's memory. */
export interface TensorView {
  readonly name: string;
  readonly shape: readonly number[];
  readonly params: Float32Array;
  readonly grads: Float32Array;
}

/** A step that the kernels are to take, and the way back if they leave the finite numbers. */
export interface Begun {
  readonly step: number;
  readonly eta: number;
  readonly gradNorm: number;
  readonly gradNormMax: number;
  readonly before: { giveBack(): void } | undefined;
}
