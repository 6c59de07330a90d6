/** TensorFlow.js: a recurrent network that reads and writes sentences, in a loop of its own by `optimizer.minimize`. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { superlevelOptimizer } from "superlevel/tfjs";

const [length, batchSize, units] = [16, 16, 32];
const steps = process.argv.includes("--quick") ? 60 : 600;

// Sentences of a small grammar.
const one = (words: string): string => words.split(" ")[Math.floor(Math.random() * words.split(" ").length)];
const thing = () => `${one("the a one")} ${one("old red little quiet")} ${one("king ship river horse door")}`;
const text = Array.from({ length: 500 }, () => `${thing()} ${one("saw met left found")} ${thing()}.\n`).join(
  "",
);
const alphabet = [...new Set(text)].sort();
const codes = Array.from(text, (character) => alphabet.indexOf(character));

/** Characters as one-hot rows [count, length, characters]. */
const oneHot = (rows: number[][]) => tf.oneHot(tf.tensor2d(rows, undefined, "int32"), alphabet.length);

/** Pieces of the text, and for each character the one that follows it. */
function batch(): { inputs: tf.Tensor; targets: tf.Tensor } {
  const starts = Array.from({ length: batchSize }, () =>
    Math.floor(Math.random() * (codes.length - length - 1)),
  );
  const read = (shift: number) => starts.map((start) => codes.slice(start + shift, start + shift + length));
  return { inputs: oneHot(read(0)), targets: oneHot(read(1)) };
}

const model = tfl.sequential({
  layers: [
    tfl.layers.gru({
      units,
      inputShape: [null, alphabet.length],
      returnSequences: true,
      recurrentInitializer: "glorotNormal",
    }),
    tfl.layers.dense({ units: alphabet.length }),
  ],
});
const optimizer = superlevelOptimizer(); // and no learning rate
const lossOf = ({ inputs, targets }: ReturnType<typeof batch>): tf.Scalar =>
  tf.losses.softmaxCrossEntropy(targets, model.apply(inputs) as tf.Tensor);

const first = tf.tidy(() => lossOf(batch()).dataSync()[0]);
let last = first;
for (let step = 1; step <= steps; step++) {
  const loss = tf.tidy(() => {
    const read = batch();
    return optimizer.minimize(() => lossOf(read), true)!.dataSync()[0];
  });
  last = step === 1 ? loss : 0.9 * last + 0.1 * loss;
  if (step % (steps / 10) === 0) {
    const rate = optimizer.effectiveLearningRate.toExponential(1);
    console.log(`step ${step}: loss ${loss.toFixed(4)}, rate found ${rate}`);
  }
}

const written = codes.slice(0, length);
for (let k = 0; k < 40; k++) {
  const next = tf.tidy(() => {
    const logits = model.apply(oneHot([written.slice(-length)])) as tf.Tensor3D;
    return tf.argMax(tf.slice(logits, [0, length - 1, 0], [1, 1, -1]), -1).dataSync()[0];
  });
  written.push(next);
}
console.log(
  `it writes: ${JSON.stringify(
    written
      .slice(length)
      .map((code) => alphabet[code])
      .join(""),
  )}`,
);
console.log(`result: loss ${first.toFixed(4)} → ${last.toFixed(4)}`);
