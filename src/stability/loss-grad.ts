import { OptimizerError } from "../errors.js";
import { expectFunction, expectNumber, expectNumbers, expectOptions, isArrayLike, show } from "../expect.js";
import { Work, WORK_KEYS, type WorkOptions } from "./work.js";

/** A loss with its gradient. */
export interface LossAndGrads {
  readonly loss: number;
  /** ∇L, as many numbers as parameters. */
  readonly grads: ArrayLike<number>;
}

interface Callback {
  call(
    params: Float64Array | Float32Array,
    grads: Float64Array | Float32Array,
    step: number,
  ): number | LossAndGrads | Promise<number | LossAndGrads>;
}

/**
 * What the diagnostics ask: the loss at some parameters, in one of three shapes, each of which may return a promise.
 *
 * - `(params) => ({ loss, grads })`, in float64;
 * - `(params) => loss`, in float64, where no gradient is needed;
 * - `(params, grads) => loss` or `(params, grads, step) => loss`: a `GradientSource`, which takes float32 and writes the
 *   gradient. It is told apart by its number of parameters; `step` counts its calls.
 *
 * It has to depend on the parameters alone: a full batch, or always the same examples.
 */
export type LossGrad = Callback["call"];

/** Calls a {@link LossGrad}, checks what it returns, and counts. */
export class Evaluator {
  evaluations = 0;
  readonly #name: string;
  readonly #lossGrad: LossGrad;
  readonly #size: number;
  /** For a GradientSource, which takes float32. */
  readonly #single: { params: Float32Array; grads: Float32Array } | undefined;

  constructor(name: string, lossGrad: LossGrad, size: number) {
    expectFunction(name, lossGrad);
    this.#name = name;
    this.#lossGrad = lossGrad;
    this.#size = size;
    if (lossGrad.length > 1) {
      this.#single = { params: new Float32Array(size), grads: new Float32Array(size) };
    }
  }

  /** L(params). */
  loss(params: Float64Array): number | Promise<number> {
    const answer = this.#call(params);
    return answer instanceof Promise ? answer.then((late) => this.#lossIn(late)) : this.#lossIn(answer);
  }

  /** L(params); writes ∇L to `into`. */
  async gradient(params: Float64Array, into: Float64Array): Promise<number> {
    const answer = await this.#call(params);
    const loss = this.#lossIn(answer);
    if (this.#single) into.set(this.#single.grads);
    else if (typeof answer === "number") {
      throw new TypeError(`${this.#name}: expected it to return { loss, grads }, got a number alone`);
    } else into.set(expectNumbers(`${this.#name}: grads`, answer.grads, this.#size));
    const bad = Number.isFinite(loss) ? into.findIndex((value) => !Number.isFinite(value)) : 0;
    if (bad === -1) return loss;
    throw new OptimizerError(
      "diverged",
      `${this.#name}: expected finite numbers, got loss ${loss} and grads[${bad}] ${into[bad]}`,
    );
  }

  #call(params: Float64Array): ReturnType<LossGrad> {
    this.evaluations++;
    const single = this.#single;
    // Handed a copy, the callback may keep or change it.
    if (!single) return this.#lossGrad(params.slice(), new Float64Array(0), this.evaluations);
    single.params.set(params);
    return this.#lossGrad(single.params, single.grads, this.evaluations);
  }

  #lossIn(answer: unknown): number {
    const loss = typeof answer === "object" && answer !== null ? (answer as LossAndGrads).loss : answer;
    if (typeof loss === "number") return loss;
    throw new TypeError(
      `${this.#name}: expected it to return { loss, grads } or the loss, got ${show(answer)}`,
    );
  }
}

/** Finite float64 parameters, copied. */
export function expectPoint(name: string, values: unknown, size?: number): Float64Array {
  if (!isArrayLike(values)) throw new TypeError(`${name}: expected an array of numbers, got ${show(values)}`);
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
