import { Evaluator, type Objective } from "./objective.js";
import { MESSAGES, type MinimizeResult, type Reason, type Settings } from "./options.js";

/** max |x_i|; NaN where one is. */
export function largest(x: Float64Array): number {
  return x.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

/** At a smooth function's minimum the gradient is below so much of the first; at a kink it is not. */
const SMOOTH = 1e-4;

/** How far a minimization has come, whatever the method: its point, what was counted, and whether it is over. */
export class Progress {
  readonly settings: Settings;
  readonly evaluator: Evaluator;
  /** The point, and fun and its gradient there. */
  readonly x: Float64Array;
  readonly grads: Float64Array;
  fun = NaN;
  nit = 0;
  reason: Reason | undefined;
  detail = "";
  /** fun at x0, and when ftol was last looked at. */
  #first = NaN;
  #reference = NaN;
  /** The gradient's largest coordinate at x0. */
  #steepest = NaN;

  constructor(fun: Objective, x0: Float64Array, settings: Settings) {
    this.settings = settings;
    this.evaluator = new Evaluator(fun, settings.jac, x0.length, settings.bounds);
    this.x = x0;
    this.grads = new Float64Array(x0.length);
  }

  /** Evaluates x0, unless another method has begun before: finds what it takes to go on, or why not. */
  begin(): void {
    if (!Number.isNaN(this.#first)) return;
    const { gtol, signal } = this.settings;
    this.fun = this.evaluator.at(this.x, Infinity);
    this.grads.set(this.evaluator.grads);
    this.#first = this.#reference = this.fun;
    this.#steepest = largest(this.grads);
    if (signal?.aborted) this.reason = "aborted";
    else if (!Number.isFinite(this.fun + this.#steepest)) this.reason = "nonFinite";
    else if (this.#steepness() <= gtol) this.reason = "gtol";
    if (this.reason !== "nonFinite") return;
    this.detail = Number.isFinite(this.fun) ? " (the gradient)" : ` (fun is ${this.fun})`;
  }

  /**
   * After an iteration that led to `x`: is that the end? `round`: iterations between two looks at ftol; `slow`:
   * a first-order method's last digits take long, so what fun has fallen by in all counts as its size, too.
   */
  moved(x: Float64Array, fun: number, grads: Float64Array, round: number, slow: boolean): boolean {
    const { settings, evaluator } = this;
    this.x.set(x);
    this.grads.set(grads);
    this.fun = fun;
    this.nit++;
    const { nfev } = evaluator;
    const stop = settings.callback?.({ x: x.slice(), fun, nit: this.nit, nfev }) === true;
    const steepness = this.#steepness();
    if (fun === -Infinity) this.reason = "diverged";
    else if (steepness <= settings.gtol) this.reason = "gtol";
    else if (stop) this.reason = "callback";
    else if (this.nit % round === 0 && this.#stands(slow))
      this.reason =
        fun < this.#first && (slow || steepness <= SMOOTH * this.#steepest) ? "ftol" : "precision";
    else if (this.nit >= settings.maxiter) this.reason = "maxiter";
    else if (nfev >= settings.maxfev) this.reason = "maxfev";
    return this.reason !== undefined;
  }

  /** max |g_i|; within bounds, how far the way down leads before it meets one. */
  #steepness(): number {
    const { x, grads, settings } = this;
    if (!settings.bounds) return largest(grads);
    const { least, greatest } = settings.bounds;
    return largest(grads.map((g, i) => x[i] - Math.min(greatest[i], Math.max(least[i], x[i] - g))));
  }

  #stands(slow: boolean): boolean {
    const fallen = this.#reference - this.fun;
    this.#reference = this.fun;
    return fallen <= this.settings.ftol * Math.max(Math.abs(this.fun), slow ? this.#first - this.fun : 0);
  }

  result(method: MinimizeResult["method"]): MinimizeResult {
    const { x, fun, grads: jac, nit, detail } = this;
    const { nfev, njev } = this.evaluator;
    const reason = this.reason!;
    const success = reason === "gtol" || reason === "ftol";
    return { x, fun, jac, nit, nfev, njev, method, success, reason, message: MESSAGES[reason] + detail };
  }
}
