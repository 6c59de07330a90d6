import { expectFunction, expectNumber, expectOptions } from "../../common/expect.js";
import { dot, norm } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";
import { cflLimit, cflNumber } from "./cfl.js";
import {
  expectPoints,
  largestQuotient,
  largestSingularValue,
  linearize,
  residual,
  type LayerMap,
  type Linearization,
} from "./jacobian.js";

/** Options of {@link blockProfile}. */
export interface BlockProfileOptions extends WorkOptions {
  /** h of x + h F(x), ≥ 0; default 1. */
  step?: number;
  /** ε of the differences, > 0; default u^⅓ (1 + |x_i|), u = 2⁻²⁴ for a branch that returns a Float32Array, else 2⁻⁵³. */
  epsilon?: number;
}

/** What {@link blockProfile} measured. */
export interface BlockProfile {
  /** K: the largest ‖J(x)‖₂ at a point, and ‖F(x) − F(y)‖ / ‖x − y‖ of two. */
  readonly lipschitz: number;
  /**
   * m: F is one-sided Lipschitz with −m as far as was seen: the least −λ_max(½ (J + Jᵀ)) at a point, and −⟨F(x) − F(y), x − y⟩ / ‖x − y‖² of
   * two. Below 0 the branch expands some distance by itself.
   */
  readonly dissipation: number;
  /** 2 m / K², the largest h without expansion; 0 where m ≤ 0, infinite where K = 0. */
  readonly limit: number;
  /** h K² / 2m, the CFL number: up to 1 the block is nonexpansive. Infinite where m ≤ 0. */
  readonly number: number;
  /** The largest ‖I + h J(x)‖₂ at a point: what the block does to small distances there. */
  readonly gain: number;
  /**
   * `"nonexpansive"`: the CFL number is at most 1. `"expansive"`: the gain is above 1. `"undecided"`: neither, as the constants are a
   * sufficient condition alone. All of the points that were looked at.
   */
  readonly verdict: "nonexpansive" | "expansive" | "undecided";
}

/** What norms may be wrong by, in units of what entries of J are about wrong by. */
const SLACK = 100;

/** K and m of the straight way between two points. */
function between([x, a]: readonly Float64Array[], [y, b]: readonly Float64Array[]): [number, number] {
  const [way, change] = [x.map((value, i) => value - y[i]), a.map((value, i) => value - b[i])];
  const squares = dot(way, way);
  return squares > 0 ? [norm(change) / Math.sqrt(squares), -dot(change, way) / squares] : [0, Infinity];
}

/**
 * The CFL number of a residual block x ↦ x + h F(x) from measured constants of its branch: the Lipschitz constant K and the
 * one-sided one, −m, of which ‖I + h J‖ ≤ 1 for h ≤ 2 m / K² follows (see {@link cflLimit}). J is taken by central differences,
 * column by column, and its norms by Lanczos to 10⁻¹⁰. Every pair of points is compared besides, which sees kinks between them.
 * Both hold for the points that were looked at, not for all of space. Costs 2n + 1 calls of the branch a point, and n² numbers.
 *
 * @param branch F, from n numbers to n
 * @param points where to look, each n numbers: inputs that the block gets
 * @throws TypeError or RangeError when an argument is not understood; OptimizerError "diverged" when the branch is not finite
 * @example
 * import { blockProfile } from "superlevel/stability";
 * const spiral = ([x, y]: Float64Array) => [-x + 3 * y, -3 * x - y];
 * const { lipschitz, dissipation, limit, number, gain, verdict } = await blockProfile(spiral, [[1, 2]], { step: 0.3 });
 * lipschitz; // → 3.162278
 * dissipation; // → 1.000000
 * limit; // → 0.200000
 * number; // → 1.500000
 * gain; // → 1.140175
 * verdict; // → "expansive"
 */
export async function blockProfile(
  branch: LayerMap,
  points: readonly ArrayLike<number>[],
  options: BlockProfileOptions = {},
): Promise<BlockProfile> {
  const name = "blockProfile";
  expectFunction("branch", branch);
  expectOptions(name, options, ["step", "epsilon", ...WORK_KEYS]);
  const h = expectNumber(`${name}.step`, options.step ?? 1, { min: 0 });
  const { epsilon } = options;
  if (epsilon !== undefined) expectNumber(`${name}.epsilon`, epsilon, { above: 0 });
  const inputs = expectPoints("points", points);
  const work = new Work(name, options, inputs.length);
  let [lipschitz, dissipation, gain, slack] = [0, Infinity, 0, 0];
  const seen: (readonly Float64Array[])[] = [];
  for (const x of inputs) {
    const { value, jacobian, error } = await linearize("branch", branch, x, epsilon);
    expectSquare(value, x);
    slack = SLACK * error;
    lipschitz = Math.max(lipschitz, await largestSingularValue(jacobian));
    dissipation = Math.min(dissipation, -(await largestQuotient(jacobian)));
    gain = Math.max(gain, await largestSingularValue(residual(jacobian, h)));
    for (const other of seen) {
      const [k, m] = between([x, value], other);
      lipschitz = Math.max(lipschitz, k);
      dissipation = Math.min(dissipation, m);
    }
    seen.push([x, value]);
    await work.tick();
  }
  const known = { dissipation: Math.max(0, dissipation), lipschitz };
  const limit = lipschitz > 0 ? cflLimit(known) : Infinity;
  const number = cflNumber({ step: h, ...known });
  const verdict = gain > 1 + slack ? "expansive" : number <= 1 + slack ? "nonexpansive" : "undecided";
  return { lipschitz, dissipation, limit, number, gain, verdict };
}

function expectSquare(value: Linearization["value"], x: Float64Array): void {
  if (value.length !== x.length)
    throw new RangeError(`branch: expected it to return ${x.length} numbers, got ${value.length}`);
}
