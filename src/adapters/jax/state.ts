import { OptimizerError } from "../../common/errors.js";
import type { GradientKind } from "../../common/kinds.js";
import type { StepInfo } from "../../stepper/info.js";
import { notItself } from "../../common/itself.js";
import type { Optimizer } from "../../optimizer.js";
import type { Layout, Leaves } from "./trees.js";

/** The engine that a chain of states shares. */
export interface Machine {
  readonly optimizer: Optimizer;
  readonly layout: Layout;
  /** How many updates were taken: a state of an earlier one is spent. */
  updates: number;
  /** The parameters at the last update. */
  before: readonly Float32Array[];
  /** What they should be at the next one: applyUpdates rounds, so not quite the engine's x. */
  expected: readonly Float32Array[];
}

/**
 * What a gradient transformation knows between updates. It stands for memory of an engine that it shares with the
 * states before and after it, so only the latest may be used: an update spends the state that it is given.
 */
export class State {
  readonly #machine: Machine;
  readonly #updates: number;
  /** What the last update reports, such as the scale; undefined before the first. */
  readonly info: StepInfo | undefined;
  /** What gradients are taken to be from here on: see `Optimizer.gradients` of `superlevel`. */
  readonly gradients: GradientKind;

  /** Use a transformation's `init`, `update` or `restore`. */
  constructor(machine: Machine, info?: StepInfo) {
    this.#machine = machine;
    this.#updates = machine.updates;
    this.info = info;
    this.gradients = machine.optimizer.gradients;
  }

  /** Vue makes no Proxies of what has a tag of its own. */
  get [Symbol.toStringTag](): string {
    return "State";
  }

  /** @internal */
  get machine(): Machine {
    if (!(#updates in this)) throw notItself("state");
    if (this.#updates === this.#machine.updates) return this.#machine;
    const [own, latest] = [this.#updates, this.#machine.updates];
    const cure = "use the state that the last update returned, or save() and restore()";
    throw new OptimizerError("state", `state: it was spent: it is of update ${own} of ${latest}; ${cure}`);
  }

  /**
   * Everything that the next update depends on, but gradient and options, as bytes; see {@link Optimizer.save}.
   *
   * @throws OptimizerError "state" when the state is spent, "disposed" after `dispose`
   */
  save(): Uint8Array {
    return this.machine.optimizer.save();
  }

  /** Lets go of the engine's memory, of all states that share it. */
  dispose(): void {
    if (!(#machine in this)) throw notItself("state");
    this.#machine.optimizer.dispose();
  }
}

/** Are these the parameters that applyUpdates made, up to roundings of what it added? */
export function areExpected({ before, expected }: Machine, { values }: Leaves): boolean {
  return values.every((leaf, k) => {
    const [from, to] = [before[k], expected[k]];
    for (let i = 0; i < leaf.length; i++) {
      // jax-js may keep single numbers in float64, and GPUs may flush subnormals. A NaN is never what was expected.
      const rounding = 2 ** -23 * Math.max(Math.abs(from[i]), Math.abs(to[i])) + 2 ** -126;
      if (!(Math.abs(leaf[i] - to[i]) <= rounding)) return false;
    }
    return true;
  });
}
