import * as tf from "@tensorflow/tfjs-core";
import type { Text } from "../kit/data.js";
import type { Digits } from "../kit/digits/draw.js";
import type { Random } from "../kit/random.js";

/** What a model reads, and the right answers as one-hot rows. */
export interface Batch {
  readonly inputs: tf.Tensor;
  readonly targets: tf.Tensor;
}

/** 0, 1, 2 … */
export const firstOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Images [count, 28, 28, 1] from 0 to 1 with their digits [count, 10]. */
export function imageBatch({ images, labels, pixels }: Digits, examples: ArrayLike<number>): Batch {
  const side = Math.sqrt(pixels);
  const values = new Float32Array(examples.length * pixels);
  for (let k = 0; k < examples.length; k++) {
    for (let p = 0; p < pixels; p++) values[k * pixels + p] = images[examples[k] * pixels + p] / 255;
  }
  return {
    inputs: tf.tensor4d(values, [examples.length, side, side, 1]),
    targets: oneHot(
      Array.from(examples, (example) => labels[example]),
      10,
    ),
  };
}

/** `length` characters from each of `starts`, [count, length, characters], and for each the one that follows it. */
export function textBatch(
  { codes, alphabet }: Text,
  starts: readonly number[],
  length: number,
): { inputs: tf.Tensor3D; targets: tf.Tensor3D } {
  const read = (shift: number) => {
    const found = starts.flatMap((start) =>
      Array.from(codes.subarray(start + shift, start + shift + length)),
    );
    return tf.reshape<tf.Rank.R3>(oneHot(found, alphabet.length), [starts.length, length, alphabet.length]);
  };
  return tf.tidy(() => ({ inputs: read(0), targets: read(1) }));
}

/** The last tenth of a text is kept apart, to see how a model does on what it has not read. */
const knownOf = ({ codes }: Text): number => Math.floor(0.9 * codes.length);

/** Places in what a model may read. */
export function randomStarts(text: Text, count: number, length: number, random: Random): number[] {
  return Array.from({ length: count }, () => random.below(knownOf(text) - length));
}

/** `count` pieces of what is kept apart, evenly spread. */
export function heldOut(text: Text, count: number, length: number): Batch {
  const known = knownOf(text);
  const stride = Math.floor((text.codes.length - known - length - 1) / count);
  return textBatch(
    text,
    firstOf(count).map((k) => known + k * stride),
    length,
  );
}

function oneHot(codes: readonly number[], classes: number): tf.Tensor {
  const rows = new Float32Array(codes.length * classes);
  codes.forEach((code, k) => (rows[k * classes + code] = 1));
  return tf.tensor2d(rows, [codes.length, classes]);
}

/** Mean of −log softmax(logits) at the right answers. */
export function crossEntropy(targets: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(targets, logits);
}

/** Mean loss, and the part of right answers, 0 to 1. */
export function evaluate(
  apply: (inputs: tf.Tensor) => tf.Tensor,
  batch: Batch,
): { loss: number; accuracy: number } {
  return tf.tidy(() => {
    const logits = apply(batch.inputs);
    const right = tf.equal(tf.argMax(logits, -1), tf.argMax(batch.targets, -1));
    return {
      loss: crossEntropy(batch.targets, logits).dataSync()[0],
      accuracy: tf.mean(tf.cast(right, "float32")).dataSync()[0],
    };
  });
}
