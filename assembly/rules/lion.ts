import { addProduct, at, put } from "../vec";

/** Lion (arXiv 2302.06675): u = step · sign(β1 mu + (1 − β1) g), then mu ← β2 mu + (1 − β2) g. */
@inline
export function update<Q>(
  mus: usize,
  g: v128,
  step: v128,
  beta1: v128,
  rest1: v128,
  beta2: v128,
  rest2: v128,
): v128 {
  const mu = at<Q>(mus);
  const direction = addProduct(f32x4.mul(beta1, mu), rest1, g);
  put<Q>(mus, addProduct(f32x4.mul(beta2, mu), rest2, g));
  const zero = f32x4.splat(0);
  const positive = v128.and(step, f32x4.gt(direction, zero));
  const negative = v128.and(step, f32x4.lt(direction, zero));
  return f32x4.sub(positive, negative);
}
