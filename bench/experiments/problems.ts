import * as tf from "@tensorflow/tfjs-core";
import { loadDigits, loadText } from "../../examples/data.js";
import { createRandom } from "../../examples/digits/random.js";
import { imageBatch, textBatch, type Batch } from "../../examples/tfjs/batches.js";
import { createCnn } from "../../examples/tfjs/models/cnn.js";
import { createGru } from "../../examples/tfjs/models/gru.js";
import { createTransformer } from "../../examples/tfjs/models/transformer.js";

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
}

/** Models of tfjs-layers hold their variables by layers. */
function ofLayers(model: ReturnType<typeof createCnn>): Model {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return { variables, apply: (inputs) => model.apply(inputs, { training: true }) as tf.Tensor };
}

const range = (first: number, count: number, stride = 1) =>
  Array.from({ length: count }, (_, i) => first + i * stride);

function cnn(): Problem {
  const { train, test } = loadDigits();
  const examples = 5000;
  return {
    name: "CNN, MNIST",
    steps: 700,
    create: (seed) => ofLayers(createCnn(seed)),
    batches(seed) {
      const random = createRandom(seed);
      return () =>
        imageBatch(
          train,
          range(0, 32).map(() => random.below(examples)),
        );
    },
    train: imageBatch(train, range(0, 1000)),
    validation: imageBatch(test, range(0, 1000)),
  };
}

const text = loadText();
const [characters, length, batchSize] = [text.alphabet.length, 16, 16];
/** The last tenth of the text is kept apart. */
const trained = Math.floor(0.9 * text.codes.length);

const ofText = {
  batches(seed: number) {
    const random = createRandom(seed);
    return () =>
      textBatch(
        text,
        range(0, batchSize).map(() => random.below(trained - length)),
        length,
      );
  },
  train: textBatch(text, range(0, 200, Math.floor((trained - length) / 200)), length),
  validation: textBatch(text, range(trained, 200, Math.floor((text.codes.length - trained) / 201)), length),
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
    const { variables, apply } = createTransformer(shape, seed);
    return { variables, apply: (inputs) => apply(inputs as tf.Tensor3D) };
  },
};

export const problems: readonly Problem[] = [cnn(), transformer, gru];
