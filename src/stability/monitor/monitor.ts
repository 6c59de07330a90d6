import {
  expectBoolean,
  expectFunction,
  expectNumber,
  expectOneOf,
  expectOptions,
} from "../../common/expect.js";
import type { Attempt, Guard } from "../../run/guard.js";
import type { RunInfo, RunMonitor, RunOptions } from "../../run/options.js";
import { checkLayers } from "./layers.js";
import type { LyapunovOptions, LyapunovSummary } from "./options.js";
import type { MonitorPoint } from "./point.js";
import { checkSchedule } from "./reach-budget.js";
import { MonitorState } from "./state.js";

/** What a violation leads to: see {@link LyapunovMonitor.policy}. */
export type LyapunovPolicy = (typeof POLICIES)[number];

const POLICIES = ["warn", "shrink", "reject", "guard", "flood"] as const;

/** Options of {@link LyapunovMonitor.policy}. */
export interface PolicyOptions extends Pick<Guard, "tries" | "onViolation"> {
  /** With `"flood"`: the level that the loss does not fall below. */
  level?: number;
}

const KEYS =
  "objective sufficient tolerance kink window memory probe budget every momentum layers onStep".split(" ");

/** A copy, so that what was checked is what runs and what a reset begins with. */
function checkOptions(given: LyapunovOptions): LyapunovOptions {
  const name = "lyapunovMonitor";
  expectOptions(name, given, KEYS);
  const options = { ...given };
  const { objective, sufficient, tolerance, kink, memory, budget, every, momentum, layers, onStep } = options;
  if (objective !== undefined)
    expectOneOf(`${name}.objective`, objective, ["fullBatch", "sameBatch", "batch"]);
  if (sufficient !== undefined) expectNumber(`${name}.sufficient`, sufficient, { above: 0, below: 1 });
  if (tolerance !== undefined) expectNumber(`${name}.tolerance`, tolerance, { min: 0 });
  if (kink !== undefined) expectNumber(`${name}.kink`, kink, { min: 0 });
  if (memory !== undefined) expectNumber(`${name}.memory`, memory, { min: 1, integer: true });
  if (every !== undefined) expectNumber(`${name}.every`, every, { min: 1, integer: true });
  if (momentum !== undefined) expectNumber(`${name}.momentum`, momentum, { min: 0, below: 1 });
  if (layers !== undefined) options.layers = checkLayers(layers);
  if (onStep !== undefined) expectFunction(`${name}.onStep`, onStep);
  if (budget === undefined) return options;
  expectOptions(`${name}.budget`, budget, ["schedule", "steps", "normAdaptive", "floor"]);
  options.budget = { ...budget };
  const { schedule, steps, floor, normAdaptive } = options.budget;
  checkSchedule(`${name}.budget`, schedule, steps ?? Infinity);
  if (floor !== undefined) expectNumber(`${name}.budget.floor`, floor);
  if (normAdaptive !== undefined) expectBoolean(`${name}.budget.normAdaptive`, normAdaptive);
  return options;
}

/** A monitor for `minimize`, and for loops of your own. */
export class LyapunovMonitor implements RunMonitor {
  readonly #options: LyapunovOptions;
  #state: MonitorState;
  #dense = false;

  /** Use {@link lyapunovMonitor}. */
  constructor(options: LyapunovOptions) {
    this.#options = checkOptions(options);
    this.#state = new MonitorState(this.#options);
  }

  /** Loss and gradient at a point: `minimize` calls it; in a loop of your own, call it before each step. */
  beforeStep(point: MonitorPoint): void {
    this.#state.beforeStep(point);
  }

  /** Is a step to tell of its tensors: `minimize` asks for it. */
  watches(step: number): boolean {
    return this.#state.watches(step);
  }

  /** What a step did: `minimize` calls it. A loop of your own needs it only for the rates and the guard's counts. */
  afterStep(info: RunInfo): void {
    this.#state.afterStep(info);
  }

  /** What has been seen so far. */
  summary(): LyapunovSummary {
    return this.#state.summary();
  }

  /** Forgets the run. */
  reset(): void {
    this.#state = new MonitorState(this.#options);
    this.#state.dense = this.#dense;
  }

  /**
   * Options for a run, to be spread into it, that join this monitor to the run's guard:
   *
   * - `"warn"` counts violations; `"shrink"` halves the rate after one, and lets it come back by tenths.
   * - `"reject"` takes back steps until Armijo's condition holds.
   * - `"guard"` takes back steps where V exceeds the largest of the last M (Grippo, Lampariello, Lucidi 1986).
   * - `"flood"` keeps the loss from falling below `level` (paper, Alg. 1 step 10).
   *
   * With a probe, "warn" and "shrink" judge by it.
   *
   * @throws TypeError or RangeError when the policy is not one of these, or "flood" has no level
   */
  policy(
    policy: LyapunovPolicy,
    options: PolicyOptions = {},
  ): Pick<RunOptions, "guard" | "level" | "monitors"> {
    expectOneOf("policy", policy, POLICIES);
    const { level, ...common } = options;
    const monitors = [this];
    this.#state.dense = this.#dense = true;
    if (policy !== "flood") return { monitors, guard: { ...common, ...this.#guard(policy) } };
    const value = expectNumber("policy.level", level);
    return { monitors, guard: null, level: { value, action: "project" } };
  }

  #guard(policy: Exclude<LyapunovPolicy, "flood">): Guard {
    const { probe } = this.#state;
    if (!probe || policy === "reject" || policy === "guard") {
      const violates = (attempt: Attempt) => this.#state.violates(policy, attempt);
      return { policy: policy === "guard" ? "reject" : policy, violates };
    }
    const measure = (params: Float32Array) => {
      const { probe, step } = this.#state;
      probe!.measure(step, params);
      return probe!.value;
    };
    return { policy, probe: measure, every: probe.every, violates: () => this.#state.probe!.risen };
  }
}

/**
 * Watches V along a run and names what goes wrong: a learning rate past the edge of stability, a schedule that froze,
 * noise, wrong labels, divergence, NaN. Each step is compared with what the gradient predicted: see {@link StepRecord}.
 * "V must not rise" alone would pass the two-cycle of norm-adaptive descent for ever.
 *
 * Copies x and g once a step; asks for no gradient of its own. A probe costs m forward passes each `every` steps.
 *
 * @throws TypeError or RangeError naming the option that is wrong
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { lyapunovMonitor } from "superlevel/stability";
 * const monitor = lyapunovMonitor();
 * const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.6 }), tuner: null });
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x, 4 * y]), (x * x + 4 * y * y) / 2);
 * optimizer.minimize(bowl, { steps: 40, deterministic: true, guard: null, monitors: [monitor] });
 * monitor.summary().verdict; // → "past-edge"
 */
export function lyapunovMonitor(options: LyapunovOptions = {}): LyapunovMonitor {
  return new LyapunovMonitor(options);
}
