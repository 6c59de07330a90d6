/* Small digits, and a multilayer perceptron that tells them apart: what several studies train. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pooled, type Labelled } from "../monitor/data.js";
import { dataFolder } from "./data-file.js";
import { drawDigits, type Digits } from "./digits/draw.js";
import { readMnist } from "./digits/idx.js";
import { createMlp, crossEntropy, largest, type Activation, type Mlp, type Vector } from "./mlp.js";

export type DigitsName = "drawn digits" | "MNIST";

export interface Split {
  readonly train: Labelled;
  readonly held: Labelled;
}

const sizes = { train: 4000, held: 1000 };
const read = new Map<DigitsName, Split>();

/** Drawn digits, and MNIST where it is. */
export const availableDigits = (): DigitsName[] =>
  existsSync(join(dataFolder, "mnist")) ? ["MNIST", "drawn digits"] : ["drawn digits"];

/** The first 4 000 digits for training and 1 000 held out, of 14 × 14 pixels. */
export function smallDigits(name: DigitsName): Split {
  const known = read.get(name);
  if (known) return known;
  const { train, test }: { train: Digits; test: Digits } =
    name === "MNIST"
      ? readMnist(join(dataFolder, "mnist"))
      : { train: drawDigits(sizes.train, 1), test: drawDigits(sizes.held, 2) };
  const first = ({ pixels, images, labels }: Digits, count: number) =>
    pooled(
      { count, pixels, images: images.subarray(0, count * pixels), labels: labels.subarray(0, count) },
      2,
    );
  const split = { train: first(train, sizes.train), held: first(test, sizes.held) };
  read.set(name, split);
  return split;
}

/** A model's losses and gradients on labelled data. */
export interface Classified {
  /** The cross-entropy of each example. */
  readonly losses: (params: Vector, data: Labelled, batch: ArrayLike<number>) => Float64Array;
  /** Writes the sum of the examples' gradients times `factors`; the mean's where these are left out. Returns the mean. */
  readonly gradient: (
    params: Vector,
    grads: Vector,
    data: Labelled,
    batch: ArrayLike<number>,
    factors?: ArrayLike<number>,
  ) => number;
}

export interface Classifier extends Classified {
  readonly size: number;
  start(normal: () => number): Float32Array;
  /** Mean cross-entropy of all, and the share of each class that is told right. */
  score(params: Vector, data: Labelled): { loss: number; recalls: number[] };
}

type Model = Pick<Mlp, "outputs" | "delta" | "forward" | "backward">;

function lossOf(model: Model, params: Vector, { inputs, labels, width }: Labelled, example: number): number {
  model.forward(params, inputs.subarray(example * width, (example + 1) * width));
  return crossEntropy(model.outputs, labels[example], model.delta);
}

/** Sums are taken in `grads`, in its precision. */
export const classified = (model: Model): Classified => ({
  losses: (params, data, batch) =>
    Float64Array.from(batch, (example) => lossOf(model, params, data, example)),
  gradient(params, grads, data, batch, factors) {
    grads.fill(0);
    let loss = 0;
    for (let k = 0; k < batch.length; k++) {
      loss += lossOf(model, params, data, batch[k]) / batch.length;
      model.backward(params, grads, factors?.[k] ?? 1 / batch.length);
    }
    return loss;
  },
});

/** `units` are those of the layers, from the inputs to the classes. Sums are taken in double precision. */
export function createClassifier(units: readonly number[], activation: Activation): Classifier {
  const mlp = createMlp(units, activation);
  const { losses, gradient } = classified(mlp);
  const sums = new Float64Array(mlp.size);
  const classes = units[units.length - 1];

  return {
    size: mlp.size,
    start: mlp.start,
    losses,
    gradient(params, grads, ...given) {
      const loss = gradient(params, sums, ...given);
      grads.set(sums);
      return loss;
    },
    score(params, data) {
      const [right, all] = [new Float64Array(classes), new Float64Array(classes)];
      let loss = 0;
      for (let example = 0; example < data.count; example++) {
        const label = data.labels[example];
        loss += lossOf(mlp, params, data, example) / data.count;
        all[label]++;
        if (largest(mlp.outputs) === label) right[label]++;
      }
      return { loss, recalls: Array.from(right, (count, c) => count / all[c]) };
    },
  };
}
