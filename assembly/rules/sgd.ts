/** Stochastic gradient descent: u = step · g. */
@inline
export function update<Q>(g: v128, step: v128): v128 {
  return f32x4.mul(step, g);
}

/** u over the step size, which is averaged. */
@inline
export function direction<Q>(g: v128): v128 {
  return g;
}
