import { expectFunction, expectNumber, expectOneOf, expectOptions, show } from "../common/expect.js";

/** A step at which the guarded V rose by more than the tolerance. */
export interface Violation {
  /** Its number, from 1. */
  readonly step: number;
  /** V before the step; with a probe, when it was last measured. */
  readonly before: number;
  /** V after it: NaN where the loss or the gradient was not finite. */
  readonly after: number;
}

/** A step that a guard judges. */
export interface Attempt extends Violation {
  /** x_{t+1}: a live view. */
  readonly params: Float32Array;
}

/**
 * Watches V, the loss on the same objective before and after a step. A violation is
 * V_after > V_before + tolerance · max(1, |V_before|), or a V_after that is no number.
 *
 * - `"warn"` reports violations and changes nothing.
 * - `"shrink"` halves the rate after a violation, at most thirty times in all, and multiplies it by 1.1 otherwise, up
 *   to what the schedule says.
 * - `"reject"` goes back to x_t, to the bit, and tries again from there: the tuner starts afresh from
 *   S = ½ min(S_{t+1}, S_t) with xRef = x_t and Δ = 0 (without a tuner the rate is halved instead, and comes back as
 *   with "shrink"); momentum starts again from the present gradient; second moments stay.
 *
 * V costs nothing where the source is deterministic, as the next step needs it anyway. Otherwise it is asked for a
 * second time in each step, with the same step number. Rejected tries cost one call each.
 *
 * @example
 * const optimizer = createOptimizer([2], { base: sgd({ learningRate: 1 }), tuner: null });
 * const steep = finiteDifferences(([x]) => 2 * x * x);
 * const risen: number[] = [];
 * const guard: Guard = { policy: "warn", onViolation: ({ step }) => risen.push(step) };
 * optimizer.minimize(steep, { deterministic: true, steps: 3, guard }).violations; // → 3
 * risen; // → [1, 2, 3]
 */
export interface Guard {
  policy: "warn" | "shrink" | "reject";
  /** In units of max(1, |V|), ≥ 0; default 2^-20 = 8 · 2^-23, a few roundings of a loss in float32. */
  tolerance?: number;
  /** With "reject": after so many rejections in one step, ≥ 1, the run ends at x_t: "stalled". Default 50. */
  tries?: number;
  /**
   * Called at each violation. What it throws ends the run; with "reject" the state is then as before the step, otherwise as
   * behind it, and with "shrink" the rate is lowered already.
   */
  onViolation?: (violation: Violation) => void;
  /**
   * Judges in place of the comparison: true where the step is a violation. It is asked where V_after is finite; a V_after
   * that is not is always a violation.
   */
  violates?: (attempt: Attempt) => boolean;
  /**
   * With "warn" or "shrink": V in place of the source's loss, on data that stay the same. Must leave `params` alone. What it
   * throws ends the run behind the step.
   */
  probe?: (params: Float32Array) => number;
  /**
   * With `probe`: it is called before the first step and after steps every, 2 every, …; ≥ 1, default 1. A run that goes on
   * from one that ended between two of these compares with what that one measured.
   */
  every?: number;
}

/** A guard with every default filled in. */
export interface CheckedGuard extends Required<Omit<Guard, "probe" | "onViolation" | "violates">> {
  readonly probe: Guard["probe"];
  readonly onViolation: Guard["onViolation"];
  readonly violates: Guard["violates"];
}

/** 8 · 2^-23: float32 has 24 bits, and a loss is a sum. */
export const LOSS_TOLERANCE = 2 ** -20;

const KEYS = ["policy", "tolerance", "tries", "onViolation", "violates", "probe", "every"] as const;

/** Checks `run.guard`; where nothing was given, a deterministic source is guarded by "reject". */
export function checkGuard(guard: Guard | null | undefined, deterministic: boolean): CheckedGuard | null {
  if (guard === null || (guard === undefined && !deterministic)) return null;
  const given: Guard = guard ?? { policy: "reject" };
  expectOptions("run.guard", given, KEYS);
  const { onViolation, probe, violates } = given;
  const policy = expectOneOf("run.guard.policy", given.policy, ["warn", "shrink", "reject"]);
  if (onViolation !== undefined) expectFunction("run.guard.onViolation", onViolation);
  if (violates !== undefined) expectFunction("run.guard.violates", violates);
  if (probe !== undefined) expectFunction("run.guard.probe", probe);
  if (probe !== undefined && policy === "reject")
    throw new RangeError('run.guard.probe: expected policy "warn" or "shrink" with it, got "reject"');
  if (given.every !== undefined && probe === undefined)
    throw new RangeError("run.guard.every: expected a probe with it");
  return {
    policy,
    tolerance: expectNumber("run.guard.tolerance", given.tolerance ?? LOSS_TOLERANCE, { min: 0 }),
    tries: expectNumber("run.guard.tries", given.tries ?? 50, { min: 1, integer: true }),
    every: expectNumber("run.guard.every", given.every ?? 1, { min: 1, integer: true }),
    onViolation,
    violates,
    probe,
  };
}

/** The highest V after a step from V = `before` that is no violation. */
export function ceiling(tolerance: number, before: number): number {
  return before + tolerance * Math.max(1, Math.abs(before));
}

/** Did V rise by more than the tolerance, or what the guard asks in its place? */
export function rises({ tolerance, violates }: CheckedGuard, attempt: Attempt): boolean {
  const { before, after } = attempt;
  if (violates && Number.isFinite(after)) return violates(attempt);
  // A V that was no number before allows no comparison.
  return !Number.isNaN(before) && !(after <= ceiling(tolerance, before));
}

/** From here some two hundred steps lead back to 1. */
const LEAST_FACTOR = 2 ** -30;

/** The factor on the rate after a step: half of it after a violation, otherwise back towards 1 by a tenth. */
export function nextFactor(factor: number, violated: boolean): number {
  return violated ? Math.max(LEAST_FACTOR, factor / 2) : Math.min(1, 1.1 * factor);
}

/** What a probe showed after a step. */
export interface Seen extends Violation {
  readonly violated: boolean;
}

/** V on data that stay the same. */
export class Probe {
  readonly #guard: CheckedGuard;
  readonly #probe: (params: Float32Array) => number;
  #before = NaN;

  constructor(guard: CheckedGuard, probe: (params: Float32Array) => number) {
    this.#guard = guard;
    this.#probe = probe;
  }

  /** Before the first step: measures, unless it goes on from what was measured before, between two looks. */
  begin(steps: number, params: Float32Array, measured?: number | null): void {
    const between = steps % this.#guard.every !== 0 && measured !== undefined;
    this.#before = between ? (measured ?? NaN) : this.#measure(params);
  }

  /** V as it was measured last; null where that is no measure. */
  get measured(): number | null {
    return Number.isFinite(this.#before) ? this.#before : null;
  }

  /** Compares with the time before; undefined after a step at which nothing is measured. */
  look(step: number, params: Float32Array): Seen | undefined {
    if (step % this.#guard.every !== 0) return undefined;
    const before = this.#before;
    const after = (this.#before = this.#measure(params));
    return { step, before, after, violated: rises(this.#guard, { step, before, after, params }) };
  }

  /** The point was moved: V before it is no measure of the next step. */
  forget(): void {
    this.#before = NaN;
  }

  #measure(params: Float32Array): number {
    const value: unknown = this.#probe(params);
    if (typeof value === "number") return value;
    throw new TypeError(`run.guard.probe: expected it to return a number, got ${show(value)}`);
  }
}
