/** Problems on which nothing was chosen: other data, other networks, other functions. */
import { firstOf, readGreyCifar, readSmallDigits, readTable, readCharacters, selfTaught } from "./data.js";
import { heldOutFunctions } from "./functions.js";
import { batchSizes, fineTuning, online, ramp, turnedLabels } from "./hard.js";
import { learning } from "./learning.js";
import { classifier, network, networkLengths, nextCharacter } from "./networks.js";
import type { Examples } from "./network.js";
import type { Problem, Suite } from "./problem.js";
import { fullBatch, surfaceProblem } from "./small.js";
import { fromFiles } from "./training.js";

/** Whether the number of ones among three inputs is odd. */
const parity: Examples = {
  count: 8,
  size: 3,
  inputs: Float64Array.from({ length: 24 }, (_, k) => (Math.floor(k / 3) >> (k % 3)) & 1),
  targets: Float64Array.of(0, 1, 1, 0, 1, 0, 0, 1),
};

const makers: Record<string, (path: string) => Problem[]> = {
  "cifar10/cifar10-train-10000.bin.gz"(path) {
    const examples = readGreyCifar(path, 4000, 4);
    const { size } = examples;
    return [
      network({ name: "CIFAR-10, MLP", examples, architecture: classifier([size, 48, 10]) }),
      network({
        name: "CIFAR-10, softmax",
        examples,
        architecture: classifier([size, 10]),
        batchSize: 50,
        scales: [0],
      }),
      network({
        name: "CIFAR-10, autoencoder",
        examples: selfTaught(examples),
        architecture: { sizes: [size, 24, 12, 24, size], hidden: "relu", loss: "squares" },
      }),
    ];
  },
  "tabular/digits.csv.gz"(path) {
    const examples = readSmallDigits(path);
    const mlp = classifier([examples.size, 24, 10]);
    const deep = classifier([examples.size, 24, 24, 24, 24, 10], "tanh");
    const inner = learning({
      name: "ReLU network",
      group: "hard",
      lengths: [],
      examples,
      architecture: mlp,
      batchSize: 20,
    });
    return [
      network({ name: "8×8 digits, batches of 10", examples, architecture: mlp, batchSize: 10 }),
      network({ name: "8×8 digits, tanh, 4 layers", examples, architecture: deep }),
      fullBatch("8×8 digits, 150 at once", firstOf(examples, 150), [16], 10),
      turnedLabels("8×8 digits", examples, mlp),
      fineTuning("8×8 digits", examples, mlp),
      ramp("ReLU network", inner, 100),
      ...batchSizes("8×8 digits", firstOf(examples, 1000), 12, [1, 100, 1000]),
    ];
  },
  "tabular/wine_data.csv"(path) {
    const examples = readTable(path, 1);
    return [
      // Its classes can be told apart without error, so that losses end near 0 and gaps get large.
      learning({
        name: "wine, batches of 16",
        group: "small",
        lengths: networkLengths,
        examples,
        architecture: classifier([13, 16, 3]),
        batchSize: 16,
      }),
      fullBatch("wine, softmax", examples, [], 3),
    ];
  },
  "text/tinyshakespeare.txt"(path) {
    const text = readCharacters(path, { count: 4000, context: 4, first: 300_000, stride: 60 });
    return [nextCharacter("next character, ReLU", text, { width: 6, units: 40, hidden: "relu" })];
  },
};

export function heldOutSuite(folder: string): Suite {
  const { problems, notes } = fromFiles(folder, makers);
  return {
    problems: [...problems, surfaceProblem(), ...heldOutFunctions(), online("parity", parity, 6)],
    notes,
  };
}
