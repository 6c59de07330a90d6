import { expectFunction, expectNumber, expectOptions } from "../../common/expect.js";
import type { Schedule } from "../../schedules.js";

/** α0 e^{−rate·t}, or any schedule. */
export type DecayingRate = { readonly initial: number; readonly rate: number } | Schedule;

/** Options of {@link reachBudget}. */
export interface ReachBudgetOptions {
  /** α_t: `{ initial, rate }` for initial · exp(−rate · t), summed exactly, or a schedule, which needs `steps`. */
  schedule: DecayingRate;
  /** Steps taken, ≥ 0. */
  step: number;
  /** Steps of the whole run; default: it goes on for ever. */
  steps?: number;
  /** ‖g_t‖, ≥ 0. */
  gradNorm: number;
  /** L now. */
  loss: number;
  /** The lowest value that the loss may take; default 0. */
  floor?: number;
  /** η = α / (1 + ‖g‖), paper (14); default false, as for an optimizer. */
  normAdaptive?: boolean;
  /** Below this ‖g‖ nothing is frozen: it has arrived. Default 0. */
  gradientTolerance?: number;
}

/** What the rest of a schedule can do. */
export interface ReachBudget {
  /** S = Σ_{s≥1} α_s. With (14), x never gets farther from its start. */
  readonly total: number;
  /** R_t = Σ_{s>t} α_s. */
  readonly remaining: number;
  /** R_t times the length of a step for α = 1, n / (1 + n) or n: how far x still moves while ‖g‖ stays as it is. */
  readonly reach: number;
  /** R_t n² / (1 + n), or R_t n²: how much the loss still falls, to first order. */
  readonly predictedDrop: number;
  /** predictedDrop < 0.01 (L − floor), with ‖g‖ above the tolerance. */
  readonly frozen: boolean;
}

const KEYS = [
  ...["schedule", "step", "steps", "gradNorm", "loss", "floor", "normAdaptive", "gradientTolerance"],
] as const;

/** A schedule is frozen where the rest of it lowers L − floor by less than this share. */
const FROZEN_SHARE = 1e-2;

/** Σ_{s=from+1}^{to} α_s. */
export function sumRates(schedule: DecayingRate, from: number, to: number): number {
  if (typeof schedule !== "function") {
    const { initial, rate } = schedule;
    if (rate === 0) return initial * (to - from);
    const tail = (t: number) => (t === Infinity ? 0 : (initial * Math.exp(-rate * t)) / Math.expm1(rate));
    return tail(from) - tail(Math.max(from, to));
  }
  let sum = 0;
  for (let s = from + 1; s <= to; s++) sum += schedule(s, { start: 0, length: to });
  return sum;
}

/**
 * What is left of a decaying schedule. S = Σ α_s = α0 / (e^λ − 1) for α0 e^{−λt}, and R_t = α_{t+1} / (1 − e^{−λ}).
 * With η = α / (1 + ‖g‖) every step is shorter than α, so ‖x − x_0‖ < S whatever the loss. The schedule is frozen where
 * the rest of it cannot lower the loss by a hundredth, though the gradient is not small.
 *
 * @throws TypeError or RangeError when an option is missing or out of range; RangeError for a schedule without `steps`
 * @example
 * import { reachBudget } from "superlevel/stability";
 * const schedule = { initial: 0.05, rate: 0.01 };
 * const { total, frozen } = reachBudget({ schedule, step: 2000, gradNorm: 1, loss: 0.1, normAdaptive: true });
 * (total / 2).toFixed(5); // → "2.48752"
 * frozen; // → true
 */
export function reachBudget(options: ReachBudgetOptions): ReachBudget {
  expectOptions("reachBudget", options, KEYS);
  const { schedule, steps = Infinity, normAdaptive = false, floor = 0, gradientTolerance = 0 } = options;
  checkSchedule("reachBudget", schedule, steps);
  const step = expectNumber("reachBudget.step", options.step, { min: 0, integer: true });
  const n = expectNumber("reachBudget.gradNorm", options.gradNorm, { min: 0 });
  const loss = expectNumber("reachBudget.loss", options.loss);
  const remaining = sumRates(schedule, step, steps);
  const reach = (remaining * n) / (normAdaptive ? 1 + n : 1);
  const predictedDrop = reach * n;
  const frozen = n > gradientTolerance && predictedDrop < FROZEN_SHARE * (loss - floor);
  return { total: sumRates(schedule, 0, steps), remaining, reach, predictedDrop, frozen };
}

/** Checks a schedule and its horizon. */
export function checkSchedule(name: string, schedule: DecayingRate, steps: number): void {
  if (steps !== Infinity) expectNumber(`${name}.steps`, steps, { min: 1, integer: true });
  if (typeof schedule === "object" && schedule !== null) {
    expectOptions(`${name}.schedule`, schedule, ["initial", "rate"]);
    expectNumber(`${name}.schedule.initial`, schedule.initial, { min: 0 });
    expectNumber(`${name}.schedule.rate`, schedule.rate, { min: 0 });
    return;
  }
  expectFunction(`${name}.schedule`, schedule);
  if (steps === Infinity)
    throw new RangeError(`${name}.steps: expected them with a schedule that is a function`);
}
