import { addProduct, at, put } from "../vec";

/**
 * Adagrad (Duchi, Hazan, Singer 2011): nu ← nu + g², u = step · g / (√(initial + nu) + eps).
 * The accumulator's start is added here, so that a state of zeros is a fresh one.
 */
@inline
export function update<Q>(nus: usize, g: v128, step: v128, eps: v128, initial: v128): v128 {
  const nu = addProduct(at<Q>(nus), g, g);
  put<Q>(nus, nu);
  return f32x4.div(f32x4.mul(step, g), f32x4.add(f32x4.sqrt(f32x4.add(initial, nu)), eps));
}
