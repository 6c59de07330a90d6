import * as tf from "@tensorflow/tfjs-core";
import { OptimizerError } from "superlevel";
import { crossEntropy, evaluate } from "./batches.js";
import type { Contender } from "./contenders.js";
import type { Problem } from "./problems.js";

/** One training; losses are null where it diverged. */
export interface Run {
  readonly problem: string;
  readonly contender: string;
  readonly rate: number | null;
  readonly seed: number;
  readonly steps: number;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
  /** Part of right answers on data kept apart. */
  readonly accuracy: number | null;
  readonly seconds: number;
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);

export function train(problem: Problem, contender: Contender, rate: number | null, seed: number): Run {
  const { steps } = problem;
  const begin = process.cpuUsage();
  const model = problem.create(seed);
  const next = problem.batches(seed);
  const optimizer = contender.create(rate ?? NaN, steps);
  try {
    for (let step = 0; step < steps; step++) {
      tf.tidy(() => {
        const { inputs, targets } = next();
        optimizer.minimize(() => crossEntropy(targets, model.apply(inputs)), false, [...model.variables]);
      });
    }
  } catch (error) {
    if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
  }
  const reached = optimizer.iterations === steps;
  const on = (batch: Problem["train"]) =>
    reached ? evaluate((inputs) => model.apply(inputs), batch) : { loss: NaN, accuracy: NaN };
  const [trained, validated] = [on(problem.train), on(problem.validation)];
  optimizer.dispose();
  tf.dispose([...model.variables]);
  const { user, system } = process.cpuUsage(begin);
  return {
    ...{ problem: problem.name, contender: contender.name, rate, seed, steps },
    trainLoss: orNull(trained.loss),
    validationLoss: orNull(validated.loss),
    accuracy: orNull(validated.accuracy),
    seconds: (user + system) / 1e6,
  };
}
