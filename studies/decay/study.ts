/**
 * `npm run study -- decay`: rates that decay (34), that are divided by 1 + ‖g‖ (14), both and neither, on quadratics; each
 * under every base, without a tuner, and the package's default beside them.
 */
import {
  adabelief,
  adadelta,
  adagrad,
  adam,
  adamax,
  constant,
  createOptimizer,
  exponentialDecay,
  lion,
  OptimizerError,
  rmsprop,
  sgd,
  type Base,
  type LearningRate,
  type OptimizerOptions,
} from "superlevel";
import { bandPoint, bandChart, type Line } from "../kit/chart.js";
import { clearlyBelow, interval, listed, percent, rounded, table } from "../kit/outcomes.js";
import { quadratic } from "../kit/quadratic.js";
import { createRandom } from "../kit/random.js";
import { mean } from "../kit/statistics.js";
import type { Findings, Run, Study } from "../kit/study.js";

const bases: Record<string, (learningRate?: LearningRate) => Base> = {
  "plain descent": (learningRate) => sgd({ learningRate }),
  "sgd, momentum 0.9": (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  adam: (learningRate) => adam({ learningRate }),
  adabelief: (learningRate) => adabelief({ learningRate }),
  adamax: (learningRate) => adamax({ learningRate }),
  rmsprop: (learningRate) => rmsprop({ learningRate }),
  adagrad: (learningRate) => adagrad({ learningRate }),
  adadelta: (learningRate) => adadelta({ learningRate }),
  lion: (learningRate) => lion({ learningRate }),
};
const conditions = [1, 10, 100, 1000, 10_000];
const steps = 1000;
/** α0. */
const rates = [1e-4, 1e-3, 1e-2, 0.1, 1, 10];
/** Rows of the page; the others are in the JSON beside it. */
const shown = ["plain descent", "sgd, momentum 0.9", "adam", "rmsprop", "lion"];
/** The paper's λ. */
const decay = 0.01;
const schedules = ["neither", "decay (34)", "norm-adaptive (14)", "both"] as const;
type Schedule = (typeof schedules)[number];
/** Float32 ends about there. */
const floor = 1e-14;

type Job = { readonly base: string; readonly condition: number; readonly seed: number };
/** log10 of the final loss; null where a run diverged. */
type Outcome = {
  readonly start: number | null;
  readonly superlevel: number | null;
  /** By schedule and rate. */
  readonly alone: { readonly [schedule: string]: readonly (number | null)[] };
};

function descend({ condition, seed }: Job, options: OptimizerOptions): number | null {
  const { start, source } = quadratic(condition, createRandom(seed).normal);
  const optimizer = createOptimizer(start, options);
  try {
    return rounded(Math.log10(Math.max(floor, optimizer.minimize(source, { steps }).loss)));
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    return null;
  } finally {
    optimizer.dispose();
  }
}

function alone(job: Job, schedule: Schedule, initial: number): number | null {
  const decays = schedule === "decay (34)" || schedule === "both";
  const rate = decays ? exponentialDecay({ initial, rate: decay }) : constant(initial);
  const normAdaptive = schedule === "norm-adaptive (14)" || schedule === "both";
  return descend(job, { base: bases[job.base](rate), tuner: null, normAdaptive });
}

function run(job: Job): Outcome {
  const { start, source } = quadratic(job.condition, createRandom(job.seed).normal);
  const loss = source(Float32Array.from(start), new Float32Array(start.length), 1);
  return {
    start: rounded(Math.log10(loss)),
    superlevel: descend(job, { base: bases[job.base]() }),
    alone: Object.fromEntries(
      schedules.map((schedule) => [schedule, rates.map((rate) => alone(job, schedule, rate))]),
    ),
  };
}

/** What the seeds of a base and a condition ended at, by schedule at its best rate, and by the default. */
interface Cell {
  readonly base: string;
  readonly condition: number;
  readonly losses: ReadonlyMap<string, readonly number[]>;
  /** By schedule: of all rates and seeds, the share that ended above the start. */
  readonly lost: ReadonlyMap<string, number>;
}

function cellOf(base: string, condition: number, outcomes: readonly Outcome[]): Cell {
  const [losses, lost] = [new Map<string, readonly number[]>(), new Map<string, number>()];
  // A run that diverged counts as one that never moved.
  const ended = (outcome: Outcome, value: number | null) => Math.min(value ?? Infinity, outcome.start!);
  for (const schedule of schedules) {
    const byRate = rates.map((_, k) => outcomes.map((outcome) => ended(outcome, outcome.alone[schedule][k])));
    losses.set(
      schedule,
      byRate.reduce((best, values) => (mean(values) < mean(best) ? values : best)),
    );
    const above = outcomes.flatMap((outcome) =>
      outcome.alone[schedule].map((value) => Number(ended(outcome, value) === outcome.start)),
    );
    lost.set(schedule, mean(above));
  }
  losses.set(
    "superlevel",
    outcomes.map((outcome) => ended(outcome, outcome.superlevel)),
  );
  return { base, condition, losses, lost };
}

function cellsOf(runs: readonly Run<Job, Outcome>[]): Cell[] {
  return Object.keys(bases).flatMap((base) =>
    conditions.flatMap((condition) => {
      const own = runs.filter(({ job }) => job.base === base && job.condition === condition);
      return own.length === 0
        ? []
        : [
            cellOf(
              base,
              condition,
              own.map(({ outcome }) => outcome),
            ),
          ];
    }),
  );
}

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const cells = cellsOf(runs);
  const names = [...schedules, "superlevel"];
  const found = [...new Set(cells.map(({ base }) => base))];
  const at = (base: string, condition: number) =>
    cells.find((cell) => cell.base === base && cell.condition === condition);
  const rows = found
    .filter((base) => shown.includes(base))
    .flatMap((base) =>
      names.map((name) => [
        base,
        name,
        ...conditions.map((condition) => interval(at(base, condition)?.losses.get(name) ?? [], 1)),
      ]),
    );
  const beats = ({ losses }: Cell, name: string, other: string) =>
    clearlyBelow(losses.get(name)!, losses.get(other)!);
  const ways = names.map((name) => {
    const others = names.filter((other) => other !== name);
    const lowest = cells.filter(({ losses }) =>
      others.every((other) => mean(losses.get(name)!) <= mean(losses.get(other)!)),
    );
    const clear = cells.filter((cell) => others.every((other) => beats(cell, name, other)));
    const lost = mean(cells.map((cell) => cell.lost.get(name) ?? NaN));
    return [name, `${lowest.length}`, `${clear.length}`, name === "superlevel" ? "–" : percent(lost)];
  });
  const behind = cells.filter((cell) => schedules.some((name) => beats(cell, name, "superlevel")));
  const places = behind.map(({ base, condition }) => `${base} at ${condition}`);
  const markdown = `
The final loss after ${steps} steps on quadratics in 20 dimensions, from random starts around random centres with randomly turned axes:
log10, mean and 95 % interval over seeds; five of the nine bases, the others are in [decay.json](decay.json). "decay (34)" is α0 e^(−λt) with the paper's λ = ${decay}, "norm-adaptive (14)" is
α0 / (1 + ‖g‖); all four are without a tuner, and each stands at the best for it of the rates α0 = ${listed(rates.map(String))}, by the mean over
seeds. That choice sees the result, so it flatters them. "superlevel" is the default tuner over the same base, for which nothing is chosen. A run that
diverged counts as one that stayed where it started; below ${Math.log10(floor)} float32 ends.

${table(["base", "rate", ...conditions.map((condition) => `condition ${condition}`)], rows, 2)}

How often each has the lowest mean of the five or the same as the lowest, and how often by 95 % intervals of the difference to each, seed by seed, among
all ${cells.length} pairs of base and condition; and which share of all its rates and seeds did not end below the start:

${table(["rate", "lowest", "clearly", "not below the start"], ways)}

By 95 % intervals of the difference, seed by seed, superlevel is behind one of the four in ${behind.length} of ${cells.length} pairs (base at condition): ${listed(places)}.

![The final loss against the condition](decay.svg)
`;
  return { markdown, pictures: { "decay.svg": picture(found.slice(0, 3), at, names) } };
}

function picture(
  found: readonly string[],
  at: (base: string, condition: number) => Cell | undefined,
  names: readonly string[],
): string {
  const panels = found.map((base) => {
    const lines = names.map((name): Line => {
      const points = conditions.flatMap((condition) => {
        const values = at(base, condition)?.losses.get(name) ?? [];
        const x = Math.log10(condition);
        return values.length === 0 ? [] : [bandPoint(x, values)];
      });
      return { name, points };
    });
    return { title: base, lines };
  });
  return bandChart({
    title: "Rates that decay, and rates that shrink with the gradient",
    note: `Final loss after ${steps} steps at the best rate of ${rates.length}; bands are 95 % intervals over seeds`,
    x: {
      title: "condition",
      ticks: conditions.map(Math.log10),
      label: (tick) => String(Math.round(10 ** tick)),
    },
    y: { title: "log10 of the final loss" },
    panels,
  });
}

export const study: Study<Job, Outcome> = {
  title: "Decay against norm-adaptive rates",
  edition: 1,
  seeds: 10,
  jobs: ({ quick, seeds }) =>
    seeds.flatMap((seed) =>
      Object.keys(bases)
        .slice(0, quick ? 3 : undefined)
        .flatMap((base) => conditions.map((condition) => ({ base, condition, seed }))),
    ),
  run,
  report,
};
