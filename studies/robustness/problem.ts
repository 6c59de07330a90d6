import type { GradientSource } from "superlevel";

export const groups = ["networks", "small", "functions", "hard"] as const;

/** Minibatch networks, small data sets, functions with and without noise, and what is known to be hard. */
export type Group = (typeof groups)[number];

/** Something to minimise: how it starts, its gradients step by step, and the loss that counts in the end. */
export interface Problem {
  readonly name: string;
  readonly group: Group;
  /** The run lengths that count, ascending. */
  readonly lengths: readonly number[];
  /** Sizes of the tensors that make up the parameters; one when not given. */
  readonly sizes?: readonly number[];
  readonly start: (seed: number) => Float32Array;
  source(seed: number): GradientSource;
  /** The whole loss, without noise; its minimum is 0 or above. */
  loss(x: Float32Array): number;
}

/** A list of problems, and why some are missing. */
export interface Suite {
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}
