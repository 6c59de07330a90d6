/**
 * Text, character by character, in TensorFlow.js: a GRU, a Transformer, and a GPT of a million parameters. superlevel gets no
 * rate; the others are tried at several, and the best of them for each model, by the training loss of the first seed, gets
 * the other seeds, too. All take the same number of steps on the same pieces of text.
 */
import * as tf from "@tensorflow/tfjs-core";
import { OptimizerError } from "superlevel";
import { superlevelOptimizer } from "superlevel/tfjs";
import { useTransposedProducts, useWasm } from "../kit/backend.js";
import type { Text } from "../kit/data.js";
import { clearlyBelow, listed, rounded } from "../kit/outcomes.js";
import { rivalsChart } from "../kit/rivals-chart.js";
import {
  atBest,
  diverged,
  favoured,
  rows,
  standing,
  table,
  triedRates,
  type Row,
  type Scores,
} from "../kit/rivals.js";
import { groupBy } from "../kit/statistics.js";
import type { Extent, JobContext, Run, Study } from "../kit/study.js";
import { available, evenBatch, LENGTH, load, randomBatch, type TextName } from "./batches.js";
import { contenders, type ContenderName } from "./contenders.js";
import { createOf, crossEntropy, evaluate, type ModelName } from "./models.js";
import { pack, unpack } from "./state.js";
import type { Model } from "./transformer.js";

export type Job = {
  readonly text: TextName;
  readonly model: ModelName;
  readonly steps: number;
  /** Pieces of text that the losses are of. */
  readonly pieces: number;
  readonly contender: ContenderName;
  readonly rate: number | null;
  readonly seed: number;
};

/** Pieces of text a step. */
const BATCH = 16;
const steps: Record<ModelName, number> = { GRU: 490, Transformer: 490, GPT: 210 };

/** The order: a study that is cut short has the GPT, which takes longest, with fewer seeds. */
const models = Object.keys(steps) as ModelName[];

function jobs({ quick, seeds }: Extent): Job[] {
  const names = Object.keys(contenders) as ContenderName[];
  return models.flatMap((model) =>
    names.flatMap((contender) => {
      const { rates, gptRates } = contenders[contender];
      const own = model === "GPT" ? gptRates : rates;
      const problem = quick
        ? ({ text: "made-up sentences", model, steps: 7, pieces: 4 } as const)
        : { text: available(), model, steps: steps[model], pieces: 200 };
      return own
        .slice(0, quick ? 1 : Infinity)
        .map((rate): Job => ({ ...problem, contender, rate, seed: seeds[0] }));
    }),
  );
}

const byModel = (runs: readonly Run<Job, Scores>[]) => groupBy(runs, ({ job }) => job.model);

/** The GPT gets half of the seeds. */
function further(runs: readonly Run<Job, Scores>[], { seeds }: Extent): Job[] {
  return seeds
    .slice(1)
    .flatMap((seed, k) =>
      [...byModel(runs)].flatMap(([model, own]) =>
        model === "GPT" && k + 1 >= seeds.length / 2 ? [] : atBest(own, seed),
      ),
    );
}

/** The state is kept twenty times a run. */
async function run(job: Job, { kept, keep }: JobContext): Promise<Scores> {
  await useWasm();
  useTransposedProducts();
  const text = load(job.text);
  const model = createOf(job.model, text, job.seed);
  const variables = [...model.variables];
  const optimizer = superlevelOptimizer(contenders[job.contender].options(job.rate ?? 1, job.steps));
  try {
    if (kept) await unpack(kept, variables, optimizer);
    while (optimizer.iterations < job.steps) {
      tf.tidy(() => {
        const { inputs, targets } = randomBatch(text, BATCH, job.seed, optimizer.iterations);
        optimizer.minimize(() => crossEntropy(targets, model.apply(inputs)), false, variables);
      });
      if (optimizer.iterations % Math.ceil(job.steps / 20) === 0)
        await keep(await pack(variables, optimizer));
    }
    return await optimizer.withAverage(() => scores(job, text, model), variables);
  } catch (error) {
    if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
    return diverged;
  } finally {
    optimizer.dispose();
    tf.dispose(variables);
  }
}

function scores({ pieces }: Job, text: Text, model: Model): Scores {
  const on = (part: "known" | "held out") => tf.tidy(() => evaluate(model, evenBatch(text, part, pieces)));
  const [train, test] = [on("known"), on("held out")];
  return {
    trainLoss: rounded(train.loss, 6),
    testLoss: rounded(test.loss, 6),
    testAccuracy: rounded(test.accuracy, 6),
  };
}

/** Whose losses differ from superlevel's, whether or not by chance. */
function clearly(found: readonly Row[]): string {
  const own = found.find(({ contender }) => contender === "superlevel");
  if (!own) return "";
  const said = (["trainLoss", "testLoss"] as const).map((of) => {
    const lossesOf = ({ runs }: Row) => runs.map((outcome) => outcome[of] ?? Infinity);
    const named = (rows: readonly Row[]) => listed(rows.map(({ contender }) => contender));
    const lower = found.filter((row) => clearlyBelow(lossesOf(row), lossesOf(own)));
    const higher = found.filter((row) => clearlyBelow(lossesOf(own), lossesOf(row)));
    const loss = of === "trainLoss" ? "training loss" : "held-out loss";
    return `${loss} lower with ${named(lower)}, higher with ${named(higher)}`;
  });
  const failed = found.filter(({ runs }) => runs.some(({ trainLoss }) => trainLoss === null));
  const names = listed(failed.map(({ contender }) => contender));
  return (
    `Differences to superlevel, seed by seed, by their 95 % intervals: ${said.join("; ")}.` +
    (failed.length > 0 ? ` At its best rate of the first seed ${names} diverged with others.` : "")
  );
}

const sizes: Record<ModelName, string> = {
  GRU: "64 units and a dense layer, 29 185 parameters",
  Transformer: "2 blocks of width 32 with 2 heads, norms first, no dropout, 29 568 parameters",
  GPT: "As the Transformer, but 4 blocks of width 160 with 4 heads, 1 255 040 parameters",
};

function report(runs: readonly Run<Job, Scores>[]) {
  const groups = [...byModel(runs)].map(([model, own]) => {
    const { steps, text, pieces } = own[0].job;
    const found = rows(own);
    const said = [
      `${sizes[model]} with 65 characters. ${steps} steps of ${BATCH} pieces of ${LENGTH} characters.`,
      `Rates that were tried: ${triedRates(own)}. ${standing(found)} ${clearly(found)}`,
      `Losses are of ${pieces} pieces of what is learnt from and ${pieces} of the last tenth, which is held out.`,
    ];
    return { name: `${model} on ${text}`, rows: found, markdown: [...said, table(found)].join("\n\n") };
  });
  const head =
    `superlevel, as \`superlevelOptimizer()\` of superlevel/tfjs, gets no rate and no other option. ${favoured("rates are below")} ` +
    "Losses are mean cross-entropies of the next character; superlevel and schedule-free AdamW are read at their averages. AdamW has a constant rate; the decaying one falls linearly, to 0 after the last step; " +
    "SGDR has momentum 0.9 and cosine restarts after 1 and 3 sevenths of the run. A CNN on MNIST and more pictures: [images.md](images.md).";
  return {
    markdown: [
      head,
      "![Training loss of each optimizer with each model](text.svg)",
      ...groups.map(({ name, markdown }) => `## ${name}\n\n${markdown}`),
    ].join("\n\n"),
    pictures: { "text.svg": rivalsChart("Text", groups) },
  };
}

export const study: Study<Job, Scores> = {
  title: "Text: a GRU, a Transformer and a GPT",
  edition: 1,
  seeds: 10,
  jobs,
  further,
  run,
  report,
};
