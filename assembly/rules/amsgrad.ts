import { addProduct, at, put } from "../vec";

/** AMSGrad (Reddi, Kale, Kumar 2018): Adam whose root is that of the largest nu so far, `tops`. */
@inline
export function update<Q>(
  mus: usize,
  nus: usize,
  tops: usize,
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
  const top = f32x4.pmax(at<Q>(tops), nu);
  put<Q>(mus, mu);
  put<Q>(nus, nu);
  put<Q>(tops, top);
  const root = f32x4.add(f32x4.mul(f32x4.sqrt(top), inverseRoot), eps);
  return f32x4.div(f32x4.mul(step, mu), root);
}
