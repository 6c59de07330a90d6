/**
 * `npm run study -- noise`: wrong labels and rare classes: superlevel against AdamW's best rate, each with and without the
 * dynamic cost; and whether barriers between the minima of two seeds say anything about held-out digits.
 */
import { bandPoint, bandChart, type Line } from "../kit/chart.js";
import { availableDigits } from "../kit/classifier.js";
import { bySetting, clearlyBelow, fixed, interval, listed, percent, table } from "../kit/outcomes.js";
import { correlation, mean } from "../kit/statistics.js";
import type { Extent, Findings, Run, Study } from "../kit/study.js";
import {
  barriersOf,
  scoreOf,
  train,
  type Barriers,
  type Condition,
  type Score,
  type Training,
} from "./training.js";

const rates = [0.001, 0.003, 0.01];
const shares = [0, 0.1, 0.25, 0.5];

type Job = Training & { readonly kind: "train" | "barrier" };
type Outcome = Score | Barriers;

const conditionName = ({ data, wrong, unbalanced }: Condition) =>
  `${data}|${percent(wrong)}|${unbalanced ? "unbalanced" : "balanced"}`;
const methods = ["superlevel", "superlevel, dynamic cost", "AdamW", "AdamW, dynamic cost"] as const;
type Method = (typeof methods)[number];

/** In percent, by seed. */
const accuracies = (outcomes: readonly Outcome[]): number[] =>
  outcomes.map(({ accuracy }) => 100 * (accuracy ?? 0));

interface Row {
  readonly job: Job;
  /** Of AdamW at the rate with the highest mean. */
  readonly accuracies: Readonly<Record<Method, readonly number[]>>;
}

function rowOf(own: readonly Run<Job, Outcome>[]): Row {
  const settings = bySetting(own, ({ rate, cost }) => `${rate}|${cost}`);
  const at = (rate: number | null, cost: boolean) => accuracies(settings.get(`${rate}|${cost}`) ?? []);
  const best = (cost: boolean) =>
    rates.map((rate) => at(rate, cost)).reduce((a, b) => (mean(b) > mean(a) ? b : a));
  return {
    job: own[0].job,
    accuracies: {
      superlevel: at(null, false),
      "superlevel, dynamic cost": at(null, true),
      AdamW: best(false),
      "AdamW, dynamic cost": best(true),
    },
  };
}

function compare(rows: readonly Row[], method: Method, other: Method): string {
  const names = (better: Method, worse: Method) =>
    rows
      .filter(({ accuracies }) => clearlyBelow(accuracies[worse], accuracies[better]))
      .map(({ job }) => conditionName(job).replaceAll("|", ", "));
  return `- **${method}** against **${other}**: better with ${names(method, other).length} of ${rows.length}; worse with ${listed(names(other, method).map((name) => `"${name}"`))}.`;
}

function barrierSection(runs: readonly Run<Job, Outcome>[]): string {
  const settings = bySetting(runs, conditionName);
  const field = (outcomes: readonly Outcome[], name: keyof Barriers) =>
    outcomes.map((outcome) => (outcome as Barriers)[name] ?? NaN);
  const rows = [...settings].map(([name, outcomes]) => [
    ...name.split("|").slice(0, 2),
    interval(field(outcomes, "straight"), 3),
    interval(field(outcomes, "bent"), 3),
    interval(field(outcomes, "loss"), 3),
    fixed(correlation(field(outcomes, "straight"), field(outcomes, "loss")), 2),
    fixed(correlation(field(outcomes, "bent"), field(outcomes, "loss")), 2),
  ]);
  const within = (name: "straight" | "bent") =>
    [...settings.values()]
      .map((outcomes) => correlation(field(outcomes, name), field(outcomes, "loss")))
      .filter((value) => Number.isFinite(value));
  const all = runs.map(({ outcome }) => outcome);
  const head = ["digits", "wrong labels", "straight", "bent", "held-out loss", "r straight", "r bent"];
  return `## Barriers between minima

Two trainings by superlevel without the dynamic cost on the same labels, with other weights at the start and other batches. The barrier is the highest
loss of 200 training digits on the way from one to the other above the higher end: on the straight line, and on two segments whose bend was
moved to lower it. r is the correlation, over pairs of seeds, of a barrier with the mean held-out loss of its two ends. Units of a network may be
renumbered without any change to what it computes, so a barrier is not a property of the two functions alone.

${table(head, rows, 2)}

Over all pairs r is ${fixed(correlation(field(all, "straight"), field(all, "loss")), 2)} for straight and ${fixed(correlation(field(all, "bent"), field(all, "loss")), 2)} for bent ways, which mixes shares of wrong labels. Among pairs with the same share
it is ${interval(within("straight"), 2)} and ${interval(within("bent"), 2)}, the mean over the rows; an interval that has 0 in it shows nothing.`;
}

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const trained = runs.filter(({ job }) => job.kind === "train");
  const names = [...new Set(trained.map(({ job }) => conditionName(job)))];
  const rows = names.map((name) => rowOf(trained.filter(({ job }) => conditionName(job) === name)));
  const cells = rows.map(({ job, accuracies }) => [
    ...conditionName(job).split("|"),
    ...methods.map((method) => interval(accuracies[method], 1)),
  ]);
  const markdown = `
A network 196-16-10 on 4 000 digits, ${runs[0]?.job.steps} steps of 32. "Wrong labels" are replaced by another digit, all alike likely; "unbalanced" keeps a share of 0.6^c of
digit c. The dynamic cost has class weights and GCE's trust after a tenth of the steps ([loss.md](../loss.md#the-dynamic-cost)). Accuracy on 1 000 held-out digits,
whose labels are right: the mean of the classes' in %, mean and 95 % interval over seeds. AdamW stands at the best of ${listed(rates.map(String))}, by these very
numbers, which flatters it; superlevel is as it comes.

${table(["digits", "wrong labels", "classes", ...methods], cells, 3)}

By 95 % intervals of the difference, seed by seed:

${compare(rows, "superlevel", "AdamW")}
${compare(rows, "superlevel, dynamic cost", "AdamW, dynamic cost")}
${compare(rows, "superlevel, dynamic cost", "superlevel")}
${compare(rows, "AdamW, dynamic cost", "AdamW")}

![Accuracy against the share of wrong labels](noise.svg)

${barrierSection(runs.filter(({ job }) => job.kind === "barrier"))}
`;
  return { markdown, pictures: { "noise.svg": picture(rows) } };
}

function picture(rows: readonly Row[]): string {
  const panels = [...new Set(rows.map(({ job }) => job.data))].map((data) => {
    const own = rows.filter(({ job }) => job.data === data && !job.unbalanced);
    const lines = methods.map((name): Line => {
      const points = own.map(({ job, accuracies }) => {
        const values = accuracies[name];
        return bandPoint(100 * job.wrong, values);
      });
      return { name, points };
    });
    return { title: data, lines };
  });
  return bandChart({
    title: "Wrong labels",
    note: "balanced classes; bands are 95 % intervals over seeds",
    x: { title: "wrong labels, %", ticks: shares.map((share) => 100 * share) },
    y: { title: "held-out accuracy, %" },
    panels,
  });
}

function jobs({ quick, seeds }: Extent): Job[] {
  const steps = quick ? 40 : 400;
  const conditions = (quick ? (["drawn digits"] as const) : availableDigits()).flatMap((data) => [
    ...(quick ? [0, 0.25] : shares).map((wrong) => ({ data, wrong, unbalanced: false })),
    ...[0, 0.25].map((wrong) => ({ data, wrong, unbalanced: true })),
  ]);
  return seeds.flatMap((seed) =>
    conditions.flatMap((condition): Job[] => {
      const trained = [null, ...rates].flatMap((rate) =>
        [false, true].map((cost): Job => ({ kind: "train", ...condition, rate, cost, steps, seed })),
      );
      if (condition.unbalanced) return trained;
      return [...trained, { kind: "barrier", ...condition, rate: null, cost: false, steps, seed }];
    }),
  );
}

export const study: Study<Job, Outcome> = {
  title: "Wrong labels, rare classes and barriers",
  edition: 1,
  seeds: 10,
  jobs,
  run: (job) => (job.kind === "barrier" ? barriersOf(job) : scoreOf(train(job))),
  report,
};
