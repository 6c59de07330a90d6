import { held, holdBits } from "../memory/held";
import { scalars } from "../memory/layout";
import { Span } from "../memory/records";
import { placeOf, sweepAlone } from "./segments";
import { at, Q0, Q1, Q2, Q3, total, zero } from "../vec";

/*
 * Hashes of the parameters by the bits that they are, by which the host tells whether somebody has written to them. The
 * sweep that moves x finds two in passing: of what it comes upon, and of what it leaves. Each is a sum over spans of whole
 * numbers, which f64 adds exactly in any order.
 */

/** Places among what a loop holds. */
const FACTORS: usize = 21;

/** One factor for each half of a word: numbers of opposite signs differ in the upper halves alone. */
@inline
function holdFactors(): void {
  holdBits(FACTORS + 0, 0x6d2b4f35);
  holdBits(FACTORS + 1, 0x5bd13a77);
  holdBits(FACTORS + 2, 0x2e695b1d);
  holdBits(FACTORS + 3, 0x7e1d1c4b);
}

/** The hash of a span. By the sum of sums a chunk counts by its place in the span, and by the seed a span by its own. */
function hashOf(span: Span): f64 {
  holdFactors();
  const factor0 = held(FACTORS + 0);
  const factor1 = held(FACTORS + 1);
  const factor2 = held(FACTORS + 2);
  const factor3 = held(FACTORS + 3);
  let sum = i32x4.splat(i32(placeOf(span)));
  let sums = sum;
  let x = span.params;
  for (const end = x + span.bytes; x < end; x += 64) {
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(at<Q0>(x), factor0));
    const second = i32x4.dot_i16x8_s(at<Q1>(x), factor1);
    const third = i32x4.dot_i16x8_s(at<Q2>(x), factor2);
    const fourth = i32x4.dot_i16x8_s(at<Q3>(x), factor3);
    sum = i32x4.add(sum, i32x4.add(second, i32x4.add(third, fourth)));
    sums = i32x4.add(sums, sum);
  }
  const both = v128.xor(sum, i32x4.mul(sums, i32x4.splat(0x9e3779b1)));
  const half = u64(i64x2.extract_lane(both, 0)) * 0x9e3779b97f4a7c15;
  return f64(((half ^ u64(i64x2.extract_lane(both, 1))) * 0x9e3779b97f4a7c15) >> 32);
}

/** The same of what a step comes upon, and of what it leaves, where the host asks for that. */
export function foundHash(span: Span): f64 {
  return scalars.hashes > 1 ? hashOf(span) : 0;
}

export function leftHash(span: Span): f64 {
  return scalars.hashes > 0 ? hashOf(span) : 0;
}

let hash: f64 = 0;

@unmanaged
class Hash {
  visit(span: Span): void {
    hash += hashOf(span);
    // 0 or -0 as long as all are finite.
    let nothing = zero();
    const x = span.params;
    for (let k: usize = 0; k < span.bytes; k += 16)
      nothing = v128.or(nothing, f32x4.mul(v128.load(x + k), zero()));
    hash += total(nothing);
  }
}

/** The hash of x as it is; NaN where a coordinate is not finite. */
export function pointHash(): f64 {
  hash = 0;
  sweepAlone<Hash>();
  return hash;
}
