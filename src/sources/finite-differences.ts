import { expectFunction, expectOneOf, expectOptions } from "../common/expect.js";
import type { GradientSource } from "./source.js";

/** Options of {@link finiteDifferences}. */
export interface FiniteDifferenceOptions {
  /** "central" costs 2n losses and is exact to second order; "forward" costs n. Default "central". */
  scheme?: "central" | "forward";
}

/**
 * A gradient source for a loss whose gradient is not known:
 * g_i ≈ (L(x + δ_i e_i) − L(x − δ_i e_i)) / 2δ_i, or (L(x + δ_i e_i) − L(x)) / δ_i for "forward", with
 * δ_i = ε^⅓ (1 + |x_i|), or √ε (1 + |x_i|), ε = 2⁻⁵². Differences are taken in float64.
 *
 * @param loss called 2n + 1 or n + 1 times a step with a Float64Array that it may write to, and must not keep
 * @throws TypeError when `loss` is not a function
 * @example
 * const bowl = finiteDifferences((x) => x[0] ** 2 + 3 * x[1] ** 2);
 * const grads = new Float32Array(2);
 * bowl(Float32Array.of(1, 2), grads, 1); // → 13
 * Array.from(grads, (g) => g.toFixed(5)); // → ["2.00000", "12.00000"]
 */
export function finiteDifferences(
  loss: (params: Float64Array, step: number) => number,
  options: FiniteDifferenceOptions = {},
): GradientSource {
  expectFunction("finiteDifferences(loss)", loss);
  expectOptions("finiteDifferences", options, ["scheme"]);
  const { scheme = "central" } = options;
  expectOneOf("finiteDifferences.scheme", scheme, ["central", "forward"]);
  return (params, grads, step) => {
    const point = Float64Array.from(params);
    const here = loss(point.slice(), step);
    differentiate((x) => loss(x, step), point, here, grads, scheme);
    return here;
  };
}

/**
 * Writes the differences of `loss` around `point`, where it is `here`, to `grads`. Leaves `point` as it was: `loss` gets
 * copies, which it may write to. Within bounds a difference whose one side would leave them is taken on the other side alone.
 */
export function differentiate(
  loss: (point: Float64Array) => number,
  point: Float64Array,
  here: number,
  grads: Float32Array | Float64Array,
  scheme: "central" | "forward",
  bounds?: { readonly least: Float64Array; readonly greatest: Float64Array },
): void {
  const relative = scheme === "central" ? Math.cbrt(Number.EPSILON) : Math.sqrt(Number.EPSILON);
  const scratch = new Float64Array(point.length);
  for (let i = 0; i < point.length; i++) {
    const x = point[i];
    const lossAt = (value: number): number => {
      if (value === x) return here;
      scratch.set(point);
      scratch[i] = value;
      return loss(scratch);
    };
    const reach = relative * (1 + Math.abs(x));
    const above = bounds && x + reach > bounds.greatest[i] ? x : x + reach;
    const lowest = bounds?.least[i] ?? -Infinity;
    const below = (scheme === "central" || above === x) && x - reach >= lowest ? x - reach : x;
    // The distance as rounded, not as intended.
    grads[i] = above === below ? 0 : (lossAt(above) - lossAt(below)) / (above - below);
  }
}
