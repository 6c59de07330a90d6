import { adam } from "../../bases/adam.js";
import type { Base } from "../../bases/index.js";
import {
  expectFunction,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectSignal,
  show,
} from "../../common/expect.js";
import type { AbortSignalLike } from "../../common/expect.js";
import type { Bounds, Jacobian } from "./objective.js";

export const METHODS = ["auto", "lbfgs", "superlevel"] as const;

/** Options of `minimize`, with scipy's names. */
export interface MinimizeOptions {
  /**
   * "lbfgs": limited-memory BFGS with a line search for the strong Wolfe conditions (Nocedal and Wright, Numerical
   * Optimization, 2nd ed., algorithms 3.5 and 7.4), for functions that are smooth; "superlevel": superlevel() with a guard,
   * for those with kinks. "auto" (default): "lbfgs", and where no step of it lowers fun, "superlevel" from there on; with
   * `base`, "superlevel" alone.
   */
  method?: (typeof METHODS)[number];
  /**
   * Where x must stay, fun's calls included: for each coordinate [least, greatest]; null or an infinite number is no
   * bound. Not for "superlevel". x0 must lie within.
   */
  bounds?: readonly (readonly [least: number | null, greatest: number | null])[];
  /**
   * The gradient: a function of x; true where `fun` returns [value, gradient]; or differences of `fun` in float64,
   * "3-point" (default, 2n calls of `fun`) or "2-point" (n calls, half the digits).
   */
  jac?: Jacobian;
  /** Ends, with success, when max |g_i| ≤ gtol, ≥ 0; default 1e-5. With bounds, g_i is x_i − clip(x_i − g_i). */
  gtol?: number;
  /**
   * Ends, with success, when 10 iterations of "lbfgs" lowered fun by at most ftol · |fun(x)|, or 100 of "superlevel" by
   * at most ftol · max(|fun(x)|, fun(x0) − fun(x)), ≥ 0; default 1e-12.
   */
  ftol?: number;
  /** Sets both gtol and ftol where they are not given. */
  tol?: number;
  /** Iterations, ≥ 1; default 10 000. */
  maxiter?: number;
  /** Calls of `fun`, ≥ 1; an iteration under way is finished. Default: no limit. */
  maxfev?: number;
  /** Called after each iteration, with a copy of x; ends the run when it returns true. */
  callback?: (state: { x: Float64Array; fun: number; nit: number; nfev: number }) => unknown;
  /** Ends the run when aborted. */
  signal?: AbortSignalLike;
  /** The base optimizer of "superlevel", without weight decay; default `adam()`. */
  base?: Base;
}

/** What `minimize` returns. */
export interface MinimizeResult {
  /** Where it ended. No iteration raised fun by more than 2^-48 |fun|. */
  x: Float64Array;
  /** fun(x). */
  fun: number;
  /** The gradient at x. */
  jac: Float64Array;
  /** Iterations. */
  nit: number;
  /** Calls of `fun`, those for differences included. */
  nfev: number;
  /** Gradients. */
  njev: number;
  /** What took the last steps. */
  method: "lbfgs" | "superlevel";
  /** Was gtol or ftol met? */
  success: boolean;
  reason: Reason;
  /** The reason in words. */
  message: string;
}

export const MESSAGES = {
  gtol: "converged: no coordinate of the gradient exceeds gtol",
  ftol: "converged: the last iterations lowered fun by no more than ftol",
  maxiter: "not converged: maxiter iterations were taken",
  maxfev: "not converged: maxfev calls of fun were made",
  precision: "not converged: no step along the gradient lowers fun; is jac its gradient, and fun smooth?",
  nonFinite: "failed: fun or its gradient is not finite at x0",
  diverged: "failed: fun falls without end",
  callback: "stopped: callback returned true",
  aborted: "stopped: signal was aborted",
} as const;

export type Reason = keyof typeof MESSAGES;

/** {@link MinimizeOptions}, checked. */
export interface Settings extends Required<
  Omit<MinimizeOptions, "tol" | "callback" | "signal" | "base" | "bounds">
> {
  readonly base: Base;
  readonly bounds: Bounds | undefined;
  readonly callback: MinimizeOptions["callback"];
  readonly signal: AbortSignalLike | undefined;
}

const KEYS = [
  "method",
  "bounds",
  "jac",
  "gtol",
  "ftol",
  "tol",
  "maxiter",
  "maxfev",
  "callback",
  "signal",
  "base",
];

function checkJacobian(jac: Jacobian): Jacobian {
  if (jac === true || typeof jac === "function") return jac;
  if (typeof jac !== "string") {
    throw new TypeError(`jac: expected a function, true, "2-point" or "3-point", got ${show(jac)}`);
  }
  return expectOneOf("jac", jac, ["2-point", "3-point"] as const);
}

function checkBounds(bounds: MinimizeOptions["bounds"], x0: Float64Array): Bounds | undefined {
  if (bounds === undefined) return undefined;
  if (!Array.isArray(bounds) || bounds.length !== x0.length) {
    const got = Array.isArray(bounds) ? `${bounds.length} of them` : show(bounds);
    throw new TypeError(
      `bounds: expected ${x0.length} pairs [least, greatest], one for each of x0, got ${got}`,
    );
  }
  const [least, greatest] = [0, 1].map((side) =>
    Float64Array.from(bounds, (pair: unknown, i) => {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TypeError(`bounds[${i}]: expected [least, greatest], got ${show(pair)}`);
      const bound: unknown = pair[side] ?? (side === 0 ? -Infinity : Infinity);
      if (typeof bound === "number" && !Number.isNaN(bound)) return bound;
      throw new TypeError(`bounds[${i}][${side}]: expected a number or null, got ${show(bound)}`);
    }),
  );
  x0.forEach((x, i) => {
    if (x >= least[i] && x <= greatest[i]) return;
    throw new RangeError(
      `x0[${i}]: expected a number within bounds[${i}], [${least[i]}, ${greatest[i]}], got ${x}`,
    );
  });
  return { least, greatest };
}

function checkMethod({ method = "auto", base, bounds }: MinimizeOptions): Settings["method"] {
  expectOneOf("method", method, METHODS);
  if (base !== undefined && method === "lbfgs")
    throw new RangeError('base: expected none with method "lbfgs", which has no base optimizer');
  const chosen = base !== undefined ? "superlevel" : method;
  if (bounds !== undefined && chosen === "superlevel")
    throw new RangeError('bounds: expected none with method "superlevel" or a base; "lbfgs" keeps them');
  return chosen;
}

export function checkOptions(options: MinimizeOptions, x0: Float64Array): Settings {
  expectOptions("options", options, KEYS);
  const { callback, signal, maxfev, tol, base = adam() } = options;
  if (callback !== undefined) expectFunction("callback", callback);
  if (signal !== undefined) expectSignal("signal", signal);
  if (tol !== undefined) expectNumber("tol", tol, { min: 0 });
  if (base?.weightDecay > 0) {
    const why = "as it would pull x away from fun's minimum";
    throw new RangeError(`base.weightDecay: expected 0, ${why}; got ${base.weightDecay}`);
  }
  return {
    method: checkMethod(options),
    bounds: checkBounds(options.bounds, x0),
    jac: checkJacobian(options.jac ?? "3-point"),
    gtol: expectNumber("gtol", options.gtol ?? tol ?? 1e-5, { min: 0 }),
    ftol: expectNumber("ftol", options.ftol ?? tol ?? 1e-12, { min: 0 }),
    maxiter: expectNumber("maxiter", options.maxiter ?? 10_000, { min: 1, integer: true }),
    maxfev: maxfev === undefined ? Infinity : expectNumber("maxfev", maxfev, { min: 1, integer: true }),
    callback,
    signal,
    base,
  };
}
