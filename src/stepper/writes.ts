import { OptimizerError } from "../common/errors.js";
import { Scalar, Summary } from "../engine/kernels.js";
import { offPlace } from "../engine/snapshot.js";
import { readsParams, type Engine, type Program } from "../engine/program.js";

/** So many parameters are read before every step: of more, that would take some 5 % of it. */
const FEW = 2048;

/** Does a step use x otherwise than to move it? Then what was written would be in Δ, the scale or the moments. */
const usesParams = (program: Program): boolean => readsParams(program) || program.form?.pull === "DECAY";

/**
 * Has somebody written to `params` since the last step? Where Δ has a vector, x = xRef + SΔ undoes that. Otherwise it
 * counts, but a number that is not finite would spread.
 *
 * Hashes of x tell, as it was left and as it is. To find the latter before a step takes a sweep, which is made where there
 * are few parameters, where the step uses them, and where somebody has asked for them since the last one. Of all other
 * writes the step tells that undoes them: its sweep hashes what it comes upon.
 */
export class WriteDetector {
  readonly #program: Program;
  readonly #here: boolean;
  /** Writes are undone; or they spread, as Δ is made from x. */
  readonly #undoes: boolean;
  readonly #spreads: boolean;
  /** The parameters are looked at before every step; else where somebody has asked for them since the last one. */
  readonly #looks: boolean;
  #asked = false;
  /** There was one before this step. */
  #looked = false;
  /** Of x as it was left. */
  #hash = 0;

  /** Parameters that are elsewhere are not watched. */
  constructor({ params }: Engine, program: Program) {
    this.#program = program;
    this.#here = params.length > 0;
    const delta = this.#here ? program.tuner?.delta : undefined;
    this.#undoes = delta === "stored";
    this.#spreads = delta !== undefined && !this.#undoes;
    this.#looks = this.#spreads || (this.#undoes && (params.length <= FEW || usesParams(program)));
  }

  /** Whoever moved the point had the right to. */
  record({ kernels }: Engine): void {
    this.#asked = false;
    if (this.#undoes) this.#hash = kernels.pointHash();
  }

  /** A step has moved the point. Was that written to before, where nobody has looked? */
  recordStep({ summary }: Engine): boolean {
    const undone = this.#undoes && !this.#looked && summary[Summary.hashFound] !== this.#hash;
    this.#asked = false;
    this.#hash = summary[Summary.hashLeft];
    return undone;
  }

  /** Somebody asks for the parameters, who may write to them. */
  watch(): void {
    this.#asked = true;
  }

  /** Is the point as it was recorded, or at least finite where that is enough? */
  holds(engine: Engine): boolean {
    if (!this.#here) return true;
    const hash = engine.kernels.pointHash();
    // A NaN that was restored is nobody's writing: the step itself finds it.
    return this.#undoes ? Object.is(hash, this.#hash) : !Number.isNaN(hash);
  }

  /** @throws OptimizerError "moved" where somebody has written what may not stay */
  check(engine: Engine): void {
    if (!this.holds(engine)) this.#refuse(engine);
  }

  /** The same before a step, where it must be or is likely. @throws OptimizerError "moved" */
  checkStep(engine: Engine): void {
    this.#looked = this.#looks || this.#asked;
    engine.scalars[Scalar.hashes] = this.#undoes ? 1 + Number(!this.#looked) : 0;
    if (this.#looked) this.check(engine);
  }

  /** @throws OptimizerError "moved" where somebody has written what is no finite number */
  expectFinite(engine: Engine): void {
    if (this.#here && Number.isNaN(engine.kernels.pointHash())) this.#refuse(engine);
  }

  #refuse(engine: Engine): never {
    const { params } = engine;
    const finite = (place: number) => Number.isFinite(params[place]);
    const { segments } = this.#program;
    const spoilt = params.findIndex(
      (_, i) => !finite(i) && segments.some(({ first, last }) => first <= i && i < last),
    );
    const place = spoilt < 0 ? offPlace(engine, this.#program) : spoilt;
    const what = finite(place)
      ? "was written to since the last step, which the next step would undo"
      : `is ${params[place]}, which would spread`;
    throw new OptimizerError("moved", `params[${place}] ${what}; use setParams`);
  }
}

/** What a step says that has undone a write. */
export const writeUndone = (step: number): OptimizerError =>
  new OptimizerError(
    "moved",
    `params was written to before step ${step}, which has undone that; use setParams, or get params anew first`,
  );
