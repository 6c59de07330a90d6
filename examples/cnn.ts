/** A convolutional network on digits, by `compile` and `fit` as with any other optimizer. */
import { superlevelOptimizer } from "superlevel/tfjs";
import { loadDigits } from "../data.js";
import { quick } from "../options.js";
import { useWasm } from "./backend.js";
import { crossEntropy, evaluate, firstOf, imageBatch } from "./batches.js";
import { createCnn } from "./models/cnn.js";

await useWasm();
const { train, test } = loadDigits();
const known = imageBatch(train, firstOf(quick ? 2000 : 6000));
const fresh = imageBatch(test, firstOf(quick ? 500 : 1000));

const model = createCnn(1);
const optimizer = superlevelOptimizer(); // and no learning rate
model.compile({ optimizer, loss: crossEntropy });

const apply = model.predictOnBatch.bind(model) as Parameters<typeof evaluate>[0];
const first = evaluate(apply, known).loss;
await model.fit(known.inputs, known.targets, {
  batchSize: 32,
  epochs: quick ? 3 : 8,
  verbose: 0,
  callbacks: {
    onEpochEnd(epoch, logs) {
      const rate = optimizer.effectiveLearningRate.toExponential(1);
      console.log(`epoch ${epoch + 1}: loss ${logs?.loss.toFixed(4)}, rate found ${rate}`);
    },
  },
});
const { loss } = evaluate(apply, known);
const { accuracy } = evaluate(apply, fresh);
console.log(
  `result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)} % of test digits right`,
);
