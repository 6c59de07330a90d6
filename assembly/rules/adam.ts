import { addProduct, at, put } from "../vec";

/**
 * Adam (arXiv 1412.6980): mu ← β1 mu + (1 − β1) g, nu ← β2 nu + (1 − β2) g²,
 * u = step · mu / (√nu / √(1 − β2^t) + eps), with step = −η / (1 − β1^t).
 */
@inline
export function update<Q>(
  mus: usize,
  nus: usize,
  g: v128,
  step: v128,
  beta1: v128,
  rest1: v128,
  beta2: v128,
  rest2: v128,
  inverseRoot: v128,
  eps: v128,
): v128 {
  const mu = addProduct(f32x4.mul(beta1, at<Q>(mus)), rest1, g);
  const nu = addProduct(f32x4.mul(beta2, at<Q>(nus)), rest2, f32x4.mul(g, g));
  put<Q>(mus, mu);
  put<Q>(nus, nu);
  const root = f32x4.add(f32x4.mul(f32x4.sqrt(nu), inverseRoot), eps);
  return f32x4.div(f32x4.mul(step, mu), root);
}
