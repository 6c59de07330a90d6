/** Recorded runs of the schedule-free authors' own package: the twin in float64, and the engines through the API. */
import { describe, expect, test } from "vitest";
import { adamw, createOptimizer, scheduleFree, sgd } from "../../src/index.js";
import type { Base } from "../../src/index.js";
import { excess } from "./close.js";
import type { Setup } from "./config.js";
import { loadGoldens, scheduleFreeDirectory, scheduleFreeMissing, type Golden } from "./load.js";
import { problems, type Problem } from "./problems.js";
import { closedLoop, openLoop, type Stepper } from "./replay.js";
import { runsOf, type Run } from "./runs.js";
import { scheduleFreeSetup } from "./schedule-free.js";
import { Reference, type ScheduleFreeOptions } from "../reference.js";
import { engines, type EngineName } from "../support/engines.js";

const goldens = loadGoldens(scheduleFreeDirectory);
// The reporter does not show why a test is skipped.
if (scheduleFreeMissing) process.stdout.write(`Skipped: ${scheduleFreeMissing}\n`);

const records = goldens.map((golden) => [golden.file, golden] as const);

interface Record {
  setup: Setup;
  problem: Problem;
  steps: number;
  run: Run;
}

function recordOf(golden: Golden): Record {
  const [run] = runsOf(golden);
  return { ...scheduleFreeSetup(golden), run };
}

/** The twin, its averages as they are defined or as the engine takes them. */
const twinOf =
  (averages: "public" | "lead") =>
  (setup: Setup): Stepper => {
    const twin = new Reference(setup.x0, { ...setup, averages });
    return {
      x: twin.x,
      step(g, alpha) {
        const { clippedNorm } = twin.step(g, alpha);
        return { params: twin.x, average: twin.average()!, grad_norm: clippedNorm };
      },
    };
  };

/** The package's own options for the same optimizer. */
function packagesBase({ base, interpolation, power, ratePower, warmupSteps }: ScheduleFreeOptions): Base {
  const options = { interpolation, power, ratePower, warmupSteps };
  if (base.name === "sgd") return scheduleFree(sgd({ weightDecay: base.weightDecay }), options);
  if (base.name !== "adamw") throw new Error(`${base.name} is not among the records`);
  const { beta2, eps, weightDecay } = base;
  return scheduleFree(adamw({ beta2, eps, weightDecay }), options);
}

function engineOf(engine: EngineName, setup: Setup): Stepper {
  const base = { ...packagesBase(setup.base as ScheduleFreeOptions), learningRate: setup.schedule(1) };
  const optimizer = createOptimizer(setup.x0, { base, tuner: null, engine });
  return {
    x: optimizer.params,
    step(g) {
      const { gradNorm } = optimizer.step(g);
      return { params: optimizer.params, average: optimizer.average()!, grad_norm: gradNorm };
    },
  };
}

test.skipIf(scheduleFreeMissing !== null && !process.env.CI)(
  scheduleFreeMissing ?? "recorded runs are there",
  () => {
    expect(scheduleFreeMissing ?? "", "CI needs the recorded runs").toBe("");
    expect(goldens.length).toBeGreaterThan(0);
    const setups = goldens.map((golden) => recordOf(golden).setup.base as ScheduleFreeOptions);
    expect(new Set(setups.map(({ base }) => base.name))).toEqual(new Set(["adamw", "sgd"]));
    for (const some of ["warmupSteps", "power", "weightDecay"] as const)
      expect(setups.some((base) => base[some] > 0)).toBe(true);
  },
);

describe.skipIf(scheduleFreeMissing !== null).each(records)("%s", (_file, golden) => {
  const { setup, problem, steps, run } = recordOf(golden);
  const columns = ["params", "average", "grad_norm"];

  test("has one run, of float64, to its end", () => {
    expect(runsOf(golden)).toHaveLength(1);
    expect([run.precision, run.until, run.columns.step.length]).toEqual(["f64", steps, steps]);
    expect(problems[problem.kind]).toBeDefined();
  });

  test.each(["public", "lead"] as const)("the twin in float64, averages by their %s form", (averages) => {
    const open = openLoop(setup, run, twinOf(averages));
    expect(open.steps).toBe(steps);
    expect(open.columns).toEqual(expect.arrayContaining(columns));
    const closed = closedLoop(setup, run, problem, steps, twinOf(averages));
    expect(closed.steps).toBe(steps);
    expect(closed.columns).toEqual(expect.arrayContaining(["loss_before", "params"]));
  });

  /** Parameters are about 1: a few roundings of float32 each, which do not grow. */
  const OPEN = { relative: 0, absolute: 1e-6 };
  /** Own gradients feed errors back, and the loss may be large. */
  const CLOSED = { relative: 1e-6, absolute: 2e-6 };

  test.each(engines)("the %s engine on the recorded gradients", (engine) => {
    const stepper = engineOf(engine, setup);
    let worst = 0;
    for (let k = 0; k < steps; k++) {
      const seen = stepper.step(run.columns.g[k] as number[], 0);
      for (const column of ["params", "average"])
        worst = Math.max(worst, excess(seen[column]!, run.columns[column][k], OPEN).ratio);
    }
    expect(worst).toBeLessThan(1);
  });

  test.each(engines)("the %s engine on its own gradients", (engine) => {
    const stepper = engineOf(engine, setup);
    let worst = 0;
    for (let k = 0; k < steps; k++) {
      const { loss, gradient } = problems[problem.kind](problem, stepper.x);
      worst = Math.max(worst, excess(loss, run.columns.loss_before[k], CLOSED).ratio);
      const seen = stepper.step(gradient, 0);
      for (const column of ["params", "average"])
        worst = Math.max(worst, excess(seen[column]!, run.columns[column][k], CLOSED).ratio);
    }
    expect(worst).toBeLessThan(1);
  });
});

test("a field that is not known is an error", () => {
  const golden = {
    file: "made up",
    kind: "schedulefree_torch",
    config: { base: { name: "SGDScheduleFree", lr: 1, foreach: true }, steps: 1 },
    problem: { kind: "quad_diag", x0: [[1]], shapes: [[1]] },
  };
  expect(() => scheduleFreeSetup(golden)).toThrow("SGDScheduleFree has fields that are not known: foreach");
  expect(() => scheduleFreeSetup({ ...golden, seed: 3 } as Golden)).toThrow("not known: seed");
});
