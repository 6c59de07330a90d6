import { OptimizerError } from "../errors.js";
import { expectFunction, expectNumber, isArrayLike, show } from "../expect.js";
import type { AsyncGradientSource, GradientSource } from "../sources/source.js";

/** L and ∇L at a point. */
export interface LossAndGrads {
  loss: number;
  grads: ArrayLike<number>;
}

/** Loss and gradient in float64: it must neither keep nor change `params`. May answer later. */
export type LossGrad = (params: Float64Array) => LossAndGrads | Promise<LossAndGrads>;

/** A {@link LossGrad}, or a source as `minimize` takes it, which works in float32. */
export type Differentiable = LossGrad | GradientSource | AsyncGradientSource;

type Answer = number | LossAndGrads;
type Callback = (
  params: Float32Array | Float64Array,
  grads: Float32Array,
  step: number,
) => Answer | Promise<Answer>;

/** Rounding of the two kinds of gradients, relative. */
const UNIT = { single: 2 ** -24, double: 2 ** -53 };

/** Asks a {@link Differentiable}, whichever kind it is, and counts. */
export class Evaluator {
  readonly size: number;
  evaluations = 0;
  readonly #name: string;
  readonly #callback: Callback;
  readonly #step: number;
  #single: boolean | undefined;

  /** `step` is what a source is told: with minibatches, which of them. */
  constructor(name: string, callback: Differentiable, size: number, step = 1) {
    expectFunction(name, callback);
    this.#name = name;
    this.#callback = callback as Callback;
    this.size = size;
    this.#step = expectNumber("step", step, { min: 1, integer: true });
  }

  /** Rounding of a gradient, relative; known after the first call. */
  get roundoff(): number {
    return this.#single ? UNIT.single : UNIT.double;
  }

  async at(params: Float64Array): Promise<{ loss: number; grads: Float64Array }> {
    if (this.#single === undefined) await this.#find(params);
    this.evaluations++;
    if (this.#single) {
      const grads = new Float32Array(this.size);
      const loss = await this.#callback(Float32Array.from(params), grads, this.#step);
      return this.#checked(loss, grads);
    }
    const answer = (await this.#callback(params, new Float32Array(0), this.#step)) as LossAndGrads;
    return this.#checked(answer?.loss, answer?.grads);
  }

  /** A source returns a number. */
  async #find(params: Float64Array): Promise<void> {
    const answer = await this.#callback(Float32Array.from(params), new Float32Array(this.size), this.#step);
    this.#single = typeof answer === "number";
  }

  #checked(loss: unknown, grads: unknown): { loss: number; grads: Float64Array } {
    const name = this.#name;
    if (typeof loss !== "number")
      throw new TypeError(`${name}: expected it to return { loss, grads } or the loss, got ${show(loss)}`);
    if (!isArrayLike(grads) || grads.length !== this.size) {
      const got = isArrayLike(grads) ? `${grads.length}` : show(grads);
      throw new TypeError(`${name}: expected it to return ${this.size} grads, got ${got}`);
    }
    const values = Float64Array.from(grads);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new OptimizerError("diverged", `${name}: grads[${bad}] is ${values[bad]}`);
    if (!Number.isFinite(loss)) throw new OptimizerError("diverged", `${name}: the loss is ${loss}`);
    return { loss, grads: values };
  }
}

/** A point in float64, checked. */
export function readPoint(name: string, params: unknown): Float64Array {
  if (!isArrayLike(params) || params.length === 0)
    throw new TypeError(`${name}: expected an array of numbers, got ${show(params)}`);
  const point = Float64Array.from(params);
  point.forEach((value, i) => expectNumber(`${name}[${i}]`, value));
  return point;
}
