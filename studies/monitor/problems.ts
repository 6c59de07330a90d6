import { draw, type DataName, type Labelled } from "./data.js";
import type { Activation } from "../kit/mlp.js";

/** Data, and a network for it. */
export interface Problem {
  readonly data: DataName;
  readonly hidden: readonly number[];
  readonly activation: Activation;
  /** Multiplies all rates. */
  readonly pace: number;
}

/** On these the monitor's thresholds were chosen. */
export const developed: readonly Problem[] = [
  { data: "blobs", hidden: [16], activation: "relu", pace: 1 },
  { data: "overlapping blobs", hidden: [12], activation: "relu", pace: 1 },
  { data: "moons", hidden: [12, 12], activation: "tanh", pace: 1 },
  { data: "taught", hidden: [14, 10], activation: "relu", pace: 1 },
  { data: "rings", hidden: [20], activation: "tanh", pace: 1 },
  { data: "drawn digits", hidden: [12], activation: "tanh", pace: 1 },
  { data: "taught", hidden: [18, 14, 10], activation: "relu", pace: 1 },
  { data: "moons", hidden: [24, 16], activation: "tanh", pace: 1 },
  { data: "drawn digits", hidden: [20, 12, 8], activation: "relu", pace: 1 },
];

/** On these nothing was chosen: other data, widths and depths. */
export const heldOut: readonly Problem[] = [
  { data: "waves", hidden: [18], activation: "relu", pace: 1 },
  { data: "spirals", hidden: [24, 16], activation: "tanh", pace: 1 },
  { data: "board", hidden: [20, 12, 8], activation: "relu", pace: 1 },
];

/** Examples to train on, and in all. */
export const [TRAINED, DRAWN] = [200, 400];

export const dataOf = ({ data }: Problem, seed: number, count = DRAWN): Labelled => draw(data, seed, count);
