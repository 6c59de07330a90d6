import type { Clock } from "./clock.js";

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
  /** Each tensor that is not frozen, where that was asked for and the step was not skipped: see {@link Seen}. */
  readonly tensors?: readonly TensorStep[];
}

/** What a step did to a tensor. */
export interface TensorStep {
  readonly name: string;
  /** ‖g_t‖ before clipping. */
  readonly gradNorm: number;
  /** ‖x_t‖. */
  readonly paramsNorm: number;
  /** ‖x_{t+1} − x_t‖. */
  readonly updateNorm: number;
  /** ‖x_{t+1} − x_t‖ / ‖x_t‖, ‖S u‖ / ‖x‖; of a tensor of zeros 0 where it stays so, else Infinity. */
  readonly updateRatio: number;
}

/** A tensor as live views into the optimizer's memory. */
export interface TensorView {
  readonly name: string;
  readonly shape: readonly number[];
  readonly params: Float32Array;
  readonly grads: Float32Array;
}

/** What a caller knows at a step besides the gradient, and wants to know of it. */
export interface Seen {
  /** L(x_t): where it is known and ≥ 0, S does not grow at a step that promises more than a fifth of it. */
  readonly loss?: number;
  /**
   * Asks for `StepInfo.tensors`, default false. The kernels sum in passing what they read and write anyway; where the tuner's
   * Δ is not stored, it costs a copy of x and a pass over both.
   */
  readonly tensors?: boolean;
}

/** A step that the kernels are to take, and the way back if they leave the finite numbers. */
export interface Begun {
  readonly step: number;
  readonly gradNorm: number;
  readonly before: { restore(): void } | undefined;
  /** The clock before this step decided what gradients are. */
  readonly clockBefore: Clock | undefined;
}

/** How {@link Optimizer.restore} takes up a state. */
export interface RestoreOptions {
  /** Tensors that were not saved are let in, and start afresh; default false. */
  readonly partial?: boolean;
}
