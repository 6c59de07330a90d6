/**
 * `npm run study -- tuning`: does it pay to choose superlevel's λ, the rate α0 and decay β of its base, and a weight decay, by
 * validation data? Grid, random search, TPE and successive halving with the same budget, against the default.
 */
import {
  adam,
  adamw,
  constant,
  createOptimizer,
  exponentialDecay,
  minibatches,
  OptimizerError,
  superlevel,
  type OptimizerOptions,
} from "superlevel";
import { bandPoint, bandChart } from "../kit/chart.js";
import { createClassifier, smallDigits } from "../kit/classifier.js";
import { bySetting, clearlyBelow, interval, listed, rounded, table } from "../kit/outcomes.js";
import { contendersFor, successiveHalving } from "../kit/halving.js";
import { createRandom } from "../kit/random.js";
import type { Findings, Run, Study } from "../kit/study.js";
import { nextPoint, type Trial } from "../kit/tpe.js";
import { draw, type Labelled } from "../monitor/data.js";

const problems = ["drawn digits", "spirals", "waves"] as const;
const HALVING = "successive halving";
const searches = ["grid", "random", "TPE", HALVING] as const;
const budget = 16;

type Job = {
  readonly problem: (typeof problems)[number];
  readonly search: (typeof searches)[number];
  /** Whole runs that the search may cost. */
  readonly trials: number;
  readonly steps: number;
  readonly seed: number;
};
type Outcome = {
  /** Test losses: of the default, and of the trial whose validation loss is least, after 1, 2, 4, … trials. */
  readonly untuned: number | null;
  readonly tuned: readonly (number | null)[];
  /** What the last of these chose. */
  readonly chosen: Values;
};

/** What is tuned; the default is α0 = 1, β = 0, λ = 0.01 and no weight decay. */
type Values = {
  readonly alpha: number;
  readonly beta: number;
  readonly lambda: number;
  readonly weightDecay: number;
};

/** Two values of each, of which one is the default's. */
function grid(): Values[] {
  const all: Values[] = [];
  for (const alpha of [1, 0.3])
    for (const beta of [0, 3e-3])
      for (const lambda of [0.01, 1])
        for (const weightDecay of [0, 0.1]) all.push({ alpha, beta, lambda, weightDecay });
  return all;
}

/** What random search and TPE choose from, on logarithmic scales. */
const ranges: Readonly<Record<keyof Values, readonly [low: number, high: number]>> = {
  alpha: [0.1, 10],
  beta: [1e-5, 1e-2],
  lambda: [1e-4, 10],
  weightDecay: [1e-3, 1],
};

/** The values at a point of the unit cube. */
export function valuesAt(point: readonly number[]): Values {
  const at = (k: number, [low, high]: readonly [number, number]) => low * (high / low) ** point[k];
  return {
    alpha: at(0, ranges.alpha),
    beta: at(1, ranges.beta),
    lambda: at(2, ranges.lambda),
    weightDecay: at(3, ranges.weightDecay),
  };
}

/**
 * Successive halving with each of some budgets, over the same values at random: whose validation loss it takes. `begin` starts a run that
 * goes on to a share of its steps. Each run is made once, as far as the largest budget asks.
 */
export function halveBy<Tried extends { readonly validation: number }>(
  { seed }: Pick<Job, "seed">,
  budgets: readonly number[],
  begin: (values: Values) => (share: number) => Tried,
): (Tried & { readonly values: Values })[] {
  const random = createRandom(seed + 7000);
  const started = Array.from({ length: contendersFor(Math.max(...budgets)) }, () => {
    const values = valuesAt(nextPoint([], 4, random));
    return { values, advance: begin(values), after: new Map<number, Tried>() };
  });
  const triedAt = (contender: number, share: number): Tried => {
    const { advance, after } = started[contender];
    const tried = after.get(share) ?? advance(share);
    after.set(share, tried);
    return tried;
  };
  return budgets.map((budget) => {
    const best = successiveHalving(contendersFor(budget), (...at) => triedAt(...at).validation);
    return { ...triedAt(best, 1), values: started[best].values };
  });
}

/** Tries values one after the other; `seed` is the search's own. */
export function searchBy<Tried extends { readonly validation: number }>(
  { search, trials, seed }: Pick<Job, "search" | "trials" | "seed">,
  attempt: (values: Values) => Tried,
): (Tried & { readonly values: Values })[] {
  const random = createRandom(seed + 7000);
  const order = grid()
    .map((values) => ({ values, at: random.uniform() }))
    .sort((a, b) => a.at - b.at);
  const known: Trial[] = [];
  return Array.from({ length: trials }, (_, k) => {
    // Without trials to learn from the next point is a random one.
    const point = nextPoint(search === "TPE" ? known : [], 4, random);
    const values = search === "grid" ? order[k].values : valuesAt(point);
    const tried = attempt(values);
    known.push({ point, loss: tried.validation });
    return { ...tried, values };
  });
}

function optionsOf({ alpha, beta, lambda, weightDecay }: Values): OptimizerOptions {
  const learningRate = beta === 0 ? constant(alpha) : exponentialDecay({ initial: alpha, rate: beta });
  const base = weightDecay === 0 ? adam({ learningRate }) : adamw({ learningRate, weightDecay });
  return { base, tuner: superlevel({ lambda }) };
}

interface Problem {
  readonly data: Labelled;
  readonly units: readonly number[];
  /** Examples 0 … trained − 1 are trained on, so many more are for validation, all others for the test. */
  readonly trained: number;
  readonly validated: number;
}

function problemOf({ problem, seed }: Job): Problem {
  if (problem === "drawn digits") {
    const { train } = smallDigits("drawn digits");
    return { data: train, units: [train.width, 16, 10], trained: 2000, validated: 500 };
  }
  const data = draw(problem, seed, 1400);
  return { data, units: [data.width, 16, data.classes], trained: 300, validated: 300 };
}

const part = ({ inputs, labels, ...data }: Labelled, from: number, to: number): Labelled => ({
  ...data,
  count: to - from,
  inputs: inputs.subarray(from * data.width, to * data.width),
  labels: labels.subarray(from, to),
});

function run(job: Job): Outcome {
  const { data, units, trained, validated } = problemOf(job);
  const [learnt, validation, test] = [
    part(data, 0, trained),
    part(data, trained, trained + validated),
    part(data, trained + validated, data.count),
  ];
  const network = createClassifier(units, "tanh");
  function begin(options: OptimizerOptions): (share: number) => { validation: number; test: number } {
    const source = minibatches({ examples: trained, batchSize: 16, seed: job.seed }, (params, grads, batch) =>
      network.gradient(params, grads, learnt, batch),
    );
    const optimizer = createOptimizer(network.start(createRandom(job.seed).normal), options);
    return (share) => {
      const steps = Math.round(share * job.steps) - optimizer.iterations;
      try {
        if (steps > 0) optimizer.minimize(source, { steps });
        const loss = (of: Labelled) => network.score(optimizer.params, of).loss;
        return { validation: loss(validation), test: loss(test) };
      } catch (error) {
        if (!(error instanceof OptimizerError)) throw error;
        return { validation: Infinity, test: Infinity };
      }
    };
  }
  const whole = (options: OptimizerOptions) => begin(options)(1);
  const untuned = rounded(whole({}).test);
  const counts = countsUpTo(job.trials);
  if (job.search === HALVING) {
    const best = halveBy(job, counts, (values) => begin(optionsOf(values)));
    return { untuned, tuned: best.map((tried) => rounded(tried.test)), chosen: best[best.length - 1].values };
  }
  const trials = searchBy(job, (values) => whole(optionsOf(values)));
  const bestOf = (count: number) =>
    trials.slice(0, count).reduce((best, trial) => (trial.validation < best.validation ? trial : best));
  return {
    untuned,
    tuned: counts.map((count) => rounded(bestOf(count).test)),
    chosen: bestOf(job.trials).values,
  };
}

/** 1, 2, 4, … */
const countsUpTo = (trials: number): number[] =>
  Array.from({ length: Math.log2(trials) + 1 }, (_, k) => 2 ** k);

/** Log10 of the test loss of a tuned run over that of the default, by seed. */
const gains = (outcomes: readonly Outcome[], k: number): number[] =>
  outcomes.map(({ tuned, untuned }) => Math.log10((tuned[k] ?? 100) / untuned!));

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const settings = bySetting(runs, ({ problem, search }) => `${problem}|${search}`);
  const counts = countsUpTo(runs[0]?.job.trials ?? 1);
  const rows = [...settings].map(([name, outcomes]) => [
    ...name.split("|"),
    interval(
      outcomes.map(({ untuned }) => untuned!),
      3,
    ),
    interval(
      outcomes.map(({ tuned }) => tuned[counts.length - 1] ?? 100),
      3,
    ),
    ...counts.map((_, k) => interval(gains(outcomes, k), 3)),
  ]);
  const lengths = problems.flatMap((problem) => {
    const job = runs.map((run) => run.job).find((each) => each.problem === problem);
    return job ? [`${job.steps} steps on ${problem}`] : [];
  });
  const which = (better: boolean) =>
    [...settings]
      .filter(([, outcomes]) => {
        const own = gains(outcomes, counts.length - 1);
        const zero = own.map(() => 0);
        return better ? clearlyBelow(own, zero) : clearlyBelow(zero, own);
      })
      .map(([name]) => name.replace("|", " by "));
  const chosen = [...settings].map(([name, outcomes]) => {
    const values = (field: keyof Values) =>
      interval(
        outcomes.map((outcome) => Math.log10(Math.max(1e-6, outcome.chosen[field]))),
        1,
      );
    return [...name.split("|"), values("alpha"), values("beta"), values("lambda"), values("weightDecay")];
  });
  const markdown = `
Each search may cost ${runs[0]?.job.trials} whole runs, its trials, and takes the trial with the least validation loss; what is compared is its loss on test data that
neither training nor choice has seen, with the default's. Tuned are the base's rate α0 e^(−βt) (the default is 1 and 0), λ of the tuner (0.01) and
a decoupled weight decay (0). The grid has two values of each, the default's and another, its trials in random order; random search draws
each on a logarithmic scale: α0 from 0.1 to 10, β from 1e-5 to 0.01, λ from 1e-4 to 10, weight decay from 0.001 to 1; TPE (Bergstra et al., 2011) chooses from the same after five trials at random; successive
halving (Jamieson and Talwalkar, 2016) starts ${contendersFor(budget)} random ones for the cost of ${budget} whole runs, and goes on with the better half after an eighth, a fourth and a half of the steps. Networks with 16 tanh
units, minibatches of 16: drawn digits (2 000 for training, 500 for validation), spirals and waves (300 and 300; new data for each seed). A run has
${listed(lengths)}.

Test losses, and log10 of their ratio to the default's after so many trials (below 0 tuning gains), mean and 95 % interval over seeds:

${table(["problem", "search", "default", "tuned", ...counts.map((count) => `${count} ${count === 1 ? "trial" : "trials"}`)], rows, 2)}

By 95 % intervals of that logarithm the whole search gains with ${listed(which(true))}; it loses with ${listed(which(false))}. A search costs
as many runs as it has trials, the default one.

What was chosen, log10 (−6 stands for 0):

${table(["problem", "search", "α0", "β", "λ", "weight decay"], chosen, 2)}

![The ratio of test losses against the number of trials](tuning.svg)
`;
  return { markdown, pictures: { "tuning.svg": picture(settings, counts) } };
}

function picture(settings: ReadonlyMap<string, readonly Outcome[]>, counts: readonly number[]): string {
  const panels = searches.map((search) => ({
    title: search,
    lines: problems.flatMap((problem) => {
      const outcomes = settings.get(`${problem}|${search}`);
      if (outcomes === undefined) return [];
      const points = counts.map((count, k) => {
        const values = gains(outcomes, k);
        return bandPoint(Math.log2(count), values);
      });
      return [{ name: problem, points }];
    }),
  }));
  return bandChart({
    title: "What tuning gains over the default",
    note: "Below 0 the tuned run has the lower test loss; bands are 95 % intervals over seeds",
    x: { title: "trials", ticks: counts.map(Math.log2), label: (tick) => String(2 ** tick) },
    y: { title: "log10 of the ratio of test losses" },
    panels,
  });
}

export const study: Study<Job, Outcome> = {
  title: "Tuning superlevel, against its default",
  edition: 2,
  seeds: 10,
  jobs: ({ quick, seeds }) =>
    seeds.flatMap((seed) =>
      problems.flatMap((problem) =>
        searches.map((search) => ({
          ...{ problem, search, seed },
          trials: quick ? 4 : budget,
          steps: quick ? 40 : problem === "drawn digits" ? 400 : 1000,
        })),
      ),
    ),
  run,
  report,
};
