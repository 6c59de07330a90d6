import { seededRandom } from "../../src/sources/random.js";

/** A small seeded generator: good enough for pictures and initial weights. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform: () => number;
  /** Uniform in [low, high). */
  between: (low: number, high: number) => number;
  /** Uniform integer in [0, n). */
  below: (n: number) => number;
  /** Standard normal. */
  normal: () => number;
}

export function createRandom(seed: number): Random {
  const uniform = seededRandom(seed);
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    below: (n) => Math.floor(n * uniform()),
    // Box-Muller; 1 − uniform() is never 0, so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/**
 * Uniform in (0, 1) from a linear congruential generator's high bits: an older stream, on which the recorded tables of
 * `npm run study -- forms` rest.
 */
export function congruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}
