/**
 * Where gradients come from: writes ∇L(params) to `grads`, every coordinate of it, and returns L(params). `grads` still
 * holds the last gradient: a source that adds to it has to clear it first. `step` counts from 1; a source that depends on
 * nothing else makes runs repeatable and resumable.
 */
export type GradientSource = (params: Float32Array, grads: Float32Array, step: number) => number;

/** A {@link GradientSource} that takes its time. */
export type AsyncGradientSource = (
  params: Float32Array,
  grads: Float32Array,
  step: number,
) => Promise<number> | number;
