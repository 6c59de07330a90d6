/** A verdict and the number it rests on. */
export interface Verdict<Word extends string> {
  readonly verdict: Word;
  readonly value: number;
}

/**
 * How a small perturbation fares, as three separate questions (arXiv 2512.21208 v3). None follows from another: with a
 * decaying rate the exponent tends to 0 from below, the response is bounded, and it never vanishes.
 */
export interface ResponseVerdicts {
  /** Does it vanish? `value`: ‖δ_T‖ / ‖δ_0‖. "undecided": it falls, but is not below 0.01 yet. */
  readonly terminalDecay: Verdict<"decays" | "remains" | "undecided">;
  /** Did it stay bounded along the run? `value`: the largest ‖δ_t‖ / ‖δ_0‖. */
  readonly boundedness: Verdict<"bounded" | "unbounded">;
  /** How does it grow? `value`: the exponent χ of the second half, per step. */
  readonly growth: Verdict<"none" | "subexponential" | "exponential">;
}

/** A response that grew more than a thousandfold in the window is not bounded in any useful sense. */
export const BOUND = 1000;

/** `logs`: ln(‖δ_t‖ / ‖δ_0‖), t = 0 … T. */
export function judgeResponse(logs: ArrayLike<number>): ResponseVerdicts {
  const last = logs.length - 1;
  const half = last >> 1;
  const [end, middle] = [logs[last], logs[half]];
  let largest = 0;
  for (let t = 0; t <= last; t++) largest = Math.max(largest, logs[t]);
  const late = end - middle;
  const small = end < Math.log(0.01);
  const falling = late < Math.log(0.5);
  const exponent = late / Math.max(1, last - half);
  // A power of t grows as much from T/2 to T as from T/4 to T/2; an exponential twice as much.
  const earlier = middle - logs[half >> 1];
  const exponential = late > Math.LN2 && late > 1.5 * earlier;
  return {
    terminalDecay: {
      verdict: !falling ? "remains" : small ? "decays" : "undecided",
      value: Math.exp(end),
    },
    boundedness: { verdict: largest < Math.log(BOUND) ? "bounded" : "unbounded", value: Math.exp(largest) },
    growth: {
      verdict: exponential ? "exponential" : late > 0.05 ? "subexponential" : "none",
      value: exponent,
    },
  };
}
