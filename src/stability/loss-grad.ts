import { OptimizerError } from "../common/errors.js";
import {
  expectFunction,
  expectNumber,
  expectNumbers,
  expectOptions,
  isArrayLike,
  isKind,
  show,
} from "../common/expect.js";
import { Work, WORK_KEYS, type WorkOptions } from "./work.js";

/** A loss with its gradient. */
export interface LossAndGrads {
  readonly loss: number;
  /** ∇L, as many numbers as parameters. */
  readonly grads: ArrayLike<number>;
}

type Answer = number | LossAndGrads;

interface Callback {
  // A method, so that each shape may name its own array.
  ask(params: Float64Array | Float32Array, grads: Float32Array, step: number): Answer | Promise<Answer>;
}

/**
 * What the diagnostics ask: the loss at some parameters, in one of three shapes, each of which may return a promise.
 *
 * - `(params) => ({ loss, grads })`, in float64;
 * - `(params) => loss`, in float64, where no gradient is needed;
 * - `(params, grads, step) => loss`, a `GradientSource`, which gets float32 and writes the gradient to `grads`.
 *
 * They are told apart by what they do: a source is what returns a number and has written to `grads`. So it may be
 * wrapped, bound, or declared with rest parameters. Before the first answer nobody knows: then a function that declares
 * one parameter gets float64, any other float32, and is asked again where that was not its kind.
 *
 * It has to depend on the parameters alone: a full batch, or always the same examples. A source is told one step
 * throughout, so minibatches are those of that step. What it is handed are copies.
 */
export type LossGrad = Callback["ask"];

/** An answer, taken apart. */
interface Reading {
  readonly loss: number;
  readonly grads?: ArrayLike<number>;
}

/** Stands in `grads` until somebody writes there: so small that a gradient added to it is that gradient. */
const UNWRITTEN = Math.fround(1.7e-41);

/** Calls a {@link LossGrad}, checks what it returns, and counts. */
export class Evaluator {
  evaluations = 0;
  /** Rounding of the last gradient, relative: 2⁻²⁴ where it came as float32, else 2⁻⁵³; undefined before the first. */
  roundoff: number | undefined;
  readonly size: number;
  readonly #name: string;
  readonly #lossGrad: LossGrad;
  readonly #step: number;
  #isSource: boolean | undefined;

  /** `step` is what a source is told. */
  constructor(name: string, lossGrad: LossGrad, size: number, step = 1) {
    expectFunction(name, lossGrad);
    this.#name = name;
    this.#lossGrad = lossGrad;
    this.size = size;
    this.#step = expectNumber("step", step, { min: 1, integer: true });
  }

  /** L(params), which may be infinite or NaN. */
  async loss(params: ArrayLike<number>): Promise<number> {
    return (await this.#ask(params, this.#step)).loss;
  }

  /** L(params), finite; writes ∇L, finite, to `into`. */
  async gradient(
    params: ArrayLike<number>,
    into: Float64Array | Float32Array,
    step = this.#step,
  ): Promise<number> {
    const { loss, grads } = await this.#ask(params, step);
    const name = this.#name;
    if (!Number.isFinite(loss)) throw new OptimizerError("diverged", `${name}: the loss is ${loss}`);
    if (!grads)
      throw new TypeError(
        `${name}: expected it to return { loss, grads }, or to write to grads, got the loss alone`,
      );
    const values = expectNumbers(`${name}: grads`, grads, this.size);
    for (let i = 0; i < this.size; i++) {
      if (!Number.isFinite(values[i]))
        throw new OptimizerError("diverged", `${name}: grads[${i}] is ${values[i]}`);
    }
    this.roundoff = isKind(values, "Float32Array") ? 2 ** -24 : 2 ** -53;
    into.set(values);
    return loss;
  }

  async #ask(params: ArrayLike<number>, step: number): Promise<Reading> {
    if (this.#isSource === undefined) return this.#find(params, step);
    const grads = new Float32Array(this.size);
    const answer = await this.#call(this.#isSource, params, grads, step);
    return this.#read(answer, this.#isSource ? grads : undefined);
  }

  /** Asks for the first time, and sees what answers. */
  async #find(params: ArrayLike<number>, step: number): Promise<Reading> {
    const guess = this.#lossGrad.length !== 1;
    const grads = new Float32Array(this.size).fill(UNWRITTEN);
    const answer = await this.#call(guess, params, grads, step);
    const isNumber = typeof answer === "number";
    const wrote = grads.some((value) => value !== UNWRITTEN);
    // A source that fails may return at once, so a number that is not finite settles nothing.
    if (isNumber && !wrote && !Number.isFinite(answer)) return { loss: answer };
    const isSource = isNumber && wrote;
    const written = isSource ? grads.map((value) => (value === UNWRITTEN ? 0 : value)) : undefined;
    const reading = this.#read(answer, written);
    this.#isSource = isSource;
    return isSource === guess ? reading : this.#ask(params, step);
  }

  #call(single: boolean, params: ArrayLike<number>, grads: Float32Array, step: number): ReturnType<LossGrad> {
    this.evaluations++;
    const lossGrad = this.#lossGrad;
    return lossGrad(single ? new Float32Array(params) : new Float64Array(params), grads, step);
  }

  #read(answer: unknown, written?: Float32Array): Reading {
    if (typeof answer === "number") return { loss: answer, grads: written };
    const { loss, grads } = (answer ?? {}) as Partial<LossAndGrads>;
    if (typeof loss === "number") return { loss, grads };
    throw new TypeError(
      `${this.#name}: expected it to return { loss, grads } or the loss, got ${show(answer)}`,
    );
  }
}

/** Finite float64 parameters, at least one, copied. */
export function expectPoint(name: string, values: unknown, size?: number): Float64Array {
  if (!isArrayLike(values)) throw new TypeError(`${name}: expected an array of numbers, got ${show(values)}`);
  if (values.length === 0) throw new RangeError(`${name}: expected at least 1 number, got 0`);
  const numbers = Float64Array.from(expectNumbers(name, values, size ?? values.length));
  numbers.forEach((value, i) => void expectNumber(`${name}[${i}]`, value));
  return numbers;
}

/** Where a point lies with respect to the level sets of one level. */
export interface Membership {
  readonly loss: number;
  /** L − level: ≥ 0 in the superlevel set, ≤ 0 in the sublevel set. */
  readonly margin: number;
  readonly inSuper: boolean;
  readonly inSub: boolean;
}

/**
 * Whether a point belongs to {L ≥ level} and to {L ≤ level}. One evaluation of the loss; where that is NaN, to neither.
 *
 * @param params θ
 * @throws TypeError or RangeError for bad arguments, as rejections
 * @example
 * import { levelSets } from "superlevel/stability";
 * const { margin, inSuper, inSub } = await levelSets(([x, y]) => x * x + y * y, [1, 2], 4);
 * [margin, inSuper, inSub]; // → [1, true, false]
 */
export async function levelSets(
  lossGrad: LossGrad,
  params: ArrayLike<number>,
  level: number,
  options: WorkOptions = {},
): Promise<Membership> {
  expectOptions("options", options, WORK_KEYS);
  expectNumber("level", level);
  const point = expectPoint("params", params);
  const evaluator = new Evaluator("lossGrad", lossGrad, point.length);
  const work = new Work("options", options, 1);
  const loss = await evaluator.loss(point);
  await work.tick();
  return { loss, margin: loss - level, inSuper: loss >= level, inSub: loss <= level };
}
