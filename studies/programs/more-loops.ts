/** More programs with variables and a loop of their own, written when the default was settled. */
import * as tf from "@tensorflow/tfjs-core";
import { createRandom, type Random } from "../kit/random.js";
import { classifier, coded, digits, regression, scalarOf, SIDE, stepsOf, variablesOf } from "./parts.js";
import type { Program } from "./program.js";

interface Loop {
  readonly customary: string;
  readonly optimizer: () => tf.Optimizer;
  readonly steps: number;
  readonly measure: string;
  readonly build: (seed: number) => {
    readonly weights: tf.Variable[];
    /** What a step brings down. */
    readonly loss: () => tf.Tensor;
    /** Unless that is the measure as well. */
    readonly measure?: () => tf.Tensor;
  };
}

const programOf = ([name, loop]: [string, Loop]): Program => ({
  name,
  customary: loop.customary,
  measure: loop.measure,
  async run(make, seed, share) {
    const { weights, loss, measure = loss } = loop.build(seed);
    const optimizer = make(loop.optimizer);
    for (let step = 0; step < stepsOf(loop.steps, share); step++)
      tf.tidy(() => void optimizer.minimize(() => scalarOf(loss()), false, weights));
    return (await tf.tidy(measure).data())[0];
  },
});

const squares = (a: tf.Tensor, b: tf.Tensor) => tf.mean(tf.squaredDifference(a, b));
const scalars = (count: number, random: Random) =>
  Array.from({ length: count }, () => tf.variable(tf.scalar(random.uniform())));
const noise = (count: number, deviation: number, random: Random) =>
  tf.tensor1d(Array.from({ length: count }, () => deviation * random.normal()));
const placesOf = (list: number[], depth: number) => coded(tf.tensor1d(list), depth);

/** A linear classifier of digits that begins at 0. */
function linear(count: number, seed: number) {
  const { x, y } = digits(count, seed);
  const weights = [tf.variable(tf.zeros([SIDE * SIDE, 10])), tf.variable(tf.zeros([10]))];
  const cost = (x: tf.Tensor, y: tf.Tensor) => {
    const logits = tf.add(tf.matMul(x, weights[0] as tf.Tensor), weights[1]);
    return tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), 1)));
  };
  return { x, y, weights, cost };
}

const USERS = 60;
const ITEMS = 50;

/** What differs from one row, or column, to the next. */
const steepness = (image: tf.Tensor, axis: 0 | 1) => {
  const size = [SIDE - Number(axis === 0), SIDE - Number(axis === 1)];
  const [next, here] = [
    [1 - axis, axis],
    [0, 0],
  ].map((start) => tf.slice(image, start, size));
  return tf.mean(tf.sqrt(tf.add(tf.squaredDifference(next, here), 1e-4)));
};

const LOOPS: Record<string, Loop> = {
  "a line, 100 steps": {
    customary: "tf.train.sgd(.5)",
    optimizer: () => tf.train.sgd(0.5),
    ...{ steps: 100, measure: "mean squared error" },
    build(seed) {
      const random = createRandom(seed);
      const x = tf.tensor1d(Array.from({ length: 30 }, () => random.uniform()));
      const y = tf.add(tf.add(tf.mul(x, 0.7), 0.1), noise(30, 0.05, random));
      const weights = scalars(2, random);
      return { weights, loss: () => squares(tf.add(tf.mul(weights[0], x), weights[1]), y) };
    },
  },
  "a curve that decays, 200 steps": {
    customary: "tf.train.adam(.1)",
    optimizer: () => tf.train.adam(0.1),
    ...{ steps: 200, measure: "mean squared error" },
    build(seed) {
      const random = createRandom(seed);
      const x = tf.linspace(0, 5, 50);
      const curve = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) =>
        tf.add(tf.mul(a, tf.exp(tf.mul(tf.neg(b), x))), c);
      const y = tf.add(curve(tf.scalar(3), tf.scalar(0.8), tf.scalar(1)), noise(50, 0.02, random));
      const weights = scalars(3, random);
      return { weights, loss: () => squares(curve(weights[0], weights[1], weights[2]), y) };
    },
  },
  "linear classifier from 0, all digits at once, 100 steps": {
    customary: "tf.train.sgd(.5)",
    optimizer: () => tf.train.sgd(0.5),
    ...{ steps: 100, measure: "training loss" },
    build(seed) {
      const { x, y, weights, cost } = linear(500, seed);
      return { weights, loss: () => cost(x, y) };
    },
  },
  "linear classifier from 0, batches of 32, 300 steps": {
    customary: "tf.train.sgd(.5)",
    optimizer: () => tf.train.sgd(0.5),
    ...{ steps: 300, measure: "training loss" },
    build(seed) {
      const { x, y, weights, cost } = linear(3200, seed);
      let step = 0;
      const loss = () => {
        const from = [32 * (step++ % 100), 0];
        return cost(tf.slice(x, from, [32, -1]), tf.slice(y, from, [32, -1]));
      };
      return { weights, loss, measure: () => cost(x, y) };
    },
  },
  "recommendations, batches of 64, 500 steps": {
    customary: "tf.train.adam(.01)",
    optimizer: () => tf.train.adam(0.01),
    ...{ steps: 500, measure: "mean squared error of other ratings" },
    build(seed) {
      const random = createRandom(seed);
      const table = (rows: number, columns: number, deviation: number) =>
        tf.tensor2d(
          Array.from({ length: rows * columns }, () => deviation * random.normal()),
          [rows, columns],
        );
      const rate = (of: readonly tf.Tensor[], users: tf.Tensor, items: tf.Tensor) =>
        tf.add(of[2], tf.sum(tf.mul(tf.matMul(users, of[0]), tf.matMul(items, of[1])), 1));
      const truth = [table(USERS, 4, 0.7), table(ITEMS, 4, 0.7), tf.scalar(3)];
      const weights = [table(USERS, 8, 0.1), table(ITEMS, 8, 0.1), tf.scalar(0)].map((t) => tf.variable(t));
      const error = (count: number) => {
        const draw = (most: number) =>
          placesOf(
            Array.from({ length: count }, () => random.below(most)),
            most,
          );
        const [users, items] = [draw(USERS), draw(ITEMS)];
        return squares(rate(weights, users, items), rate(truth, users, items));
      };
      return { weights, loss: () => error(64), measure: () => error(2000) };
    },
  },
  "an image without its noise, 100 steps": {
    customary: "tf.train.adam(.02)",
    optimizer: () => tf.train.adam(0.02),
    ...{ steps: 100, measure: "squared error and total variation" },
    build(seed) {
      const image = tf.reshape(digits(1, seed).x, [SIDE, SIDE]);
      const seen = tf.add(image, tf.randomNormal([SIDE, SIDE], 0, 0.2, "float32", seed));
      const found = tf.variable(tf.randomUniform([SIDE, SIDE], 0, 1, "float32", seed + 1));
      const variation = () => tf.add(steepness(found as tf.Tensor, 0), steepness(found as tf.Tensor, 1));
      return {
        weights: [found],
        loss: () => tf.add(squares(found as tf.Tensor, seen), tf.mul(0.1, variation())),
      };
    },
  },
  "u′ = −u by a network, 300 steps": {
    customary: "tf.train.adam(.01)",
    optimizer: () => tf.train.adam(0.01),
    ...{ steps: 300, measure: "squared error of the equation" },
    build(seed) {
      const model = regression(seed, 1, [16, 16], 1, "tanh");
      const u = (t: tf.Tensor) => model.apply(t) as tf.Tensor;
      const t = tf.reshape(tf.linspace(0, 3, 40), [40, 1]);
      const slope = () => tf.div(tf.sub(u(tf.add(t, 0.01)), u(tf.sub(t, 0.01))), 0.02);
      const start = () => squares(u(tf.zeros([1, 1])), tf.scalar(1));
      return {
        weights: variablesOf(model),
        loss: () => tf.add(tf.mean(tf.square(tf.add(slope(), u(t)))), start()),
      };
    },
  },
  "digits as points, triplets, 200 steps": {
    customary: "tf.train.adam(.001)",
    optimizer: () => tf.train.adam(0.001),
    ...{ steps: 200, measure: "loss of 1000 triplets" },
    build(seed) {
      const random = createRandom(seed + 3);
      const { x, y } = digits(1000, seed);
      const labels = [...tf.argMax(y, 1).dataSync()];
      const kinds = Array.from({ length: 10 }, (_, kind) =>
        labels.flatMap((label, row) => (label === kind ? [row] : [])),
      );
      const model = regression(seed, SIDE * SIDE, [48], 8);
      const loss = (count: number) => {
        const rows = Array.from({ length: count }, () => {
          const kind = random.below(10);
          const other = (kind + 1 + random.below(9)) % 10;
          return [kind, kind, other].map((of) => kinds[of][random.below(kinds[of].length)]);
        });
        const [anchor, alike, unlike] = [0, 1, 2].map(
          (k) =>
            model.apply(
              tf.gather(
                x,
                tf.tensor1d(
                  rows.map((row) => row[k]),
                  "int32",
                ),
              ),
            ) as tf.Tensor,
        );
        const apart = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.squaredDifference(a, b), 1);
        return tf.mean(tf.relu(tf.add(tf.sub(apart(anchor, alike), apart(anchor, unlike)), 1)));
      };
      return { weights: variablesOf(model), loss: () => loss(32), measure: () => loss(1000) };
    },
  },
  "policy for a bandit of three states, 200 updates": {
    customary: "tf.train.adam(.01)",
    optimizer: () => tf.train.adam(0.01),
    ...{ steps: 200, measure: "what the best action gets more" },
    build(seed) {
      const random = createRandom(seed);
      const model = classifier(seed, 3, [16], 4);
      const chances = (states: number[]) => model.apply(placesOf(states, 3)) as tf.Tensor;
      const worth = [0, 1, 2].map(() => Array.from({ length: 4 }, () => random.uniform()));
      const act = (chance: Float32Array) => {
        let rest = random.uniform();
        return Math.max(
          0,
          chance.findIndex((share) => (rest -= share) < 0),
        );
      };
      const loss = () => {
        const states = Array.from({ length: 16 }, () => random.below(3));
        const known = tf.tidy(() => chances([0, 1, 2])).dataSync() as Float32Array;
        const actions = states.map((state) => act(known.subarray(4 * state, 4 * state + 4)));
        const rewards = states.map((state, k) => worth[state][actions[k]] + 0.2 * random.normal());
        const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
        const taken = tf.sum(tf.mul(chances(states), placesOf(actions, 4)), 1);
        const gained = tf.tensor1d(rewards.map((reward) => reward - mean));
        return tf.neg(tf.mean(tf.mul(gained, tf.log(tf.add(taken, 1e-8)))));
      };
      const best = tf.tensor1d(worth.map((of) => Math.max(...of)));
      const got = () => tf.sum(tf.mul(chances([0, 1, 2]), tf.tensor2d(worth)), 1);
      return { weights: variablesOf(model), loss, measure: () => tf.mean(tf.sub(best, got())) };
    },
  },
};

export const moreLoops: readonly Program[] = Object.entries(LOOPS).map(programOf);
