import type { Contender } from "./contenders.js";
import type { Run } from "./train.js";

export interface Point {
  readonly step: number;
  readonly loss: number;
}

/** The loss curve of one optimizer, averaged over stretches of steps and over seeds. */
export interface Curve {
  readonly name: string;
  readonly family: Contender["family"];
  readonly color: string;
  readonly points: readonly Point[];
  /** Where a run of this optimizer diverged first, if one did. */
  readonly divergedAt: number | undefined;
}

/** What a plot shows: steps 0 to `steps`, losses `low` to `high` on a logarithmic axis. */
export interface Frame {
  readonly steps: number;
  readonly low: number;
  readonly high: number;
}

// Hue runs with the learning rate: cyan to violet for Adam, yellow to green for SGD. Red is superlevel's own.
const colors = {
  superlevel: ["#d7003f"],
  adam: ["#2fb3c6", "#2c95d6", "#2f6fd0", "#5a55c8", "#8a3fb5"],
  sgd: ["#d29a00", "#aaa000", "#78a010", "#3f9a2e", "#148a55"],
};

const stretches = 60;
const shortestStretch = 4;

export function curvesOf(
  results: readonly { contender: Contender; runs: readonly Run[] }[],
  steps: number,
): Curve[] {
  const used = { superlevel: 0, adam: 0, sgd: 0 };
  return results.map(({ contender, runs }) => {
    const { name, family } = contender;
    const diverged = runs.flatMap((run) => run.divergedAt ?? []);
    return {
      name,
      family,
      color: colors[family][used[family]++ % colors[family].length],
      points: averagedLosses(runs, steps),
      divergedAt: diverged.length > 0 ? Math.min(...diverged) : undefined,
    };
  });
}

function averagedLosses(runs: readonly Run[], steps: number): Point[] {
  const length = Math.max(shortestStretch, Math.round(steps / stretches));
  // A mean over fewer seeds than before would jump: the curve ends where the first of its runs ends.
  const end = Math.min(...runs.map((run) => run.losses.length));
  const points: Point[] = [];
  for (let start = 0; start < end; start += length) {
    const stop = Math.min(start + length, end);
    let sum = 0;
    for (const run of runs) for (let i = start; i < stop; i++) sum += run.losses[i];
    points.push({ step: (start + 1 + stop) / 2, loss: sum / (runs.length * (stop - start)) });
  }
  return points;
}

/** All curves from the smallest loss up to `ceiling`; what blows up leaves at the top. */
export function frameOf(curves: readonly Curve[], steps: number, ceiling = 10): Frame {
  const losses = curves
    .flatMap((curve) => curve.points.map((point) => point.loss))
    .filter((loss) => loss > 0);
  const low = Math.min(1, ...losses);
  const high = Math.min(ceiling, Math.max(2 * low, ...losses));
  return { steps, low: low / 1.15, high: high * 1.15 };
}

/** Whether some curve leaves the frame at the top, which a plot should say. */
export function isOffScale(curves: readonly Curve[], frame: Frame): boolean {
  return curves.some((curve) => curve.points.some((point) => point.loss > frame.high));
}

/** Where on the loss axis a curve ends; what diverged ends above everything. */
export function finalLoss({ points, divergedAt }: Curve): number {
  return divergedAt !== undefined || points.length === 0 ? Infinity : points[points.length - 1].loss;
}

/** Height of a loss in the frame: 0 at the bottom, 1 at the top, held there when it is off the scale. */
export function heightOf(loss: number, { low, high }: Frame): number {
  const height = Math.log(loss / low) / Math.log(high / low);
  return Math.min(1, Math.max(0, height));
}

/**
 * Moves labels apart: positions as near as possible to `wanted`, in the same order, at least `spacing` from
 * each other, none beyond `end`.
 */
export function spreadLabels(wanted: readonly number[], spacing: number, end: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [...wanted];
  for (let k = 1; k < order.length; k++) {
    placed[order[k]] = Math.max(placed[order[k]], placed[order[k - 1]] + spacing);
  }
  let limit = end;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], limit);
    limit = placed[i] - spacing;
  }
  return placed;
}
