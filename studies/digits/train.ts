import {
  createOptimizer,
  minibatches,
  OptimizerError,
  type GradientSource,
  type Optimizer,
} from "superlevel";
import type { Contender } from "./contenders.js";
import { median } from "../kit/statistics.js";
import type { Digits } from "../kit/digits/draw.js";
import { createNetwork, type Evaluation, type Network } from "./network.js";

export interface Problem {
  readonly network: Network;
  readonly train: Digits;
  readonly test: Digits;
  readonly batchSize: number;
  readonly steps: number;
}

/** The course of one training. */
interface Trace {
  /** Loss of each minibatch, before its step; shorter than the run where it diverged. */
  readonly losses: Float64Array;
  /** The step that the optimizer refused, because something in it was not finite. */
  readonly divergedAt: number | undefined;
  /** Medians, in microseconds: the optimizer's step alone, and gradient and step together. */
  readonly stepTime: number;
  readonly wholeTime: number;
}

/** One optimizer trained from one initialisation; NaN where it diverged. */
export interface Run extends Trace {
  readonly trainLoss: number;
  readonly testAccuracy: number;
}

type OnStep = (step: number, loss: number) => void;

/** Trains from the initial values and the batch order that `seed` gives, the same for every contender. */
export function trainContender(problem: Problem, contender: Contender, seed: number, onStep: OnStep): Run {
  const { network, train, test, batchSize, steps } = problem;
  const optimizer = contender.create(network.initialTensors(seed));
  const source = minibatches({ examples: train.count, batchSize, seed }, (params, grads, batch) =>
    network.gradient(params, grads, train, batch),
  );
  const trace = descend(optimizer, source, steps, onStep);
  const diverged = trace.divergedAt !== undefined;
  const trainLoss = diverged ? NaN : network.evaluate(optimizer.params, train).loss;
  const testAccuracy = diverged ? NaN : network.evaluate(optimizer.params, test).accuracy;
  optimizer.dispose();
  return { ...trace, trainLoss, testAccuracy };
}

/** What `optimizer.minimize(source, { steps })` does, written out to time gradient and step apart. */
function descend(optimizer: Optimizer, source: GradientSource, steps: number, onStep: OnStep): Trace {
  const losses = new Float64Array(steps);
  const stepTimes = new Float64Array(steps);
  const wholeTimes = new Float64Array(steps);
  let done = 0;
  let divergedAt: number | undefined;
  try {
    while (done < steps) {
      const start = performance.now();
      const loss = source(optimizer.params, optimizer.grads, done + 1);
      const middle = performance.now();
      optimizer.step(undefined, { loss });
      const end = performance.now();
      losses[done] = loss;
      stepTimes[done] = 1e3 * (end - middle);
      wholeTimes[done] = 1e3 * (end - start);
      done++;
      onStep(done, loss);
    }
  } catch (error) {
    if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
    divergedAt = done + 1;
  }
  return {
    losses: losses.subarray(0, done),
    divergedAt,
    stepTime: median([...stepTimes.subarray(0, done)]),
    wholeTime: median([...wholeTimes.subarray(0, done)]),
  };
}

/** What a linear model reaches on the same images: they would prove little if it did as well. */
export function trainLinearModel({ train, test, batchSize }: Problem, steps: number): Evaluation {
  const model = createNetwork([train.pixels, 10]);
  const optimizer = createOptimizer(model.initialTensors(1));
  const source = minibatches({ examples: train.count, batchSize, seed: 1 }, (params, grads, batch) =>
    model.gradient(params, grads, train, batch),
  );
  optimizer.minimize(source, { steps });
  const evaluation = model.evaluate(optimizer.params, test);
  optimizer.dispose();
  return evaluation;
}
