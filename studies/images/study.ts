/**
 * Pictures: an MLP and a convolutional network on MNIST, an MLP and a small residual network on CIFAR-10 in its real
 * resolution. superlevel and Prodigy get no rate; the others are tried at several, and the best of them for each problem,
 * by the training loss of the first seed, gets the other seeds, too.
 */
import { OptimizerError } from "superlevel";
import { rounded } from "../kit/outcomes.js";
import { createRandom } from "../kit/random.js";
import { rivalsChart } from "../kit/rivals-chart.js";
import { atBest, diverged, favoured, rows, standing, table, triedRates, type Scores } from "../kit/rivals.js";
import { groupBy } from "../kit/statistics.js";
import type { Extent, JobContext, Run, Study } from "../kit/study.js";
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

function jobs({ quick, seeds }: Extent): Job[] {
  const some = quick
    ? [{ ...problems["drawn digits"][0], steps: 60 }]
    : available().flatMap((name) => problems[name]);
  return some.flatMap((problem) =>
    (Object.keys(contenders) as ContenderName[]).flatMap((contender) =>
      contenders[contender].rates.map((rate): Job => ({ ...problem, contender, rate, seed: seeds[0] })),
    ),
  );
}

function further(runs: readonly Run<Job, Scores>[], { seeds }: Extent): Job[] {
  const problems = [...problemsOf(runs).values()];
  return seeds.slice(1).flatMap((seed) => problems.flatMap((own) => atBest(own, seed)));
}

/** The images of a step are the same wherever a run begins. */
function imagesOf({ seed, batch }: Job, step: number, count: number): Uint32Array {
  const random = createRandom(1e6 * seed + step);
  return Uint32Array.from({ length: batch }, () => random.below(count));
}

/** The state is kept twenty times a run. */
async function run(job: Job, { kept, keep }: JobContext): Promise<Scores> {
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
    return diverged;
  } finally {
    contest.end?.();
  }
}

const problemsOf = (runs: readonly Run<Job, Scores>[]) =>
  groupBy(runs, ({ job: { network, data } }) => `${network} on ${data}`);

function report(runs: readonly Run<Job, Scores>[]) {
  const groups = problemsOf(runs);
  const parts = [...groups].map(([name, own]) => {
    const found = rows(own);
    const { steps, batch } = own[0].job;
    return `## ${name}\n\n${steps} steps of ${batch} images. ${standing(found)}\n\n${table(found)}`;
  });
  const head =
    `superlevel and Prodigy get no rate. ${favoured(triedRates(runs))} ` +
    "Losses are mean cross-entropies, of all 10 000 training images (2 000 of drawn digits) and of those held out.";
  const picture = "![Training loss of each optimizer on each problem](images.svg)";
  const panels = [...groups].map(([name, own]) => ({ name, rows: rows(own) }));
  return {
    markdown: [head, picture, ...parts].join("\n\n"),
    pictures: { "images.svg": rivalsChart("Pictures", panels) },
  };
}

export const study: Study<Job, Scores> = {
  title: "Pictures: MNIST and CIFAR-10",
  edition: 1,
  seeds: 5,
  jobs,
  further,
  run,
  report,
};
