/** A small Transformer on tiny Shakespeare, in a loop of its own by `optimizer.minimize`. */
import * as tf from "@tensorflow/tfjs-core";
import { superlevelOptimizer } from "superlevel/tfjs";
import { loadText } from "../data.js";
import { createRandom } from "../digits/random.js";
import { quick } from "../options.js";
import { useWasm } from "./backend.js";
import { crossEntropy, evaluate, heldOut, randomStarts, textBatch } from "./batches.js";
import { createTransformer } from "./models/transformer.js";
import { write } from "./write.js";

await useWasm();
const text = loadText();
const [length, batchSize, steps] = [16, 16, quick ? 60 : 1000];

const characters = text.alphabet.length;
const model = createTransformer({ characters, context: length, width: 32, heads: 2, blocks: 2 }, 1);
const optimizer = superlevelOptimizer();

const fresh = heldOut(text, 100, length);
const first = evaluate(model.apply, fresh).loss;
const random = createRandom(1);
for (let step = 1; step <= steps; step++) {
  const loss = tf.tidy(() => {
    const { inputs, targets } = textBatch(text, randomStarts(text, batchSize, length, random), length);
    return optimizer.minimize(() => crossEntropy(targets, model.apply(inputs)), true)!.dataSync()[0];
  });
  if (step % (steps / 10) === 0) {
    const rate = optimizer.effectiveLearningRate.toExponential(1);
    console.log(`step ${step}: loss ${loss.toFixed(4)}, rate found ${rate}`);
  }
}
const { loss, accuracy } = evaluate(model.apply, fresh);
console.log(`it writes: ${JSON.stringify(write(text, model.apply, length, quick ? 20 : 100))}`);
console.log(
  `result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)} % of characters foretold`,
);
