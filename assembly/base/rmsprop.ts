import { addProduct, at, put } from "../vec";

/**
 * RMSProp (Hinton's lecture 6e), PyTorch's: nu ← α nu + (1 − α) g², u = step · g / (√nu · inverseRoot + eps), with
 * inverseRoot = 1; and Adam without momentum, with inverseRoot = 1 / √(1 − β2^t).
 */
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
    inverseRoot: v128,
    k4: v128,
    k5: v128,
  ): v128 {
    const nu = addProduct(f32x4.mul(alpha, at<Q>(nus)), rest, f32x4.mul(g, g));
    put<Q>(nus, nu);
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(nu), inverseRoot), eps);
    return f32x4.div(f32x4.mul(step, g), root);
  }
}
