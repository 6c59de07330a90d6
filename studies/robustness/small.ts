/* Small networks whose every step sees all examples. */
import { createRandom } from "../kit/random.js";
import type { Labelled } from "./data.js";
import { learning } from "./learning.js";
import { classifier } from "./networks.js";
import type { Examples } from "./network.js";
import type { Problem } from "./problem.js";

export const xorExamples: Examples = {
  count: 4,
  size: 2,
  inputs: Float64Array.of(0, 0, 0, 1, 1, 0, 1, 1),
  targets: Float64Array.of(0, 1, 1, 0),
};

/** One input on an even grid from −3 to 3. */
function curve(count: number, of: (x: number) => number): Examples {
  const inputs = Float64Array.from({ length: count }, (_, k) => -3 + (6 * k) / (count - 1));
  return { count, size: 1, inputs, targets: inputs.map(of) };
}

export function xorProblem(): Problem {
  return learning({
    name: "XOR",
    group: "small",
    lengths: [100, 300, 1000],
    examples: xorExamples,
    architecture: { sizes: [2, 8, 1], hidden: "tanh", loss: "squares" },
  });
}

export function sineProblem(): Problem {
  return learning({
    name: "sine",
    group: "small",
    lengths: [100, 300, 1000, 3000],
    examples: curve(64, (x) => Math.sin(2 * x)),
    architecture: { sizes: [1, 16, 16, 1], hidden: "tanh", loss: "squares" },
  });
}

export function fullBatch(
  name: string,
  examples: Labelled,
  hidden: readonly number[],
  classes: number,
): Problem {
  return learning({
    name,
    group: "small",
    lengths: [100, 300, 1000],
    examples,
    architecture: classifier([examples.size, ...hidden, classes]),
  });
}

/** Points of the plane, normally distributed, and a smooth surface's height there. */
export function surfaceProblem(): Problem {
  const random = createRandom(5);
  const inputs = Float64Array.from({ length: 128 }, () => random.normal());
  const height = (k: number) => Math.sin(2 * inputs[2 * k]) + 0.5 * Math.cos(3 * inputs[2 * k + 1]);
  return learning({
    name: "surface",
    group: "small",
    lengths: [100, 300, 1000, 3000],
    examples: { count: 64, size: 2, inputs, targets: Float64Array.from({ length: 64 }, (_, k) => height(k)) },
    architecture: { sizes: [2, 16, 1], hidden: "tanh", loss: "squares" },
  });
}
