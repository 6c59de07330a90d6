import { expectFunction, expectNumber, expectNumbers, expectOptions } from "../../common/expect.js";
import { dot } from "../vectors.js";

/** A vector that is changed in place. */
export type Vector = Float32Array | Float64Array;

/** A closed convex set C of parameters, given by its projections. {@link box} and {@link ball} make some. */
export interface ConvexSet {
  /** x ← P(x), the nearest point of C. Returns whether x was outside. */
  project(x: Vector): boolean;
  /**
   * Takes from g what −g would move x out of C, for an x in C: −g ← its projection on the tangent cone of C at x. 0 is left where x
   * is stationary.
   */
  tangent(x: Vector, g: Vector): void;
  /**
   * Moves x, which a step from `from` led to, back on the part of the boundary that −g, the gradient there, pressed `from` against. Tuners
   * need it: a step makes x = xRef + S Δ anew, with another S, and so lets go of what it was pressed against.
   */
  hold?(x: Vector, from: Vector, g: Vector): void;
}

/** Throws unless `set` has the methods of a {@link ConvexSet}. */
export function expectSet(set: ConvexSet): ConvexSet {
  const { project, tangent } = (set ?? {}) as Partial<Record<keyof ConvexSet, unknown>>;
  expectFunction("set.project", project);
  expectFunction("set.tangent", tangent);
  return set;
}

/** A bound for each coordinate. Fewer bounds than coordinates are an error, more as well. */
function boundAt(name: string, bound: number | ArrayLike<number> | undefined, none: number) {
  if (bound === undefined) return () => none;
  if (typeof bound === "number") return () => bound;
  const values = Float64Array.from(expectNumbers(name, bound, bound?.length ?? 1));
  return (i: number, { length }: Vector) => {
    if (length !== values.length)
      throw new RangeError(`${name}: expected ${length} numbers, got ${values.length}`);
    return values[i];
  };
}

/**
 * The box of all x with lower_i ≤ x_i ≤ upper_i. Its projection clips each coordinate.
 *
 * @param bounds.lower a number for all coordinates, or one for each; default −∞
 * @param bounds.upper likewise; default ∞
 * @throws TypeError or RangeError when a bound is not understood, NaN, or where lower_i > upper_i
 * @example
 * import { box } from "superlevel/stability";
 * const x = Float64Array.of(-1, 0.5, 3);
 * box({ lower: 0, upper: [1, 1, 2] }).project(x); // → true
 * Array.from(x); // → [0, 0.5, 2]
 */
export function box(bounds: {
  lower?: number | ArrayLike<number>;
  upper?: number | ArrayLike<number>;
}): ConvexSet {
  expectOptions("box", bounds, ["lower", "upper"]);
  expectBounds(bounds);
  const lowerAt = boundAt("box.lower", bounds.lower, -Infinity);
  const upperAt = boundAt("box.upper", bounds.upper, Infinity);
  const isPressed = (x: Vector, g: Vector, i: number) =>
    g[i] > 0 ? x[i] <= rounded(lowerAt(i, x), x) : g[i] < 0 && x[i] >= rounded(upperAt(i, x), x);
  return {
    project(x) {
      let moved = false;
      for (let i = 0; i < x.length; i++) {
        const inside = Math.min(Math.max(x[i], lowerAt(i, x)), upperAt(i, x));
        if (inside === x[i]) continue;
        const before = x[i];
        x[i] = inside;
        // A bound that is no float32 number is met as nearly as can be.
        moved ||= x[i] !== before;
      }
      return moved;
    },
    tangent(x, g) {
      for (let i = 0; i < x.length; i++) if (isPressed(x, g, i)) g[i] = 0;
    },
    hold(x, from, g) {
      for (let i = 0; i < x.length; i++) if (isPressed(from, g, i)) x[i] = from[i];
    },
  };
}

/** As x can hold it. */
const rounded = (bound: number, x: Vector): number =>
  x.BYTES_PER_ELEMENT === 4 ? Math.fround(bound) : bound;

function expectBounds({ lower, upper }: Parameters<typeof box>[0]): void {
  const at = (bound: number | ArrayLike<number> | undefined, i: number, none: number) =>
    bound === undefined ? none : typeof bound === "number" ? bound : bound[i];
  const count = Math.max(1, lengthOf(lower), lengthOf(upper));
  for (let i = 0; i < count; i++) {
    const [low, high] = [at(lower, i, -Infinity), at(upper, i, Infinity)];
    if (!(low <= high) || low === Infinity || high === -Infinity)
      throw new RangeError(`box: expected lower <= upper at coordinate ${i}, got ${low} and ${high}`);
  }
}

const lengthOf = (bound: number | ArrayLike<number> | undefined): number =>
  typeof bound === "object" && bound !== null ? bound.length : 0;

/** A point this share of the radius outside of a ball counts as inside: projections round. */
const ROUNDING = { 4: 2 ** -20, 8: 2 ** -48 } as Readonly<Record<number, number>>;

/**
 * The ball of all x with ‖x − center‖ ≤ radius. Its projection shortens x − center. Points as near as rounding to its surface count as
 * being on it.
 *
 * @param options.radius > 0
 * @param options.center as many numbers as there are coordinates; default the origin
 * @throws TypeError or RangeError when an option is not understood
 * @example
 * import { ball } from "superlevel/stability";
 * const x = Float64Array.of(3, 4);
 * ball({ radius: 1 }).project(x); // → true
 * Array.from(x); // → [0.6, 0.8]
 */
export function ball(options: { radius: number; center?: ArrayLike<number> }): ConvexSet {
  expectOptions("ball", options, ["radius", "center"]);
  const radius = expectNumber("ball.radius", options.radius, { above: 0 });
  const { center } = options;
  const middle = center && Float64Array.from(expectNumbers("ball.center", center, center?.length ?? 1));
  middle?.forEach((value, i) => void expectNumber(`ball.center[${i}]`, value));
  /** x − center, and its length. */
  const offsetOf = (x: Vector) => {
    if (middle && middle.length !== x.length)
      throw new RangeError(`ball.center: expected ${x.length} numbers, got ${middle.length}`);
    const offset = Float64Array.from(x, (value, i) => value - (middle?.[i] ?? 0));
    return { offset, length: Math.sqrt(dot(offset, offset)) };
  };
  const toSurface = (x: Vector, { offset, length }: ReturnType<typeof offsetOf>) => {
    for (let i = 0; i < x.length; i++) x[i] = (middle?.[i] ?? 0) + (radius / length) * offset[i];
  };
  /** How hard −g presses outwards; 0 inside. */
  const pressed = (x: Vector, g: Vector) => {
    const { offset, length } = offsetOf(x);
    const onSurface = length >= radius * (1 - ROUNDING[x.BYTES_PER_ELEMENT]);
    return { offset, length, pressure: onSurface ? Math.max(0, -dot(offset, g) / length) : 0 };
  };
  return {
    project(x) {
      const found = offsetOf(x);
      if (!(found.length > radius * (1 + ROUNDING[x.BYTES_PER_ELEMENT]))) return false;
      toSurface(x, found);
      return true;
    },
    tangent(x, g) {
      const { offset, length, pressure } = pressed(x, g);
      if (pressure > 0) for (let i = 0; i < x.length; i++) g[i] += (pressure * offset[i]) / length;
    },
    hold(x, from, g) {
      if (pressed(from, g).pressure > 0) toSurface(x, offsetOf(x));
    },
  };
}
