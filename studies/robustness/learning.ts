import { minibatches } from "superlevel";
import {
  createTrainer,
  initialParameters,
  tensorSizes,
  type Architecture,
  type Examples,
  type Trainer,
} from "./network.js";
import type { Group, Problem } from "./problem.js";

/** The loss that counts is taken over so many examples at most. */
const judged = 2000;

export interface Learning {
  readonly name: string;
  readonly group: Group;
  readonly lengths: readonly number[];
  readonly examples: Examples;
  readonly architecture: Architecture;
  /** All examples at every step where it is not given. */
  readonly batchSize?: number;
  /** What each layer's usual initial weights are multiplied by; default 1. */
  readonly scales?: readonly number[];
  /** Where runs start, if not from random weights. */
  readonly start?: (seed: number) => Float32Array;
  /** From a step on the examples are these; the loss that counts is theirs. */
  readonly later?: { readonly after: number; readonly examples: Examples };
}

const numbers = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

/** A network that learns examples. */
export function learning(options: Learning): Problem {
  const { name, group, lengths, examples, architecture, batchSize, scales, later } = options;
  const train = createTrainer(architecture, examples);
  const trainLater = later && createTrainer(architecture, later.examples);
  const final = trainLater ?? train;
  const all = numbers(Math.min(judged, examples.count));
  const { start = (seed) => initialParameters(architecture, seed, (layer) => scales?.[layer] ?? 1) } =
    options;
  return {
    name,
    group,
    lengths,
    sizes: tensorSizes(architecture),
    start,
    source(seed) {
      const at = (step: number) => (later && step > later.after ? final : train);
      return stream(at, examples.count, batchSize ?? examples.count, seed);
    },
    loss: (x) => final(x, all),
  };
}

/** Batches in a new order every epoch. */
export function stream(at: (step: number) => Trainer, count: number, batchSize: number, seed: number) {
  return minibatches(
    { examples: count, batchSize, seed, shuffle: batchSize < count },
    (x, grads, indices, step) => at(step)(x, indices, grads),
  );
}

const [rate, beta1, beta2] = [1e-2, 0.9, 0.999];

/** Where `steps` steps of Adam with linear decay lead: a trained network to start from. */
export function trained(
  { architecture, examples, batchSize = examples.count }: Learning,
  seed: number,
  steps: number,
): Float32Array {
  const x = initialParameters(architecture, 100 + seed);
  const [grads, mu, nu] = [
    new Float32Array(x.length),
    new Float64Array(x.length),
    new Float64Array(x.length),
  ];
  const train = createTrainer(architecture, examples);
  const batches = stream(() => train, examples.count, batchSize, 100 + seed);
  for (let step = 1; step <= steps; step++) {
    batches(x, grads, step);
    const eta = (rate * (1 - (step - 1) / steps) * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    for (let i = 0; i < x.length; i++) {
      mu[i] += (1 - beta1) * (grads[i] - mu[i]);
      nu[i] += (1 - beta2) * (grads[i] ** 2 - nu[i]);
      x[i] -= (eta * mu[i]) / (Math.sqrt(nu[i]) + 1e-8);
    }
  }
  return x;
}
