import { expectFunction, expectNumber, expectNumbers } from "../../common/expect.js";
import { GuardedDescent } from "./guarded-descent.js";
import { Lbfgs } from "./lbfgs.js";
import { Progress } from "./progress.js";
import type { Jacobian, Objective } from "./objective.js";
import { checkOptions, type MinimizeOptions, type MinimizeResult } from "./options.js";

export type { Jacobian, MinimizeOptions, MinimizeResult };

/**
 * Minimizes a function without noise, in the manner of `scipy.optimize.minimize`, within bounds where they are given:
 * by limited-memory BFGS, and where that finds no way down, as at kinks, by superlevel() with an Adam base and the guard
 * that takes back every step at which fun rises. x is kept in float64. docs/minimize.md says what serves for what.
 *
 * A fun or gradient that is not finite is no error: at x0 it ends the run, elsewhere the step is taken back. What fun
 * and jac throw comes through.
 *
 * @param fun called with a Float64Array that it may write to, and must not keep
 * @param x0 where to start: finite numbers, at least one
 * @throws TypeError or RangeError when an argument is of the wrong kind or out of range, or fun does not return a number
 * @example
 * const { x, success, message } = minimize(([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2, [-1.2, 1]);
 * Array.from(x, (value) => value.toFixed(4)); // → ["1.0000", "1.0000"]
 * success; // → true
 * message; // → "converged: no coordinate of the gradient exceeds gtol"
 */
export function minimize(
  fun: (x: Float64Array) => number,
  x0: ArrayLike<number>,
  options?: MinimizeOptions & { jac?: Exclude<Jacobian, true> },
): MinimizeResult;
export function minimize(
  fun: (x: Float64Array) => readonly [fun: number, jac: ArrayLike<number>],
  x0: ArrayLike<number>,
  options: MinimizeOptions & { jac: true },
): MinimizeResult;
export function minimize(
  fun: Objective,
  x0: ArrayLike<number>,
  options: MinimizeOptions = {},
): MinimizeResult {
  expectFunction("fun", fun);
  const given = expectNumbers("x0", x0, x0?.length);
  expectNumber("x0.length", given.length, { min: 1 });
  const start = Float64Array.from(given);
  start.forEach((value, i) => expectNumber(`x0[${i}]`, value));
  const settings = checkOptions(options, start);
  const { method, bounds } = settings;
  const progress = new Progress(fun, start, settings);
  if (method === "superlevel") return new GuardedDescent(progress).run();
  const result = new Lbfgs(progress).run();
  // Where no step lowered fun, it has kinks, or the line search meets the last digits of fun.
  if (result.reason !== "precision" || method === "lbfgs" || bounds) return result;
  progress.reason = undefined;
  return new GuardedDescent(progress).run();
}
