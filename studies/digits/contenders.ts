import { adam, createOptimizer, sgd, type Optimizer } from "superlevel";
import type { Tensor } from "./network.js";

/** One row of the table: an optimizer and the learning rate it was given, if any. */
export interface Contender {
  readonly name: string;
  readonly family: "superlevel" | "adam" | "sgd";
  readonly learningRate: number | undefined;
  create(tensors: readonly Tensor[]): Optimizer;
}

const learningRates = [1e-4, 1e-3, 1e-2, 1e-1, 1];

/** superlevel as it comes, then the plain optimizers (`tuner: null`) at every rate. */
export const contenders: readonly Contender[] = [
  {
    name: "superlevel",
    family: "superlevel",
    learningRate: undefined,
    create: (tensors) => createOptimizer(tensors),
  },
  ...learningRates.map((learningRate): Contender => ({
    name: `Adam ${rateText(learningRate)}`,
    family: "adam",
    learningRate,
    create: (tensors) => createOptimizer(tensors, { base: adam({ learningRate }), tuner: null }),
  })),
  ...learningRates.map((learningRate): Contender => ({
    name: `SGD ${rateText(learningRate)}`,
    family: "sgd",
    learningRate,
    create: (tensors) =>
      createOptimizer(tensors, { base: sgd({ learningRate, momentum: 0.9 }), tuner: null }),
  })),
];

function rateText(learningRate: number): string {
  return learningRate < 1 ? learningRate.toExponential() : String(learningRate);
}
