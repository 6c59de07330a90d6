import { expectLoss, expectNumbers, show } from "../../common/expect.js";
import { differentiate } from "../../sources/finite-differences.js";

/** What is minimized: `fun(x)`, or with `jac: true` the value and the gradient at once. */
export type Objective = (x: Float64Array) => number | readonly [fun: number, jac: ArrayLike<number>];

/** Where gradients come from. */
export type Jacobian = "2-point" | "3-point" | true | ((x: Float64Array) => ArrayLike<number>);

const SYNCHRONOUS = "it has to be there at once: createOptimizer(…).minimizeAsync waits for promises";

/** Where x must stay; infinite where there is no bound. */
export interface Bounds {
  readonly least: Float64Array;
  readonly greatest: Float64Array;
}

/** fun and its gradient in float64, counted. */
export class Evaluator {
  /** Calls of fun, those for differences included. */
  nfev = 0;
  /** Gradients computed. */
  njev = 0;
  /** The last gradient computed. */
  readonly grads: Float64Array;
  readonly #fun: Objective;
  readonly #jac: Jacobian;
  readonly #bounds: Bounds | undefined;
  /** What fun and jac are called with: they may write to it. */
  readonly #scratch: Float64Array;

  constructor(fun: Objective, jac: Jacobian, size: number, bounds?: Bounds) {
    this.#bounds = bounds;
    this.#scratch = new Float64Array(size);
    this.#fun = fun;
    this.#jac = jac;
    this.grads = new Float64Array(size);
  }

  /** fun(x), with the gradient in `grads` unless fun(x) is above `ceiling`. */
  at(x: Float64Array, ceiling: number): number {
    const { grads } = this;
    if (this.#jac === true) {
      const pair = this.#pair(x);
      grads.set(expectNumbers("the gradient in fun(x)", pair[1], grads.length));
      this.njev++;
      return expectLoss("fun", pair[0], SYNCHRONOUS);
    }
    const value = this.#value(this.#copy(x));
    if (!(value <= ceiling)) return value;
    if (typeof this.#jac === "function")
      grads.set(expectNumbers("jac(x)", this.#jac(this.#copy(x)), grads.length));
    else {
      const scheme = this.#jac === "3-point" ? "central" : "forward";
      differentiate((point) => this.#value(point), x, value, grads, scheme, this.#bounds);
    }
    this.njev++;
    return value;
  }

  #copy(x: Float64Array): Float64Array {
    this.#scratch.set(x);
    return this.#scratch;
  }

  /** fun at a point that it may write to; differences hand out copies of their own. */
  #value(x: Float64Array): number {
    this.nfev++;
    return expectLoss("fun", this.#fun(x), SYNCHRONOUS);
  }

  #pair(x: Float64Array): readonly [number, ArrayLike<number>] {
    this.nfev++;
    const pair: unknown = this.#fun(this.#copy(x));
    if (Array.isArray(pair) && pair.length === 2) return pair as unknown as [number, number[]];
    throw new TypeError(`fun: expected [value, gradient], as jac is true, got ${show(pair)}`);
  }
}
