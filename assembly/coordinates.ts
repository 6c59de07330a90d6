import { forget, gradientOf, lookAhead, update } from "./accumulate";
import { tuneRun } from "./coordinate-tuners";
import { Delta, deltaKind, eps, lambda, Pull, pullKind, spread } from "./form";
import {
  activeCount,
  betaCount,
  deltaBlock,
  deltaOf,
  extraAt,
  groupBetas,
  groupOf,
  hBlock,
  REFERENCE,
  scaleAt,
  within,
  zeroBlock,
} from "./layout";
import { Group, Run } from "./records";
import { keepPadding } from "./reconstruct";
import { sweepAlone } from "./segments";
import { findStart, isUnstarted } from "./start";
import { sweep, Task } from "./sweep";
import { clipScale, pullFactor, setPullFactor } from "./step";
import { tune } from "./tuner";
import { addProduct, splat, total, zero } from "./vec";

/*
 * A tuner for each coordinate: h_j = Δ_j g_j + pull_j, and m, v, r, s of each coordinate and beta in float32. One
 * sweep does everything, block by block: h, the base's update, then the tuners and x.
 * Norms are those of the whole vectors. There are two sweeps where h looks ahead to x_t + u_t, whose norm must be
 * known before h, and where the scales are bounded by the S that all coordinates together get.
 */

function findPullFactor(): void {
  const group = groupOf(0);
  const weight = lambda * sqrt(group.gg) * clipScale;
  if (pullKind == Pull.DECAY_AHEAD) setPullFactor(weight / (sqrt(group.yy) + eps));
  else setPullFactor(pullKind == Pull.PROXIMAL && group.xx == 0 ? 0 : weight / sqrt(group.xx));
}

/** Δ_t of a run: its own vector, or made from x, xRef and the coordinates' scales. */
function deltaBefore(run: Run): usize {
  if (deltaKind == Delta.STORED) return deltaOf(run);
  const x = run.params;
  const xRef = within(run, REFERENCE);
  const scales = within(run, scaleAt);
  const floor = splat(eps);
  for (let k: usize = 0; k < run.bytes; k += 16) {
    const moved = f32x4.sub(v128.load(x + k), v128.load(xRef + k));
    const scale = f32x4.add(v128.load(scales + k), floor);
    const delta =
      deltaKind == Delta.ADDITIVE
        ? f32x4.add(moved, scale)
        : f32x4.mul(moved, f32x4.div(f32x4.splat(1), scale));
    v128.store(deltaBlock + k, delta);
  }
  keepPadding(run);
  return deltaBlock;
}

/** (26) over a run: writes h to `to`. What PRINTED adds to every h is left out of the sum. */
function findH(run: Run, from: usize, delta: usize, to: usize): void {
  const factor = splat(pullFactor);
  const scales = within(run, scaleAt);
  const x = run.params;
  const u = within(run, extraAt);
  let sum = zero();
  let squares = zero();
  for (let k: usize = 0; k < run.bytes; k += 16) {
    const d = v128.load(delta + k);
    let h = f32x4.mul(d, v128.load(from + k));
    if (pullKind == Pull.PROXIMAL) {
      h = addProduct(h, f32x4.mul(factor, v128.load(scales + k)), f32x4.mul(d, d));
    } else if (pullKind == Pull.DECAY_AHEAD) {
      const y = f32x4.add(v128.load(x + k), v128.load(u + k));
      h = addProduct(h, f32x4.mul(factor, v128.load(scales + k)), f32x4.mul(d, y));
    }
    sum = f32x4.add(sum, h);
    if (pullKind == Pull.PRINTED) h = f32x4.add(h, factor);
    v128.store(to + k, h);
    squares = addProduct(squares, h, h);
  }
  run.sums.h += total(sum);
  run.sums.hh += total(squares);
}

/** Everything at once. */
@unmanaged
export class Coordinates {
  run(run: Run): void {
    const delta = deltaBefore(run);
    const from = gradientOf(run);
    findH(run, from, delta, hBlock);
    update(run, from, delta);
    tuneRun(run, hBlock);
  }
}

/** The first of two sweeps where scales are bounded: keeps h. */
@unmanaged
export class Advance {
  run(run: Run): void {
    const delta = deltaBefore(run);
    const from = gradientOf(run);
    findH(run, from, delta, within(run, extraAt));
    update(run, from, delta);
  }
}

/** The second: the bound is known. */
@unmanaged
export class Follow {
  run(run: Run): void {
    tuneRun(run, within(run, extraAt));
  }
}

/** The step that finds s_init: Δ_t and h are 0, and the tuners come when it is found. */
@unmanaged
class Begin {
  run(run: Run): void {
    update(run, gradientOf(run), deltaBefore(run));
  }
}

@unmanaged
class FollowBegin {
  run(run: Run): void {
    tuneRun(run, zeroBlock);
  }
}

function beginCoordinates(group: Group): void {
  sweepAlone<Begin>();
  findStart(betaCount);
  if (groupBetas > 0) tune(clipScale);
  group.xx = 0;
  group.dd = 0;
  sweepAlone<FollowBegin>();
}

@unmanaged
export class LookAhead {
  run(run: Run): void {
    lookAhead(run, within(run, extraAt));
  }
}

/** The sweep after a look ahead: u_t and ‖x_t + u_t‖ are known. */
@unmanaged
export class CoordinatesAhead {
  run(run: Run): void {
    const delta = deltaBefore(run);
    findH(run, gradientOf(run), delta, hBlock);
    const u = within(run, extraAt);
    const next = deltaOf(run);
    for (let k: usize = 0; k < run.bytes; k += 16) {
      v128.store(next + k, f32x4.add(v128.load(delta + k), v128.load(u + k)));
    }
    tuneRun(run, hBlock);
  }
}

/** One step, after `scan` and `begin`. */
export function stepCoordinates(): void {
  const group = groupOf(0);
  const ahead = pullKind == Pull.DECAY_AHEAD;
  forget(group);
  if (ahead) sweep<LookAhead>(Task.LOOK_AHEAD);
  findPullFactor();
  group.h = 0;
  group.hh = 0;
  group.scaleMean = 0;
  group.scaleMax = 0;
  if (isUnstarted()) beginCoordinates(group);
  else if (ahead) sweepBehind<CoordinatesAhead>(group, Task.COORDINATES_AHEAD);
  else if (spread == Infinity) sweepBehind<Coordinates>(group, Task.COORDINATES);
  else {
    sweep<Advance>(Task.ADVANCE);
    tune(clipScale);
    sweepBehind<Follow>(group, Task.FOLLOW);
  }
  group.scaleMean /= activeCount();
  if (pullKind == Pull.PRINTED) group.h += pullFactor * activeCount();
}

/** The sweep that moves x, and so finds ‖x‖² and ‖Δ‖² anew. */
function sweepBehind<S>(group: Group, task: Task): void {
  group.xx = 0;
  group.dd = 0;
  sweep<S>(task);
}
