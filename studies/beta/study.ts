/**
 * `npm run study -- beta`: the decay constant β of (34) over four decades, at several α0 and run lengths, on digits by a small
 * network; and the package's default, which is given neither.
 */
import {
  adam,
  createOptimizer,
  exponentialDecay,
  minibatches,
  OptimizerError,
  sgd,
  type Base,
  type LearningRate,
} from "superlevel";
import { bandPoint, bandChart } from "../kit/chart.js";
import { availableDigits, createClassifier, smallDigits, type DigitsName } from "../kit/classifier.js";
import { bySetting, clearlyBelow, interval, listed, rounded, table } from "../kit/outcomes.js";
import { createRandom } from "../kit/random.js";
import { mean } from "../kit/statistics.js";
import type { Findings, Run, Study } from "../kit/study.js";

const bases: Record<string, { base: (learningRate: LearningRate) => Base; initial: readonly number[] }> = {
  "gradient descent": { base: (learningRate) => sgd({ learningRate }), initial: [0.03, 0.1, 0.3, 1] },
  Adam: { base: (learningRate) => adam({ learningRate }), initial: [0.001, 0.003, 0.01, 0.03] },
};
/** Four decades, and no decay at all. */
const betas = [0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
const [batchSize, hidden] = [16, 16];

type Job = {
  readonly data: DigitsName;
  readonly base: string;
  /** Null: the default tuner, and no schedule. */
  readonly alpha: number | null;
  readonly beta: number | null;
  /** A run is read at these steps: a rate that decays by the step does not know when it ends. */
  readonly lengths: readonly number[];
  readonly seed: number;
};
/** At each length the mean loss of held-out digits, and the share of them that is told right; null after it diverged. */
type Outcome = { readonly losses: readonly (number | null)[]; readonly right: readonly (number | null)[] };

function run({ data, base, alpha, beta, lengths, seed }: Job): Outcome {
  const { train, held } = smallDigits(data);
  const network = createClassifier([train.width, hidden, train.classes], "relu");
  const start = network.start(createRandom(seed).normal);
  const source = minibatches({ examples: train.count, batchSize, seed }, (params, grads, batch) =>
    network.gradient(params, grads, train, batch),
  );
  const optimizer =
    alpha === null
      ? createOptimizer(start)
      : createOptimizer(start, {
          base: bases[base].base(exponentialDecay({ initial: alpha, rate: beta! })),
          tuner: null,
        });
  const [losses, right]: (number | null)[][] = [[], []];
  try {
    for (const length of lengths) {
      optimizer.minimize(source, { steps: length - optimizer.iterations });
      const { loss, recalls } = network.score(optimizer.params, held);
      losses.push(rounded(loss));
      right.push(rounded(mean(recalls)));
    }
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    while (losses.length < lengths.length) [losses, right].forEach((values) => values.push(null));
  } finally {
    optimizer.dispose();
  }
  return { losses, right };
}

/** log10 of the loss at the k-th length; what diverged counts as a loss of 10. */
const lossesAt = (outcomes: readonly Outcome[], k: number): number[] =>
  outcomes.map(({ losses }) => Math.log10(Math.min(10, losses[k] ?? 10)));

const settingOf = ({ base, alpha, beta }: Pick<Job, "base" | "alpha" | "beta">) =>
  alpha === null ? "superlevel" : `${base}|${alpha}|${beta}`;

function section(data: DigitsName, runs: readonly Run<Job, Outcome>[]): string {
  const settings = bySetting(runs, settingOf);
  const { lengths } = runs[0].job;
  const own = settings.get("superlevel") ?? [];
  const tables = lengths.map((length, k) => {
    const rows = Object.entries(bases).flatMap(([base, { initial }]) =>
      initial.map((alpha) => [
        `${base}, α0 = ${alpha}`,
        ...betas.map((beta) =>
          interval(lossesAt(settings.get(settingOf({ base, alpha, beta })) ?? [], k), 2),
        ),
      ]),
    );
    const tuned = [...settings].filter(([name]) => name !== "superlevel");
    const mine = lossesAt(own, k);
    const [first] = [...tuned].sort(([, a], [, b]) => mean(lossesAt(a, k)) - mean(lossesAt(b, k)));
    const [base, alpha, beta] = first?.[0].split("|") ?? [];
    const best =
      first === undefined
        ? ""
        : ` Lowest of these: ${base}, α0 = ${alpha}, β = ${beta}, ${interval(lossesAt(first[1], k), 2)}.`;
    const behind = tuned.filter(([, outcomes]) => clearlyBelow(lossesAt(outcomes, k), mine)).length;
    const ahead = tuned.filter(([, outcomes]) => clearlyBelow(mine, lossesAt(outcomes, k))).length;
    const right = own.flatMap((outcome) => (outcome.right[k] === null ? [] : [100 * outcome.right[k]]));
    return `After ${length} steps superlevel is at ${interval(mine, 2)}, with ${interval(right, 1)} % right.${best} By 95 % intervals of the difference, seed by seed, superlevel is below ${ahead} of the ${tuned.length} settings and above ${behind}.

${table(["", ...betas.map((beta) => `β = ${beta}`)], rows)}`;
  });
  return `## ${data}\n\n${tables.join("\n\n")}`;
}

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const found = [...new Set(runs.map(({ job }) => job.data))];
  const of = (data: DigitsName) => runs.filter(({ job }) => job.data === data);
  const markdown = `
Rates α0 e^(−βt), t in steps, for gradient descent and Adam without a tuner; β over four decades, and 0. A network 196-${hidden}-10 on 4 000
digits of 14 × 14 pixels (${listed(found)}), ${batchSize} a step. log10 of the mean cross-entropy of 1 000 held-out digits, mean and 95 % interval over
seeds; what diverged counts as a loss of 10. superlevel is the default optimizer: it knows neither α0, β nor the run's length. The lowest setting is chosen by these
very numbers, which flatters it.

${found.map((data) => section(data, of(data))).join("\n\n")}

![The loss against β at every α0 and length](beta.svg)
`;
  return { markdown, pictures: { "beta.svg": picture(found[0] === undefined ? [] : of(found[0])) } };
}

/** Gradient descent on the first of the data: one panel for each length. */
function picture(runs: readonly Run<Job, Outcome>[]): string {
  const settings = bySetting(runs, settingOf);
  const [base] = Object.keys(bases);
  // No decay is drawn a decade below the least β.
  const place = (beta: number) => (beta === 0 ? -6 : Math.log10(beta));
  const point = (beta: number, outcomes: readonly Outcome[], k: number) => {
    const values = lossesAt(outcomes, k);
    return bandPoint(place(beta), values);
  };
  const panels = (runs[0]?.job.lengths ?? [1]).map((length, k) => ({
    title: `${length} steps`,
    lines: [
      ...bases[base].initial.map((alpha) => ({
        name: `${base}, α0 = ${alpha}`,
        points: betas.flatMap((beta) => {
          const outcomes = settings.get(settingOf({ base, alpha, beta }));
          return outcomes ? [point(beta, outcomes, k)] : [];
        }),
      })),
      { name: "superlevel", points: betas.map((beta) => point(beta, settings.get("superlevel") ?? [], k)) },
    ],
  }));
  return bandChart({
    title: "The decay constant β, the first rate α0 and the length of a run",
    note: `${runs[0]?.job.data ?? ""}; bands are 95 % intervals over seeds`,
    x: {
      title: "β",
      ticks: betas.map(place),
      label: (tick) => (tick === -6 ? "0" : `1e${tick}`),
    },
    y: { title: "log10 of the held-out loss" },
    panels,
  });
}

export const study: Study<Job, Outcome> = {
  title: "The decay constant β",
  edition: 1,
  seeds: 10,
  jobs({ quick, seeds }) {
    const lengths = quick ? [20, 40, 80] : [100, 300, 1000];
    const settings = Object.entries(bases).flatMap(([base, { initial }]) =>
      initial.flatMap((alpha) => betas.map((beta) => ({ base, alpha, beta }))),
    );
    const all = [{ base: "Adam", alpha: null, beta: null }, ...settings];
    return seeds.flatMap((seed) =>
      (quick ? (["drawn digits"] as const) : availableDigits().slice(0, 1)).flatMap((data) =>
        all.map((setting) => ({ data, ...setting, lengths, seed })),
      ),
    );
  },
  run,
  report,
};
