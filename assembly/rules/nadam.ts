import { addProduct, at, put } from "../vec";

/**
 * NAdam (Dozat 2016), PyTorch's: mu ← mu + (1 − β1) (g − mu), nu ← β2 nu + (1 − β2) g²,
 * u = step · (g + keep · mu) / (√nu / √(1 − β2^t) + eps).
 */
@inline
export function update<Q>(
  mus: usize,
  nus: usize,
  g: v128,
  step: v128,
  rest1: v128,
  beta2: v128,
  rest2: v128,
  inverseRoot: v128,
  eps: v128,
  keep: v128,
): v128 {
  const before = at<Q>(mus);
  const mu = addProduct(before, rest1, f32x4.sub(g, before));
  const nu = addProduct(f32x4.mul(beta2, at<Q>(nus)), rest2, f32x4.mul(g, g));
  put<Q>(mus, mu);
  put<Q>(nus, nu);
  const root = f32x4.add(f32x4.mul(f32x4.sqrt(nu), inverseRoot), eps);
  return f32x4.div(f32x4.mul(step, addProduct(g, keep, mu)), root);
}
