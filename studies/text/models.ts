import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { Text } from "../kit/data.js";
import { LENGTH, type Batch } from "./batches.js";
import { createGru } from "./gru.js";
import { createTransformer, type Model } from "./transformer.js";

export type ModelName = "GRU" | "Transformer" | "GPT";

/** Its start depends on the seed alone, so every optimizer sees the same. */
export function createOf(name: ModelName, { alphabet }: Text, seed: number): Model {
  const characters = alphabet.length;
  if (name === "GRU") return ofLayers(createGru(characters, 64, seed));
  const shape = name === "GPT" ? { width: 160, heads: 4, blocks: 4 } : { width: 32, heads: 2, blocks: 2 };
  return createTransformer({ characters, context: LENGTH, ...shape }, seed);
}

/** Models of tfjs-layers hold their variables by layers. */
function ofLayers(model: layers.Sequential): Model {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return { variables, apply: (inputs) => model.apply(inputs, { training: true }) as tf.Tensor };
}

/** Mean of −log softmax(logits) at the right answers. */
export function crossEntropy(targets: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(targets, logits);
}

/** Mean loss, and the part of right answers, 0 to 1. */
export function evaluate(model: Model, { inputs, targets }: Batch): { loss: number; accuracy: number } {
  return tf.tidy(() => {
    const logits = model.apply(inputs);
    const right = tf.equal(tf.argMax(logits, -1), tf.argMax(targets, -1));
    return {
      loss: crossEntropy(targets, logits).dataSync()[0],
      accuracy: tf.mean(tf.cast(right, "float32")).dataSync()[0],
    };
  });
}
