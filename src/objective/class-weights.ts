import { expectNumber, expectOneOf, expectOptions, isArrayLike, show } from "../common/expect.js";

/** Options of {@link classWeights}. */
export interface ClassWeightOptions {
  /** "inverse": N / (C N_c); "effective": (1 − b) / (1 − b^N_c), arXiv 1901.05555, scaled to the same mean. Default "inverse". */
  scheme?: "inverse" | "effective";
  /** b of "effective", in [0, 1); default 0.999. */
  beta?: number;
}

/**
 * Weights w_c for classes of unequal size (paper, eq 9). Their mean over the examples is 1, so that the loss keeps its size;
 * divide by N, as the paper does, and not by Σ w.
 *
 * @param counts N_c, examples of each class, ≥ 1
 * @throws TypeError or RangeError when an argument is not understood
 * @example
 * import { classWeights } from "superlevel/objective";
 * Array.from(classWeights([30, 10])); // → [0.6667, 2]
 */
export function classWeights(counts: ArrayLike<number>, options: ClassWeightOptions = {}): Float64Array {
  if (!isArrayLike(counts) || counts.length === 0)
    throw new TypeError(`classWeights(counts): expected an array of counts, got ${show(counts)}`);
  expectOptions("classWeights", options, ["scheme", "beta"]);
  const scheme = expectOneOf("classWeights.scheme", options.scheme ?? "inverse", ["inverse", "effective"]);
  const beta = expectNumber("classWeights.beta", options.beta ?? 0.999, { min: 0, below: 1 });
  for (let c = 0; c < counts.length; c++)
    expectNumber(`classWeights(counts)[${c}]`, counts[c], { min: 1, integer: true });
  const sizes = Float64Array.from(counts);
  const raw = sizes.map((n) => (scheme === "inverse" ? 1 / n : (1 - beta) / (1 - beta ** n)));
  const total = sizes.reduce((sum, n) => sum + n, 0);
  const weighted = sizes.reduce((sum, n, c) => sum + n * raw[c], 0);
  return raw.map((weight) => (weight * total) / weighted);
}
