/** TensorFlow.js: a convolutional network by `compile` and `fit`, as with any other optimizer, but without a learning rate. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { superlevelOptimizer } from "superlevel/tfjs";

const [side, classes] = [12, 4];
const quick = process.argv.includes("--quick");

/** A bar across, a bar upright, or one of two diagonals, somewhere in a noisy picture. */
function draw(label: number): Float32Array {
  const picture = Float32Array.from({ length: side * side }, () => 0.4 * Math.random());
  const [top, left, length] = [0, 0, 0].map(() => Math.floor(5 * Math.random()));
  for (let k = 0; k < 4 + (length % 3); k++) {
    const row = label === 0 ? top : label === 3 ? top + 6 - k : top + k;
    const column = label === 1 ? left : left + k;
    picture[row * side + column] = 1;
  }
  return picture;
}

function pictures(count: number): { inputs: tf.Tensor4D; targets: tf.Tensor } {
  const labels = Array.from({ length: count }, (_, k) => k % classes);
  const values = Float32Array.from(labels.flatMap((label) => Array.from(draw(label))));
  return {
    inputs: tf.tensor4d(values, [count, side, side, 1]),
    targets: tf.oneHot(tf.tensor1d(labels, "int32"), classes),
  };
}

const known = pictures(quick ? 400 : 2000);
const fresh = pictures(400);

const { conv2d, flatten, dense } = tfl.layers;
const model = tfl.sequential({
  layers: [
    conv2d({ filters: 8, kernelSize: 5, strides: 2, activation: "relu", inputShape: [side, side, 1] }),
    flatten(),
    dense({ units: classes, activation: "softmax" }),
  ],
});
const optimizer = superlevelOptimizer(); // and no learning rate
model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });

const evaluate = ({ inputs, targets }: typeof known): number[] =>
  (model.evaluate(inputs, targets) as tf.Scalar[]).map((scalar) => scalar.dataSync()[0]);

const [first] = evaluate(known);
await model.fit(known.inputs, known.targets, {
  batchSize: 32,
  epochs: quick ? 12 : 20,
  verbose: 0,
  callbacks: {
    onEpochEnd(epoch, logs) {
      const rate = optimizer.effectiveLearningRate.toExponential(1);
      console.log(`epoch ${epoch + 1}: loss ${logs?.loss.toFixed(4)}, rate found ${rate}`);
    },
  },
});
const [loss] = evaluate(known);
const [, accuracy] = evaluate(fresh);
console.log(
  `result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)} % of new pictures right`,
);
