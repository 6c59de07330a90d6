/** Programs that compile a model and fit it. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { createRandom } from "../kit/random.js";
import {
  classifier,
  coded,
  convolutional,
  digits,
  letters,
  LETTERS,
  lossOf,
  seeded,
  SIDE,
  spirals,
  stepsOf,
} from "./parts.js";
import type { Program } from "./program.js";

const dense: Program = {
  name: "dense classifier, early stopping",
  customary: 'compile({ optimizer: "adam" }), patience 3',
  measure: "held-out loss",
  async run(make, seed, share) {
    const [train, held] = [digits(900, seed), digits(300, seed + 100)];
    const model = classifier(seed, SIDE * SIDE, [64, 32], 10);
    model.compile({ optimizer: make(() => tf.train.adam()), loss: "categoricalCrossentropy" });
    await model.fit(train.x, train.y, {
      ...{
        epochs: stepsOf(30, share),
        batchSize: 32,
        verbose: 0,
        shuffle: false,
        validationData: [held.x, held.y],
      },
      callbacks: tfl.callbacks.earlyStopping({ monitor: "val_loss", patience: 3 }),
    });
    return lossOf(model, held.x, held.y);
  },
};

const conv: Program = {
  name: "convolutional network, 100 steps",
  customary: "tf.train.rmsprop(.001)",
  measure: "held-out loss",
  async run(make, seed, share) {
    const [train, held] = [digits(3200, seed), digits(300, seed + 100)];
    const model = convolutional(seed);
    model.compile({ optimizer: make(() => tf.train.rmsprop(0.001)), loss: "categoricalCrossentropy" });
    const steps = stepsOf(100, share);
    for (let step = 0; step < steps; step++) {
      const [x, y] = [
        tf.slice(train.x, [32 * step, 0], [32, -1]),
        tf.slice(train.y, [32 * step, 0], [32, -1]),
      ];
      await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
    }
    return lossOf(model, held.x, held.y);
  },
};

const transfer: Program = {
  name: "transfer: frozen layers, then all, by a second compile",
  customary: "tf.train.adam(1e-3), then adam(1e-4)",
  measure: "held-out loss",
  async run(make, seed, share) {
    const first = digits(1200, seed, (label) => label < 5);
    const [then, held] = [
      digits(400, seed + 1, (label) => label >= 5),
      digits(400, seed + 100, (label) => label >= 5),
    ];
    const base = convolutional(seed);
    base.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
    const settings = { batchSize: 32, verbose: 0, shuffle: false } as const;
    await base.fit(first.x, first.y, { ...settings, epochs: stepsOf(5, share) });
    const model = tfl.sequential({ layers: base.layers.slice(0, -1) });
    for (const layer of model.layers) layer.trainable = false;
    model.add(tfl.layers.dense({ units: 10, activation: "softmax", kernelInitializer: seeded(seed + 2) }));
    model.compile({ optimizer: make(() => tf.train.adam(1e-3)), loss: "categoricalCrossentropy" });
    await model.fit(then.x, then.y, { ...settings, epochs: stepsOf(12, share) });
    for (const layer of model.layers) layer.trainable = true;
    model.compile({ optimizer: make(() => tf.train.adam(1e-4)), loss: "categoricalCrossentropy" });
    await model.fit(then.x, then.y, { ...settings, epochs: stepsOf(6, share) });
    return lossOf(model, held.x, held.y);
  },
};

const lstm: Program = {
  name: "LSTM on text, 180 steps",
  customary: "tf.train.rmsprop(.01)",
  measure: "loss on other text",
  async run(make, seed, share) {
    const length = 12;
    const batch = (text: readonly number[], count: number, random = createRandom(7)) => {
      const starts = Array.from({ length: count }, () => random.below(text.length - length - 1));
      const rows = starts.map((start) => text.slice(start, start + length));
      const next = starts.map((start) => text[start + length]);
      const code = (list: tf.Tensor) => coded(list, LETTERS.length);
      return tf.tidy(() => [code(tf.tensor2d(rows)), code(tf.tensor1d(next))] as const);
    };
    const model = tfl.sequential();
    const initializers = { kernelInitializer: seeded(seed), recurrentInitializer: seeded(seed + 1) };
    model.add(tfl.layers.lstm({ units: 24, inputShape: [length, LETTERS.length], ...initializers }));
    model.add(
      tfl.layers.dense({ units: LETTERS.length, activation: "softmax", kernelInitializer: seeded(seed + 2) }),
    );
    model.compile({ optimizer: make(() => tf.train.rmsprop(0.01)), loss: "categoricalCrossentropy" });
    const text = letters(8000, seed);
    const random = createRandom(seed + 5);
    for (let step = 0; step < stepsOf(180, share); step++) {
      const [x, y] = batch(text, 32, random);
      await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
    }
    const [x, y] = batch(letters(4000, seed + 100), 500);
    return lossOf(model, x, y);
  },
};

const plateau: Program = {
  name: "dense classifier, rate halved on plateaus",
  customary: "tf.train.adam(.01), halved after 3 epochs without progress",
  measure: "training loss",
  async run(make, seed, share) {
    const { x, y } = spirals(400, seed);
    const model = classifier(seed, 2, [24, 24], 1);
    const optimizer = make(() => tf.train.adam(0.01)) as tf.Optimizer & { learningRate: number };
    model.compile({ optimizer, loss: "binaryCrossentropy" });
    let [best, waited] = [Infinity, 0];
    const onEpochEnd = (_epoch: number, logs?: tfl.Logs) => {
      waited = logs!.loss < 0.999 * best ? 0 : waited + 1;
      best = Math.min(best, logs!.loss);
      if (waited === 3) {
        optimizer.learningRate = optimizer.learningRate / 2;
        waited = 0;
      }
    };
    await model.fit(x, y, {
      epochs: stepsOf(60, share),
      batchSize: 32,
      verbose: 0,
      callbacks: { onEpochEnd },
    });
    return lossOf(model, x, y);
  },
};

const dataset: Program = {
  name: "regression, fitDataset",
  customary: "tf.train.adam(.01), 8 epochs of 25 batches",
  measure: "held-out mean squared error",
  async run(make, seed, share) {
    const model = classifier(seed, 4, [24], 1);
    model.pop();
    model.add(tfl.layers.dense({ units: 1, kernelInitializer: seeded(seed + 3) }));
    model.compile({ optimizer: make(() => tf.train.adam(0.01)), loss: "meanSquaredError" });
    const examples = (count: number, k: number) => {
      const xs = tf.randomUniform([count, 4], -1, 1, "float32", 9000 * seed + k);
      return { xs, ys: tf.sin(tf.mul(3, tf.sum(xs, 1, true))) };
    };
    let drawn = 0;
    const iterator = () =>
      Promise.resolve({ next: () => Promise.resolve({ value: examples(32, drawn++), done: false }) });
    // What `tf.data.generator` makes, as far as it is asked for.
    const data = { iterator } as unknown as Parameters<typeof model.fitDataset>[0];
    await model.fitDataset(data, { epochs: 8, batchesPerEpoch: stepsOf(25, share), verbose: 0 });
    const { xs, ys } = examples(500, 8999);
    return lossOf(model, xs, ys);
  },
};

export const fits: readonly Program[] = [dense, conv, transfer, lstm, plateau, dataset];
