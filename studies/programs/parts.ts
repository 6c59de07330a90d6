/** What the programs are made of: data drawn from a seed, and small models. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { drawDigits, side } from "../kit/digits/draw.js";
import { createRandom } from "../kit/random.js";

export const SIDE = 14;
export const seeded = (seed: number) => tfl.initializers.glorotUniform({ seed });
export const stepsOf = (steps: number, share: number) => Math.max(2, Math.round(steps * share));
export const lossOf = async (model: tfl.LayersModel, x: tf.Tensor, y: tf.Tensor): Promise<number> => {
  const found = model.evaluate(x, y, { batchSize: 256 });
  return (await (Array.isArray(found) ? found[0] : found).data())[0];
};

export const scalarOf = (value: tf.Tensor): tf.Scalar => tf.reshape(value, []);
export const coded = (list: tf.Tensor, depth: number): tf.Tensor =>
  tf.cast(tf.oneHot(tf.cast(list, "int32"), depth), "float32");

/** Drawn digits at half their size, and their labels. */
export function digits(count: number, seed: number, only: (label: number) => boolean = () => true) {
  const { images, labels, pixels } = drawDigits(count, seed);
  const rows = Array.from({ length: count }, (_, i) => i).filter((i) => only(labels[i]));
  const small = new Float32Array(rows.length * SIDE * SIDE);
  rows.forEach((row, at) => {
    for (let p = 0; p < pixels; p++) {
      const place = Math.floor(p / side / 2) * SIDE + Math.floor((p % side) / 2);
      small[at * SIDE * SIDE + place] += images[row * pixels + p] / 1020;
    }
  });
  const y = coded(tf.tensor1d(rows.map((row) => labels[row])), 10);
  return { x: tf.tensor2d(small, [rows.length, SIDE * SIDE]), y };
}

/** Points of two spirals. */
export function spirals(count: number, seed: number) {
  const random = createRandom(seed);
  const points = Array.from({ length: count }, (_, i) => {
    const [turn, arm] = [3 * Math.sqrt(random.uniform()), i % 2];
    const angle = 2 * turn + Math.PI * arm;
    return [
      turn * Math.cos(angle) + 0.1 * random.normal(),
      turn * Math.sin(angle) + 0.1 * random.normal(),
      arm,
    ];
  });
  return { x: tf.tensor2d(points.map(([a, b]) => [a, b])), y: tf.tensor2d(points.map(([, , arm]) => [arm])) };
}

export function classifier(
  seed: number,
  inputs: number,
  units: readonly number[],
  outputs: number,
  activation: "relu" | "tanh" = "relu",
): tfl.Sequential {
  const model = tfl.sequential();
  units.forEach((size, k) =>
    model.add(
      tfl.layers.dense({
        units: size,
        activation,
        kernelInitializer: seeded(seed + k),
        ...(k === 0 && { inputShape: [inputs] }),
      }),
    ),
  );
  const last = outputs === 1 ? "sigmoid" : "softmax";
  model.add(tfl.layers.dense({ units: outputs, activation: last, kernelInitializer: seeded(seed + 9) }));
  return model;
}

/** A classifier whose last layer is linear. */
export function regression(
  seed: number,
  inputs: number,
  units: readonly number[],
  outputs: number,
  activation: "relu" | "tanh" = "relu",
): tfl.Sequential {
  const model = classifier(seed, inputs, units, outputs, activation);
  model.pop();
  model.add(tfl.layers.dense({ units: outputs, kernelInitializer: seeded(seed + 5) }));
  return model;
}

export const variablesOf = (model: tfl.LayersModel): tf.Variable[] =>
  model.trainableWeights.map((weight) => weight.read() as tf.Variable);

export function convolutional(seed: number, outputs = 10): tfl.Sequential {
  const model = tfl.sequential();
  model.add(tfl.layers.reshape({ inputShape: [SIDE * SIDE], targetShape: [SIDE, SIDE, 1] }));
  model.add(
    tfl.layers.conv2d({ filters: 8, kernelSize: 3, activation: "relu", kernelInitializer: seeded(seed) }),
  );
  model.add(tfl.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: outputs, activation: "softmax", kernelInitializer: seeded(seed + 1) }));
  return model;
}

export const LETTERS = "abcdefghijklmnop ";

/** Words of a small vocabulary, by their letters' places. */
export function letters(count: number, seed: number): number[] {
  const random = createRandom(seed);
  const words = ["a", "fog", "bid", "deep", "lamp", "jade", "kind", "mango", "pebble", "chip"];
  const text: number[] = [];
  while (text.length < count)
    for (const letter of `${words[random.below(words.length)]} `) text.push(LETTERS.indexOf(letter));
  return text.slice(0, count);
}
