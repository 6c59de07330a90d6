import { addProduct, at, put } from "../vec";

/** nu ← α nu + (1 − α) g², and √nu + eps. */
@inline
export function rmsRoot<Q>(nus: usize, g: v128, alpha: v128, rest: v128, eps: v128): v128 {
  const nu = addProduct(f32x4.mul(alpha, at<Q>(nus)), rest, f32x4.mul(g, g));
  put<Q>(nus, nu);
  return f32x4.add(f32x4.sqrt(nu), eps);
}

/** RMSProp (Hinton's lecture 6e), PyTorch's: nu ← α nu + (1 − α) g², u = step · g / (√nu + eps). */
@unmanaged
export class Rmsprop {
  @inline
  update<Q>(
    nus: usize,
    second: usize,
    third: usize,
    g: v128,
    step: v128,
    alpha: v128,
    rest: v128,
    eps: v128,
    k3: v128,
    k4: v128,
    k5: v128,
  ): v128 {
    return f32x4.div(f32x4.mul(step, g), rmsRoot<Q>(nus, g, alpha, rest, eps));
  }
}
