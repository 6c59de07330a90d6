import type { Array as JaxArray } from "@jax-js/jax";
import type { OptimizerOptions } from "../../stepper/config.js";
import { OptimizerError } from "../../common/errors.js";
import { expectFunction, expectOneOf, expectOptions, show } from "../../common/expect.js";
import type { RestoreOptions, StepInfo } from "../../stepper/info.js";
import { createOptimizer } from "../../create.js";
import type { Optimizer } from "../../optimizer.js";
import type { TensorSpec } from "../../tensors.js";
import { areExpected, State, type Machine } from "./state.js";
import { build, consume, consumeAll, expectSame, type Leaves, type Tree } from "./trees.js";

/** Options of {@link gradientTransformation}: those of `createOptimizer`, and two. */
export interface TransformationOptions extends OptimizerOptions {
  /** Options of each leaf's tensor, by its way from the root, such as "layers.0.weights". */
  tensors?: (
    name: string,
    shape: readonly number[],
  ) => Pick<TensorSpec, "learningRate" | "weightDecay" | "frozen"> | undefined;
  /**
   * What an update does whose params are not those that the last one led to: "throw" (default), or "follow": go on from
   * there, as `setParams` does.
   */
  moved?: "throw" | "follow";
}

/** What an update may be told besides, by the names that optax has for it. */
export interface ExtraArgs {
  /**
   * The loss at `params`, a number or a scalar array, which is consumed. Where it is ≥ 0, S does not grow at an update that
   * promises more than a fifth of it; where it is not finite, the update is an OptimizerError "diverged".
   */
  value?: number | JaxArray;
}

/** A transformation in the manner of optax, over trees of jax-js arrays. */
export interface GradientTransformation {
  /** A fresh state. Consumes `params`. */
  readonly init: (params: Tree) => State;
  /** x_{t+1} − params and the next state. Consumes `updates`, `params` and `extra.value`, and spends `state`. */
  readonly update: <Params extends Tree>(
    updates: Params,
    state: State,
    params: Params,
    extra?: ExtraArgs,
  ) => [updates: Params, state: State];
  /** The schedule-free average of the parameters as a new tree; null where there is none. The state stays as it is. */
  readonly average: <Params extends Tree>(state: State) => Params | null;
  /**
   * A state from what `state.save()` returned, and the params that its next update will get. Leaves are told by name.
   * Consumes `params`.
   */
  readonly restore: (params: Tree, saved: Uint8Array, options?: RestoreOptions) => State;
}

function tensorsOf(
  { names, shapes, values }: Leaves,
  describe: TransformationOptions["tensors"],
): TensorSpec[] {
  return names.map((name, k) => {
    const options = describe?.(name, shapes[k]) ?? {};
    expectOptions(`tensors(${show(name)})`, options, ["learningRate", "weightDecay", "frozen"]);
    return { name: name || "params", shape: shapes[k], values: values[k], ...options };
  });
}

function strayed(): OptimizerError {
  const message = "params: they are not those that the last update led to, not even up to rounding";
  return new OptimizerError("moved", `${message}; with the option moved: "follow" it goes on from them`);
}

/** Goes where somebody else put the parameters. */
function follow(machine: Machine, { values }: Leaves): void {
  const { optimizer } = machine;
  const point = new Float32Array(optimizer.size);
  let first = 0;
  for (const leaf of values) {
    point.set(leaf, first);
    first += leaf.length;
  }
  optimizer.setParams(point);
  machine.before = machine.expected = values;
}

function difference(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i];
  return out;
}

function sum(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i];
  return out;
}

/** One step from `point`; returns what it adds to it. */
function advance(
  machine: Machine,
  gradients: Leaves,
  point: Leaves,
  loss: number | undefined,
): { updates: Float32Array[]; info: StepInfo } {
  const { tensors } = machine.optimizer;
  gradients.values.forEach((leaf, k) => tensors[k].grads.set(leaf));
  const info = machine.optimizer.step(undefined, { loss });
  machine.before = point.values;
  const updates = point.values.map((leaf, k) => difference(tensors[k].params, leaf));
  machine.expected = updates.map((leaf, k) => sum(point.values[k], leaf));
  machine.updates++;
  return { updates, info };
}

function expectState(state: unknown): State {
  if (state instanceof State) return state;
  throw new TypeError(`state: expected what init or update returned, got ${show(state)}`);
}

/** The average, leaf by leaf. */
function averageOf<Params extends Tree>({ optimizer, layout }: Machine): Params | null {
  const average = optimizer.average();
  if (!average) return null;
  let first = 0;
  const leaves = optimizer.tensors.map(({ params }) => {
    first += params.length;
    return average.slice(first - params.length, first);
  });
  return build<Params>(layout, leaves);
}

/**
 * superlevel as a gradient transformation of jax-js: `init(params)`, then in each step `update(grads, state, params)`
 * and {@link applyUpdates}. Options and defaults are those of `createOptimizer`: no learning rate is needed.
 *
 * Arrays are consumed, as everywhere in jax-js, also by a call that throws: pass `tree.ref(params)` to keep them. The
 * state spends itself: an update with any but the latest throws. Leaves are float32. An update reads arrays with
 * `dataSync` and computes on the CPU, outside of `jit`.
 *
 * The updates are x_{t+1} − params, so that {@link applyUpdates} gives the engine's x_{t+1} up to a rounding, which does
 * not add up: the engine goes on from its own x.
 *
 * @throws TypeError or RangeError when an option or a tree is not as expected
 * @throws OptimizerError "diverged" when a gradient or the loss is not finite; "moved", "state", "disposed". The state is then as
 *   before, and may be used again.
 * @example
 * import { grad, init, numpy as np, tree } from "@jax-js/jax";
 * import { applyUpdates, gradientTransformation } from "superlevel/jax";
 * await init("wasm");
 *
 * const bowl = ({ w }: { w: np.Array }) => np.square(w.sub(3)).sum();
 * let params = { w: np.array([0, 10]) };
 * const { init: start, update } = gradientTransformation();
 * let state = start(tree.ref(params));
 * for (let step = 1; step <= 300; step++) {
 *   let updates = grad(bowl)(tree.ref(params));
 *   [updates, state] = update(updates, state, tree.ref(params));
 *   params = applyUpdates(params, updates);
 * }
 * (params.w.js() as number[]).map((x) => x.toFixed(3)); // → ["3.000", "3.000"]
 */
export function gradientTransformation(options: TransformationOptions = {}): GradientTransformation {
  const { tensors, moved = "throw", ...own } = options;
  if (tensors !== undefined) expectFunction("tensors", tensors);
  expectOneOf("moved", moved, ["throw", "follow"]);

  function start(params: Tree, prepare?: (optimizer: Optimizer) => void): State {
    const layout = consume("params", params);
    const optimizer = createOptimizer(tensorsOf(layout, tensors), own);
    prepare?.(optimizer);
    return new State({ optimizer, layout, updates: 0, before: layout.values, expected: layout.values });
  }

  return {
    init: (params) => start(params),
    restore: (params, saved, options) => start(params, (optimizer) => optimizer.restore(saved, options)),
    average: (state) => averageOf(expectState(state).machine),
    update<Params extends Tree>(
      updates: Params,
      state: State,
      params: Params,
      extra: ExtraArgs = {},
    ): [Params, State] {
      const [gradients, point, loss] = consumeAll(updates, params, extra?.value);
      expectOptions("extra", extra, ["value"]);
      const { machine } = expectState(state);
      expectSame("updates", gradients, machine.layout);
      expectSame("params", point, machine.layout);
      if (!areExpected(machine, point)) {
        if (moved === "throw") throw strayed();
        follow(machine, point);
      }
      const { updates: steps, info } = advance(machine, gradients, point, loss);
      return [build<Params>(machine.layout, steps), new State(machine, info)];
    },
  };
}
