/** From the record of a schedule-free optimizer to options. A record that says more than is read here is an error. */
import { adamwOf, scheduleFreeOf, sgdOf, type ScheduleFreeOptions } from "../reference.js";
import type { Setup } from "./config.js";
import type { Golden } from "./load.js";
import type { Problem } from "./problems.js";

/** The constructors' arguments as the authors' package has them; what is absent has its default there. */
interface RecordedAverage {
  name: string;
  lr?: number;
  betas?: [interpolation: number, beta2: number];
  momentum?: number;
  eps?: number;
  weight_decay?: number;
  warmup_steps?: number;
  r?: number;
  weight_lr_power?: number;
}

const PLAIN = ["lr", "weight_decay", "warmup_steps", "r", "weight_lr_power"];
const FIELDS = {
  golden: ["file", "schema", "kind", "source", "id", "config", "problem_name", "problem", "runs"],
  config: ["base", "steps"],
  AdamWScheduleFree: ["name", "betas", "eps", ...PLAIN],
  SGDScheduleFree: ["name", "momentum", ...PLAIN],
  problem: ["kind", "a", "c", "X", "y", "Y", "H", "l2", "x0", "shapes", "formula"],
  run: ["param_dtype", "closed_loop_reproducible_until_step", "max_move", "trace"],
  trace: ["step", "loss_before", "g", "params", "average", "grad_norm"],
};

function expectKnown(what: string, record: object, fields: readonly string[]): void {
  const unknown = Object.keys(record).filter((field) => !fields.includes(field));
  if (unknown.length > 0) throw new Error(`${what} has fields that are not known: ${unknown.join(", ")}`);
}

function baseOf(recorded: RecordedAverage): { base: ScheduleFreeOptions; rate: number } {
  const { weight_decay: weightDecay = 0, warmup_steps: warmupSteps = 0, r: power = 0 } = recorded;
  const shared = { warmupSteps, power, ratePower: recorded.weight_lr_power ?? 2 };
  switch (recorded.name) {
    case "AdamWScheduleFree": {
      expectKnown(recorded.name, recorded, FIELDS.AdamWScheduleFree);
      const { betas = [0.9, 0.999], eps = 1e-8, lr: rate = 2.5e-3 } = recorded;
      const [interpolation, beta2] = betas;
      return {
        base: scheduleFreeOf(adamwOf({ beta2, eps, weightDecay }), { ...shared, interpolation }),
        rate,
      };
    }
    case "SGDScheduleFree": {
      expectKnown(recorded.name, recorded, FIELDS.SGDScheduleFree);
      const { momentum: interpolation = 0.9, lr: rate = 1 } = recorded;
      return { base: scheduleFreeOf(sgdOf({ weightDecay }), { ...shared, interpolation }), rate };
    }
    default:
      throw new Error(`the optimizer ${recorded.name} is not known`);
  }
}

/** A record as the replay takes it, and its problem. */
export function scheduleFreeSetup(golden: Golden): { setup: Setup; problem: Problem; steps: number } {
  const { config, problem, runs = {} } = golden;
  if (golden.kind !== "schedulefree_torch" || !config || !problem)
    throw new Error(`${golden.file} is no record of a schedule-free optimizer`);
  expectKnown(golden.file, golden, FIELDS.golden);
  expectKnown(`${golden.file} config`, config, FIELDS.config);
  expectKnown(`${golden.file} problem`, problem, FIELDS.problem);
  for (const [name, run] of Object.entries(runs)) {
    expectKnown(`${golden.file} ${name}`, run, FIELDS.run);
    expectKnown(`${golden.file} ${name} trace`, run.trace ?? {}, FIELDS.trace);
  }
  const { base, rate } = baseOf(config.base as RecordedAverage);
  const setup: Setup = {
    base,
    tuner: null,
    tensors: problem.shapes.map((shape) => ({ size: shape.reduce((a, b) => a * b, 1) })),
    clip: {},
    schedule: () => rate,
    normAdaptive: false,
    sStart: undefined,
    x0: problem.x0.flat(),
    samples: () => undefined,
    unread: [],
  };
  return { setup, problem, steps: config.steps! };
}
