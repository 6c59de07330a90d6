import type * as tf from "@tensorflow/tfjs-core";

/** Makes an optimizer: the customary one of a rate, or another in its place. */
export type Make = (customary: () => tf.Optimizer) => tf.Optimizer;

export interface Program {
  readonly name: string;
  /** Its optimizer and rate, as its author would write them. */
  readonly customary: string;
  /** What it ends with, the lower the better. */
  readonly measure: string;
  run(make: Make, seed: number, share: number): Promise<number>;
}
