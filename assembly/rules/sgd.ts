/** Stochastic gradient descent: u = step · g. */
@unmanaged
export class Sgd {
  @inline
  update<Q>(
    first: usize,
    second: usize,
    third: usize,
    g: v128,
    step: v128,
    k0: v128,
    k1: v128,
    k2: v128,
    k3: v128,
    k4: v128,
    k5: v128,
  ): v128 {
    return f32x4.mul(step, g);
  }
}
