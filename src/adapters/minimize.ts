import { adam } from "../bases/adam.js";
import type { Base } from "../bases/index.js";
import { OptimizerError } from "../errors.js";
import {
  expectFunction,
  expectNumber,
  expectNumbers,
  expectOneOf,
  expectOptions,
  expectSignal,
  show,
} from "../expect.js";
import { ceiling } from "../guard.js";
import { createOptimizer, type Optimizer } from "../optimizer.js";
import type { Solution } from "../run.js";
import { Evaluator, type Jacobian, type Objective } from "./objective.js";

/** Options of {@link minimize}, with scipy's names. */
export interface MinimizeOptions {
  /**
   * The gradient: a function of x; true where `fun` returns [value, gradient]; or differences of `fun` in float64,
   * "3-point" (default, 2n calls of `fun`) or "2-point" (n calls, half the digits).
   */
  jac?: Jacobian;
  /** Ends, with success, when max |g_i| ≤ gtol, ≥ 0; default 1e-5. */
  gtol?: number;
  /**
   * Ends, with success, when 100 iterations lowered fun by at most ftol · max(|fun(x)|, fun(x0) − fun(x)), ≥ 0;
   * default 1e-12.
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
  signal?: AbortSignal;
  /** The base optimizer, without weight decay; default `adam()`. */
  base?: Base;
}

/** What {@link minimize} returns. */
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
  /** Was gtol or ftol met? */
  success: boolean;
  reason: keyof typeof MESSAGES;
  /** The reason in words. */
  message: string;
}

const MESSAGES = {
  gtol: "converged: no coordinate of the gradient exceeds gtol",
  ftol: "converged: 100 iterations lowered fun by no more than ftol",
  maxiter: "not converged: maxiter iterations were taken",
  maxfev: "not converged: maxfev calls of fun were made",
  precision: "not converged: no step along the gradient lowers fun; is jac its gradient, and fun smooth?",
  nonFinite: "failed: fun or its gradient is not finite at x0",
  diverged: "failed: fun falls without end",
  callback: "stopped: callback returned true",
  aborted: "stopped: signal was aborted",
} as const;

/** Of |fun|: float64 has 53 bits, and fun is a sum. */
const TOLERANCE = 2 ** -48;
/** The guard sees fun in units so small that its tolerance is relative all the way down. */
const MAGNIFIED = 2 ** 40;
/** Iterations between two looks at ftol, and at most between two origins. */
const ROUND = 100;

interface Settings extends Required<Omit<MinimizeOptions, "tol" | "callback" | "signal" | "base">> {
  readonly base: Base;
  readonly callback: MinimizeOptions["callback"];
  readonly signal: AbortSignal | undefined;
}

const KEYS = ["jac", "gtol", "ftol", "tol", "maxiter", "maxfev", "callback", "signal", "base"];

function checkJacobian(jac: Jacobian): Jacobian {
  if (jac === true || typeof jac === "function") return jac;
  if (typeof jac !== "string") {
    throw new TypeError(`jac: expected a function, true, "2-point" or "3-point", got ${show(jac)}`);
  }
  return expectOneOf("jac", jac, ["2-point", "3-point"] as const);
}

function settle(options: MinimizeOptions): Settings {
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

/** max |g_i|; NaN where one is. */
function largest(grads: Float64Array): number {
  return grads.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
}

/**
 * The engine's parameters are offsets from an origin in float64, and the origin follows: so x is not rounded to
 * float32, whatever its units. fun and its gradient are handed over in units of the first gradient, a power of two:
 * steps do not depend on fun's units.
 */
class Descent {
  nit = 0;
  fun = NaN;
  readonly #settings: Settings;
  readonly #evaluator: Evaluator;
  readonly #optimizer: Optimizer;
  readonly #origin: Float64Array;
  readonly #x: Float64Array;
  /** The gradient at the present point. */
  readonly #grads: Float64Array;
  #unit = 1;
  /** The source is asked for the origin next, which is known. */
  #atOrigin = true;
  #detail = "";
  #reason: keyof typeof MESSAGES | undefined;
  /** The last value asked for. */
  #asked = NaN;
  /** fun at x0, and when ftol was last looked at. */
  #first = NaN;
  #reference = NaN;

  constructor(fun: Objective, x0: Float64Array, settings: Settings) {
    this.#settings = settings;
    this.#evaluator = new Evaluator(fun, settings.jac, x0.length);
    this.#optimizer = createOptimizer(x0.length, { base: settings.base });
    this.#origin = x0;
    this.#x = x0.slice();
    this.#grads = new Float64Array(x0.length);
  }

  run(): MinimizeResult {
    const { signal } = this.#settings;
    try {
      this.#begin();
      while (!this.#reason) {
        const { reason } = this.#optimizer.minimize((offset, grads) => this.#ask(offset, grads), {
          deterministic: true,
          guard: { policy: "reject", tolerance: TOLERANCE },
          until: () => this.#moved(),
          signal,
        });
        this.#end(reason);
      }
    } catch (error) {
      if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
      this.#reason = "diverged";
      this.#detail = ` (${error.message})`;
      this.#place(this.#optimizer.params);
    } finally {
      this.#optimizer.dispose();
    }
    return this.#result(this.#reason);
  }

  /** The start: what it takes to go on, or why not. */
  #begin(): void {
    const { gtol, signal } = this.#settings;
    this.fun = this.#asked = this.#evaluator.at(this.#x, Infinity);
    this.#grads.set(this.#evaluator.grads);
    this.#first = this.#reference = this.fun;
    const steepest = largest(this.#grads);
    this.#unit = 2 ** -Math.floor(Math.log2(steepest));
    if (signal?.aborted) this.#reason = "aborted";
    else if (!Number.isFinite(this.fun + steepest)) this.#reason = "nonFinite";
    else if (steepest <= gtol) this.#reason = "gtol";
    if (this.#reason !== "nonFinite") return;
    this.#detail = Number.isFinite(this.fun) ? " (the gradient)" : ` (fun is ${this.fun})`;
  }

  /** A {@link GradientSource}. The guard turns back what is above the ceiling, so that needs no gradient. */
  #ask(offset: Float32Array, grads: Float32Array): number {
    const unit = this.#unit;
    const magnified = MAGNIFIED * unit;
    const from = this.#atOrigin ? this.#grads : this.#evaluator.grads;
    if (!this.#atOrigin) {
      this.#place(offset);
      const highest = ceiling(TOLERANCE, magnified * this.fun) / magnified;
      this.#asked = this.#evaluator.at(this.#x, highest);
      if (!(this.#asked <= highest)) return magnified * this.#asked;
    }
    this.#atOrigin = false;
    for (let i = 0; i < grads.length; i++) grads[i] = from[i] * unit;
    return magnified * this.#asked;
  }

  #place(offset: Float32Array): void {
    for (let i = 0; i < offset.length; i++) this.#x[i] = this.#origin[i] + offset[i];
  }

  /** After an iteration; true ends the engine's run. */
  #moved(): boolean {
    const { gtol, maxiter, maxfev, callback } = this.#settings;
    const { nfev } = this.#evaluator;
    this.nit++;
    this.fun = this.#asked;
    this.#grads.set(this.#evaluator.grads);
    const stop = callback?.({ x: this.#x.slice(), fun: this.fun, nit: this.nit, nfev }) === true;
    if (this.fun === -Infinity) this.#reason = "diverged";
    else if (largest(this.#grads) <= gtol) this.#reason = "gtol";
    else if (stop) this.#reason = "callback";
    else if (this.nit % ROUND === 0 && this.#stands())
      this.#reason = this.fun < this.#first ? "ftol" : "precision";
    else if (this.nit >= maxiter) this.#reason = "maxiter";
    else if (nfev >= maxfev) this.#reason = "maxfev";
    return this.#reason !== undefined || this.nit % ROUND === 0;
  }

  #stands(): boolean {
    const fallen = this.#reference - this.fun;
    this.#reference = this.fun;
    return fallen <= this.#settings.ftol * Math.max(Math.abs(this.fun), this.#first - this.fun);
  }

  /** After the engine's run: is that all, or does it go on from a new origin, where offsets are finer? */
  #end(reason: Solution["reason"]): void {
    const { params } = this.#optimizer;
    this.#place(params);
    if (reason === "aborted") this.#reason = "aborted";
    else if (reason === "stalled" && params.every((offset) => offset === 0)) this.#reason ??= "precision";
    this.#asked = this.fun;
    this.#origin.set(this.#x);
    this.#optimizer.setParams(new Float32Array(params.length));
    this.#atOrigin = true;
  }

  #result(reason: keyof typeof MESSAGES): MinimizeResult {
    const { nfev, njev } = this.#evaluator;
    return {
      x: this.#x,
      fun: this.fun,
      jac: this.#grads,
      nit: this.nit,
      nfev,
      njev,
      success: reason === "gtol" || reason === "ftol",
      reason,
      message: MESSAGES[reason] + this.#detail,
    };
  }
}

/**
 * Minimizes a function without noise, in the manner of `scipy.optimize.minimize`: superlevel() with an Adam base, and
 * the guard that takes back every step at which fun rises. x is kept in float64. It is a first-order method without
 * constraints: docs/minimize.md says for what it serves, and what serves better otherwise.
 *
 * A fun or gradient that is not finite is no error: at x0 it ends the run, elsewhere the step is taken back. What fun
 * and jac throw comes through.
 *
 * @param fun called with a Float64Array, which it must not keep
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
  const settings = settle(options);
  const start = Float64Array.from(expectNumbers("x0", x0, x0?.length));
  expectNumber("x0.length", start.length, { min: 1 });
  start.forEach((value, i) => expectNumber(`x0[${i}]`, value));
  return new Descent(fun, start, settings).run();
}
