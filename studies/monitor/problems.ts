import type { Problem } from "./train.js";

const relu = (data: string, ...hidden: number[]): Problem => ({ data, hidden, activation: "relu" });
const tanh = (data: string, ...hidden: number[]): Problem => ({ data, hidden, activation: "tanh" });

/** On these the monitor's thresholds were chosen. */
export const developed: readonly Problem[] = [
  relu("blobs", 24),
  relu("overlapping blobs", 24),
  relu("drawn digits", 24),
  relu("8×8 digits", 24),
];

/** On these nothing was chosen: other data, widths, depths and activations. */
export const heldOut: readonly Problem[] = [
  relu("MNIST", 24),
  tanh("MNIST", 48),
  tanh("wine", 16),
  relu("iris", 12),
  tanh("8×8 digits", 48),
  tanh("drawn digits", 12, 12),
  relu("blobs"),
];
