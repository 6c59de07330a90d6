/* What is known to be hard for a method that looks for its scale itself. */
import type { Labelled } from "./data.js";
import { firstOf } from "./data.js";
import { learning, trained, type Learning } from "./learning.js";
import { classifier } from "./networks.js";
import type { Architecture, Examples } from "./network.js";
import type { Problem } from "./problem.js";

/** Sigmoids throughout and squares: saturates easily. */
const sigmoids = (sizes: readonly number[]): Architecture => ({
  sizes,
  hidden: "sigmoid",
  loss: "squares",
  squash: true,
});

/** A truth table, one row of it a step. */
export function online(name: string, examples: Examples, units: number): Problem {
  return learning({
    name: `${name}, one example a step`,
    group: "hard",
    lengths: [2000, 8000],
    examples,
    architecture: sigmoids([examples.size, units, 1]),
    batchSize: 1,
  });
}

/** Every answer turns into its opposite. */
export function turnedTable(examples: Examples): Problem {
  const targets = examples.targets!.map((target) => 1 - target);
  return learning({
    name: "XOR, answers change",
    group: "hard",
    lengths: [2500, 4000],
    examples,
    architecture: sigmoids([examples.size, 8, 1]),
    batchSize: 1,
    later: { after: 2000, examples: { ...examples, targets } },
  });
}

/** Every class takes the next one's name. */
export function turnedLabels(name: string, examples: Labelled, architecture: Architecture): Problem {
  const classes = architecture.sizes[architecture.sizes.length - 1];
  const labels = examples.labels.map((label) => (label + 1) % classes);
  return learning({
    name: `${name}, labels change`,
    group: "hard",
    lengths: [600, 1000],
    examples,
    architecture,
    batchSize: 32,
    later: { after: 500, examples: { ...examples, labels } },
  });
}

/** Starts where Adam with a falling rate ended, on the same examples: nothing to gain but a little. */
export function fineTuning(name: string, examples: Labelled, architecture: Architecture): Problem {
  const first: Learning = {
    name: `${name}, fine-tuning`,
    group: "hard",
    lengths: [100, 300, 1000],
    examples,
    architecture,
    batchSize: 32,
  };
  const known = new Map<number, Float32Array>();
  return learning({
    ...first,
    start(seed) {
      const x = known.get(seed) ?? trained(first, seed, 3000);
      known.set(seed, x);
      return x.slice();
    },
  });
}

const slope = 0.05;

/** Coordinates beside a network whose gradient never turns; the loss that counts is the network's. */
export function ramp(name: string, network: Problem, coordinates: number): Problem {
  const inner = (x: Float32Array) => x.subarray(0, x.length - coordinates);
  return {
    name: `${name} beside a ramp`,
    group: "hard",
    lengths: [100, 300, 1000],
    sizes: [...network.sizes!, coordinates],
    start(seed) {
      const x = network.start(seed);
      const both = new Float32Array(x.length + coordinates);
      both.set(x);
      return both;
    },
    source(seed) {
      const source = network.source(seed);
      return (x, grads, step) => {
        grads.fill(slope);
        return source(inner(x), inner(grads), step);
      };
    },
    loss: (x) => network.loss(inner(x)),
  };
}

/** One network at many batch sizes; large ones cost too much for long runs. */
export function batchSizes(
  name: string,
  examples: Labelled,
  units: number,
  sizes: readonly number[],
): Problem[] {
  return sizes.map((size) =>
    learning({
      name: size === examples.count ? `${name}, all ${size} at once` : `${name}, batches of ${size}`,
      group: "hard",
      lengths: size > 100 ? [100, 300] : [100, 300, 1000],
      examples,
      architecture: classifier([examples.size, units, 10]),
      batchSize: size,
    }),
  );
}

export function hardDigits(large: Labelled, small: Labelled): Problem[] {
  const mlp = classifier([large.size, 32, 10]);
  const tanh = learning({
    name: "tanh network",
    group: "hard",
    lengths: [],
    examples: small,
    architecture: classifier([small.size, 24, 24, 10], "tanh"),
    batchSize: 32,
  });
  return [
    ramp("tanh network", tanh, 200),
    turnedLabels("MLP", large, mlp),
    fineTuning("MLP", firstOf(large, 2000), mlp),
    ...batchSizes("small MLP", firstOf(small, 1500), 12, [1, 10, 100, 1000, 1500]),
  ];
}
