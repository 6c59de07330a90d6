import { expectNumber, expectOneOf, expectOptions } from "../../common/expect.js";
import { bend } from "./bend.js";
import { expectPoint, LossFunction, type Loss } from "../loss-grad.js";
import type { Sense } from "./merge-tree.js";
import { elasticBand } from "./neb.js";
import {
  arcLengths,
  barrierOf,
  certify,
  positionsOn,
  sampleLosses,
  type PathSearch,
  type Path,
  type CheckedCurve,
} from "./path.js";
import { distance } from "../vectors.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

const METHODS = ["segment", "chain", "bezier", "neb"] as const;

/** How {@link connect} looks for a path. */
export interface ConnectOptions extends WorkOptions {
  /**
   * - "segment": the straight line;
   * - "chain": two segments with the bend moved so that the highest loss on them falls;
   * - "bezier": the same for the curve (1 − t)² a + 2 t (1 − t) bend + t² b;
   * - "neb": a nudged elastic band, which finds the saddle between two minima.
   *
   * Default "segment".
   */
  method?: (typeof METHODS)[number];
  /** "sub" for a path of low loss, "super" for one of high loss; default "sub". */
  sense?: Sense;
  /** Points that carry the search: on the curve, or images of the band; default 25, and 15 for "neb". */
  points?: number;
  /** Default 100, and 300 for "neb"; each takes `points` gradients. */
  iterations?: number;
  /** Of the small deviation from the straight line that a search starts with; default 1. */
  seed?: number;
  /** Points where the path found is measured, ends included; default 101, one loss each. */
  samples?: number;
  /** M ≥ ‖Hess L‖₂ wherever the path goes: makes the {@link Path.certificate}. */
  hessianBound?: number;
}

/**
 * A path between two points with a low barrier, the highest loss on the way minus that of the higher end. At barrier 0
 * the two lie in one component of {L ≤ max(L(a), L(b))}, in parameter space and not only on a slice. A positive barrier
 * is an upper bound: a better path may exist. Measured on the ring (r² − 1)² between opposite points: 1 on the segment,
 * 0.1718 for the chain (the best is 0.1716), 0.0431 for the Bézier curve (0.0429), and less than 1e-4 for the band.
 *
 * @throws TypeError or RangeError for bad arguments, OptimizerError "diverged" for a gradient that is not finite, and
 *   the signal's reason when aborted, all as rejections
 * @example
 * import { connect } from "superlevel/stability";
 * const ring = ([x, y]: Float64Array) => {
 *   const q = x * x + y * y - 1;
 *   return { loss: q * q, grads: [4 * q * x, 4 * q * y] };
 * };
 * (await connect(ring, [1, 0], [-1, 0])).barrier; // → 1
 * (await connect(ring, [1, 0], [-1, 0], { method: "neb" })).barrier; // → < 1e-4
 */
export async function connect(
  lossGrad: Loss,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  options: ConnectOptions = {},
): Promise<Path> {
  const { method, sense, points, iterations, seed, samples } = checkOptions(options);
  const start = expectPoint("from", from);
  const ends = [start, expectPoint("to", to, start.length)] as const;
  const lossFunction = new LossFunction("lossGrad", lossGrad, start.length);
  const searches = method === "segment" ? 0 : points * iterations + (method === "neb" ? 2 : 0);
  const work = new Work("options", options, searches + samples);
  const sign = sense === "sub" ? 1 : -1;
  const gradient = async (point: Float64Array, into: Float64Array) => {
    const loss = await lossFunction.gradient(point, into);
    if (sign < 0) for (let i = 0; i < into.length; i++) into[i] = -into[i];
    await work.tick();
    return sign * loss;
  };
  const curve = await search(method, ends, { points, iterations, seed, gradient });
  const positions = positionsOn(curve, samples);
  const losses = await sampleLosses(lossFunction, work, curve, positions, sense);
  const { barrier, index } = barrierOf(losses, sense);
  const arc = arcLengths(curve, positions);
  return {
    ...curve,
    ...{ sense, positions, arc, losses, barrier },
    peak: { index, position: positions[index], loss: losses[index] },
    certificate: certify(arc, barrier, options.hessianBound),
    evaluations: lossFunction.evaluations,
  };
}

function checkOptions(options: ConnectOptions) {
  const own = ["method", "sense", "points", "iterations", "seed", "samples", "hessianBound"];
  expectOptions("options", options, [...own, ...WORK_KEYS]);
  const method = expectOneOf("options.method", options.method ?? "segment", METHODS);
  const band = method === "neb";
  const count = (name: string, value: number, min: number) =>
    expectNumber(`options.${name}`, value, { min, integer: true });
  if (options.hessianBound !== undefined)
    expectNumber("options.hessianBound", options.hessianBound, { min: 0 });
  return {
    method,
    sense: expectOneOf("options.sense", options.sense ?? "sub", ["super", "sub"]),
    points: count("points", options.points ?? (band ? 15 : 25), 1),
    iterations: count("iterations", options.iterations ?? (band ? 300 : 100), 1),
    seed: count("seed", options.seed ?? 1, 0),
    samples: count("samples", options.samples ?? 101, 2),
  };
}

function search(
  method: (typeof METHODS)[number],
  ends: readonly [Float64Array, Float64Array],
  options: PathSearch,
): Promise<CheckedCurve> {
  const apart = distance(...ends) > 0;
  if (method === "neb" && apart) return elasticBand(ends, options);
  if (method !== "segment" && apart) return bend(method === "bezier" ? "bezier" : "polygon", ends, options);
  return Promise.resolve({ kind: "polygon", nodes: ends });
}
