/** The digits of a float64's 64 bits, 16 at a time, the lowest first (WebAssembly's byte order, and every host's). */
const DIGITS = 4;
const RADIX = 1 << 16;

/**
 * Indices by ascending value; equal values stay in the order of their indices, −0 before 0. A radix sort of the float64 bits: exact,
 * and three times as fast as a sort with a comparison function on 128² values.
 */
export function ascending(values: Float64Array): Uint32Array {
  const keys = sortableDigits(values);
  let order = new Uint32Array(values.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  let sorted = new Uint32Array(values.length);
  const starts = new Uint32Array(RADIX);
  for (let digit = 0; digit < DIGITS; digit++) {
    if (!countDigits(keys, digit, starts)) continue;
    for (let k = 0; k < order.length; k++) {
      const i = order[k];
      sorted[starts[keys[DIGITS * i + digit]]++] = i;
    }
    [order, sorted] = [sorted, order];
  }
  return order;
}

/** Bits that, read as whole numbers, have the order of the values: all are flipped of a negative one, else the sign. */
function sortableDigits(values: Float64Array): Uint16Array {
  const bits = values.slice().buffer;
  const words = new Uint32Array(bits);
  for (let i = 1; i < words.length; i += 2) {
    if (words[i] >>> 31) {
      words[i] = ~words[i];
      words[i - 1] = ~words[i - 1];
    } else words[i] |= 1 << 31;
  }
  return new Uint16Array(bits);
}

/** Where the run of each digit begins; false when all digits are the same. */
function countDigits(keys: Uint16Array, digit: number, starts: Uint32Array): boolean {
  starts.fill(0);
  for (let at = digit; at < keys.length; at += DIGITS) starts[keys[at]]++;
  if (starts[keys[digit]] * DIGITS === keys.length) return false;
  let sum = 0;
  for (let k = 0; k < RADIX; k++) {
    const count = starts[k];
    starts[k] = sum;
    sum += count;
  }
  return true;
}
