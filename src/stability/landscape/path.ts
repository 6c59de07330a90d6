import { expectNumber, show } from "../../common/expect.js";
import { largest, smallest } from "../../common/extremes.js";
import { expectPoint, type LossFunction } from "../loss-grad.js";
import type { Sense } from "./merge-tree.js";
import { addScaled, distance } from "../vectors.js";
import type { Work } from "../work.js";

/** A line through parameter space, from its first node to its last. */
export interface Curve {
  /** A polygon through its nodes, or the Bézier curve of its three nodes. */
  readonly kind: "polygon" | "bezier";
  readonly nodes: readonly ArrayLike<number>[];
}

/** What holds between the samples. */
export interface PathCertificate {
  /** h, the longest way between two samples. */
  readonly spacing: number;
  /** M h² / 8: no loss on the polygon through the samples exceeds the highest sample by more. */
  readonly error: number;
  /** Barrier + error: the barrier of that polygon is at most this. */
  readonly barrier: number;
}

/** A path with the losses on it, as a plain object. */
export interface Path extends Curve {
  readonly sense: Sense;
  readonly nodes: readonly Float64Array[];
  /** Where the samples lie, from 0 to 1; {@link pathPoint} gives their parameters. */
  readonly positions: Float64Array;
  /** Length of the way to each sample. */
  readonly arc: Float64Array;
  readonly losses: Float64Array;
  /**
   * For "sub" the highest loss minus the higher of the ends': 0 when both ends lie in one component of each sublevel set
   * that has both. For "super" the lower of the ends' minus the lowest loss.
   */
  readonly barrier: number;
  /** The sample that makes the barrier. */
  readonly peak: { readonly index: number; readonly position: number; readonly loss: number };
  /** Null without `hessianBound`. */
  readonly certificate: PathCertificate | null;
  readonly evaluations: number;
}

/**
 * The point of a curve at a position from 0, its first node, to 1, its last. Each leg of a polygon takes the same share.
 *
 * @throws TypeError or RangeError for bad arguments
 * @example
 * import { pathPoint } from "superlevel/stability";
 * const nodes = [[0, 0], [1, 2], [2, 0]];
 * pathPoint({ kind: "polygon", nodes }, 0.25); // → Float64Array [0.5, 1]
 * pathPoint({ kind: "bezier", nodes }, 0.5); // → Float64Array [1, 1]
 */
export function pathPoint(curve: Curve, position: number): Float64Array {
  return pointOn(checkCurve("curve", curve), expectNumber("position", position, { min: 0, max: 1 }));
}

export interface CheckedCurve extends Curve {
  readonly nodes: readonly Float64Array[];
}

export function checkCurve(name: string, curve: Curve): CheckedCurve {
  if (typeof curve !== "object" || curve === null || !Array.isArray(curve.nodes)) {
    throw new TypeError(`${name}: expected { kind, nodes }, got ${show(curve)}`);
  }
  const { kind } = curve;
  if (kind !== "polygon" && kind !== "bezier") {
    throw new RangeError(`${name}.kind: expected one of "polygon", "bezier", got ${show(kind)}`);
  }
  const size = (curve.nodes[0] as ArrayLike<number> | undefined)?.length;
  const nodes = curve.nodes.map((node, k) => expectPoint(`${name}.nodes[${k}]`, node, size));
  if (kind === "bezier" ? nodes.length !== 3 : nodes.length < 2) {
    throw new RangeError(
      `${name}.nodes: expected ${kind === "bezier" ? "3" : "at least 2"}, got ${nodes.length}`,
    );
  }
  return { kind, nodes };
}

/** How a path is searched for. */
export interface PathSearch {
  readonly points: number;
  readonly iterations: number;
  readonly seed: number;
  /** ± L and its gradient, such that low is good. */
  readonly gradient: (point: Float64Array, into: Float64Array) => Promise<number>;
}

/** How much each node weighs at a position: [node, weight] pairs. */
export function weightsAt({ kind, nodes }: Curve, position: number): [number, number][] {
  if (kind === "bezier") {
    const rest = 1 - position;
    return [
      [0, rest * rest],
      [1, 2 * position * rest],
      [2, position * position],
    ];
  }
  const legs = nodes.length - 1;
  const leg = Math.min(legs - 1, Math.floor(position * legs));
  const share = position * legs - leg;
  return [
    [leg, 1 - share],
    [leg + 1, share],
  ];
}

export function pointOn(curve: CheckedCurve, position: number): Float64Array {
  const point = new Float64Array(curve.nodes[0].length);
  for (const [node, weight] of weightsAt(curve, position)) addScaled(point, weight, curve.nodes[node]);
  return point;
}

/** At least `samples` positions, ends and nodes included. */
export function positionsOn({ kind, nodes }: Curve, samples: number): Float64Array {
  const legs = kind === "bezier" ? 1 : nodes.length - 1;
  const intervals = legs * Math.ceil((samples - 1) / legs);
  return Float64Array.from({ length: intervals + 1 }, (_, i) => i / intervals);
}

/** Losses along a curve; NaN counts as infinitely bad. */
export async function sampleLosses(
  lossFunction: LossFunction,
  work: Work,
  curve: CheckedCurve,
  positions: Float64Array,
  sense: Sense,
): Promise<Float64Array> {
  const losses = new Float64Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    const loss = await lossFunction.loss(pointOn(curve, positions[i]));
    losses[i] = Number.isNaN(loss) ? (sense === "sub" ? Infinity : -Infinity) : loss;
    await work.tick();
  }
  return losses;
}

/** Length of the polygon through the samples, up to each of them. */
export function arcLengths(curve: CheckedCurve, positions: Float64Array): Float64Array {
  const arc = new Float64Array(positions.length);
  let before = pointOn(curve, positions[0]);
  for (let i = 1; i < positions.length; i++) {
    const point = pointOn(curve, positions[i]);
    arc[i] = arc[i - 1] + distance(before, point);
    before = point;
  }
  return arc;
}

/** The worst sample, and by how much it is worse than the worse end. */
export function barrierOf(losses: Float64Array, sense: Sense): { barrier: number; index: number } {
  const sign = sense === "sub" ? 1 : -1;
  const index = losses.reduce((worst, loss, i) => (sign * loss > sign * losses[worst] ? i : worst), 0);
  const ends = [losses[0], losses[losses.length - 1]];
  const end = sense === "sub" ? largest(ends) : smallest(ends);
  return { barrier: losses[index] === end ? 0 : sign * (losses[index] - end), index };
}

/**
 * On a segment of length h with |d²L/ds²| ≤ M at all points, L exceeds the higher of its ends by at most M h² / 8; so
 * for the polygon through the samples, whose longest segment counts.
 */
export function certify(
  arc: Float64Array,
  barrier: number,
  hessianBound: number | undefined,
): PathCertificate | null {
  if (hessianBound === undefined) return null;
  expectNumber("options.hessianBound", hessianBound, { min: 0 });
  let spacing = 0;
  for (let i = 1; i < arc.length; i++) spacing = Math.max(spacing, arc[i] - arc[i - 1]);
  const error = (hessianBound * spacing * spacing) / 8;
  return { spacing, error, barrier: barrier + error };
}
