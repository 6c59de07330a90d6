/*
 * A chunk, which one iteration of a sweep's loop takes, is four vectors of four floats. Load and store instructions take their
 * offset as an immediate, and the constant generics of AssemblyScript are types: offsetof<Q2>() is 32.
 */
@unmanaged
export class Q0 {}

@unmanaged
export class Q1 extends Q0 {
  first: v128;
}

@unmanaged
export class Q2 extends Q1 {
  second: v128;
}

@unmanaged
export class Q3 extends Q2 {
  third: v128;
}

@inline
export function splat(value: f64): v128 {
  return f32x4.splat(f32(value));
}

@inline
export function zero(): v128 {
  return f32x4.splat(0);
}

@inline
export function at<Q>(vector: usize): v128 {
  return v128.load(vector, offsetof<Q>());
}

@inline
export function put<Q>(vector: usize, value: v128): void {
  v128.store(vector, value, offsetof<Q>());
}

/** sum + a·b, lane by lane and rounded twice; in the relaxed binary once, where the machine has fused instructions. */
@inline
export function addProduct(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Within low … high, lane by lane. */
@inline
export function bounded(lanes: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(lanes, low), high);
}

/** The squares' sum of four vectors, lane by lane. */
@inline
export function squares(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(addProduct(f32x4.mul(a, a), b, b), addProduct(f32x4.mul(c, c), d, d));
}

/** Sum of the four lanes, in f64. */
@inline
export function total(lanes: v128): f64 {
  return (
    f64(f32x4.extract_lane(lanes, 0)) +
    f64(f32x4.extract_lane(lanes, 1)) +
    (f64(f32x4.extract_lane(lanes, 2)) + f64(f32x4.extract_lane(lanes, 3)))
  );
}
