import { resolve, type OptimizerOptions } from "./stepper/config.js";
import { createEngine } from "./engine/engine.js";
import { Optimizer } from "./optimizer.js";
import { Stepper } from "./stepper/stepper.js";
import type { TensorSpec } from "./tensors.js";

/**
 * An optimizer with its own memory. With no options it needs no learning rate.
 *
 * @param params how many parameters (zeros), start values, or tensors
 * @throws TypeError or RangeError naming the argument when something is of the wrong kind or out of range, or when the
 *   parameters do not fit into one 4 GiB memory; OptimizerError "engine" when `options.engine` does not run here
 * @example
 * const optimizer = createOptimizer([
 *   { name: "weights", shape: [2, 2], values: [0.1, -0.2, 0.3, 0.4] },
 *   { name: "bias", shape: [2], weightDecay: 0 },
 * ]);
 * optimizer.size; // → 6
 * optimizer.tensors[1].grads.fill(0.5);
 * optimizer.step().step; // → 1
 */
export function createOptimizer(
  params: number | ArrayLike<number> | readonly TensorSpec[],
  options: OptimizerOptions = {},
): Optimizer {
  const resolved = resolve(params, options);
  return new Optimizer(new Stepper(resolved, createEngine(resolved.program)));
}
