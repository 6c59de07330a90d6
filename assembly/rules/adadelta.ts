import { addProduct, at, put } from "../vec";

/**
 * Adadelta (arXiv 1212.5701): nu ← ρ nu + (1 − ρ) g², d = √(mu + eps) / √(nu + eps) · g,
 * mu ← ρ mu + (1 − ρ) d², u = step · d.
 */
@inline
export function update<Q>(
  nus: usize,
  mus: usize,
  g: v128,
  step: v128,
  rho: v128,
  rest: v128,
  eps: v128,
): v128 {
  const nu = addProduct(f32x4.mul(rho, at<Q>(nus)), rest, f32x4.mul(g, g));
  const before = at<Q>(mus);
  const ratio = f32x4.div(f32x4.sqrt(f32x4.add(before, eps)), f32x4.sqrt(f32x4.add(nu, eps)));
  const d = f32x4.mul(ratio, g);
  put<Q>(nus, nu);
  put<Q>(mus, addProduct(f32x4.mul(rho, before), rest, f32x4.mul(d, d)));
  return f32x4.mul(step, d);
}
