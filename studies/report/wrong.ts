import {
  adam,
  createOptimizer,
  exponentialDecay,
  minibatches,
  sgd,
  type GradientSource,
  type OptimizerOptions,
} from "superlevel";
import {
  lyapunovMonitor,
  type LyapunovOptions,
  type ReportSubject,
  type StepRecord,
} from "superlevel/stability";
import { drawDigits, type Digits } from "../kit/digits/draw.js";
import { createNetwork, type Network } from "../digits/network.js";
import { createRandom } from "../kit/random.js";
import { mean } from "../kit/statistics.js";

const HIDDEN_UNITS = 16;
const WRONG = 0.2;
const WATCHED = 300;
const SEED = 3;

/** Trains and keeps what a monitor says, whether the run ends by itself or by an error. */
function watched(
  name: string,
  note: string,
  network: Network,
  source: GradientSource,
  options: OptimizerOptions,
  run: { steps: number; deterministic: boolean },
  watch: LyapunovOptions = {},
): ReportSubject {
  const steps: StepRecord[] = [];
  const monitor = lyapunovMonitor({ every: 1, ...watch, onStep: (record) => steps.push(record) });
  const optimizer = createOptimizer(network.initialTensors(SEED), options);
  try {
    optimizer.minimize(source, { ...run, guard: null, monitors: [monitor] });
  } catch {
    // The monitor says why.
  }
  optimizer.dispose();
  return { name, note, findings: monitor.summary().findings, steps };
}

/**
 * The same network trained well, and spoilt in four ways. A monitor names three of them; few wrong labels are learnt by heart,
 * which only the strip of their losses shows.
 */
export function spoiltSubjects(examples: number, steps: number): ReportSubject[] {
  const data = drawDigits(examples, 1);
  const network = createNetwork([data.pixels, HIDDEN_UNITS, 10]);
  const all = Uint32Array.from({ length: examples }, (_, i) => i);
  const source: GradientSource = (params, grads) => network.gradient(params, grads, data, all);
  const blank = Math.ceil(steps / 2);
  const breaking: GradientSource = (params, grads, step) =>
    step < blank ? source(params, grads, step) : NaN;
  const run = { steps, deterministic: true };
  const schedule = exponentialDecay({ initial: 0.1, rate: 0.1 });
  const frozen = { base: sgd({ learningRate: schedule }), tuner: null };
  const wild = { base: adam({ learningRate: 10 }), tuner: null };
  return [
    watched("A good run", "superlevel as it comes, full batch, no guard", network, source, {}, run),
    watched("Rate too high", "Adam at rate 10, full batch", network, source, wild, run),
    watched(
      "Frozen schedule",
      "descent, 0.1 · exp(−0.1 t): one step's length is all it has",
      network,
      source,
      frozen,
      run,
    ),
    watched("A loss that is no number", `NaN from step ${blank} on`, network, breaking, {}, run),
    wrongLabels(network, drawDigits(5 * Math.ceil(examples / 2), 1), 2 * steps),
  ];
}

/** Minibatches, where a share of the labels was drawn anew, watched on the first of the training examples. */
function wrongLabels(network: Network, clean: Digits, steps: number): ReportSubject {
  const random = createRandom(SEED);
  const labels = clean.labels.map((label) =>
    random.uniform() < WRONG ? (label + 1 + random.below(9)) % 10 : label,
  );
  const data = { ...clean, labels };
  const one = (i: number): Digits => ({
    ...data,
    count: 1,
    images: data.images.subarray(i * data.pixels, (i + 1) * data.pixels),
    labels: labels.subarray(i, i + 1),
  });
  const watchedOnes = Array.from({ length: Math.min(WATCHED, clean.count) }, (_, i) => one(i));
  const means: [number, number][] = [];
  const losses = (params: Float32Array) => {
    const found = watchedOnes.map((example) => network.evaluate(params, example).loss);
    means.push([
      mean(found.filter((_, i) => labels[i] === clean.labels[i])),
      mean(found.filter((_, i) => labels[i] !== clean.labels[i])),
    ]);
    return found;
  };
  const batch = { examples: clean.count, batchSize: 32, seed: SEED };
  const source = minibatches(batch, (params, grads, indices) =>
    network.gradient(params, grads, data, indices),
  );
  const every = 10;
  const subject = watched(
    "Wrong labels",
    `superlevel as it comes, ${clean.count} digits in batches of 32, one label in five wrong; ${watchedOnes.length} are watched, and learnt by heart in the end`,
    network,
    source,
    {},
    { steps, deterministic: false },
    { probe: { losses, labels: labels.subarray(0, watchedOnes.length), every } },
  );
  const strip = {
    title: "Fixed examples",
    x: means.map((_, k) => k * every),
    series: [
      { label: "right labels", values: means.map(([right]) => right) },
      { label: "wrong labels", values: means.map(([, wrong]) => wrong) },
    ],
  };
  return { ...subject, strips: [strip] };
}
