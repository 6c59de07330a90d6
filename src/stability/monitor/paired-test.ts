import { expectNumber, expectNumbers } from "../../common/expect.js";

/** What {@link pairedTest} found. */
export interface PairedTest {
  /** Mean of d_i = after_i − before_i. */
  readonly mean: number;
  /** Its standard error, sd / √m. */
  readonly error: number;
  /** mean > z · error: V rose, and not by chance. */
  readonly risen: boolean;
}

/**
 * Did the mean loss of fixed examples rise? Compares each example with itself, d_i = after_i − before_i, and answers
 * yes where mean d > z · sd(d) / √m. Most of the spread between examples cancels.
 *
 * @param before per-example losses, m of them, m ≥ 2
 * @param after the same examples later
 * @param z default 3: for a mean that does not change, one false alarm in 700
 * @throws TypeError or RangeError when these are not numbers of one count
 * @example
 * import { pairedTest } from "superlevel/stability";
 * pairedTest([1, 2, 3, 4], [1.1, 2.2, 3.1, 4.2]).risen; // → true
 * pairedTest([1, 2, 3, 4], [1.5, 1.7, 3.4, 3.6]).risen; // → false
 */
export function pairedTest(before: ArrayLike<number>, after: ArrayLike<number>, z = 3): PairedTest {
  const count = expectNumber("pairedTest(before).length", before?.length, { min: 2, integer: true });
  expectNumbers("pairedTest(after)", after, count);
  expectNumber("pairedTest(z)", z, { min: 0 });
  let mean = 0;
  for (let i = 0; i < count; i++) mean += (after[i] - before[i]) / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (after[i] - before[i] - mean) ** 2;
  const error = Math.sqrt(squares / (count - 1) / count);
  // A mean that is NaN counts as risen.
  return { mean, error, risen: !(mean <= z * error) };
}
