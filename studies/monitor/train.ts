import { createOptimizer, minibatches, type GradientSource, type OptimizerOptions } from "superlevel";
import { lyapunovMonitor, type LyapunovSummary } from "superlevel/stability";

import { some, spoilt, type Labelled } from "./data.js";
import { createNetwork, type Activation, type Network } from "./network.js";

/** A network and data to train it on. */
export interface Problem {
  readonly data: string;
  readonly hidden: readonly number[];
  readonly activation: Activation;
}

const TRAINED = 400;
const PROBED = 256;
const BATCH = 32;
const STEPS = { full: 200, mini: 400 };

/** How it is trained. */
export interface Setting {
  readonly options: OptimizerOptions;
  readonly full: boolean;
  readonly seed: number;
  /** Share of wrong labels. */
  readonly wrong?: number;
  /** Spoils loss and gradient. */
  readonly spoil?: (loss: number, grads: Float32Array, step: number) => number;
}

/** What monitors said, and how it really went. */
export interface Trained {
  /** Of monitors that were given no fixed examples, training examples, and others. */
  readonly reports: {
    readonly plain: LyapunovSummary;
    readonly probed: LyapunovSummary;
    readonly held: LyapunovSummary;
  };
  /** Mean loss of all training examples at the start and in the end. */
  readonly first: number;
  readonly last: number;
  /** Numbers of the training examples whose labels are wrong. */
  readonly wrong: ReadonlySet<number>;
}

export const stepsOf = ({ full }: Pick<Setting, "full">): number => (full ? STEPS.full : STEPS.mini);

/** Examples to train on, and the rest. */
function divide(data: Labelled): { train: Uint32Array; held: Uint32Array } {
  const count = Math.min(TRAINED, Math.round(0.7 * data.count));
  const all = Uint32Array.from({ length: data.count }, (_, i) => i);
  return { train: all.subarray(0, count), held: all.subarray(count, count + PROBED) };
}

function sourceOf(network: Network, data: Labelled, train: Uint32Array, setting: Setting): GradientSource {
  const { full, seed, spoil = (loss) => loss } = setting;
  if (full) return (x, grads, step) => spoil(network.gradient(x, grads, data, train), grads, step);
  return minibatches({ examples: train.length, batchSize: BATCH, seed }, (x, grads, batch, step) =>
    spoil(network.gradient(x, grads, data, batch), grads, step),
  );
}

/** Trains once, watched by three monitors that change nothing. */
export function train(raw: Labelled, { hidden, activation }: Problem, setting: Setting): Trained {
  const { options, full, seed, wrong = 0 } = setting;
  const clean = some(raw, TRAINED + PROBED, seed);
  const data = spoilt(clean, wrong, seed);
  const { train, held } = divide(data);
  const network = createNetwork([data.width, ...hidden, data.classes], activation);
  const probe = (indices: Uint32Array) => ({ losses: (x: Float32Array) => network.losses(x, data, indices) });
  const monitors = {
    plain: lyapunovMonitor(),
    probed: lyapunovMonitor({ probe: probe(train.subarray(0, PROBED)) }),
    held: lyapunovMonitor({ probe: probe(held) }),
  };
  const mean = (x: Float32Array) => {
    const losses = network.losses(x, data, train);
    return losses.reduce((a, b) => a + b, 0) / losses.length;
  };
  const optimizer = createOptimizer(network.start(seed), options);
  const first = mean(optimizer.params);
  try {
    const run = {
      steps: stepsOf(setting),
      deterministic: full,
      guard: null,
      monitors: Object.values(monitors),
    };
    optimizer.minimize(sourceOf(network, data, train, setting), run);
  } catch {
    // Losses that are not finite end a run.
  }
  const last = mean(optimizer.params);
  optimizer.dispose();
  const { plain, probed, held: unseen } = monitors;
  const wrongOnes = new Set(train.filter((i) => clean.labels[i] !== data.labels[i]));
  return {
    reports: { plain: plain.summary(), probed: probed.summary(), held: unseen.summary() },
    first,
    last,
    wrong: wrongOnes,
  };
}
