/** REINFORCE on cart-pole, in the manner of the TensorFlow.js example of that name. */
import * as tf from "@tensorflow/tfjs-core";
import { createRandom, type Random } from "../kit/random.js";
import { createCartPole } from "../reinforcement/cart-pole.js";
import { classifier, scalarOf, stepsOf } from "./parts.js";
import type { Program } from "./program.js";

const DISCOUNT = 0.95;
const LONGEST = 300;
const GAMES = 10;

interface Games {
  readonly states: number[][];
  readonly actions: number[];
  readonly returns: number[];
}

/** Games side by side, so that the policy is asked once for each step of all of them. */
function play(policy: (states: number[][]) => Float32Array, random: Random): Games {
  const all = Array.from({ length: GAMES }, () => ({
    game: createCartPole(() => random.uniform()),
    states: [] as number[][],
    actions: [] as number[],
  }));
  let playing = all;
  for (let step = 0; step < LONGEST && playing.length > 0; step++) {
    const states = playing.map(({ game }) => Array.from(game.state));
    const right = policy(states);
    playing = playing.filter((one, k) => {
      const action = Number(random.uniform() < right[k]);
      one.states.push(states[k]);
      one.actions.push(action);
      return one.game.push(action === 1);
    });
  }
  const returns = all.flatMap(({ states }) => {
    let sum = 0;
    return states.map(() => (sum = 1 + DISCOUNT * sum)).reverse();
  });
  return {
    returns,
    states: all.flatMap(({ states }) => states),
    actions: all.flatMap(({ actions }) => actions),
  };
}

export const cartPole: Program = {
  name: "REINFORCE on cart-pole, 20 updates",
  customary: "tf.train.adam(.05)",
  measure: "300 over the mean steps of the last 30 games",
  async run(make, seed, share) {
    const model = classifier(seed, 4, [16], 1);
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const random = createRandom(seed);
    const policy = (states: number[][]) =>
      tf.tidy(() => (model.predict(tf.tensor2d(states)) as tf.Tensor).dataSync<"float32">());
    const optimizer = make(() => tf.train.adam(0.05));
    const lengths: number[] = [];
    for (let update = 0; update < stepsOf(20, share); update++) {
      const { states, actions, returns } = play(policy, random);
      lengths.push(states.length / GAMES);
      tf.tidy(() => {
        const [x, chosen, worth] = [tf.tensor2d(states), tf.tensor1d(actions), tf.tensor1d(returns)];
        const { mean, variance } = tf.moments(worth);
        const advantage = tf.div(tf.sub(worth, mean), tf.sqrt(tf.add(variance, 1e-9)));
        const cost = () => {
          const right = tf.reshape(model.apply(x) as tf.Tensor, [-1]);
          const likely = tf.add(tf.mul(chosen, right), tf.mul(tf.sub(1, chosen), tf.sub(1, right)));
          return scalarOf(tf.neg(tf.mean(tf.mul(tf.log(tf.add(likely, 1e-7)), advantage))));
        };
        optimizer.minimize(cost, false, weights);
      });
    }
    const last = lengths.slice(-3);
    return Promise.resolve((LONGEST * last.length) / last.reduce((sum, length) => sum + length, 0));
  },
};
