/**
 * Pictures: an MLP and a convolutional network on MNIST, an MLP and a small residual network on CIFAR-10 in its real
 * resolution. superlevel and Prodigy get no rate; the others are tried at several, and the best of them for each problem,
 * by the training loss of the first seed, gets the other seeds, too.
 */
import { OptimizerError } from "superlevel";
import { listed, rounded } from "../kit/outcomes.js";
import { createRandom } from "../kit/random.js";
import { groupBy, halfWidth, mean } from "../kit/statistics.js";
import { seedsUpTo, type Extent, type JobContext, type Run, type Study } from "../kit/study.js";
import { chart } from "./chart.js";
import { contenders, type Contender, type ContenderName } from "./contenders.js";
import { available, load, type DataName } from "./data.js";
import { createOf, type NetworkName } from "./networks.js";

export type Job = {
  readonly data: DataName;
  readonly network: NetworkName;
  readonly steps: number;
  readonly batch: number;
  readonly contender: ContenderName;
  readonly rate: number | null;
  readonly seed: number;
};

/** Of all training images and of those held out; null where the run diverged. */
export type Outcome = {
  readonly trainLoss: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
};

type Problem = Pick<Job, "data" | "network" | "steps" | "batch">;

const problems: Record<DataName, readonly Problem[]> = {
  "drawn digits": [{ data: "drawn digits", network: "MLP", steps: 300, batch: 32 }],
  MNIST: [
    { data: "MNIST", network: "MLP", steps: 1000, batch: 32 },
    { data: "MNIST", network: "CNN", steps: 500, batch: 32 },
  ],
  "CIFAR-10": [
    { data: "CIFAR-10", network: "MLP", steps: 500, batch: 32 },
    { data: "CIFAR-10", network: "residual network", steps: 200, batch: 32 },
  ],
};

function jobs({ quick }: Extent): Job[] {
  const some = quick
    ? [{ ...problems["drawn digits"][0], steps: 60 }]
    : available().flatMap((name) => problems[name]);
  return some.flatMap((problem) =>
    (Object.keys(contenders) as ContenderName[]).flatMap((contender) =>
      contenders[contender].rates.map((rate): Job => ({ ...problem, contender, rate, seed: 1 })),
    ),
  );
}

/** The other seeds, at the best rates of the first. */
function further(runs: readonly Run<Job, Outcome>[], { seeds }: Extent): Job[] {
  return seedsUpTo(seeds)
    .slice(1)
    .flatMap((seed) =>
      [...problemsOf(runs).values()].flatMap((own) =>
        rows(own).map(({ contender, rate }): Job => ({ ...own[0].job, contender, rate, seed })),
      ),
    );
}

/** The images of a step are the same wherever a run begins. */
function imagesOf({ seed, batch }: Job, step: number, count: number): Uint32Array {
  const random = createRandom(1e6 * seed + step);
  return Uint32Array.from({ length: batch }, () => random.below(count));
}

/** The state is kept twenty times a run. */
async function run(job: Job, { kept, keep }: JobContext): Promise<Outcome> {
  const { train, test, shape } = load(job.data);
  const network = await createOf(job.network, { train, test, shape });
  const contender: Contender = contenders[job.contender];
  const start = network.start(job.seed);
  const contest = contender.create(start, job.steps, job.rate ?? 1, kept);
  let done = contest.done?.() ?? 0;
  try {
    while (done < job.steps) {
      const which = imagesOf(job, ++done, train.count);
      contest.step(network.gradient(contest.params, contest.grads, train, which));
      if (contest.save && done % Math.ceil(job.steps / 20) === 0) await keep(contest.save());
    }
    const params = contest.result?.() ?? contest.params;
    const [onTrain, onTest] = [network.evaluate(params, train), network.evaluate(params, test)];
    return {
      trainLoss: rounded(onTrain.loss, 6),
      testLoss: rounded(onTest.loss, 6),
      testAccuracy: rounded(onTest.accuracy, 6),
    };
  } catch (error) {
    if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
    return { trainLoss: null, testLoss: null, testAccuracy: null };
  } finally {
    contest.end?.();
  }
}

export interface Row {
  readonly contender: ContenderName;
  readonly rate: number | null;
  readonly runs: readonly Outcome[];
}

const trainLoss = (runs: readonly Outcome[]) => mean(runs.map((outcome) => outcome.trainLoss ?? Infinity));

/** Of each contender the runs at the rate that was best with the first seed; the contender with the least mean first. */
export function rows(runs: readonly Run<Job, Outcome>[]): Row[] {
  const best = new Map<ContenderName, { rate: number | null; loss: number }>();
  for (const { job, outcome } of runs.filter((run) => run.job.seed === 1)) {
    const loss = outcome.trainLoss ?? Infinity;
    if (!(loss >= (best.get(job.contender)?.loss ?? NaN))) best.set(job.contender, { rate: job.rate, loss });
  }
  const found = [...best].map(([contender, { rate }]): Row => {
    const own = runs.filter(({ job }) => job.contender === contender && job.rate === rate);
    return { contender, rate, runs: own.map(({ outcome }) => outcome) };
  });
  return found.sort((a, b) => trainLoss(a.runs) - trainLoss(b.runs));
}

function table(found: readonly Row[]): string {
  const cell = (row: Row, of: keyof Outcome, digits: number, scale = 1) => {
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

const problemsOf = (runs: readonly Run<Job, Outcome>[]) =>
  groupBy(runs, ({ job: { network, data } }) => `${network} on ${data}`);

/** Rates that may not be the best there is, as none beyond was tried. */
function atEnds(found: readonly Row[]): string {
  const ends = found.filter(({ contender, rate }) => {
    const { rates }: Contender = contenders[contender];
    return (
      rate !== null &&
      (rate === Math.min(...(rates as number[])) || rate === Math.max(...(rates as number[])))
    );
  });
  const names = listed(ends.map(({ contender, rate }) => `${contender}'s ${rate}`));
  return ends.length === 0
    ? "No best rate is at an end of those that were tried."
    : `At an end of the rates that were tried: ${names}.`;
}

function report(runs: readonly Run<Job, Outcome>[]) {
  const groups = problemsOf(runs);
  const parts = [...groups].map(([name, own]) => {
    const found = rows(own);
    const place = found.findIndex(({ contender }) => contender === "superlevel") + 1;
    const { steps, batch } = own[0].job;
    const standing = `By mean training loss superlevel is number ${place} of ${found.length}. ${atEnds(found)}`;
    return `## ${name}\n\n${steps} steps of ${batch} images. ${standing}\n\n${table(found)}`;
  });
  const head =
    "superlevel and Prodigy get no rate. The others were tried at several with the first seed " +
    `(${Object.entries(contenders)
      .filter(([, { rates }]) => rates[0] !== null)
      .map(([name, { rates }]) => `${name}: ${rates.join(", ")}`)
      .join("; ")}), ` +
    "and the rate with the least training loss got the other seeds, too; the first is part of the means, which favours them. " +
    "Means over seeds ± half of a 95 % interval. Losses are mean cross-entropies, of all 10 000 training images (2 000 of drawn digits) and of those held out.";
  const picture = "![Training loss of each optimizer on each problem](images.svg)";
  return {
    markdown: [head, picture, ...parts].join("\n\n"),
    pictures: { "images.svg": chart([...groups].map(([name, own]) => ({ name, rows: rows(own) }))) },
  };
}

export const study: Study<Job, Outcome> = {
  title: "Pictures: MNIST and CIFAR-10",
  edition: 1,
  seeds: 5,
  jobs,
  further,
  run,
  report,
};
