import { addProduct, at, bounded, put } from "../vec";

/** nu ← α nu + (1 − α) g², and √nu + eps. */
@inline
function root<Q>(nus: usize, g: v128, alpha: v128, rest: v128, eps: v128): v128 {
  const nu = addProduct(f32x4.mul(alpha, at<Q>(nus)), rest, f32x4.mul(g, g));
  put<Q>(nus, nu);
  return f32x4.add(f32x4.sqrt(nu), eps);
}

/** RMSProp (Hinton's lecture 6e), PyTorch's: nu ← α nu + (1 − α) g², u = step · g / (√nu + eps). */
@inline
export function update<Q>(nus: usize, g: v128, step: v128, alpha: v128, rest: v128, eps: v128): v128 {
  return f32x4.div(f32x4.mul(step, g), root<Q>(nus, g, alpha, rest, eps));
}

/** u over the step size, within low … high, which is averaged. Also that of Adam without momentum. */
@inline
export function direction<Q>(
  nus: usize,
  g: v128,
  alpha: v128,
  rest: v128,
  eps: v128,
  low: v128,
  high: v128,
): v128 {
  return bounded(f32x4.div(g, root<Q>(nus, g, alpha, rest, eps)), low, high);
}
