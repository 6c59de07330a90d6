import { adam, createOptimizer, OptimizerError, type Optimizer } from "superlevel";
import { createMlp, softmax, type Mlp } from "../kit/mlp.js";
import { createRandom, type Random } from "../kit/random.js";
import { createCartPole } from "./cart-pole.js";

/** REINFORCE scales returns to mean 0 and deviation 1; actor-critic subtracts what a second network expects. */
export type Method = "REINFORCE" | "actor-critic";

/** What the player sees: all of the state, where cart and pole are without their speeds, or that now and a moment before. */
export type View = "all" | "positions" | "positions twice";

export type Setting = {
  readonly updates: number;
  /** Between two updates. */
  readonly games: number;
  /** A game ends after so many steps at the latest. */
  readonly longest: number;
};

const [hidden, discount] = [32, 0.99];

interface Player {
  /** Of a state, and the one before; at the first step they are the same. */
  readonly see: (state: Float64Array, before: Float64Array) => Float64Array;
  readonly policy: Mlp;
  readonly critic: Mlp;
}

function player(inputs: number, see: Player["see"]): Player {
  const [policy, critic] = [2, 1].map((outputs) => createMlp([inputs, hidden, outputs], "tanh"));
  return { see, policy, critic };
}

const players: Record<View, Player> = {
  all: player(4, (state) => state.slice()),
  positions: player(2, ([x, , angle]) => Float64Array.of(x, angle)),
  "positions twice": player(4, ([x, , angle], [x0, , angle0]) => Float64Array.of(x, angle, x0, angle0)),
};

interface Played {
  /** What was seen of them. */
  readonly states: readonly Float64Array[];
  /** 1 is a push to the right. */
  readonly actions: readonly number[];
  /** The discounted sum of rewards from each step on; a step that is survived gives 1. */
  readonly returns: Float64Array;
}

function play({ see, policy }: Player, params: Float32Array, random: Random, longest: number): Played {
  const game = createCartPole(() => random.uniform());
  const states: Float64Array[] = [];
  const actions: number[] = [];
  let stands = true;
  let before = game.state.slice();
  while (stands && states.length < longest) {
    const seen = see(game.state, before);
    before = game.state.slice();
    states.push(seen);
    policy.forward(params, seen);
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
function expected(
  critic: Mlp,
  optimizer: Optimizer,
  states: readonly Float64Array[],
  returns: Float64Array,
): number[] {
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
export function train(
  method: Method,
  rate: number | null,
  seed: number,
  setting: Setting,
  view: View = "all",
): number[] {
  const own = players[view];
  const { policy, critic } = own;
  const random = createRandom(seed);
  const normal = () => random.normal();
  const actor = optimizerFor(policy.start(normal), rate);
  const judge = optimizerFor(critic.start(normal), rate);
  const lengths: number[] = [];
  try {
    for (let update = 0; update <= setting.updates; update++) {
      const played = Array.from({ length: setting.games }, () =>
        play(own, actor.params, random, setting.longest),
      );
      const states = played.flatMap((game) => game.states);
      lengths.push(states.length / setting.games);
      if (update === setting.updates) break;
      let gains = Float64Array.from(played.flatMap(({ returns }) => [...returns]));
      if (method === "actor-critic") {
        const guesses = expected(critic, judge, states, gains);
        gains = gains.map((value, t) => value - guesses[t]);
      }
      improve(
        policy,
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
  policy: Mlp,
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
