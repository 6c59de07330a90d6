import { numpy as np, type Array as JaxArray } from "@jax-js/jax";
import { expectNumber } from "../../common/expect.js";
import type { ArraySchedule } from "./transformations.js";

/* Schedules of optax, by its names, of the steps before: scalar arrays, so they can stand inside of jit. */

/** min(1, count / steps). Consumes the count. */
const progress = (count: JaxArray, steps: number): JaxArray => np.minimum(1, np.divide(count, steps));

/**
 * From `initial` to `final` in a line: initial + (final − initial) min(1, count / steps).
 *
 * @param steps ≥ 1
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { linearSchedule } from "superlevel/jax";
 * await init("wasm");
 * linearSchedule(1, 0, 4)(np.array(1)).js(); // → 0.75
 */
export function linearSchedule(initial: number, final: number, steps: number): ArraySchedule {
  expectNumber("linearSchedule(initial)", initial, { min: 0 });
  expectNumber("linearSchedule(final)", final, { min: 0 });
  expectNumber("linearSchedule(steps)", steps, { min: 1 });
  return (count) => np.add(initial, np.multiply(final - initial, progress(count, steps)));
}

/**
 * Half a cosine: initial (α + (1 − α) ½ (1 + cos(π min(1, count / steps)))). SGDR, arXiv 1608.03983, without restarts.
 *
 * @param steps ≥ 1
 * @param alpha the share of `initial` that is left at the end, in [0, 1]; default 0
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { cosineDecaySchedule } from "superlevel/jax";
 * await init("wasm");
 * cosineDecaySchedule(1, 100)(np.array(50)).js().toFixed(4); // → "0.5000"
 */
export function cosineDecaySchedule(initial: number, steps: number, alpha = 0): ArraySchedule {
  expectNumber("cosineDecaySchedule(initial)", initial, { min: 0 });
  expectNumber("cosineDecaySchedule(steps)", steps, { min: 1 });
  expectNumber("cosineDecaySchedule(alpha)", alpha, { min: 0, max: 1 });
  return (count) => {
    const wave = np.add(1, np.cos(np.multiply(Math.PI, progress(count, steps))));
    return np.add(initial * alpha, np.multiply((initial * (1 - alpha)) / 2, wave));
  };
}

/**
 * initial · rate^(count / steps). Paper (34) has e^(−λ) for rate^(1 / steps).
 *
 * @param steps > 0
 * @param rate > 0
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { exponentialDecaySchedule } from "superlevel/jax";
 * await init("wasm");
 * exponentialDecaySchedule(1, 10, 0.5)(np.array(10)).js().toFixed(4); // → "0.5000"
 */
export function exponentialDecaySchedule(initial: number, steps: number, rate: number): ArraySchedule {
  expectNumber("exponentialDecaySchedule(initial)", initial, { min: 0 });
  expectNumber("exponentialDecaySchedule(steps)", steps, { above: 0 });
  expectNumber("exponentialDecaySchedule(rate)", rate, { above: 0 });
  return (count) => np.multiply(initial, np.exp(np.multiply(Math.log(rate) / steps, count)));
}

/**
 * A line from `initial` to `peak` in `warmupSteps`, then half a cosine to `final`, `steps` in all.
 *
 * @param warmupSteps ≥ 1
 * @param steps > warmupSteps
 * @param final ≤ peak; default 0
 * @example
 * import { init, numpy as np } from "@jax-js/jax";
 * import { warmupCosineDecaySchedule } from "superlevel/jax";
 * await init("wasm");
 * warmupCosineDecaySchedule(0, 1, 10, 100)(np.array(5)).js(); // → 0.5
 */
export function warmupCosineDecaySchedule(
  initial: number,
  peak: number,
  warmupSteps: number,
  steps: number,
  final = 0,
): ArraySchedule {
  expectNumber("warmupCosineDecaySchedule(peak)", peak, { above: 0 });
  expectNumber("warmupCosineDecaySchedule(steps)", steps, { above: warmupSteps });
  expectNumber("warmupCosineDecaySchedule(final)", final, { min: 0, max: peak });
  const rise = linearSchedule(initial, peak, warmupSteps);
  const fall = cosineDecaySchedule(peak, steps - warmupSteps, final / peak);
  return (count) => {
    const rising = np.less(count.ref, warmupSteps);
    const late = np.maximum(0, np.subtract(count.ref, warmupSteps));
    return np.where(rising, rise(count), fall(late));
  };
}
