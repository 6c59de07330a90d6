import { OptimizerError } from "../common/errors.js";
import {
  expectFunction,
  expectLoss,
  expectNumber,
  expectNumbers,
  isArrayLike,
  isKind,
  show,
} from "../common/expect.js";
import type { AsyncGradientSource } from "../sources/source.js";
import { distance, norm } from "./vectors.js";

/** A loss with its gradient. */
export interface LossAndGrads {
  readonly loss: number;
  /** ∇L, as many numbers as parameters. */
  readonly grads: ArrayLike<number>;
}

/**
 * What the diagnostics call: the loss and its gradient at some parameters, in float64. It may return a promise. It has to
 * depend on the parameters alone: a full batch, or always the same examples. `step` is the same throughout, except where a
 * function takes steps of its own. `params` is a copy, which it may keep and change.
 *
 * A source as `minimize` takes it becomes one by {@link fromSource}.
 */
export type LossGrad = (params: Float64Array, step: number) => LossAndGrads | Promise<LossAndGrads>;

/** A {@link LossGrad}, or the loss alone: for what needs no gradient. */
export type Loss = (
  params: Float64Array,
  step: number,
) => number | LossAndGrads | Promise<number | LossAndGrads>;

const WRAP = "wrap a source, which writes to grads, in fromSource(source)";

/**
 * A gradient source, as `minimize` takes it, for the diagnostics. It works in float32, so differences of its gradients are
 * taken over longer distances than in float64.
 *
 * @param source may return a promise; minibatches are those of the step that it is told
 * @throws TypeError when `source` is not a function, or, as a rejection, does not return the loss
 * @example
 * import { fromSource, sharpness } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 9 * y]), (x * x + 9 * y * y) / 2);
 * (await sharpness(fromSource(bowl), [1, 1])).lambdaMax; // → 9.00
 */
export function fromSource(source: AsyncGradientSource): LossGrad {
  expectFunction("fromSource(source)", source);
  // The default makes it a function of one parameter, whose errors are passed on as they are.
  return async (params, step = 1) => {
    const grads = new Float32Array(params.length);
    const loss = expectLoss("fromSource(source)", await source(new Float32Array(params), grads, step));
    return { loss, grads };
  };
}

/** Calls a {@link Loss}, checks what it returns, and counts. */
export class LossFunction {
  evaluations = 0;
  /** Rounding of the last gradient, relative: 2⁻²⁴ where it came as float32, else 2⁻⁵³; undefined before the first. */
  roundoff: number | undefined;
  readonly size: number;
  readonly #name: string;
  readonly #call: Loss;
  readonly #step: number;

  /** `step` is what it is told. */
  constructor(name: string, call: Loss, size: number, step = 1) {
    expectFunction(name, call);
    if (call.length > 2)
      throw new TypeError(
        `${name}: expected (params, step) => ({ loss, grads }), got a function of ${call.length} parameters: ${WRAP}`,
      );
    this.#name = name;
    this.#call = call;
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
    if (grads === undefined)
      throw new TypeError(`${name}: expected it to return { loss, grads }, got the loss alone: ${WRAP}`);
    const values = expectNumbers(`${name}: grads`, grads, this.size);
    for (let i = 0; i < this.size; i++) {
      if (!Number.isFinite(values[i]))
        throw new OptimizerError("diverged", `${name}: grads[${i}] is ${values[i]}`);
    }
    this.roundoff = isKind(values, "Float32Array") ? 2 ** -24 : 2 ** -53;
    into.set(values);
    return loss;
  }

  /**
   * Asks for the last gradient again. Where it is another one by a tenth of `change`, the difference of gradients that a result
   * rests on, and by more than rounding, that result is chance.
   */
  async expectSameGradient(
    params: ArrayLike<number>,
    known: Float64Array | Float32Array,
    change: number,
    step = this.#step,
  ): Promise<void> {
    const isSingle = isKind(known, "Float32Array");
    const again = isSingle ? new Float32Array(this.size) : new Float64Array(this.size);
    await this.gradient(params, again, step);
    const difference = distance(known, again);
    const roundoff = isSingle ? 2 ** -24 : this.roundoff!;
    if (difference <= Math.max(0.1 * change, 100 * roundoff * norm(known))) return;
    throw new TypeError(
      `${this.#name}: expected the same gradient at the same parameters, got two that differ by ` +
        `${difference.toPrecision(3)}: use the full batch or fixed examples, without dropout or other randomness`,
    );
  }

  async #ask(params: ArrayLike<number>, step: number): Promise<Partial<LossAndGrads> & { loss: number }> {
    this.evaluations++;
    const answer: unknown = await this.#answer(new Float64Array(params), step);
    if (typeof answer === "number") return { loss: answer };
    const { loss, grads } = (answer ?? {}) as Partial<LossAndGrads>;
    if (typeof loss === "number") return { loss, grads };
    throw new TypeError(`${this.#name}: expected it to return { loss, grads }, got ${show(answer)}`);
  }

  /** A source that was not wrapped, of two or any number of parameters, fails where it writes to the second: it is the step. */
  async #answer(params: Float64Array, step: number): Promise<unknown> {
    try {
      return await this.#call(params, step);
    } catch (error) {
      if (!(error instanceof TypeError) || this.#call.length === 1) throw error;
      throw new TypeError(
        `${this.#name}: called as (params, step) => ({ loss, grads }), it threw "${error.message}": ${WRAP}`,
        { cause: error },
      );
    }
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
