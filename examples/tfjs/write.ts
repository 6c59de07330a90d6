import * as tf from "@tensorflow/tfjs-core";
import type { Text } from "../data.js";
import { createRandom } from "../digits/random.js";
import { textBatch } from "./batches.js";

/** Goes on from the beginning of the text, a character at a time, each drawn with the model's probability for it. */
export function write(
  { codes, alphabet }: Text,
  apply: (inputs: tf.Tensor) => tf.Tensor,
  context: number,
  count: number,
): string {
  const random = createRandom(1);
  const written = Array.from(codes.subarray(0, context));
  for (let k = 0; k < count; k++) {
    const seen = { codes: Uint8Array.from([...written.slice(-context), 0]), alphabet };
    const probabilities = tf.tidy(() => {
      const logits = apply(textBatch(seen, [0], context).inputs);
      return tf.softmax(tf.slice(logits, [0, context - 1, 0])).dataSync<"float32">();
    });
    let rest = random.uniform();
    const drawn = probabilities.findIndex((probability) => (rest -= probability) < 0);
    written.push(drawn < 0 ? 0 : drawn);
  }
  return written
    .slice(context)
    .map((code) => alphabet[code])
    .join("");
}
