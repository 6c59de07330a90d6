import { expectNumber, expectOptions } from "../common/expect.js";

/**
 * γ(t) = 1 + κ e^{−δ t}, t = 1, 2, … (paper, eq 12). It multiplies the whole cost: the same as a rate γ(t) times as large,
 * which norm-adaptive descent undoes in part and Adam nearly all. It changes no minimum, and makes J fall by itself: judge a run
 * by J / γ.
 *
 * @param options.kappa κ ≥ 0
 * @param options.delta δ ≥ 0
 * @example
 * import { gammaDecay } from "superlevel/objective";
 * gammaDecay({ kappa: 1, delta: 0.1 })(10).toFixed(3); // → "1.368"
 */
export function gammaDecay(options: { kappa: number; delta: number }): (step: number) => number {
  expectOptions("gammaDecay", options, ["kappa", "delta"]);
  const kappa = expectNumber("gammaDecay.kappa", options.kappa, { min: 0 });
  const delta = expectNumber("gammaDecay.delta", options.delta, { min: 0 });
  return (step) => 1 + kappa * Math.exp(-delta * step);
}
