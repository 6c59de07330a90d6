import { expectFunction, expectNumber, expectOneOf, expectOptions } from "../../common/expect.js";
import type { Guard } from "../../run/guard.js";
import type { Monitor, RunInfo, RunOptions } from "../../run/options.js";
import { checkSchedule } from "./reach-budget.js";
import type { LyapunovOptions, LyapunovReport, MonitorPoint } from "./options.js";
import { Watch } from "./state.js";

/** What a violation leads to: see {@link LyapunovMonitor.policy}. */
export type LyapunovPolicy = "warn" | "shrink" | "reject" | "guard" | "flood";

/** A monitor for `minimize`, and for loops of your own. */
export interface LyapunovMonitor extends Monitor {
  /** Loss and gradient at a point: `minimize` calls it; in a loop of your own, call it before each step. */
  at(point: MonitorPoint): void;
  /** What has been seen so far. */
  report(): LyapunovReport;
  /**
   * Options for a run, to be spread into it, that join this monitor to the run's guard:
   *
   * - `"warn"` counts violations; `"shrink"` halves the rate after one, and lets it come back by tenths.
   * - `"reject"` takes back steps until Armijo's condition holds.
   * - `"guard"` takes back steps where V exceeds the largest of the last M (Grippo, Lampariello, Lucidi 1986).
   * - `"flood"` keeps the loss from falling below `level` (paper, Alg. 1 step 10).
   *
   * With a probe, "warn" and "shrink" judge by it.
   */
  policy(
    policy: LyapunovPolicy,
    options?: { level?: number; tries?: number; onViolation?: Guard["onViolation"] },
  ): Pick<RunOptions, "guard" | "level" | "monitors">;
  /** Forgets the run. */
  reset(): void;
}

const KEYS = "objective sufficient tolerance kink window memory probe budget onStep".split(" ");

function check(options: LyapunovOptions): void {
  const name = "lyapunovMonitor";
  expectOptions(name, options, KEYS);
  const { objective, sufficient, tolerance, kink, memory, budget, onStep } = options;
  if (objective !== undefined)
    expectOneOf(`${name}.objective`, objective, ["fullBatch", "sameBatch", "batch"]);
  if (sufficient !== undefined) expectNumber(`${name}.sufficient`, sufficient, { above: 0, below: 1 });
  if (tolerance !== undefined) expectNumber(`${name}.tolerance`, tolerance, { min: 0 });
  if (kink !== undefined) expectNumber(`${name}.kink`, kink, { min: 0 });
  if (memory !== undefined) expectNumber(`${name}.memory`, memory, { min: 1, integer: true });
  if (onStep !== undefined) expectFunction(`${name}.onStep`, onStep);
  if (budget === undefined) return;
  expectOptions(`${name}.budget`, budget, ["schedule", "steps", "normAdaptive", "floor"]);
  checkSchedule(`${name}.budget`, budget.schedule, budget.steps ?? Infinity);
}

function guardOf(watch: Watch, policy: Exclude<LyapunovPolicy, "flood">, common: Partial<Guard>): Guard {
  const { probe } = watch;
  if (probe && (policy === "warn" || policy === "shrink")) {
    const look = (params: Float32Array) => {
      probe.look(watch.step, params);
      return probe.value;
    };
    return { ...common, policy, probe: look, every: probe.every, violates: () => probe.risen };
  }
  const core = policy === "guard" ? "reject" : policy;
  return { ...common, policy: core, violates: (attempt) => watch.violates(policy, attempt) };
}

/**
 * Watches V along a run and names what goes wrong: a learning rate past the edge of stability, a schedule that froze,
 * noise, wrong labels, divergence, NaN. Each step is compared with what the gradient promised: see {@link StepRecord}.
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
 * monitor.report().verdict; // → "past-edge"
 */
export function lyapunovMonitor(options: LyapunovOptions = {}): LyapunovMonitor {
  check(options);
  let watch = new Watch(options);
  const monitor: LyapunovMonitor = Object.assign((info: RunInfo) => watch.after(info), {
    at: (point: MonitorPoint) => watch.at(point),
    report: () => watch.report(),
    reset: () => void (watch = new Watch(options)),
    policy(
      policy: LyapunovPolicy,
      { level, ...common }: { level?: number; tries?: number; onViolation?: Guard["onViolation"] } = {},
    ) {
      expectOneOf("policy", policy, ["warn", "shrink", "reject", "guard", "flood"]);
      const monitors = [monitor];
      if (policy !== "flood") return { monitors, guard: guardOf(watch, policy, common) };
      const value = expectNumber("policy.level", level);
      return { monitors, guard: null, level: { value, action: "project" as const } };
    },
  });
  return monitor;
}
