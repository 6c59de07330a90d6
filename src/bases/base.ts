import { expectNumber, expectOptions } from "../common/expect.js";
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

/**
 * A rule as the kernels run it: scalars of the `applied`-th update with learning rate `eta`. Writes the step size to
 * `out[0]` and the kernel's constants after it. It is the `fresh`-th update since momentum last started from 0, which
 * corrections of momentum's bias count by; `applied` itself unless a step was rejected.
 */
export type Constants = (applied: number, eta: number, out: Float64Array, fresh: number) => void;

/** A rule without its momentum, which schedule-free averaging takes the place of (arXiv 2405.15682). */
export interface BareRule {
  readonly kernel: Kernel;
  /** The base's slot that is the kernel's first. */
  readonly firstSlot: number;
  /** The slot that holds the lead z − y: that of the momentum, where there is one of its own to spare. */
  readonly leadSlot: number;
  readonly constants: Constants;
}

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
  readonly constants: Constants;
  /** The rule without momentum. */
  readonly bare: BareRule;
  /** After the first update this slot holds so many times the gradient; absent where no slot does. */
  readonly firstGradient?: { readonly slot: number; readonly times: number };
  /** False where noisy gradients are better served by the rule itself than by averaging; default true. */
  readonly averagesNoise?: boolean;
  /** Averaging and nothing else, whatever the gradients are: the base is schedule-free itself. */
  readonly averaging?: Averaging;
}

/** Schedule-free averaging: c_t = w_t / Σ w, w_t = t^power · η_max^ratePower. */
export interface Averaging {
  /** β: how near to the average gradients are taken, in (0, 1). */
  readonly interpolation: number;
  readonly power: number;
  readonly ratePower: number;
}

export function expectRate(name: string, value: LearningRate | undefined): LearningRate | undefined {
  if (value === undefined || typeof value === "function") return value;
  return expectNumber(name, value, { min: 0 });
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
