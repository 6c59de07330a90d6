import { createRandom } from "../kit/random.js";
import { selfTaught, type Labelled } from "./data.js";
import { learning, type Learning } from "./learning.js";
import type { Architecture } from "./network.js";
import type { Problem } from "./problem.js";

/** Run lengths of every minibatch network. */
export const networkLengths = [100, 300, 1000, 3000];

export const classifier = (
  sizes: readonly number[],
  hidden: Architecture["hidden"] = "relu",
): Architecture => ({ sizes, hidden, loss: "cross-entropy" });

export const network = (options: Omit<Learning, "group" | "lengths">): Problem =>
  learning({ batchSize: 32, ...options, group: "networks", lengths: networkLengths });

/** A part of the labels becomes any of ten. */
export function mislabelled(examples: Labelled, part: number): Labelled {
  const random = createRandom(77);
  const labels = examples.labels.map((label) => (random.uniform() < part ? random.below(10) : label));
  return { ...examples, labels };
}

const eight = new Array<number>(8).fill(24);

/** Digits of 14 × 14 and of 7 × 7 pixels. */
export function digitNetworks(large: Labelled, small: Labelled): Problem[] {
  const mlp = classifier([large.size, 32, 10]);
  return [
    network({ name: "MLP", examples: large, architecture: mlp }),
    network({ name: "MLP, batches of 10", examples: large, architecture: mlp, batchSize: 10 }),
    network({
      name: "softmax regression",
      examples: large,
      architecture: classifier([large.size, 10]),
      scales: [0],
    }),
    network({
      name: "deep, 8 layers",
      examples: small,
      architecture: classifier([small.size, ...eight, 10]),
    }),
    network({
      name: "tanh, 3 layers",
      examples: large,
      architecture: classifier([large.size, 32, 32, 32, 10], "tanh"),
    }),
    network({ name: "wrong labels, 20 %", examples: mislabelled(large, 0.2), architecture: mlp }),
    network({ name: "bad initial scales", examples: large, architecture: mlp, scales: [5, 0.2] }),
    network({
      name: "autoencoder",
      examples: selfTaught(small),
      architecture: { sizes: [small.size, 32, 16, 32, small.size], hidden: "tanh", loss: "squares" },
    }),
  ];
}

/** The next character from those before it. */
export function nextCharacter(
  name: string,
  text: Labelled & { characters: number },
  { width, units, hidden }: { width: number; units: number; hidden: Architecture["hidden"] },
): Problem {
  const { characters, size } = text;
  const architecture: Architecture = {
    ...classifier([size * width, units, characters], hidden),
    embedding: { characters, width },
  };
  return network({ name, examples: text, architecture });
}
