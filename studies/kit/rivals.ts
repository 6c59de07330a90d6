/* Studies of optimizers beside each other, each at the rate that was best for it with the first seed. */
import { adam, adamw, cosineRestarts, scheduleFree, sgd, type OptimizerOptions } from "superlevel";
import { listed } from "./outcomes.js";
import { groupBy, halfWidth, mean } from "./statistics.js";
import type { Run } from "./study.js";

export type RivalJob = { readonly contender: string; readonly rate: number | null; readonly seed: number };

/** Of training data and of those held out; null where the run diverged. */
export type Scores = {
  readonly trainLoss: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
};

export const diverged: Scores = { trainLoss: null, testLoss: null, testAccuracy: null };

/** Options of one optimizer at a rate, for a run of so many steps. */
export type OptionsAt = (rate: number, steps: number) => Pick<OptimizerOptions, "base" | "tuner">;

/** Without a tuner: these bases take the steps of PyTorch's. */
const alone = (base: (rate: number, steps: number) => OptimizerOptions["base"]): OptionsAt => {
  return (rate, steps) => ({ base: base(rate, steps), tuner: null });
};

export const rivals = {
  Adam: alone((learningRate) => adam({ learningRate })),
  AdamW: alone((learningRate) => adamw({ learningRate })),
  "AdamW, decaying": alone((rate, steps) =>
    adamw({ learningRate: (step) => (rate * (steps + 1 - step)) / steps }),
  ),
  /** Periods of 1, 2 and 4 sevenths, so that the last ends with the run (arXiv 1608.03983). */
  SGDR: alone((max, steps) =>
    sgd({ learningRate: cosineRestarts({ max, period: steps / 7, factor: 2 }), momentum: 0.9 }),
  ),
  "schedule-free AdamW": alone((learningRate) => scheduleFree(adamw({ learningRate }))),
  "SGD, momentum": alone((learningRate) => sgd({ learningRate, momentum: 0.9 })),
} satisfies Record<string, OptionsAt>;

export interface Row<Job extends RivalJob = RivalJob> {
  readonly contender: Job["contender"];
  readonly rate: number | null;
  /** Rates that were tried with the first seed. */
  readonly tried: readonly (number | null)[];
  readonly runs: readonly Scores[];
}

const meanLoss = (runs: readonly Scores[]) => mean(runs.map(({ trainLoss }) => trainLoss ?? Infinity));

/** Of each contender the runs at the rate that was best with the first seed; the contender with the least mean first. */
export function rows<Job extends RivalJob>(runs: readonly Run<Job, Scores>[]): Row<Job>[] {
  const first = Math.min(...runs.map(({ job }) => job.seed));
  const found = [...groupBy(runs, ({ job }) => job.contender)].flatMap(([contender, own]): Row<Job>[] => {
    const tries = own.filter(({ job }) => job.seed === first);
    if (tries.length === 0) return [];
    const lossOf = ({ outcome }: Run<Job, Scores>) => outcome.trainLoss ?? Infinity;
    const { rate } = tries.reduce((best, run) => (lossOf(run) < lossOf(best) ? run : best)).job;
    const at = own.filter(({ job }) => job.rate === rate).map(({ outcome }) => outcome);
    return [{ contender, rate, tried: tries.map(({ job }) => job.rate), runs: at }];
  });
  return found.sort((a, b) => meanLoss(a.runs) - meanLoss(b.runs));
}

/** Another seed of one problem, at the best rates of the first. */
export function atBest<Job extends RivalJob>(runs: readonly Run<Job, Scores>[], seed: number): Job[] {
  return rows(runs).map(({ contender, rate }): Job => ({ ...runs[0].job, contender, rate, seed }));
}

export function table(found: readonly Row[]): string {
  const cell = (row: Row, of: keyof Scores, digits: number, scale = 1) => {
    const values = row.runs.map((outcome) => outcome[of]);
    if (values.includes(null)) return `${values.filter((value) => value === null).length} diverged`;
    const numbers = (values as number[]).map((value) => scale * value);
    return `${mean(numbers).toPrecision(digits)} ± ${halfWidth(numbers).toPrecision(2)}`;
  };
  return [
    "| | rate | seeds | training loss | held-out loss | held-out accuracy, % |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...found.map(
      (row) =>
        `| ${row.contender} | ${row.rate ?? "none"} | ${row.runs.length} | ${cell(row, "trainLoss", 3)} | ` +
        `${cell(row, "testLoss", 3)} | ${cell(row, "testAccuracy", 4, 100)} |`,
    ),
  ].join("\n");
}

/** "Adam: 0.001, 0.01; SGD: 0.1" */
export function triedRates(runs: readonly Run<RivalJob, Scores>[]): string {
  const tried = groupBy(
    runs.filter(({ job }) => job.rate !== null),
    ({ job }) => job.contender,
  );
  return [...tried]
    .map(([name, own]) => `${name}: ${[...new Set(own.map(({ job }) => job.rate))].join(", ")}`)
    .join("; ");
}

/** superlevel's place, and rates that may not be the best there is, as none beyond was tried. */
export function standing(found: readonly Row[]): string {
  const place = found.findIndex(({ contender }) => contender === "superlevel") + 1;
  const ends = found.filter(({ rate, tried }) => {
    const rates = tried as readonly number[];
    return rate !== null && (rate === Math.min(...rates) || rate === Math.max(...rates));
  });
  const names = listed(ends.map(({ contender, rate }) => `${contender}'s ${rate}`));
  return (
    `By mean training loss superlevel is number ${place} of ${found.length}. ` +
    (ends.length === 0
      ? "No best rate is at an end of those that were tried."
      : `At an end of the rates that were tried: ${names}.`)
  );
}

/** How the means came about. */
export const favoured = (tried: string): string =>
  `The others were tried at several with the first seed (${tried}), ` +
  "and the rate with the least training loss got the other seeds, too; the first is part of the means, which favours them. " +
  "Means over seeds ± half of a 95 % interval.";
