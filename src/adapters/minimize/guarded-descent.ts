import { OptimizerError } from "../../common/errors.js";
import { ceiling } from "../../run/guard.js";
import { createOptimizer } from "../../create.js";
import type { Optimizer } from "../../optimizer.js";
import type { Solution } from "../../run/options.js";
import { superlevel } from "../../tuners/tuners.js";
import type { MinimizeResult } from "./options.js";
import { largest, type Progress } from "./progress.js";

/** Of |fun|: float64 has 53 bits, and fun is a sum. */
const TOLERANCE = 2 ** -48;
/** The guard sees fun in units so small that its tolerance is relative all the way down. */
const MAGNIFIED = 2 ** 100;
/** Iterations between two looks at ftol, and at most between two origins. */
const ROUND = 100;
/** S may grow at will, as the guard takes back what leads upwards: valleys are long, and units of x may be any. */
const TUNER = superlevel({ anchor: { first: 64, growth: 1.6 }, growthLimit: null });

/** The power of two at or below a size; 1 for 0. */
const binade = (size: number): number => (size > 0 ? 2 ** Math.floor(Math.log2(size)) : 1);

/**
 * The engine's parameters are offsets from an origin in float64, and the origin follows: so x is not rounded to
 * float32, whatever its units. Offsets are in units of x0, fun and its gradient in units of the first gradient, all
 * powers of two: steps do not depend on the units of x and fun. (Of x they do where x0 = 0.)
 */
export class GuardedDescent {
  readonly #progress: Progress;
  readonly #optimizer: Optimizer;
  readonly #origin: Float64Array;
  /** The point that was asked for last, and fun there. */
  readonly #x: Float64Array;
  #asked = NaN;
  readonly #span: number;
  #unit = 1;
  /** The source is asked for the origin next, which is known. */
  #atOrigin = true;

  constructor(progress: Progress) {
    this.#progress = progress;
    const { x, settings } = progress;
    this.#optimizer = createOptimizer(x.length, {
      base: settings.base,
      gradients: "exact",
      tuner: TUNER,
    });
    this.#origin = x.slice();
    this.#span = binade(largest(x));
    this.#x = x.slice();
  }

  run(): MinimizeResult {
    const progress = this.#progress;
    const { signal } = progress.settings;
    try {
      progress.begin();
      this.#asked = progress.fun;
      this.#unit = 1 / binade(largest(progress.grads));
      while (!progress.reason) {
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
      progress.reason = "diverged";
      progress.detail = ` (${error.message})`;
      this.#place(this.#optimizer.params);
      progress.x.set(this.#x);
    } finally {
      this.#optimizer.dispose();
    }
    return progress.result("superlevel");
  }

  /** A {@link GradientSource}. The guard turns back what is above the ceiling, so that needs no gradient. */
  #ask(offset: Float32Array, grads: Float32Array): number {
    const { evaluator, fun, grads: known } = this.#progress;
    const unit = this.#unit;
    const magnified = (MAGNIFIED / this.#span) * unit;
    const from = this.#atOrigin ? known : evaluator.grads;
    if (!this.#atOrigin) {
      this.#place(offset);
      const highest = ceiling(TOLERANCE, magnified * fun) / magnified;
      this.#asked = evaluator.at(this.#x, highest);
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
    const progress = this.#progress;
    return (
      progress.moved(this.#x, this.#asked, progress.evaluator.grads, ROUND, true) ||
      progress.nit % ROUND === 0
    );
  }

  /** After the engine's run: is that all, or does it go on from a new origin, where offsets are finer? */
  #end(reason: Solution["reason"]): void {
    const progress = this.#progress;
    const { params } = this.#optimizer;
    this.#place(params);
    if (reason === "aborted") progress.reason = "aborted";
    else if (reason === "stalled" && params.every((offset) => offset === 0)) progress.reason ??= "precision";
    progress.x.set(this.#x);
    this.#asked = progress.fun;
    this.#origin.set(this.#x);
    this.#optimizer.setParams(new Float32Array(params.length));
    this.#atOrigin = true;
  }
}
