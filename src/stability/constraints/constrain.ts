import type { Optimizer } from "../../optimizer.js";
import type { RunMonitor } from "../../run/options.js";
import { expectOptimizer } from "../trajectories/optimizer-response.js";
import { expectSet, type ConvexSet } from "./sets.js";

/** What {@link constrain} returns: for `monitors`, or to be called around each step. */
export interface Constraint extends RunMonitor {
  /** Takes from the optimizer's gradient what leads out of the set. */
  beforeStep(): void;
  /** The rest of the step: moves the optimizer to the nearest point of the set. */
  complete(): void;
}

/**
 * Keeps an optimizer in a convex set: projected steps, x ← P(x + S u). Before a step −g is projected on the set's tangent cone, so that
 * neither moments nor the tuner's Δ, h and S count on ways that are closed; ‖g‖ is then 0 exactly where x is stationary, and
 * `gradientTolerance` ends a run there. After it x is moved to the nearest point of the set, and back to the bounds that −g pressed it
 * against: a tuner would let go of them, with another S, and take its own return for progress. The move is by `translate`: the
 * reference comes along, and Δ, S and moments stay. Plain descent in a box takes the steps of the projected gradient method.
 *
 * The start is moved into the set at once. A gradient that leads out as a whole stays as it is before the first step, where a run takes
 * one of 0 for a mistake; the projection undoes the step. A guard judges a step together with its projection. Where boundaries are curved, as a ball's, the
 * older forms, such as `mechanic`, may run away.
 *
 * @param optimizer of all parameters that the set is about, the frozen ones included
 * @param set {@link box}, {@link ball}, or one of your own
 * @throws TypeError or RangeError when an argument is not understood, or a bound's length is not the number of parameters
 * @example
 * import { createOptimizer } from "superlevel";
 * import { box, constrain } from "superlevel/stability";
 * const bowl = ([x, y]: Float32Array, g: Float32Array) => (g.set([x - 3, y + 1]), ((x - 3) ** 2 + (y + 1) ** 2) / 2);
 * const optimizer = createOptimizer([0.5, 0.5]);
 * const inside = constrain(optimizer, box({ lower: -2, upper: 1 }));
 * optimizer.minimize(bowl, { steps: 2000, gradientTolerance: 1e-4, monitors: [inside] }).reason; // → "converged"
 * Array.from(optimizer.params); // → [1, -1.000]
 */
export function constrain(optimizer: Optimizer, set: ConvexSet): Constraint {
  expectOptimizer(optimizer);
  expectSet(set);
  const { params, grads } = optimizer;
  const [next, from, raw] = [params.slice(), params.slice(), grads.slice()];
  const moveTo = (point: Float32Array) => {
    const offset = Float64Array.from(point, (value, i) => value - params[i]);
    if (offset.some((value) => value !== 0)) optimizer.translate(offset);
  };
  set.project(next);
  moveTo(next);
  return {
    beforeStep() {
      from.set(params);
      raw.set(grads);
      next.set(grads);
      set.tangent(params, next);
      if (optimizer.iterations > 0 || next.some((value) => value !== 0)) grads.set(next);
    },
    complete() {
      next.set(params);
      set.hold?.(next, from, raw);
      set.project(next);
      moveTo(next);
    },
  };
}
