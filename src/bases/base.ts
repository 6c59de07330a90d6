import { expectNumber, expectOptions } from "../expect.js";
import type { Schedule } from "../schedules.js";
import { constant } from "../schedules.js";

/** A learning rate: the same at every step, or a {@link Schedule}. */
export type LearningRate = number | Schedule;

/** The kernels of assembly/update.ts. */
export type Kernel =
  | "SGD"
  | "MOMENTUM"
  | "ADAM"
  | "LION"
  | "AMSGRAD"
  | "NADAM"
  | "ADAMAX"
  | "RMSPROP"
  | "RMSPROP_MOMENTUM"
  | "ADAGRAD"
  | "ADADELTA";

/** What the optimizer needs of a base besides its options. */
export interface Rule {
  /** The kernel that runs it. */
  readonly kernel: Kernel;
  /** Moments per coordinate, at most 3. They start at 0, and a gradient of 0 must leave them there. */
  readonly slots: number;
  /** The slots that hold momentum, a mean of past gradients: what a rejected step starts again. */
  readonly momenta: readonly number[];
  /** Weight decay joins the update (true) or the gradient (false). */
  readonly decoupled: boolean;
  /** How large |u| may be, over the rate and the largest of |g|, |x| and 1, where that may exceed 10 000. */
  readonly reach?: number;
  /** The rate for the base alone, PyTorch's default. */
  readonly plainRate: number;
  /**
   * Scalars of the `applied`-th update with learning rate `eta`: writes the step size to `out[0]` and the kernel's
   * constants after it. It is the `fresh`-th since momentum last started from 0, which corrections of momentum's bias
   * count by; `applied` itself unless a step was rejected.
   */
  constants(applied: number, eta: number, out: Float64Array, fresh: number): void;
}

export function expectRate(name: string, value: LearningRate | undefined): LearningRate | undefined {
  if (value === undefined || typeof value === "function") return value;
  return expectNumber(name, value, { min: 0 });
}

/** Options given as `undefined` count as not given. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

export function expectBaseOptions(base: string, options: object, keys: readonly string[]): void {
  expectOptions(base, options, ["name", ...keys]);
}

/** t ↦ 1 − β^t, which a mean that began at 0 is divided by. Where it rounds to 1, no power is taken. */
export function biasOf(beta: number): (t: number) => number {
  const rounded = -54 / Math.log2(beta);
  return (t) => (t > rounded ? 1 : 1 - beta ** t);
}

/** Writes a step's scalars: what TypedArray's set does, but for few numbers several times as fast. */
export function write(out: Float64Array, ...values: readonly number[]): void {
  for (let k = 0; k < values.length; k++) out[k] = values[k];
}

export function asSchedule(rate: LearningRate): Schedule {
  return typeof rate === "function" ? rate : constant(rate);
}
