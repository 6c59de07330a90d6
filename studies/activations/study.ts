/**
 * `npm run study -- activations`: five activations, four depths, with and without residual connections, on three spirals
 * and full batches: where the loss ends, and how rough the way was.
 */
import {
  adam,
  createOptimizer,
  OptimizerError,
  type GradientSource,
  type OptimizerOptions,
} from "superlevel";
import { edgeRatio, fromSource, lyapunovMonitor } from "superlevel/stability";
import { bandPoint, bandChart } from "../kit/chart.js";
import {
  bySetting,
  clearlyBelow,
  fixed,
  interval,
  listed,
  percent,
  rounded,
  table,
} from "../kit/outcomes.js";
import { createRandom } from "../kit/random.js";
import { mean, median } from "../kit/statistics.js";
import type { Findings, Run, Study } from "../kit/study.js";
import { draw, mislabelled } from "../monitor/data.js";
import { spikeCounter } from "../robustness/measure.js";
import { activations, type Activation } from "../kit/mlp.js";
import { createNetwork, type DeepNetwork } from "./network.js";

const rates = [0.003, 0.01, 0.03];
const optimizers = new Map<string, OptimizerOptions>([
  ["superlevel", {}],
  ...rates.map((rate) => [`${rate}`, { base: adam({ learningRate: rate }), tuner: null }] as const),
]);
/** By the names that the results have. */
const named = {
  ReLU: "relu",
  "leaky ReLU": "leaky relu",
  tanh: "tanh",
  sigmoid: "sigmoid",
  GELU: "gelu",
} satisfies Record<string, Activation>;
type ActivationName = keyof typeof named;
const depths = [2, 4, 8, 16];
const [examples, width, wrong] = [60, 8, 0.1];

type Job = {
  readonly activation: ActivationName;
  readonly depth: number;
  readonly residual: boolean;
  readonly steps: number;
  readonly seed: number;
};
/** How one optimizer fared; null is not a finite number. */
type Fate = {
  /** log10 of the final loss. */
  readonly loss: number | null;
  readonly spikes: number;
  /** Shares: of pre-activations that changed sign in a step, and of steps at which the loss rose. */
  readonly crossed: number | null;
  readonly violations: number | null;
  readonly edge: number | null;
};
type Outcome = { readonly [optimizer: string]: Fate };

/** Signs of pre-activations that differ from those at the call before, over all calls. */
function crossings({ preactivations }: DeepNetwork) {
  const signs = new Int8Array(preactivations.length);
  let [calls, changed] = [0, 0];
  return {
    look(): void {
      for (let k = 0; k < signs.length; k++) {
        const sign = preactivations[k] > 0 ? 1 : -1;
        if (calls > 0 && sign !== signs[k]) changed++;
        signs[k] = sign;
      }
      calls++;
    },
    share: () => changed / Math.max(1, calls - 1) / signs.length,
  };
}

async function trainWith(
  options: OptimizerOptions,
  network: DeepNetwork,
  start: Float32Array,
  steps: number,
) {
  const monitor = lyapunovMonitor();
  const crossed = crossings(network);
  const first = network.gradient(start, new Float32Array(start.length));
  const spikes = spikeCounter(first, Math.floor(steps / 3));
  const source: GradientSource = (params, grads, step) => {
    const loss = network.gradient(params, grads);
    crossed.look();
    spikes.look(loss, step);
    return loss;
  };
  const optimizer = createOptimizer(start, options);
  let [loss, edge] = [first, NaN];
  try {
    const run = { steps, deterministic: true, guard: null, monitors: [monitor] };
    loss = optimizer.minimize(source, run).loss;
    const { ratio } = await edgeRatio(
      optimizer,
      fromSource((params, grads) => network.gradient(params, grads)),
    );
    edge = ratio ?? NaN;
  } catch (error) {
    // What diverged counts as not trained.
    if (!(error instanceof OptimizerError)) throw error;
  } finally {
    optimizer.dispose();
  }
  const { counts, steps: seen } = monitor.summary();
  return {
    loss: rounded(Math.log10(Math.max(loss, 1e-12))),
    spikes: spikes.spikes(),
    crossed: rounded(crossed.share()),
    violations: rounded(counts.violation / seen),
    edge: rounded(edge),
  };
}

async function run({ activation, depth, residual, steps, seed }: Job): Promise<Outcome> {
  const data = mislabelled(draw("spirals", seed, examples), wrong, seed);
  const { width: inputs, classes } = data;
  const architecture = { inputs, width, depth, classes, activation: named[activation], residual };
  const network = createNetwork(architecture, data.inputs, data.labels);
  const start = network.start(createRandom(seed).normal);
  const fates: Record<string, Fate> = {};
  for (const [name, options] of optimizers) fates[name] = await trainWith(options, network, start, steps);
  return fates;
}

const nameOf = ({ activation, depth, residual }: Omit<Job, "steps" | "seed">) =>
  `${activation}, ${depth} layers${residual ? ", residual" : ""}`;

const values = (outcomes: readonly Outcome[], optimizer: string, field: keyof Fate): number[] =>
  outcomes.flatMap((outcome) => outcome[optimizer][field] ?? []);

/** The rate of Adam with the lowest mean. */
const bestRate = (outcomes: readonly Outcome[]): string =>
  rates
    .map(String)
    .reduce((best, rate) =>
      mean(values(outcomes, rate, "loss")) < mean(values(outcomes, best, "loss")) ? rate : best,
    );

function report(runs: readonly Run<Job, Outcome>[]): Findings {
  const settings = bySetting(runs, nameOf);
  const jobs = new Map(runs.map(({ job }) => [nameOf(job), job]));
  const rows = [...settings].map(([name, outcomes]) => {
    const [best, job] = [bestRate(outcomes), jobs.get(name)!];
    const of = (field: keyof Fate) => values(outcomes, "superlevel", field);
    return [
      ...[job.activation, `${job.depth}`, job.residual ? "yes" : "no"],
      interval(of("loss"), 2),
      `${interval(values(outcomes, best, "loss"), 2)} (${best})`,
      `${of("spikes").reduce((sum, value) => sum + value, 0)}`,
      activations[named[job.activation]].kinked ? percent(mean(of("crossed")), 1) : "–",
      percent(mean(of("violations")), 1),
      fixed(median(of("edge")), 2),
    ];
  });
  const extremes = [...jobs.values()].map(({ depth }) => depth);
  const shown = rows.filter(([, depth]) =>
    [Math.min(...extremes), Math.max(...extremes)].includes(Number(depth)),
  );
  const against = (wins: boolean) =>
    [...settings].filter(([, outcomes]) => {
      const [own, other] = [
        values(outcomes, "superlevel", "loss"),
        values(outcomes, bestRate(outcomes), "loss"),
      ];
      return wins ? clearlyBelow(own, other) : clearlyBelow(other, own);
    });
  const [ahead, behind] = [against(true), against(false)];
  const steps = runs[0]?.job.steps;
  const markdown = `
Three spirals, ${examples} examples in full batches, ${100 * wrong} % of the labels wrong, networks of ${width} units a layer, ${steps} steps; random data and weights for each
seed. "layers" counts the hidden ones; "residual" adds the input of a hidden layer to its output. Weights start with He's variance for
ReLU, leaky ReLU (slope 0.01) and GELU (in tanh's approximation) and with 1 / inputs for tanh and sigmoid. Losses are log10 of the mean
cross-entropy, mean and 95 % interval over seeds; ${Math.log10(Math.log(3)).toFixed(2)} is what a constant guess has. Adam stands at the best of
${listed(rates.map(String))}, which the bracket names; superlevel is as it comes, without a guard. Networks of 4 and 8 layers are in [activations.json](activations.json). The other columns are
superlevel's:

- **late spikes**, over all seeds: the smoothed loss rose above three times its least after a third of the steps;
- **kinks crossed**: pre-activations that changed their sign in a step, for activations with a kink;
- **violations**: steps at which the loss rose by more than the Lyapunov monitor tolerates;
- **edge ratio** at the last point, the median over seeds, where 1 is the edge of stability.

${table(["activation", "layers", "residual", "superlevel", "Adam, the best rate", "late spikes", "kinks crossed", "violations", "edge ratio"], shown, 3)}

By 95 % intervals of the difference, seed by seed, superlevel ends below Adam's best rate in ${ahead.length} of ${settings.size} settings, and above it in ${behind.length}: ${listed(behind.map(([name]) => name))}.

![The final loss against the depth](activations.svg)
`;
  return { markdown, pictures: { "activations.svg": picture(settings) } };
}

function picture(settings: ReadonlyMap<string, readonly Outcome[]>): string {
  const names = Object.keys(named) as ActivationName[];
  const panels = [false, true].map((residual) => {
    const lines = names.map((activation) => {
      const points = depths.flatMap((depth) => {
        const outcomes = settings.get(nameOf({ activation, depth, residual }));
        if (outcomes === undefined) return [];
        const losses = values(outcomes, "superlevel", "loss");
        return [bandPoint(Math.log2(depth), losses)];
      });
      return { name: activation, points };
    });
    return { title: residual ? "with residual connections" : "without residual connections", lines };
  });
  return bandChart({
    title: "Activations and depth",
    note: "superlevel; bands are 95 % intervals over seeds",
    x: { title: "hidden layers", ticks: depths.map(Math.log2), label: (tick) => String(2 ** tick) },
    y: { title: "log10 of the final loss" },
    panels,
  });
}

export const study: Study<Job, Outcome> = {
  title: "Activations, depth and residual connections",
  edition: 1,
  seeds: 10,
  jobs: ({ quick, seeds }) =>
    seeds.flatMap((seed) =>
      (Object.keys(named) as ActivationName[]).flatMap((activation) =>
        depths.slice(0, quick ? 2 : undefined).flatMap((depth) =>
          [false, true].map((residual) => ({
            ...{ activation, depth, residual, seed },
            steps: quick ? 40 : 250,
          })),
        ),
      ),
    ),
  run,
  report,
};
