import { expectNumber, expectOneOf, expectOptions } from "../common/expect.js";
import { LOSS_TOLERANCE } from "./guard.js";

/**
 * Keeps the loss from falling below `value` (paper, Alg. 1 step 10; known as flooding, Ishida et al. 2020). Where
 * L(x_{t+1}) < value ≤ L(x_t),
 *
 * - `"project"` goes back on the segment from x_t to x_{t+1} to a point with
 *   value ≤ L ≤ value + tolerance · max(1, |value|), by bisection;
 * - `"shrink"` takes the step again with half the rate, and again, until L(x_{t+1}) ≥ value.
 *
 * Where `tries` are not enough, the point is the last one found with L ≥ value: x_t at worst. After a projection the
 * point is the new reference (xRef = x, Δ = 0); base and tuner keep what they learned from g_t.
 * A step that begins below the level is left alone.
 *
 * @example
 * const optimizer = createOptimizer([3]);
 * const bowl = finiteDifferences(([x]) => 0.5 * x * x);
 * const level: Level = { value: 0.125, action: "project" };
 * optimizer.minimize(bowl, { deterministic: true, steps: 500, level });
 * Math.abs(optimizer.params[0]).toFixed(4); // → "0.5000"
 */
export interface Level {
  /** The level λ of S_λ = {x : L(x) ≥ λ}, in units of the loss. */
  value: number;
  action: "project" | "shrink";
  /** With "project", in units of max(1, |value|), ≥ 0; default 2^-20. */
  tolerance?: number;
  /** Calls of the source for one step's correction, ≥ 1; default 30. */
  tries?: number;
}

const KEYS = ["value", "action", "tolerance", "tries"] as const;

/** Checks `run.level`. */
export function checkLevel(level: Level | undefined): Required<Level> | null {
  if (level === undefined) return null;
  expectOptions("run.level", level, KEYS);
  return {
    value: expectNumber("run.level.value", level.value),
    action: expectOneOf("run.level.action", level.action, ["project", "shrink"]),
    tolerance: expectNumber("run.level.tolerance", level.tolerance ?? LOSS_TOLERANCE, { min: 0 }),
    tries: expectNumber("run.level.tries", level.tries ?? 30, { min: 1, integer: true }),
  };
}

/** Does a step from loss `before` to `after` leave the super-level set? */
export function leaves({ value }: Level, before: number, after: number | undefined): boolean {
  return before >= value && after !== undefined && after < value;
}

/**
 * Bisects the segment x_t + θ (x_{t+1} − x_t): yields each θ at which it wants the loss, and is sent it. Returns
 * the last θ found with L ≥ value, and L there; θ = 0, where L is `loss`, is one.
 */
export function* bisect(
  { value, tolerance, tries }: Required<Level>,
  loss: number,
): Generator<number, { theta: number; loss: number }, number> {
  const enough = value + tolerance * Math.max(1, Math.abs(value));
  let inside = 0;
  let outside = 1;
  for (let k = 0; k < tries && loss > enough; k++) {
    const theta = (inside + outside) / 2;
    const found = yield theta;
    if (found >= value) {
      inside = theta;
      loss = found;
    } else outside = theta;
  }
  return { theta: inside, loss };
}
