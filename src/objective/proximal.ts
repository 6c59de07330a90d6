import { expectNumber, expectOptions } from "../common/expect.js";
import type { Optimizer } from "../optimizer.js";
import type { Monitor } from "../run/options.js";

/**
 * The proximal operator of threshold · ‖x‖₁: sign(x) max(0, |x| − threshold), in place. Unlike a subgradient it gives zeros.
 *
 * @param values changed in place
 * @param threshold η λ ≥ 0
 * @example
 * import { softThreshold } from "superlevel/objective";
 * softThreshold([3, -0.5, -2], 1); // → [2, 0, -1]
 */
export function softThreshold<T extends { [index: number]: number; readonly length: number }>(
  values: T,
  threshold: number,
): T {
  expectNumber("softThreshold(threshold)", threshold, { min: 0 });
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]) - threshold;
    values[i] = size > 0 ? Math.sign(values[i]) * size : 0;
  }
  return values;
}

/**
 * A monitor that takes the proximal step of λ ‖x‖₁ after each step: x ← sign(x) max(0, |x| − η λ). Together with
 * `sgd` it is proximal gradient descent (ISTA), which ends at exact zeros. The source leaves ‖x‖₁ out of its gradient, and may count
 * it in its loss or not; a guard judges both halves of a step together. For a base of one rate and no tuner: a tuner's Δ would be
 * reset in each step, and Adam has a rate for each coordinate.
 *
 * @param options.l1 λ ≥ 0
 * @throws RangeError when the optimizer has a tuner or another base than plain `sgd`
 * @example
 * import { createOptimizer, sgd } from "superlevel";
 * import { proximal } from "superlevel/objective";
 * const optimizer = createOptimizer([3, 0.5], { base: sgd({ learningRate: 0.5 }), tuner: null });
 * const near = (x: Float32Array, g: Float32Array) => (g.set([x[0] - 2, x[1] - 0.3]), Math.hypot(...g) ** 2 / 2);
 * optimizer.minimize(near, { steps: 100, monitors: [proximal(optimizer, { l1: 1 })] });
 * Array.from(optimizer.params); // → [1, 0]
 */
export function proximal(optimizer: Optimizer, options: { l1: number }): Monitor {
  expectOptions("proximal", options, ["l1"]);
  const l1 = expectNumber("proximal.l1", options.l1, { min: 0 });
  const { base, tuner } = optimizer.config;
  if (tuner !== null) throw new RangeError("optimizer: expected tuner: null for proximal steps");
  if (base.name !== "sgd" || base.momentum !== 0)
    throw new RangeError("optimizer: expected sgd without momentum for proximal steps");
  return {
    complete: ({ learningRate }) =>
      optimizer.setParams(softThreshold(optimizer.params.slice(), learningRate * l1)),
    penalty: (params) => l1 * params.reduce((sum, value) => sum + Math.abs(value), 0),
  };
}
