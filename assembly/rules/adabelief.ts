import { addProduct, at, put } from "../vec";

/**
 * AdaBelief (arXiv 2010.07468): mu ← mu + (1 − β1) (g − mu), nu ← β2 nu + (1 − β2) (g − mu)²,
 * u = step · (look · g + keep · mu) / (√(nu + floor) / √(1 − β2^t) + eps). What its authors add to nu at every step is
 * added here, as `floor`, so that a state of zeros is a fresh one.
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
  floor: v128,
  inverseRoot: v128,
  eps: v128,
  look: v128,
  keep: v128,
): v128 {
  const before = at<Q>(mus);
  const mu = addProduct(before, rest1, f32x4.sub(g, before));
  const apart = f32x4.sub(g, mu);
  const nu = addProduct(f32x4.mul(beta2, at<Q>(nus)), rest2, f32x4.mul(apart, apart));
  put<Q>(mus, mu);
  put<Q>(nus, nu);
  const root = f32x4.add(f32x4.mul(f32x4.sqrt(f32x4.add(nu, floor)), inverseRoot), eps);
  const direction = addProduct(f32x4.mul(look, g), keep, mu);
  return f32x4.div(f32x4.mul(step, direction), root);
}
