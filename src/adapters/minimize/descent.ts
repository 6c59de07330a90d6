import { OptimizerError } from "../../common/errors.js";
import { ceiling } from "../../run/guard.js";
import { createOptimizer } from "../../create.js";
import type { Optimizer } from "../../optimizer.js";
import type { Solution } from "../../run/options.js";
import { superlevel } from "../../tuners/tuners.js";
import { Evaluator, type Objective } from "./objective.js";
import { MESSAGES, type MinimizeResult, type Reason, type Settings } from "./options.js";

/** Of |fun|: float64 has 53 bits, and fun is a sum. */
const TOLERANCE = 2 ** -48;
/** The guard sees fun in units so small that its tolerance is relative all the way down. */
const MAGNIFIED = 2 ** 100;
/** Iterations between two looks at ftol, and at most between two origins. */
const ROUND = 100;
/** S may grow at will, as the guard takes back what leads upwards: valleys are long, and units of x may be any. */
const TUNER = superlevel({ anchor: { first: 64, growth: 1.6 }, growthLimit: null });

/** max |x_i|; NaN where one is. */
function largest(x: Float64Array): number {
  return x.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

/** The power of two at or below a size; 1 for 0. */
const binade = (size: number): number => (size > 0 ? 2 ** Math.floor(Math.log2(size)) : 1);

/**
 * The engine's parameters are offsets from an origin in float64, and the origin follows: so x is not rounded to
 * float32, whatever its units. Offsets are in units of x0, fun and its gradient in units of the first gradient, all
 * powers of two: steps do not depend on the units of x and fun. (Of x they do where x0 = 0.)
 */
export class Descent {
  #nit = 0;
  #fun = NaN;
  readonly #settings: Settings;
  readonly #evaluator: Evaluator;
  readonly #optimizer: Optimizer;
  readonly #origin: Float64Array;
  readonly #x: Float64Array;
  readonly #span: number;
  /** The gradient at the present point. */
  readonly #grads: Float64Array;
  #unit = 1;
  /** The source is asked for the origin next, which is known. */
  #atOrigin = true;
  #detail = "";
  #reason: Reason | undefined;
  /** The last value asked for. */
  #asked = NaN;
  /** fun at x0, and when ftol was last looked at. */
  #first = NaN;
  #reference = NaN;

  constructor(fun: Objective, x0: Float64Array, settings: Settings) {
    this.#settings = settings;
    this.#evaluator = new Evaluator(fun, settings.jac, x0.length);
    const { base } = settings;
    this.#optimizer = createOptimizer(x0.length, { base, gradients: "exact", tuner: TUNER });
    this.#origin = x0;
    this.#span = binade(largest(x0));
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
    this.#fun = this.#asked = this.#evaluator.at(this.#x, Infinity);
    this.#grads.set(this.#evaluator.grads);
    this.#first = this.#reference = this.#fun;
    const steepest = largest(this.#grads);
    this.#unit = 1 / binade(steepest);
    if (signal?.aborted) this.#reason = "aborted";
    else if (!Number.isFinite(this.#fun + steepest)) this.#reason = "nonFinite";
    else if (steepest <= gtol) this.#reason = "gtol";
    if (this.#reason !== "nonFinite") return;
    this.#detail = Number.isFinite(this.#fun) ? " (the gradient)" : ` (fun is ${this.#fun})`;
  }

  /** A {@link GradientSource}. The guard turns back what is above the ceiling, so that needs no gradient. */
  #ask(offset: Float32Array, grads: Float32Array): number {
    const unit = this.#unit;
    const magnified = (MAGNIFIED / this.#span) * unit;
    const from = this.#atOrigin ? this.#grads : this.#evaluator.grads;
    if (!this.#atOrigin) {
      this.#place(offset);
      const highest = ceiling(TOLERANCE, magnified * this.#fun) / magnified;
      this.#asked = this.#evaluator.at(this.#x, highest);
      if (!(this.#asked <= highest)) return magnified * this.#asked;
    }
    this.#atOrigin = false;
    for (let i = 0; i < grads.length; i++) grads[i] = from[i] * unit;
    return magnified * this.#asked;
  }

  #place(offset: Float32Array): void {
    for (let i = 0; i < offset.length; i++) this.#x[i] = this.#origin[i] + this.#span * offset[i];
  }

  /** After an iteration; true ends the engine's run. */
  #moved(): boolean {
    const { gtol, maxiter, maxfev, callback } = this.#settings;
    const { nfev } = this.#evaluator;
    this.#nit++;
    this.#fun = this.#asked;
    this.#grads.set(this.#evaluator.grads);
    const stop = callback?.({ x: this.#x.slice(), fun: this.#fun, nit: this.#nit, nfev }) === true;
    if (this.#fun === -Infinity) this.#reason = "diverged";
    else if (largest(this.#grads) <= gtol) this.#reason = "gtol";
    else if (stop) this.#reason = "callback";
    else if (this.#nit % ROUND === 0 && this.#stands())
      this.#reason = this.#fun < this.#first ? "ftol" : "precision";
    else if (this.#nit >= maxiter) this.#reason = "maxiter";
    else if (nfev >= maxfev) this.#reason = "maxfev";
    return this.#reason !== undefined || this.#nit % ROUND === 0;
  }

  #stands(): boolean {
    const fallen = this.#reference - this.#fun;
    this.#reference = this.#fun;
    return fallen <= this.#settings.ftol * Math.max(Math.abs(this.#fun), this.#first - this.#fun);
  }

  /** After the engine's run: is that all, or does it go on from a new origin, where offsets are finer? */
  #end(reason: Solution["reason"]): void {
    const { params } = this.#optimizer;
    this.#place(params);
    if (reason === "aborted") this.#reason = "aborted";
    else if (reason === "stalled" && params.every((offset) => offset === 0)) this.#reason ??= "precision";
    this.#asked = this.#fun;
    this.#origin.set(this.#x);
    this.#optimizer.setParams(new Float32Array(params.length));
    this.#atOrigin = true;
  }

  #result(reason: Reason): MinimizeResult {
    const { nfev, njev } = this.#evaluator;
    return {
      x: this.#x,
      fun: this.#fun,
      jac: this.#grads,
      nit: this.#nit,
      nfev,
      njev,
      success: reason === "gtol" || reason === "ftol",
      reason,
      message: MESSAGES[reason] + this.#detail,
    };
  }
}
