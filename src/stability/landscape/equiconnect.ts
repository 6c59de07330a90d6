import { expectNumber, expectOneOf, expectOptions, show } from "../../common/expect.js";
import { largest } from "../../common/extremes.js";
import { LossFunction, type Loss } from "../loss-grad.js";
import type { Sense } from "./merge-tree.js";
import {
  arcLengths,
  barrierOf,
  certify,
  positionsOn,
  sampleLosses,
  checkCurve,
  type Curve,
  type PathCertificate,
} from "./path.js";
import { Work, WORK_KEYS, type WorkOptions } from "../work.js";

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
 * const bowls = [1, 2, 3].map((a) => ([x]: Float64Array) => a * x * x);
 * (await equiconnect(bowls, { kind: "polygon", nodes: [[-1], [2]] })).excess; // → 0
 */
export async function equiconnect(
  losses: readonly Loss[],
  curve: Curve,
  options: EquiconnectOptions = {},
): Promise<Equiconnection> {
  expectOptions("options", options, ["sense", "samples", "hessianBound", ...WORK_KEYS]);
  if (!Array.isArray(losses) || losses.length === 0) {
    throw new TypeError(`losses: expected an array of functions, got ${show(losses)}`);
  }
  const settled = checkCurve("curve", curve);
  const sense = expectOneOf("options.sense", options.sense ?? "sub", ["super", "sub"]);
  const samples = expectNumber("options.samples", options.samples ?? 101, { min: 2, integer: true });
  const positions = positionsOn(settled, samples);
  const size = settled.nodes[0].length;
  const functions = losses.map((loss: Loss, k) => new LossFunction(`losses[${k}]`, loss, size));
  const work = new Work("options", options, losses.length * positions.length);
  const found = [];
  for (const lossFunction of functions) {
    found.push(barrierOf(await sampleLosses(lossFunction, work, settled, positions, sense), sense));
  }
  const barriers = found.map(({ barrier }) => barrier);
  const excess = largest(barriers);
  const loss = barriers.indexOf(excess);
  return {
    excess,
    barriers,
    worst: { loss, position: positions[found[loss].index] },
    certificate: certify(arcLengths(settled, positions), excess, options.hessianBound),
    evaluations: functions.reduce((sum, { evaluations }) => sum + evaluations, 0),
  };
}
