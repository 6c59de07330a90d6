import { addProduct, at, put } from "../vec";

/**
 * Gradient descent with momentum, PyTorch's: b ← momentum · b + intake · g, u = step · (look · g + keep · b).
 * Heavy ball: look 0, keep 1. Nesterov: look 1, keep = momentum.
 */
@inline
export function update<Q>(
  buffer: usize,
  g: v128,
  step: v128,
  momentum: v128,
  intake: v128,
  look: v128,
  keep: v128,
): v128 {
  const b = addProduct(f32x4.mul(momentum, at<Q>(buffer)), intake, g);
  put<Q>(buffer, b);
  return f32x4.mul(step, addProduct(f32x4.mul(look, g), keep, b));
}
