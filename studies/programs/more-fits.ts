/** More programs that compile a model and fit it, written when the default was settled. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { createRandom } from "../kit/random.js";
import { classifier, coded, digits, lossOf, seeded, SIDE, spirals, stepsOf } from "./parts.js";
import type { Program } from "./program.js";

interface Examples {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
}

interface Fit {
  readonly customary: string;
  readonly optimizer: () => tf.Optimizer;
  readonly loss: string;
  readonly epochs: number;
  readonly batchSize?: number;
  /** The measure is the loss of `held`, or else of what was trained on. */
  readonly build: (seed: number) => { layers: tfl.layers.Layer[]; train: Examples; held?: Examples };
}

const programOf = ([name, fit]: [string, Fit & { measure: string }]): Program => ({
  name,
  customary: fit.customary,
  measure: fit.measure,
  async run(make, seed, share) {
    const { layers, train, held = train } = fit.build(seed);
    const model = tfl.sequential({ layers });
    model.compile({ optimizer: make(fit.optimizer), loss: fit.loss });
    const { batchSize = 32 } = fit;
    await model.fit(train.x, train.y, {
      ...{ batchSize, epochs: stepsOf(fit.epochs, share), verbose: 0, shuffle: false },
    });
    return lossOf(model, held.x, held.y);
  },
});

type Activation = "linear" | "relu" | "sigmoid" | "softmax";

const dense = (units: number, activation: Activation, seed: number, inputs?: number) =>
  tfl.layers.dense({
    ...{ units, activation, kernelInitializer: seeded(seed) },
    ...(inputs !== undefined && { inputShape: [inputs] }),
  });

const rowsOf = (count: number, row: () => number[]): number[][] => Array.from({ length: count }, row);

/** What people call a colour: black, white, grey, or which of its parts are the largest. */
function colours(count: number, seed: number): Examples {
  const random = createRandom(seed);
  const rows = rowsOf(count, () => [random.uniform(), random.uniform(), random.uniform()]);
  const names = rows.map((row) => {
    const [least, , most] = [...row].sort((a, b) => a - b);
    if (most < 0.25) return 0;
    if (least > 0.75) return 1;
    if (most - least < 0.15) return 2;
    const [first, last] = [row.indexOf(most), row.indexOf(least)];
    return 3 + 2 * first + Number(last > (first + 1) % 3);
  });
  return { x: tf.tensor2d(rows), y: coded(tf.tensor1d(names), 9) };
}

/** Three kinds, whose four measures lie around means of 3 to 7. */
function flowers(count: number, seed: number): Examples {
  const [kinds, random] = [createRandom(1234), createRandom(seed)];
  const means = rowsOf(3, () => Array.from({ length: 4 }, () => 5 + 1.5 * kinds.normal()));
  const labels = Array.from({ length: count }, () => random.below(3));
  const rows = labels.map((label) => means[label].map((mean) => mean + random.normal()));
  return { x: tf.tensor2d(rows), y: coded(tf.tensor1d(labels), 3) };
}

/** Prices around 22, which depend on five of twelve properties. */
function houses(count: number, seed: number): Examples {
  const random = createRandom(seed);
  const rows = rowsOf(count, () => Array.from({ length: 12 }, () => random.normal()));
  const prices = rows.map((row) => {
    const [a, b, c, d, e] = row;
    return [22 + 3 * a - 4 * b + 2 * c * d + 2 * Math.sin(e) + random.normal()];
  });
  return { x: tf.tensor2d(rows), y: tf.tensor2d(prices) };
}

const CHARACTERS = "0123456789+ ";

/** "12+7 " and "19", character by character. */
function additions(count: number, seed: number): Examples {
  const random = createRandom(seed);
  const code = (texts: string[]) =>
    coded(tf.tensor2d(texts.map((text) => [...text].map((c) => CHARACTERS.indexOf(c)))), CHARACTERS.length);
  const pairs = rowsOf(count, () => [random.below(30), random.below(30)]);
  return {
    x: code(pairs.map(([a, b]) => `${a}+${b}`.padEnd(5))),
    y: code(pairs.map(([a, b]) => String(a + b).padEnd(2))),
  };
}

/** Twelve values of two waves with noise, and the next, in random order. */
function waves(from: number, to: number, seed: number): Examples {
  const random = createRandom(seed);
  const values = Array.from(
    { length: to },
    (_, t) => Math.sin(t / 5) + 0.5 * Math.sin(t / 13) + 0.05 * random.normal(),
  );
  const starts = Array.from({ length: to - from - 12 }, (_, k) => from + k);
  for (let k = starts.length - 1; k > 0; k--) {
    const other = random.below(k + 1);
    [starts[k], starts[other]] = [starts[other], starts[k]];
  }
  const windows = starts.map((start) => values.slice(start, start + 12).map((value) => [value]));
  return { x: tf.tensor3d(windows), y: tf.tensor2d(starts.map((start) => [values[start + 12]])) };
}

function recurrent(kind: "gru" | "lstm", units: number, seed: number, more: object = {}): tfl.layers.Layer {
  const initializers = { kernelInitializer: seeded(seed), recurrentInitializer: seeded(seed + 1) };
  return tfl.layers[kind]({ units, ...initializers, ...more });
}

const onTraining: Record<string, Fit> = {
  "XOR, 2-4-1 sigmoids, 200 epochs": {
    customary: "tf.train.adam(.1), all four at once",
    optimizer: () => tf.train.adam(0.1),
    ...{ loss: "meanSquaredError", epochs: 200 },
    build: (seed) => ({
      layers: [dense(4, "sigmoid", seed, 2), dense(1, "sigmoid", seed + 1)],
      train: { x: tf.tensor2d([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]), y: tf.tensor2d([0, 1, 1, 0], [4, 1]) },
    }),
  },
  "names of colours, 16 sigmoids": {
    customary: "tf.train.sgd(.2), 20 epochs of 63 batches",
    optimizer: () => tf.train.sgd(0.2),
    ...{ loss: "categoricalCrossentropy", epochs: 20 },
    build: (seed) => ({
      layers: [dense(16, "sigmoid", seed, 3), dense(9, "softmax", seed + 1)],
      train: colours(2000, seed),
    }),
  },
  "two spirals, momentum": {
    customary: "tf.train.momentum(.05, .9), 100 epochs of 13 batches",
    optimizer: () => tf.train.momentum(0.05, 0.9),
    ...{ loss: "binaryCrossentropy", epochs: 100 },
    build: (seed) => ({ layers: classifier(seed, 2, [24, 24], 1).layers, train: spirals(400, seed) }),
  },
};

const onOthers: Record<string, Fit> = {
  "flowers, 10 sigmoids": {
    customary: "tf.train.adam(.01), 40 epochs of 4 batches",
    optimizer: () => tf.train.adam(0.01),
    ...{ loss: "categoricalCrossentropy", epochs: 40 },
    build: (seed) => ({
      layers: [dense(10, "sigmoid", seed, 4), dense(3, "softmax", seed + 1)],
      train: flowers(120, seed),
      held: flowers(300, seed + 50),
    }),
  },
  "prices of houses, 50-50 sigmoids": {
    customary: "tf.train.sgd(.01), 60 epochs of 9 batches",
    optimizer: () => tf.train.sgd(0.01),
    ...{ loss: "meanSquaredError", epochs: 60, batchSize: 40 },
    build: (seed) => ({
      layers: [dense(50, "sigmoid", seed, 12), dense(50, "sigmoid", seed + 1), dense(1, "linear", seed + 2)],
      train: houses(333, seed),
      held: houses(300, seed + 50),
    }),
  },
  "addition as text, GRU to GRU": {
    customary: "tf.train.adam(), 4 epochs of 50 batches",
    optimizer: () => tf.train.adam(),
    ...{ loss: "categoricalCrossentropy", epochs: 4, batchSize: 64 },
    build: (seed) => ({
      layers: [
        recurrent("gru", 48, seed, { inputShape: [5, CHARACTERS.length] }),
        tfl.layers.repeatVector({ n: 2 }),
        recurrent("gru", 48, seed + 3, { returnSequences: true }),
        tfl.layers.timeDistributed({ layer: dense(CHARACTERS.length, "softmax", seed + 7) }),
      ],
      train: additions(3200, seed),
      held: additions(500, seed + 50),
    }),
  },
  "time series, LSTM": {
    customary: "tf.train.adam(.01), 10 epochs of 13 batches",
    optimizer: () => tf.train.adam(0.01),
    ...{ loss: "meanSquaredError", epochs: 10 },
    build: (seed) => ({
      layers: [recurrent("lstm", 16, seed, { inputShape: [12, 1] }), dense(1, "linear", seed + 2)],
      train: waves(0, 400, seed),
      held: waves(400, 500, seed),
    }),
  },
  "autoencoder of digits": {
    customary: "tf.train.adam(.001), 10 epochs of 50 batches",
    optimizer: () => tf.train.adam(0.001),
    ...{ loss: "binaryCrossentropy", epochs: 10 },
    build: (seed) => {
      const same = (x: tf.Tensor) => ({ x, y: tf.clipByValue(x, 0, 1) });
      return {
        layers: [dense(32, "relu", seed, SIDE * SIDE), dense(SIDE * SIDE, "sigmoid", seed + 1)],
        train: same(digits(1600, seed).x),
        held: same(digits(300, seed + 50).x),
      };
    },
  },
  "convolutions with batch normalization, 100 steps": {
    customary: "tf.train.adam(.001)",
    optimizer: () => tf.train.adam(0.001),
    ...{ loss: "categoricalCrossentropy", epochs: 2 },
    build: (seed) => ({
      layers: [
        tfl.layers.reshape({ inputShape: [SIDE * SIDE], targetShape: [SIDE, SIDE, 1] }),
        tfl.layers.conv2d({ filters: 8, kernelSize: 3, kernelInitializer: seeded(seed) }),
        tfl.layers.batchNormalization({ momentum: 0.9 }),
        tfl.layers.activation({ activation: "relu" }),
        tfl.layers.maxPooling2d({ poolSize: 2 }),
        tfl.layers.flatten(),
        dense(32, "relu", seed + 1),
        tfl.layers.batchNormalization({ momentum: 0.9 }),
        dense(10, "softmax", seed + 2),
      ],
      train: digits(1600, seed),
      held: digits(300, seed + 50),
    }),
  },
  "dropout of 0.4": {
    customary: "tf.train.adam(.001), 8 epochs of 63 batches",
    optimizer: () => tf.train.adam(0.001),
    ...{ loss: "categoricalCrossentropy", epochs: 8 },
    build: (seed) => ({
      layers: [
        dense(64, "relu", seed, SIDE * SIDE),
        tfl.layers.dropout({ rate: 0.4, seed }),
        dense(10, "softmax", seed + 1),
      ],
      train: digits(2000, seed),
      held: digits(400, seed + 50),
    }),
  },
};

const withMeasure = (fits: Record<string, Fit>, measure: string) =>
  Object.entries(fits).map(([name, fit]) => programOf([name, { ...fit, measure }]));

export const moreFits: readonly Program[] = [
  ...withMeasure(onTraining, "training loss"),
  ...withMeasure(onOthers, "held-out loss"),
];
