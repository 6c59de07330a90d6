import * as tf from "@tensorflow/tfjs-core";
import { loadDigits, loadText } from "../kit/data.js";
import { createRandom } from "../kit/random.js";
import { firstOf, heldOut, imageBatch, randomStarts, textBatch, type Batch } from "./batches.js";
import { createCnn } from "./models/cnn.js";
import { createGru } from "./models/gru.js";
import { createTransformer } from "./models/transformer.js";

export interface Model {
  readonly variables: readonly tf.Variable[];
  apply(inputs: tf.Tensor): tf.Tensor;
}

/** A model to train on real data. Start and batches depend on the seed alone, so every optimizer sees the same. */
export interface Problem {
  readonly name: string;
  readonly steps: number;
  create(seed: number): Model;
  /** Batches in their order; the caller disposes of them. */
  batches(seed: number): () => Batch;
  /** Some of the training data, and data kept apart. */
  readonly train: Batch;
  readonly validation: Batch;
  /** Whoever takes part, and at which rates, where a run is too long for all of both. */
  readonly rates?: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Models of tfjs-layers hold their variables by layers. */
function ofLayers(model: ReturnType<typeof createCnn>): Model {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return { variables, apply: (inputs) => model.apply(inputs, { training: true }) as tf.Tensor };
}

function cnn(): Problem {
  const { train, test } = loadDigits();
  return {
    name: "CNN, MNIST",
    steps: 700,
    create: (seed) => ofLayers(createCnn(seed)),
    batches(seed) {
      const random = createRandom(seed);
      return () =>
        imageBatch(
          train,
          firstOf(32).map(() => random.below(5000)),
        );
    },
    train: imageBatch(train, firstOf(1000)),
    validation: imageBatch(test, firstOf(1000)),
  };
}

const text = loadText();
const [characters, length, batchSize] = [text.alphabet.length, 16, 16];

const ofText = {
  batches(seed: number) {
    const random = createRandom(seed);
    return () => textBatch(text, randomStarts(text, batchSize, length, random), length);
  },
  train: textBatch(
    text,
    firstOf(200).map((k) => 5000 * k),
    length,
  ),
  validation: heldOut(text, 200, length),
};

const gru: Problem = {
  ...ofText,
  name: "GRU, Shakespeare",
  steps: 490,
  create: (seed) => ofLayers(createGru(characters, 64, seed)),
};

const transformer: Problem = {
  ...ofText,
  name: "Transformer, Shakespeare",
  steps: 490,
  create(seed) {
    const shape = { characters, context: length, width: 32, heads: 2, blocks: 2 };
    return createTransformer(shape, seed);
  },
};

/** 1 255 040 parameters with the 65 characters of tiny Shakespeare. */
const gpt: Problem = {
  ...ofText,
  name: "GPT, Shakespeare",
  steps: 210,
  create(seed) {
    return createTransformer({ characters, context: length, width: 160, heads: 4, blocks: 4 }, seed);
  },
  rates: { superlevel: [null], AdamW: [1e-3, 3e-4, 3e-3, 1e-4, 1e-2] },
};

export const problems: readonly Problem[] = [cnn(), transformer, gru, gpt];
