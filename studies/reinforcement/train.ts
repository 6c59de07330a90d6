import { adam, createOptimizer, OptimizerError, type Optimizer } from "superlevel";
import { createMlp, softmax } from "../kit/mlp.js";
import { createRandom, type Random } from "../kit/random.js";
import { createCartPole } from "./cart-pole.js";

/** REINFORCE scales returns to mean 0 and deviation 1; actor-critic subtracts what a second network expects. */
export type Method = "REINFORCE" | "actor-critic";

export interface Setting {
  readonly updates: number;
  /** Between two updates. */
  readonly games: number;
  /** A game ends after so many steps at the latest. */
  readonly longest: number;
}

const [hidden, discount] = [32, 0.99];
const policy = createMlp([4, hidden, 2], "tanh");
const critic = createMlp([4, hidden, 1], "tanh");

interface Played {
  readonly states: readonly Float64Array[];
  /** 1 is a push to the right. */
  readonly actions: readonly number[];
  /** The discounted sum of rewards from each step on; a step that is survived gives 1. */
  readonly returns: Float64Array;
}

function play(params: Float32Array, random: Random, longest: number): Played {
  const game = createCartPole(() => random.uniform());
  const states: Float64Array[] = [];
  const actions: number[] = [];
  let stands = true;
  while (stands && states.length < longest) {
    states.push(game.state.slice());
    policy.forward(params, game.state);
    softmax(policy.outputs, policy.delta);
    const action = random.uniform() < policy.delta[1] ? 1 : 0;
    actions.push(action);
    stands = game.push(action === 1);
  }
  const returns = new Float64Array(states.length);
  for (let t = states.length - 1, sum = 0; t >= 0; t--) returns[t] = sum = 1 + discount * sum;
  return { states, actions, returns };
}

/** Mean 0, deviation 1. */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + 1e-12));
}

/** Adam at a rate, or without one the package's default. */
function optimizerFor(start: Float32Array, rate: number | null): Optimizer {
  return createOptimizer(start, rate === null ? {} : { base: adam({ learningRate: rate }), tuner: null });
}

/** Teaches the critic the returns, each over 1/(1 − discount), and gives what it had expected. */
function expected(optimizer: Optimizer, states: readonly Float64Array[], returns: Float64Array) {
  const { params, grads } = optimizer;
  grads.fill(0);
  const found = states.map((state, t) => {
    critic.forward(params, state);
    critic.delta[0] = 2 * (critic.outputs[0] - (1 - discount) * returns[t]);
    critic.backward(params, grads, 1 / states.length);
    return critic.outputs[0] / (1 - discount);
  });
  optimizer.step();
  return found;
}

/** Mean steps a game before each update, and after the last; a run that diverged ends as it stood. */
export function train(method: Method, rate: number | null, seed: number, setting: Setting): number[] {
  const random = createRandom(seed);
  const normal = () => random.normal();
  const actor = optimizerFor(policy.start(normal), rate);
  const judge = optimizerFor(critic.start(normal), rate);
  const lengths: number[] = [];
  try {
    for (let update = 0; update <= setting.updates; update++) {
      const played = Array.from({ length: setting.games }, () => play(actor.params, random, setting.longest));
      const states = played.flatMap((game) => game.states);
      lengths.push(states.length / setting.games);
      if (update === setting.updates) break;
      let gains = Float64Array.from(played.flatMap(({ returns }) => [...returns]));
      if (method === "actor-critic") {
        const guesses = expected(judge, states, gains);
        gains = gains.map((value, t) => value - guesses[t]);
      }
      improve(
        actor,
        states,
        played.flatMap((game) => game.actions),
        standardised(gains),
      );
    }
  } catch (error) {
    if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
    while (lengths.length <= setting.updates) lengths.push(lengths[lengths.length - 1]);
  } finally {
    actor.dispose();
    judge.dispose();
  }
  return lengths;
}

/** One step along the gradient of −Σ gain · log P(action) / steps. */
function improve(
  optimizer: Optimizer,
  states: readonly Float64Array[],
  actions: readonly number[],
  gains: Float64Array,
): void {
  const { params, grads } = optimizer;
  grads.fill(0);
  states.forEach((state, t) => {
    policy.forward(params, state);
    softmax(policy.outputs, policy.delta);
    policy.delta[actions[t]] -= 1;
    policy.backward(params, grads, gains[t] / states.length);
  });
  optimizer.step();
}
