import { addProduct, at, put } from "../vec";

/**
 * Adamax (arXiv 1412.6980, 7.1), PyTorch's: mu ← mu + (1 − β1) (g − mu), nu ← max(β2 nu, |g| + eps),
 * u = step · mu / nu. A nu that is eps and no more is kept as 0, so that zeros stay zero.
 */
@inline
export function update<Q>(
  mus: usize,
  nus: usize,
  g: v128,
  step: v128,
  rest1: v128,
  beta2: v128,
  eps: v128,
): v128 {
  const before = at<Q>(mus);
  const mu = addProduct(before, rest1, f32x4.sub(g, before));
  const size = v128.and(f32x4.add(f32x4.abs(g), eps), f32x4.ne(g, f32x4.splat(0)));
  const nu = f32x4.pmax(f32x4.mul(beta2, at<Q>(nus)), size);
  put<Q>(mus, mu);
  put<Q>(nus, nu);
  return f32x4.div(f32x4.mul(step, mu), f32x4.pmax(nu, eps));
}
