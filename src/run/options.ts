import {
  expectBoolean,
  expectFunction,
  expectNumber,
  expectOptions,
  expectSignal,
  show,
} from "../common/expect.js";
import type { AbortSignalLike } from "../common/expect.js";
import { checkGuard, type Guard, type CheckedGuard } from "./guard.js";
import type { Config } from "../stepper/config.js";
import type { StepInfo, TensorView } from "../stepper/info.js";
import { checkLevel, type Level } from "./level.js";

/** A step as a run sees it. */
export interface RunInfo extends StepInfo {
  /** L(x_t), before the step. */
  readonly loss: number;
  /** Calls of the source so far. */
  readonly evaluations: number;
  /** V after the step, where a guard measured it, or L(x_{t+1}) where a level did. */
  readonly lossAfter: number | undefined;
  /** The guard saw V rise in this step; with "reject", in a try that was taken back. */
  readonly violated: boolean;
  /** Tries of this step that the guard took back. */
  readonly rejections: number;
  /** The level cut the step short. */
  readonly projected: boolean;
}

/** A point at which a run knows loss and gradient. */
export interface RunPoint {
  /** The step to be taken from here, from 1. */
  readonly step: number;
  /** L here, be it finite or not. */
  readonly loss: number;
  /** x: a live view. */
  readonly params: Float32Array;
  /** g: a live view. */
  readonly grads: Float32Array;
  /** What the run was told of its source. */
  readonly deterministic: boolean;
  /** The optimizer's tensors, as live views, and its options. */
  readonly tensors: readonly TensorView[];
  readonly config: Config;
}

/** Watches a run; whatever it throws ends the run. */
export interface RunMonitor {
  /** Called before each step, and at the last point of the run where its loss and gradient are known. */
  beforeStep?(point: RunPoint): void;
  /** Asked before each step: is what it does to each tensor to be told, as `tensors` of `afterStep`, to every monitor? */
  watches?(step: number): boolean;
  /**
   * Called after each try of a step, before the loss there is asked for: the rest of the step, which may move the point. A guard
   * judges where it leads, and takes it back with the try.
   */
  complete?(info: StepInfo): void;
  /**
   * What is minimized besides the source's loss. Whether the source counts it is not known, so a violation is a step that raises
   * the loss with it and without it.
   */
  penalty?(params: Float32Array): number;
  /** Called after each step. */
  afterStep?(info: RunInfo): void;
}

/** A {@link RunMonitor}, or a function that is called after each step. */
export type Monitor = RunMonitor | ((info: RunInfo) => void);

/** When a run ends, and who watches. At least one of the conditions is needed. */
export interface RunOptions {
  /** Ends after so many steps, ≥ 1: "steps". */
  steps?: number;
  /** Ends when ‖g‖ ≤ gradientTolerance: "converged". */
  gradientTolerance?: number;
  /**
   * Ends when the lowest loss has improved by at most this much in 200 steps: "converged". The steps of a run before count,
   * unless that one had converged, or its last loss was not the first of this one.
   */
  lossTolerance?: number;
  /** Ends when it returns true, asked after each step: "until". */
  until?: (info: RunInfo) => boolean;
  /** Ends when aborted: "aborted". */
  signal?: AbortSignalLike;
  /** Called before and after each step. */
  monitors?: readonly Monitor[];
  /** The source depends on the parameters alone, as a full batch does; default false. */
  deterministic?: boolean;
  /** Watches that the loss falls; default "reject" where `deterministic`, null otherwise. */
  guard?: Guard | null;
  /** Keeps the loss from falling below a level; default: it may. */
  level?: Level;
}

/** {@link RunOptions}, checked. */
export interface CheckedRun extends Omit<RunOptions, "deterministic" | "guard" | "level" | "monitors"> {
  readonly monitors: readonly RunMonitor[];
  readonly deterministic: boolean;
  readonly guard: CheckedGuard | null;
  readonly level: Required<Level> | null;
}

/** How a run ended. */
export interface Solution {
  /**
   * L at the final parameters, as the source gave it for the step after the last; the last one known, or NaN, where a signal
   * ended the run while a source was asked.
   */
  readonly loss: number;
  /** Steps taken in this run. */
  readonly steps: number;
  /** Calls of the source: one a step and one at the final parameters, and what guard and level asked for. */
  readonly evaluations: number;
  /** Times the guard saw V rise. */
  readonly violations: number;
  /** Tries that the guard took back. */
  readonly rejections: number;
  /** Steps that the level cut short. */
  readonly projections: number;
  /**
   * "stalled": the guard ran out of tries, or the level held a deterministic run in place for 20 steps. "risen": by
   * `lossTolerance`, but the loss was never below the first one and is above it now: has the gradient the right sign, and is
   * it written anew at each call?
   */
  readonly reason: "converged" | "until" | "steps" | "aborted" | "stalled" | "risen";
}

const CONDITIONS = ["steps", "gradientTolerance", "lossTolerance", "until", "signal"] as const;
const KEYS = [...CONDITIONS, "monitors", "deterministic", "guard", "level"] as const;

/** Checks the options of a run. */
export function checkRun(run: RunOptions): CheckedRun {
  if (typeof run !== "object" || run === null || Array.isArray(run))
    throw new TypeError(`run: expected an object such as { steps: 100 }, got ${show(run)}`);
  expectOptions("run", run, KEYS);
  const own = { ...run };
  checkConditions(own);
  const deterministic = expectBoolean("run.deterministic", own.deterministic ?? false);
  return {
    ...own,
    monitors: checkMonitors(own.monitors ?? []),
    deterministic,
    guard: checkGuard(own.guard, deterministic),
    level: checkLevel(own.level),
  };
}

function checkConditions(run: RunOptions): void {
  const { steps, gradientTolerance, lossTolerance, until, signal } = run;
  if (steps !== undefined) expectNumber("run.steps", steps, { min: 1, integer: true });
  if (gradientTolerance !== undefined) expectNumber("run.gradientTolerance", gradientTolerance, { min: 0 });
  if (lossTolerance !== undefined) expectNumber("run.lossTolerance", lossTolerance, { min: 0 });
  if (until !== undefined) expectFunction("run.until", until);
  if (signal !== undefined) expectSignal("run.signal", signal);
  if (CONDITIONS.every((condition) => run[condition] === undefined)) {
    throw new TypeError(
      "run: expected steps, gradientTolerance, lossTolerance, until or signal, or it would never end",
    );
  }
}

const MOST_MONITORS = 1000;
const METHODS = [
  "beforeStep",
  "watches",
  "complete",
  "penalty",
  "afterStep",
] as const satisfies (keyof RunMonitor)[];

const isMethod = (value: unknown) => value === undefined || typeof value === "function";

/** All as objects. A function has no methods of its own, which would not be called. */
function checkMonitors(monitors: readonly Monitor[]): RunMonitor[] {
  if (!Array.isArray(monitors))
    throw new TypeError(`run.monitors: expected an array of monitors, got ${show(monitors)}`);
  if (monitors.length > MOST_MONITORS)
    throw new RangeError(`run.monitors: expected at most ${MOST_MONITORS}, got ${monitors.length}`);
  return Array.from(monitors as readonly Monitor[], (monitor, k) => {
    const isFunction = typeof monitor === "function";
    const method = isFunction && ["at", ...METHODS].find((name) => name in monitor);
    if (isFunction && !method) return { afterStep: monitor };
    const named = (monitor ?? {}) as Record<keyof RunMonitor, unknown>;
    const methods = METHODS.map((name) => named[name]);
    if (!isFunction && methods.some(Boolean) && methods.every(isMethod)) return monitor;
    const got = method ? `a function with a method "${method}"` : show(monitor);
    throw new TypeError(
      `run.monitors[${k}]: expected a function, or an object with methods beforeStep or afterStep, got ${got}`,
    );
  });
}
