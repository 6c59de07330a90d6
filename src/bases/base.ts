import { expectBoolean, expectNumber, expectOptions, given, type Range } from "../common/expect.js";
import type { GradientKind } from "../common/kinds.js";
import type { Schedule } from "../schedules.js";
import { constant } from "../schedules.js";
import type { Kernel } from "./kernels.js";

/** A learning rate: the same at every step, or a {@link Schedule}. */
export type LearningRate = number | Schedule;

/** What every base has, whatever its other options are. */
export interface CheckedBase<Name extends string> {
  readonly name: Name;
  readonly learningRate?: LearningRate;
  readonly weightDecay: number;
}

/** What the package knows of a base: its file says it, and no other place of src/. */
export interface BaseRecord<B extends CheckedBase<string>> {
  /** Checks the options and fills in the defaults. */
  readonly factory: (options?: object) => B;
  /** What the options mean. */
  readonly rule: (base: B) => Rule;
  /** The kernels that it may ask for, as the js engine runs them. */
  readonly kernels: Readonly<Partial<Record<Kernel, ScalarRule>>>;
}

/**
 * A kernel of assembly/rules for one coordinate: u for gradient `g`. The slots are `f[i]`, `f[i + gap]` and
 * `f[i + 2 * gap]`; `step` is the step size, negative; `c` are the constants, in the order of the kernel's.
 */
export type Update = (
  f: Float32Array,
  i: number,
  gap: number,
  g: number,
  step: number,
  c: Float32Array,
) => number;

/** u over the step size, for averaging. */
export type Direction = (f: Float32Array, i: number, g: number, c: Float32Array) => number;

/** Does to the last bit what the kernel of the same name does. */
export interface ScalarRule {
  readonly update: Update;
  /** Present where the kernel has one; other rules are averaged by their update. */
  readonly direction?: Direction;
}

/**
 * Scalars of the `applied`-th update with learning rate `eta`: writes the step size to `out[0]` and the kernel's
 * constants after it. It is the `fresh`-th update since momentum last started from 0, which corrections of momentum's
 * bias count by; `applied` itself unless a step was rejected. `squareWeight`: of g² in a mean of squares that leaves it to
 * the step.
 */
export type Constants = (
  applied: number,
  eta: number,
  out: Float64Array,
  fresh: number,
  squareWeight: number,
) => void;

/**
 * What a slot holds: momentum, a mean of past gradients that moves the parameters, which a rejected step starts again;
 * a second moment; a mean of gradients that only centers one; or the lead z − y of an average.
 */
export type Role = "momentum" | "secondMoment" | "center" | "lead";

/** A rule without its momentum, which schedule-free averaging takes the place of (arXiv 2405.15682). */
export interface BareRule {
  readonly kernel: Kernel;
  /** The base's slot that is the kernel's first. */
  readonly firstSlot: number;
  /** The slot that holds the lead z − y: that of the momentum, where there is one of its own to spare. */
  readonly leadSlot: number;
  /** `longest`: how long a coordinate of a direction may be that has a usual length of 1, such as Adam's g / √nu. */
  readonly constants: (longest: number) => Constants;
  /** The same where each step weighs g² in the mean of squares; absent where the decay was given, or there is no such mean. */
  readonly weighed?: (longest: number) => Constants;
  /** The rate of `scheduleFree` without a tuner, where its authors give one; default `plainRate`. */
  readonly plainRate?: number;
}

/** What the optimizer needs of a base besides its options. */
export interface Rule {
  /** The kernel that runs it. */
  readonly kernel: Kernel;
  /** One number each for each coordinate, at most 3. They start at 0, and a gradient of 0 must leave them there. */
  readonly slots: readonly Role[];
  /** Weight decay joins the update (true) or the gradient (false). */
  readonly decoupled: boolean;
  /** How large |u| may be, over the rate and the largest of |g|, |x| and 1, where that may exceed 10 000. */
  readonly reach?: number;
  /** The rate for the base alone, PyTorch's default. */
  readonly plainRate: number;
  readonly constants: Constants;
  /** The constants where gradients are known to be exact and a tuner finds the scale, if others serve better there. */
  readonly exact?: Constants;
  /** The rule without momentum. */
  readonly bare: BareRule;
  /** An option that asks for momentum by name, where it is set: `scheduleFree` has no use for it and refuses it. */
  readonly momentumOption?: string;
  /** After the first update this slot holds so many times the gradient; absent where no slot does. */
  readonly firstGradient?: { readonly slot: number; readonly times: number };
  /** |u| grows with |g|: nothing divides a gradient by the size of those before it. So steps that are too long grow without end. */
  readonly proportional?: boolean;
  /** False where noisy gradients are better served by the rule itself than by averaging. */
  readonly averagesNoise: boolean;
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

/**
 * How an update answers to a gradient while its denominators stay: u = −η P⁻¹ (direct · g + carried · m),
 * m ← β m + fresh · g.
 */
export interface Linear {
  readonly beta: number;
  readonly fresh: number;
  readonly direct: number;
  readonly carried: number;
  /** 1 / P of a coordinate, from the slots. */
  readonly inverse: (slots: readonly Float32Array[], i: number) => number;
}

/** A base has no linear response, and why. */
export interface NoLinear {
  readonly none: string;
}

/**
 * Updates that bias corrections count: `momentum` those since momentum last started from 0; and the gradients that the rule's
 * constants are for, "undecided" where they are for any.
 */
export interface Updates {
  readonly total: number;
  readonly momentum: number;
  readonly gradients: GradientKind;
}

/** The linear response of a base after so many updates. It is apart from the record, as only diagnostics ask for it. */
export type LinearResponse<B> = ((base: B, updates: Updates) => Linear) | NoLinear;

/** A row of the tables of bases in docs/notation.md, which a test holds to this. */
export interface Notation {
  /** The call, with the options that make the difference. */
  readonly base: string;
  /** Such options, which the row's slots and rate are of. */
  readonly options: object;
  readonly update: string;
  /** What an average is taken of. */
  readonly bare: string;
  readonly defaults: string;
  readonly source: string;
}

/** A linear response without momentum or denominators. */
export const plainLinear: Linear = { beta: 0, fresh: 0, direct: 1, carried: 0, inverse: () => 1 };

/** The places of the slots that have such roles. */
export const placesOf = (slots: readonly Role[], ...roles: readonly Role[]): number[] =>
  slots.flatMap((role, place) => (roles.includes(role) ? place : []));

/** Slots that a rule takes with a lead beside it. */
export const slotsWithLead = ({ slots, bare }: Rule): number => Math.max(slots.length, bare.leadSlot + 1);

export function expectRate(name: string, value: LearningRate | undefined): LearningRate | undefined {
  if (value === undefined || typeof value === "function") return value;
  return expectNumber(name, value, { min: 0 });
}

/** An option's default: a switch, or a number and what it may be; undefined where it depends on more than the base. */
export type Option = readonly [defaultTo: boolean] | readonly [defaultTo: number | undefined, range: Range];

/** The ranges of most options: decay factors, what divides or stands in a root, and the rest. */
export const FRACTION: Range = { min: 0, below: 1 };
export const POSITIVE: Range = { min: 1e-37 };
export const NOT_NEGATIVE: Range = { min: 0 };

/**
 * Checks the options of a base, which has these besides its rate, and fills in the defaults.
 *
 * @throws RangeError when one is out of range, TypeError when it is of the wrong kind or unknown
 */
export function checkOptions<B extends CheckedBase<string>>(
  name: B["name"],
  options: object,
  known: Readonly<Record<Exclude<keyof B, "name" | "learningRate">, Option>>,
): B {
  const entries = Object.entries<Option>(known);
  expectOptions(name, options, ["name", "learningRate", ...Object.keys(known)]);
  const defaults = Object.fromEntries(entries.map(([key, [value]]) => [key, value]));
  const base = { ...defaults, ...given(options), name } as Record<string, unknown>;
  expectRate(`${name}.learningRate`, base.learningRate as LearningRate | undefined);
  for (const [key, [, range]] of entries) {
    const value = base[key];
    if (!range) expectBoolean(`${name}.${key}`, value);
    else if (value !== undefined) expectNumber(`${name}.${key}`, value, range);
  }
  return base as unknown as B;
}

/** A decay factor, and that of steps 2 to {@link EARLY_STEPS} where gradients are exact. The first step comes before it is known. */
export interface Decay {
  readonly plain: number;
  readonly early: number;
}

/** At the start of a run a mean must not be long: what it remembers is far away. */
export const EARLY_STEPS = 128;

export const decayAt = ({ plain, early }: Decay, step: number): number =>
  step > 1 && step <= EARLY_STEPS ? early : plain;

/** Of so many steps, how many are early. */
const earlyOf = (steps: number) => Math.max(0, Math.min(steps, EARLY_STEPS) - 1);

/** One that is the same at every step. */
function evenDecay(beta: number): Decay {
  return { plain: beta, early: beta };
}

/**
 * (step, fresh) ↦ 1 − Π β, which a mean is divided by that began at 0 so many fresh steps before the end of this one. Where it
 * rounds to 1, no power is taken.
 */
export function biasFrom({ plain, early }: Decay): (step: number, fresh?: number) => number {
  const rounded = EARLY_STEPS - 54 / Math.log2(plain);
  return (step, fresh = step) => {
    if (fresh > rounded) return 1;
    const count = plain === early ? 0 : earlyOf(step) - earlyOf(step - fresh);
    return 1 - early ** count * plain ** (fresh - count);
  };
}

/** t ↦ 1 − β^t, the same with one β. */
export function biasOf(beta: number): (t: number) => number {
  return biasFrom(evenDecay(beta));
}

/** Writes a step's scalars: what TypedArray's set does, but for few numbers several times as fast. */
export function write(out: Float64Array, ...values: readonly number[]): void {
  for (let k = 0; k < values.length; k++) out[k] = values[k];
}

export function asSchedule(rate: LearningRate): Schedule {
  return typeof rate === "function" ? rate : constant(rate);
}
