import { OptimizerError } from "../common/errors.js";
import { offPlace } from "../engine/snapshot.js";
import type { Engine, Program } from "../engine/program.js";

/** So many coordinates are looked at before every step: all there are, or as many stripes, others at every step. */
const WATCHED = 2048;
const STRIPES = 4;

/** Coordinates that are side by side, and in no frozen tensor. */
interface Run {
  readonly first: number;
  last: number;
}

function runsOf({ segments }: Program): Run[] {
  const runs: Run[] = [];
  for (const { first, last } of segments) {
    const before = runs.at(-1);
    if (before?.last === first) before.last = last;
    else runs.push({ first, last });
  }
  return runs;
}

/**
 * Has somebody written to `params` since the last step? Where Δ has a vector, x = xRef + SΔ would undo that silently.
 * Otherwise it counts, but a number that is not finite would spread. Hashes tell: of all coordinates where `params` was
 * asked for since, as reading all of them at every step would take some 5 % of it; of a part otherwise.
 */
export class WriteDetector {
  readonly #program: Program;
  readonly #runs: readonly Run[];
  /** Are writes undone, or is Δ made from x. */
  readonly #undone: boolean;
  readonly #spread: boolean;
  #turn = 0;
  #part = 0;
  /** The hash of all, or NaN where that was never taken. */
  #asked = false;
  #whole = 0;

  /** Parameters that are elsewhere are not watched. */
  constructor(program: Program, engine: Engine) {
    this.#program = program;
    this.#runs = engine.params.length === 0 ? [] : runsOf(program);
    this.#undone = program.tuner?.delta === "stored";
    this.#spread = program.tuner !== null && !this.#undone;
  }

  /** Whoever moved the point had the right to. */
  record(engine: Engine): void {
    this.#turn++;
    this.#asked = false;
    if (this.#undone) this.#part = this.#hashPart(engine);
  }

  /** Somebody asks for the parameters, who may write to them. */
  watch(engine: Engine): void {
    if (this.#asked) return;
    this.#asked = true;
    if (this.#undone) this.#whole = this.#hash(engine, 0, this.#program.size);
  }

  /** Is the point as it was recorded, or at least finite where that is enough? */
  holds(engine: Engine): boolean {
    const all = this.#asked || this.#spread;
    const part = all && !this.#undone ? 0 : this.#hashPart(engine);
    const whole = all ? this.#hash(engine, 0, this.#program.size) : 0;
    if (!this.#undone) return !Number.isNaN(part + whole);
    // A NaN that was restored is nobody's writing: the step itself finds it.
    return Object.is(part, this.#part) && (!all || Object.is(whole, this.#whole));
  }

  /** @throws OptimizerError "moved" where somebody has written what may not stay */
  check(engine: Engine): void {
    if (!this.holds(engine)) this.#refuse(engine);
  }

  /** @throws OptimizerError "moved" where somebody has written what is no finite number */
  expectFinite(engine: Engine): void {
    if (Number.isNaN(this.#hash(engine, 0, this.#program.size))) this.#refuse(engine);
  }

  #refuse(engine: Engine): never {
    const { params } = engine;
    const finite = (place: number) => Number.isFinite(params[place]);
    const spoilt = params.findIndex(
      (_, i) => !finite(i) && this.#runs.some(({ first, last }) => first <= i && i < last),
    );
    const place = spoilt < 0 ? offPlace(engine, this.#program) : spoilt;
    const what = finite(place)
      ? "was written to since the last step, which the next step would undo"
      : `is ${params[place]}, which would spread`;
    throw new OptimizerError("moved", `params[${place}] ${what}; use setParams`);
  }

  #hashPart(engine: Engine): number {
    const { size } = this.#program;
    if (size <= WATCHED) return this.#hash(engine, 0, size);
    const each = Math.ceil(size / STRIPES);
    const length = WATCHED / STRIPES;
    const offset = length * (this.#turn % Math.ceil(each / length));
    let hash = 0;
    for (let from = offset; from < size; from += each)
      hash = join(hash, this.#hash(engine, from, from + length));
    return hash;
  }

  #hash({ kernels }: Engine, from: number, to: number): number {
    let hash = 0;
    for (const { first, last } of this.#runs) {
      const begin = Math.max(from, first);
      const end = Math.min(to, last);
      if (begin < end) hash = join(hash, kernels.pointHash(begin, end));
    }
    return hash;
  }
}

/** Two hashes in one; NaN stays. */
const join = (one: number, other: number): number => (31 * one + other) % 2 ** 32;
