import { addProduct, at, put } from "../vec";

/**
 * RMSProp with momentum, centered (arXiv 1308.0850) or not, PyTorch's: nu ← α nu + (1 − α) g²,
 * mean ← mean + (1 − α) (g − mean), b ← momentum · b + g / (√(nu − center · mean²) + eps), u = step · b.
 * Rounding may take nu below mean²: the variance is then 0, where PyTorch's root is NaN.
 */
@inline
export function update<Q>(
  nus: usize,
  buffer: usize,
  means: usize,
  g: v128,
  step: v128,
  alpha: v128,
  rest: v128,
  eps: v128,
  momentum: v128,
  center: v128,
): v128 {
  const nu = addProduct(f32x4.mul(alpha, at<Q>(nus)), rest, f32x4.mul(g, g));
  const before = at<Q>(means);
  const mean = addProduct(before, rest, f32x4.sub(g, before));
  const variance = f32x4.sub(nu, f32x4.mul(center, f32x4.mul(mean, mean)));
  const root = f32x4.add(f32x4.sqrt(f32x4.pmax(f32x4.splat(0), variance)), eps);
  const b = f32x4.add(f32x4.mul(momentum, at<Q>(buffer)), f32x4.div(g, root));
  put<Q>(nus, nu);
  put<Q>(means, mean);
  put<Q>(buffer, b);
  return f32x4.mul(step, b);
}
