import { params } from "../memory/layout";
import { at, Q0, Q1, total, zero } from "../vec";

/** So that two numbers that differ in their exponents alone, or in their signs, differ in low bits, too. */
@inline
function spread(words: v128): v128 {
  return v128.xor(words, i32x4.shr_u(words, 15));
}

@inline
function mix(hash: u32, word: u32): u32 {
  return rotl<u32>(hash ^ (word * 0xcc9e2d51), 13) * 5;
}

/**
 * A hash of coordinates first … last − 1 by the bits they are, in their order: the host tells by it whether somebody has
 * written to them. NaN where one of them is not finite.
 */
export function pointHash(first: u32, last: u32): f64 {
  let x = params + usize(first) * sizeof<f32>();
  const end = params + usize(last) * sizeof<f32>();
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  // 0 or -0 as long as all are finite.
  let nothing = zero();
  for (; x + 32 <= end; x += 32) {
    const x0 = at<Q0>(x);
    const x1 = at<Q1>(x);
    // Fibonacci's recurrence: every word counts differently.
    const next = i32x4.add(b, spread(x0));
    b = i32x4.add(i32x4.add(a, b), spread(x1));
    a = next;
    nothing = v128.or(nothing, v128.or(f32x4.mul(x0, zero()), f32x4.mul(x1, zero())));
  }
  let hash: u32 = 0;
  for (let lane = 0; lane < 4; lane++) {
    hash = mix(mix(hash, i32x4.extract_lane(a, 0)), i32x4.extract_lane(b, 0));
    a = i32x4.shuffle(a, a, 1, 2, 3, 0);
    b = i32x4.shuffle(b, b, 1, 2, 3, 0);
  }
  let rest = total(nothing);
  for (; x < end; x += sizeof<f32>()) {
    hash = mix(hash, load<u32>(x));
    rest += 0 * f64(load<f32>(x));
  }
  return f64(hash) + rest;
}
