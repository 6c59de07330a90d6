/** A recurrent network that reads tiny Shakespeare character by character, by `trainOnBatch`. */
import { superlevelOptimizer } from "superlevel/tfjs";
import { loadText } from "../data.js";
import { createRandom } from "../digits/random.js";
import { quick } from "../options.js";
import { useWasm } from "./backend.js";
import { crossEntropy, evaluate, heldOut, randomStarts, textBatch } from "./batches.js";
import { createGru } from "./models/gru.js";
import { write } from "./write.js";

await useWasm();
const text = loadText();
const [length, batchSize, steps] = [16, 16, quick ? 60 : 1000];

const model = createGru(text.alphabet.length, 64, 1);
model.compile({ optimizer: superlevelOptimizer(), loss: crossEntropy });

const apply = model.predictOnBatch.bind(model) as Parameters<typeof evaluate>[0];
const fresh = heldOut(text, 100, length);
const first = evaluate(apply, fresh).loss;
const random = createRandom(1);
for (let step = 1; step <= steps; step++) {
  const { inputs, targets } = textBatch(text, randomStarts(text, batchSize, length, random), length);
  const loss = (await model.trainOnBatch(inputs, targets)) as number;
  if (step % (steps / 10) === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
  inputs.dispose();
  targets.dispose();
}
const { loss, accuracy } = evaluate(apply, fresh);
console.log(`it writes: ${JSON.stringify(write(text, apply, length, quick ? 20 : 100))}`);
console.log(
  `result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)} % of characters foretold`,
);
