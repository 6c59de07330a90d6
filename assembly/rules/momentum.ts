import { addProduct, at, put } from "../vec";

/**
 * Gradient descent with momentum, PyTorch's: b ← momentum · b + intake · g, u = step · (look · g + keep · b).
 * Heavy ball: look 0, keep 1. Nesterov: look 1, keep = momentum.
 */
@unmanaged
export class Momentum {
  @inline
  update<Q>(
    buffer: usize,
    second: usize,
    third: usize,
    g: v128,
    step: v128,
    momentum: v128,
    intake: v128,
    look: v128,
    keep: v128,
    k4: v128,
    k5: v128,
  ): v128 {
    const b = addProduct(f32x4.mul(momentum, at<Q>(buffer)), intake, g);
    put<Q>(buffer, b);
    return f32x4.mul(step, addProduct(f32x4.mul(look, g), keep, b));
  }
}
