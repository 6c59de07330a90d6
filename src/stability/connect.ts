import { expectNumber, expectOneOf, expectOptions, show } from "../expect.js";
import { bend } from "./bend.js";
import { Evaluator, expectPoint, type LossGrad } from "./loss-grad.js";
import type { Sense } from "./merge-tree.js";
import { elasticBand } from "./neb.js";
import {
  arcLengths,
  barrierOf,
  certify,
  positionsOn,
  sampleLosses,
  settleCurve,
  type Curve,
  type Path,
  type PathCertificate,
  type SettledCurve,
} from "./path.js";
import { Work, WORK_KEYS, type WorkOptions } from "./work.js";

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

/** What a search for a path asks for. */
export interface Descent {
  readonly points: number;
  readonly iterations: number;
  readonly seed: number;
  /** ± L and its gradient, such that low is good. */
  readonly gradient: (point: Float64Array, into: Float64Array) => Promise<number>;
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
 * const ring = ([x, y]: ArrayLike<number> & Iterable<number>) => {
 *   const q = x * x + y * y - 1;
 *   return { loss: q * q, grads: [4 * q * x, 4 * q * y] };
 * };
 * (await connect(ring, [1, 0], [-1, 0])).barrier; // → 1
 * (await connect(ring, [1, 0], [-1, 0], { method: "neb" })).barrier; // → < 1e-4
 */
export async function connect(
  lossGrad: LossGrad,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  options: ConnectOptions = {},
): Promise<Path> {
  const { method, sense, points, iterations, seed, samples } = settle(options);
  const start = expectPoint("from", from);
  const ends = [start, expectPoint("to", to, start.length)] as const;
  const evaluator = new Evaluator("lossGrad", lossGrad, start.length);
  const searches = method === "segment" ? 0 : points * iterations + (method === "neb" ? 2 : 0);
  const work = new Work("options", options, searches + samples);
  const sign = sense === "sub" ? 1 : -1;
  const gradient = async (point: Float64Array, into: Float64Array) => {
    const loss = await evaluator.gradient(point, into);
    if (sign < 0) for (let i = 0; i < into.length; i++) into[i] = -into[i];
    await work.tick();
    return sign * loss;
  };
  const curve = await search(method, ends, { points, iterations, seed, gradient });
  const positions = positionsOn(curve, samples);
  const losses = await sampleLosses(evaluator, work, curve, positions, sense);
  const { barrier, index } = barrierOf(losses, sense);
  const arc = arcLengths(curve, positions);
  return {
    ...curve,
    ...{ sense, positions, arc, losses, barrier },
    peak: { index, position: positions[index], loss: losses[index] },
    certificate: certify(arc, barrier, options.hessianBound),
    evaluations: evaluator.evaluations,
  };
}

function settle(options: ConnectOptions) {
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
  descent: Descent,
): Promise<SettledCurve> {
  if (method === "neb") return elasticBand(ends, descent);
  if (method !== "segment") return bend(method === "bezier" ? "bezier" : "polygon", ends, descent);
  return Promise.resolve({ kind: "polygon", nodes: ends });
}

/** How {@link equiconnect} measures. */
export interface EquiconnectOptions extends WorkOptions {
  /** Default "sub". */
  sense?: Sense;
  /** Default 101. */
  samples?: number;
  /** M ≥ ‖Hess L_y‖₂ along the path, for each loss: makes the certificate. */
  hessianBound?: number;
}

/** How one path fares with several losses, as a plain object. */
export interface Equiconnection {
  /** The largest barrier. */
  readonly excess: number;
  /** The barrier of the path under each loss. */
  readonly barriers: readonly number[];
  /** The loss with the largest barrier, and where on the path. */
  readonly worst: { readonly loss: number; readonly position: number };
  /** Null without `hessianBound`; its barrier bounds the excess. */
  readonly certificate: PathCertificate | null;
  readonly evaluations: number;
}

/**
 * Whether one path connects its ends in the level sets of several losses at once, such as those of minibatches, shards,
 * augmentations or epochs: the excess max_y max_s [L_y(p(s)) − max(L_y(p(0)), L_y(p(1)))], for "super" mirrored. At 0
 * this pair is equiconnected by this path (after Zeng, Doan, Romberg, NeurIPS 2023). A factor γ on all losses is a factor
 * γ on the excess, so no schedule of factors changes whether it is 0.
 *
 * @throws TypeError or RangeError for bad arguments, as rejections
 * @example
 * import { equiconnect } from "superlevel/stability";
 * const bowls = [1, 2, 3].map((a) => ([x]: ArrayLike<number> & Iterable<number>) => a * x * x);
 * (await equiconnect(bowls, { kind: "polygon", nodes: [[-1], [2]] })).excess; // → 0
 */
export async function equiconnect(
  losses: readonly LossGrad[],
  curve: Curve,
  options: EquiconnectOptions = {},
): Promise<Equiconnection> {
  expectOptions("options", options, ["sense", "samples", "hessianBound", ...WORK_KEYS]);
  if (!Array.isArray(losses) || losses.length === 0) {
    throw new TypeError(`losses: expected an array of functions, got ${show(losses)}`);
  }
  const settled = settleCurve("curve", curve);
  const sense = expectOneOf("options.sense", options.sense ?? "sub", ["super", "sub"]);
  const samples = expectNumber("options.samples", options.samples ?? 101, { min: 2, integer: true });
  const positions = positionsOn(settled, samples);
  const size = settled.nodes[0].length;
  const evaluators = losses.map((loss: LossGrad, k) => new Evaluator(`losses[${k}]`, loss, size));
  const work = new Work("options", options, losses.length * positions.length);
  const found = [];
  for (const evaluator of evaluators) {
    found.push(barrierOf(await sampleLosses(evaluator, work, settled, positions, sense), sense));
  }
  const barriers = found.map(({ barrier }) => barrier);
  const excess = Math.max(...barriers);
  const loss = barriers.indexOf(excess);
  return {
    excess,
    barriers,
    worst: { loss, position: positions[found[loss].index] },
    certificate: certify(arcLengths(settled, positions), excess, options.hessianBound),
    evaluations: losses.length * positions.length,
  };
}
