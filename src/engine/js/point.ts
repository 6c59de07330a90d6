import { mix } from "../../common/hash.js";
import type { Memory } from "./memory.js";

/* assembly/sweeps/point.ts: tells whether somebody has written to the parameters. */

/** A hash of a span's parameters by the bits that they are, and their places. */
export function hashOf({ words, at, x, length }: Memory): number {
  let sum = at;
  let sums = at;
  for (let i = x; i < x + length; i++) {
    sum = (sum + mix(0, words[i])) | 0;
    sums = (sums + sum) | 0;
  }
  return mix(sum, sums);
}

/** The hash of x as it is; NaN where a coordinate is not finite. */
export function pointHash(m: Memory): number {
  let hash = 0;
  m.sweep(({ f, x, length }) => {
    hash += hashOf(m);
    // 0 as long as all are finite.
    for (let i = x; i < x + length; i++) hash += 0 * f[i];
  });
  return hash;
}
