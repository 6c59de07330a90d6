import { expectFunction, expectNumber, expectOneOf, expectOptions } from "./common/expect.js";
import type { GradientKind } from "./common/kinds.js";

/**
 * The learning rate of a step: a pure function of the step, counted from 1, and of the window it lies in. A window
 * reaches from one anchor (not included) to the next (included); without anchors it is endless.
 */
export type Schedule = (step: number, window: ScheduleWindow) => number;

/** Where a step lies: between which anchors, and what is known of the gradients. */
export interface ScheduleWindow {
  readonly start: number;
  readonly length: number;
  readonly gradients?: GradientKind;
}

/**
 * The same rate at every step: α_t = value.
 *
 * @param value rate, ≥ 0
 * @example
 * constant(0.1)(7, { start: 0, length: 64 }); // → 0.1
 */
export function constant(value: number): Schedule {
  expectNumber("constant(value)", value, { min: 0 });
  return () => value;
}

/**
 * Exponential decay per step: α_t = initial · exp(−rate · t), t = 1, 2, … Paper (34), (38).
 *
 * @param options.initial rate at t = 0, ≥ 0
 * @param options.rate decay per step, ≥ 0; the rate halves every ln 2 / rate steps
 * @example
 * exponentialDecay({ initial: 1, rate: 0.01 })(100, { start: 0, length: Infinity }); // → 0.36787944117144233
 */
export function exponentialDecay(options: { initial: number; rate: number }): Schedule {
  expectOptions("exponentialDecay", options, ["initial", "rate"]);
  const initial = expectNumber("exponentialDecay.initial", options.initial, { min: 0 });
  const rate = expectNumber("exponentialDecay.rate", options.rate, { min: 0 });
  return (step) => initial * Math.exp(-rate * step);
}

/**
 * Exponential decay inside each window, by a factor of e over its length: α_t = initial · exp(−(t − start) / length).
 * It starts again after each anchor, so it needs no horizon. Without anchors it is constant.
 *
 * @param initial rate at a window's start, ≥ 0
 * @example
 * const schedule = windowDecay(1);
 * schedule(96, { start: 64, length: 64 }); // → 0.6065306597126334
 * schedule(129, { start: 128, length: 128 }); // → 0.9922179382602435
 */
export function windowDecay(initial: number): Schedule {
  expectNumber("windowDecay(initial)", initial, { min: 0 });
  return (step, { start, length }) => initial * Math.exp(-(step - start) / length);
}

/**
 * Inverse-time decay: α_t = initial / (1 + rate · t), t = 1, 2, …
 *
 * @param options.initial rate at t = 0, ≥ 0
 * @param options.rate decay per step, ≥ 0
 * @example
 * inverseTimeDecay({ initial: 1, rate: 0.5 })(2, { start: 0, length: Infinity }); // → 0.5
 */
export function inverseTimeDecay(options: { initial: number; rate: number }): Schedule {
  expectOptions("inverseTimeDecay", options, ["initial", "rate"]);
  const initial = expectNumber("inverseTimeDecay.initial", options.initial, { min: 0 });
  const rate = expectNumber("inverseTimeDecay.rate", options.rate, { min: 0 });
  return (step) => initial / (1 + rate * step);
}

function halfCosine(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}

/**
 * Half a cosine from `initial` at the first step to `final` after `steps` steps, then `final`:
 * α_t = final + ½ (initial − final) (1 + cos(π (t − 1) / steps)).
 *
 * @param options.steps length in steps, ≥ 1
 * @param options.final rate at the end, ≥ 0; default 0
 * @example
 * const schedule = cosineDecay({ initial: 1, steps: 100 });
 * schedule(1, { start: 0, length: Infinity }); // → 1
 * schedule(51, { start: 0, length: Infinity }); // → 0.5
 */
export function cosineDecay(options: { initial: number; steps: number; final?: number }): Schedule {
  expectOptions("cosineDecay", options, ["initial", "steps", "final"]);
  const initial = expectNumber("cosineDecay.initial", options.initial, { min: 0 });
  const steps = expectNumber("cosineDecay.steps", options.steps, { min: 1 });
  const { final = 0 } = options;
  expectNumber("cosineDecay.final", final, { min: 0 });
  return (step) => halfCosine(initial, final, (step - 1) / steps);
}

/**
 * Cosine decay with warm restarts (SGDR, arXiv 1608.03983): within a period of length T_i,
 * α = min + ½ (max − min) (1 + cos(π T_cur / T_i)), and T_{i+1} = factor · T_i.
 *
 * @param options.period length of the first period in steps, ≥ 1
 * @param options.factor growth of the period, ≥ 1; default 1
 * @param options.min rate at a period's end, ≥ 0; default 0
 * @example
 * const schedule = cosineRestarts({ max: 1, period: 10, factor: 2 });
 * schedule(11, { start: 0, length: Infinity }); // → 1
 * schedule(21, { start: 0, length: Infinity }); // → 0.5
 */
export function cosineRestarts(options: {
  max: number;
  period: number;
  factor?: number;
  min?: number;
}): Schedule {
  expectOptions("cosineRestarts", options, ["max", "period", "factor", "min"]);
  const max = expectNumber("cosineRestarts.max", options.max, { min: 0 });
  const { min = 0, factor = 1 } = options;
  expectNumber("cosineRestarts.min", min, { min: 0 });
  const first = expectNumber("cosineRestarts.period", options.period, { min: 1 });
  expectNumber("cosineRestarts.factor", factor, { min: 1 });
  return (step) => {
    const t = step - 1;
    if (factor === 1) return halfCosine(max, min, (t % first) / first);
    const index = Math.floor(Math.log1p((t * (factor - 1)) / first) / Math.log(factor) + 1e-12);
    const begin = (first * (factor ** index - 1)) / (factor - 1);
    return halfCosine(max, min, (t - begin) / (first * factor ** index));
  };
}

/**
 * Cyclical rate (Smith, arXiv 1506.01186): a triangle wave between `min` and `max`. With t from 0 and
 * c = ⌊1 + t / 2h⌋, x = |t/h − 2c + 1|: α = min + (max − min) max(0, 1 − x) · f, where f is 1 ("triangular"),
 * 2^(1−c) ("triangular2") or gamma^t ("exponential").
 *
 * @param options.halfPeriod h, steps from `min` to `max`, ≥ 1
 * @param options.gamma decay of the peaks per step for "exponential", in (0, 1]; default 1
 * @example
 * const schedule = cyclical({ min: 0, max: 1, halfPeriod: 4 });
 * [1, 3, 5, 9].map((step) => schedule(step, { start: 0, length: Infinity })); // → [0, 0.5, 1, 0]
 */
export function cyclical(options: {
  min: number;
  max: number;
  halfPeriod: number;
  mode?: "triangular" | "triangular2" | "exponential";
  gamma?: number;
}): Schedule {
  expectOptions("cyclical", options, ["min", "max", "halfPeriod", "mode", "gamma"]);
  const min = expectNumber("cyclical.min", options.min, { min: 0 });
  const max = expectNumber("cyclical.max", options.max, { min });
  const half = expectNumber("cyclical.halfPeriod", options.halfPeriod, { min: 1 });
  const { gamma = 1, mode = "triangular" } = options;
  expectNumber("cyclical.gamma", gamma, { above: 0, max: 1 });
  expectOneOf("cyclical.mode", mode, ["triangular", "triangular2", "exponential"]);
  return (step) => {
    const t = step - 1;
    const cycle = Math.floor(1 + t / (2 * half));
    const height = Math.max(0, 1 - Math.abs(t / half - 2 * cycle + 1));
    const fade = mode === "triangular2" ? 2 ** (1 - cycle) : mode === "exponential" ? gamma ** t : 1;
    return min + (max - min) * height * fade;
  };
}

/**
 * Linear warm-up: α_t = schedule(t) · min(1, t / steps).
 *
 * @param steps length of the warm-up, ≥ 1
 * @example
 * const schedule = warmup(constant(1), 4);
 * schedule(1, { start: 0, length: Infinity }); // → 0.25
 * schedule(9, { start: 0, length: Infinity }); // → 1
 */
export function warmup(schedule: Schedule, steps: number): Schedule {
  expectFunction("warmup(schedule)", schedule);
  expectNumber("warmup(steps)", steps, { min: 1 });
  return (step, window) => schedule(step, window) * Math.min(1, step / steps);
}

/**
 * A schedule that counts epochs: α_t = schedule(⌈t / stepsPerEpoch⌉).
 *
 * @param stepsPerEpoch ≥ 1
 * @example
 * const schedule = perEpoch(exponentialDecay({ initial: 1, rate: 0.5 }), 600);
 * schedule(600, { start: 0, length: Infinity }) === schedule(1, { start: 0, length: Infinity }); // → true
 */
export function perEpoch(schedule: Schedule, stepsPerEpoch: number): Schedule {
  expectFunction("perEpoch(schedule)", schedule);
  expectNumber("perEpoch(stepsPerEpoch)", stepsPerEpoch, { min: 1 });
  return (step, { start, length }) =>
    schedule(Math.ceil(step / stepsPerEpoch), {
      start: start / stepsPerEpoch,
      length: length / stepsPerEpoch,
    });
}
