/** Programs with a loop of their own. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { createRandom } from "../kit/random.js";
import {
  coded,
  digits,
  letters,
  LETTERS,
  regression,
  scalarOf,
  seeded,
  SIDE,
  stepsOf,
  variablesOf,
} from "./parts.js";
import type { Program } from "./program.js";

const polynomial: Program = {
  name: "polynomial regression",
  customary: "tf.train.sgd(.5), 75 steps",
  measure: "mean squared error",
  async run(make, seed, share) {
    const random = createRandom(seed);
    const x = tf.tensor1d(Array.from({ length: 100 }, () => random.between(-1, 1)));
    const truth = [-0.8, -0.2, 0.9, 0.5];
    const cubic = (a: readonly tf.Tensor[]) =>
      tf.add(tf.add(tf.mul(a[0], tf.pow(x, 3)), tf.mul(a[1], tf.square(x))), tf.add(tf.mul(a[2], x), a[3]));
    const noise = tf.tensor1d(Array.from({ length: 100 }, () => 0.04 * random.normal()));
    const y = tf.add(cubic(truth.map((value) => tf.scalar(value))), noise);
    const weights = truth.map(() => tf.variable(tf.scalar(random.uniform())));
    const loss = () => scalarOf(tf.mean(tf.squaredDifference(cubic(weights), y)));
    const optimizer = make(() => tf.train.sgd(0.5));
    for (let step = 0; step < stepsOf(75, share); step++) optimizer.minimize(loss, false, weights);
    return (await loss().data())[0];
  },
};

const vae: Program = {
  name: "variational autoencoder, 200 steps",
  customary: "tf.train.adam(.001)",
  measure: "loss of the last 20 batches",
  async run(make, seed, share) {
    const { x } = digits(1600, seed);
    const layer = (units: number, inputs: number, activation: "relu" | "linear", k: number) =>
      tfl.sequential({
        layers: [
          tfl.layers.dense({ units, inputShape: [inputs], activation, kernelInitializer: seeded(seed + k) }),
        ],
      });
    const parts = [
      layer(48, SIDE * SIDE, "relu", 0),
      layer(8, 48, "linear", 1),
      layer(48, 4, "relu", 2),
      layer(SIDE * SIDE, 48, "linear", 3),
    ];
    const weights = parts.flatMap(variablesOf);
    const through = (part: tfl.LayersModel, value: tf.Tensor) => part.apply(value) as tf.Tensor;
    const cost = (batch: tf.Tensor, noise: tf.Tensor) => {
      const code = through(parts[1], through(parts[0], batch));
      const [mean, logVariance] = tf.split(code, 2, 1);
      const z = tf.add(mean, tf.mul(tf.exp(tf.div(logVariance, 2)), noise));
      const logits = through(parts[3], through(parts[2], z));
      const error = tf.sum(tf.sub(tf.softplus(logits), tf.mul(batch, logits)), 1);
      const divergence = tf.sub(tf.add(tf.exp(logVariance), tf.square(mean)), tf.add(logVariance, 1));
      return scalarOf(tf.mean(tf.add(error, tf.div(tf.sum(divergence, 1), 2))));
    };
    const optimizer = make(() => tf.train.adam(0.001));
    const losses: number[] = [];
    const steps = stepsOf(200, share);
    for (let step = 0; step < steps; step++) {
      const batch = tf.slice(x, [(step % 50) * 32, 0], [32, -1]);
      const noise = tf.randomNormal([32, 4], 0, 1, "float32", 1000 * seed + step);
      const value = optimizer.minimize(() => cost(batch, noise), true, weights);
      if (step >= steps - 20) losses.push((await value!.data())[0]);
      tf.dispose([batch, noise, value!]);
    }
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  },
};

const gan: Program = {
  name: "GAN of two optimizers, 600 steps",
  customary: "tf.train.adam(2e-4, .5) twice",
  measure: "distance of the mean and the spread",
  async run(make, seed, share) {
    const [generator, critic] = [regression(seed, 2, [24, 24], 1), regression(seed + 20, 1, [24, 24], 1)];
    const [own, theirs] = [variablesOf(generator), variablesOf(critic)];
    const optimizers = [0, 1].map(() => make(() => tf.train.adam(2e-4, 0.5)));
    const noise = (count: number, k: number) => tf.randomNormal([count, 2], 0, 1, "float32", 5000 * seed + k);
    const cross = (logits: tf.Tensor, sign: number) => tf.mean(tf.softplus(tf.mul(logits, -sign)));
    for (let step = 0; step < stepsOf(600, share); step++) {
      const z = noise(32, 2 * step);
      const real = tf.tidy(() =>
        tf.add(tf.mul(tf.randomNormal([32, 1], 0, 1, "float32", 5000 * seed + 2 * step + 1), 0.5), 2),
      );
      const made = () => generator.apply(z) as tf.Tensor;
      const judge = (x: tf.Tensor) => critic.apply(x) as tf.Tensor;
      const told = () => scalarOf(tf.add(cross(judge(real), 1), cross(judge(made()), -1)));
      optimizers[0].minimize(told, false, theirs);
      optimizers[1].minimize(() => scalarOf(cross(judge(made()), 1)), false, own);
      tf.dispose([z, real]);
    }
    const { mean, variance } = tf.moments(generator.predict(noise(1000, 4999)) as tf.Tensor);
    const [middle, spread] = [(await mean.data())[0], Math.sqrt((await variance.data())[0])];
    return Math.hypot(middle - 2, spread - 0.5);
  },
};

const STATES = 8;
const DISCOUNT = 0.9;

/** A walk along a chain, whose right end is worth 1 and ends it: what going left and right is worth. */
const worth = Array.from({ length: STATES - 1 }, (_, s) => [
  DISCOUNT ** (STATES - 1 - Math.max(0, s - 1)),
  DISCOUNT ** (STATES - 2 - s),
]);

const dqn: Program = {
  name: "DQN with a target network, 300 updates",
  customary: "tf.train.adam(.001)",
  measure: "root mean square error of Q",
  async run(make, seed, share) {
    const [online, target] = [regression(seed, STATES, [24], 2), regression(seed + 50, STATES, [24], 2)];
    const weights = variablesOf(online);
    const optimizer = make(() => tf.train.adam(0.001));
    const random = createRandom(seed);
    for (let step = 0; step < stepsOf(300, share); step++) {
      if (step % 20 === 0) target.setWeights(online.getWeights());
      const moves = Array.from({ length: 32 }, () => [random.below(STATES - 1), random.below(2)]);
      const after = moves.map(([s, a]) => Math.max(0, s + 2 * a - 1));
      tf.tidy(() => {
        const best = tf.max(target.predict(coded(tf.tensor1d(after), STATES)) as tf.Tensor, 1);
        const ends = tf.tensor1d(after.map((s) => Number(s === STATES - 1)));
        const wanted = tf.add(ends, tf.mul(tf.mul(DISCOUNT, best), tf.sub(1, ends)));
        const from = coded(tf.tensor1d(moves.map(([s]) => s)), STATES);
        const chosen = coded(tf.tensor1d(moves.map(([, a]) => a)), 2);
        const found = () => tf.sum(tf.mul(online.apply(from) as tf.Tensor, chosen), 1);
        optimizer.minimize(() => scalarOf(tf.mean(tf.squaredDifference(found(), wanted))), false, weights);
      });
    }
    const q = online.predict(coded(tf.range(0, STATES - 1), STATES)) as tf.Tensor;
    return Math.sqrt((await tf.mean(tf.squaredDifference(q, tf.tensor2d(worth))).data())[0]);
  },
};

const LENGTH = 10;
const WIDTH = 16;

/** A block of attention over letters, which guesses the next one. */
function attend(
  [embed, places, queries, keys, values, out]: readonly tf.Variable[],
  x: tf.Tensor,
): tf.Tensor {
  const each = (from: tf.Tensor, by: tf.Variable) => {
    const rows = tf.reshape(from, [-1, by.shape[0]]);
    return tf.reshape(tf.matMul(rows, by as tf.Tensor), [-1, LENGTH, by.shape[1]!]);
  };
  const tokens = tf.add(each(x, embed), places);
  const scores = tf.div(tf.matMul(each(tokens, queries), each(tokens, keys), false, true), Math.sqrt(WIDTH));
  const mixed = tf.relu(tf.add(tokens, tf.matMul(tf.softmax(scores), each(tokens, values))));
  const last = tf.reshape(tf.slice(mixed, [0, LENGTH - 1, 0], [-1, 1, -1]), [-1, WIDTH]);
  return tf.matMul(last, out);
}

const attention: Program = {
  name: "attention on text, 150 steps",
  customary: "tf.train.adam(.003)",
  measure: "loss on other text",
  async run(make, seed, share) {
    const depth = LETTERS.length;
    const weight = (rows: number, columns: number, k: number) =>
      tf.variable(tf.randomNormal([rows, columns], 0, 1 / Math.sqrt(rows), "float32", 100 * seed + k));
    const inner = [3, 4, 5].map((k) => weight(WIDTH, WIDTH, k));
    const weights = [weight(depth, WIDTH, 1), weight(LENGTH, WIDTH, 2), ...inner, weight(WIDTH, depth, 6)];
    const batch = (text: readonly number[], count: number, random = createRandom(7)) => {
      const starts = Array.from({ length: count }, () => random.below(text.length - LENGTH - 1));
      const rows = starts.map((start) => text.slice(start, start + LENGTH));
      const next = tf.tensor1d(starts.map((start) => text[start + LENGTH]));
      return [coded(tf.tensor2d(rows), depth), coded(next, depth)] as const;
    };
    const loss = (x: tf.Tensor, y: tf.Tensor) =>
      scalarOf(tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(attend(weights, x))), 1))));
    const optimizer = make(() => tf.train.adam(0.003));
    const [random, text] = [createRandom(seed + 5), letters(8000, seed)];
    for (let step = 0; step < stepsOf(150, share); step++) {
      tf.tidy(() => {
        const [x, y] = batch(text, 32, random);
        optimizer.minimize(() => loss(x, y), false, weights);
      });
    }
    return (await loss(...batch(letters(4000, seed + 100), 500)).data())[0];
  },
};

export const loops: readonly Program[] = [polynomial, vae, gan, dqn, attention];
