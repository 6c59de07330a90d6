import { clearSums, gradientOf, lookAhead, update } from "./accumulate";
import { tuneSpan } from "../tuner/coordinate-tuners";
import { Delta, Pull } from "../memory/form";
import {
  activeCount,
  betaCount,
  config,
  deltaBlock,
  deltaKind,
  deltaOf,
  extraAt,
  groupBetas,
  groupOf,
  hBlock,
  pullKind,
  REFERENCE,
  scalars,
  scaleAt,
  within,
  zeroBlock,
} from "../memory/layout";
import { Group, Span } from "../memory/records";
import { keepPadding } from "./reconstruct";
import { sweepAlone } from "./segments";
import { findStart, isUnstarted } from "../tuner/start";
import { clearHashes } from "./sums";
import { sweep, Task } from "./sweep";
import { holdConstants } from "./update";
import { tune } from "../tuner/tuner";
import { addProduct, splat, total, zero } from "../vec";

/*
 * A tuner for each coordinate: h_j = Δ_j g_j + pull_j, and m, v, r, s of each coordinate and beta in float32. One
 * sweep does everything, block by block: h, the base's update, then the tuners and x.
 * Norms are those of the whole vectors. There are two sweeps where h looks ahead to x_t + u_t, whose norm must be
 * known before h, and where the scales are bounded by the S that all coordinates together get.
 */

function findPullFactor(): void {
  const group = groupOf(0);
  const weight = scalars.lambda * sqrt(group.gg) * scalars.clipScale;
  if (pullKind == Pull.DECAY_AHEAD) scalars.pullFactor = weight / (sqrt(group.yy) + config.eps);
  else scalars.pullFactor = pullKind == Pull.PROXIMAL && group.xx == 0 ? 0 : weight / sqrt(group.xx);
}

/** Δ_t of a span: its own vector, or made from x, xRef and the coordinates' scales. */
function deltaBefore(span: Span): usize {
  if (deltaKind == Delta.STORED) return deltaOf(span);
  const x = span.params;
  const xRef = within(span, REFERENCE);
  const scales = within(span, scaleAt);
  const floor = splat(config.eps);
  const additive = deltaKind == Delta.ADDITIVE;
  for (let k: usize = 0; k < span.bytes; k += 16) {
    const moved = f32x4.sub(v128.load(x + k), v128.load(xRef + k));
    const scale = f32x4.add(v128.load(scales + k), floor);
    const delta = additive ? f32x4.add(moved, scale) : f32x4.mul(moved, f32x4.div(f32x4.splat(1), scale));
    v128.store(deltaBlock + k, delta);
  }
  keepPadding(span);
  return deltaBlock;
}

/** (26) over a span: writes h to `to`. What PRINTED adds to every h is left out of the sum. */
function findH(span: Span, from: usize, delta: usize, to: usize): void {
  const factor = splat(scalars.pullFactor);
  const pull = pullKind;
  const scales = within(span, scaleAt);
  const x = span.params;
  const u = within(span, extraAt);
  let sum = zero();
  let squares = zero();
  for (let k: usize = 0; k < span.bytes; k += 16) {
    const d = v128.load(delta + k);
    let h = f32x4.mul(d, v128.load(from + k));
    if (pull == Pull.PROXIMAL) {
      h = addProduct(h, f32x4.mul(factor, v128.load(scales + k)), f32x4.mul(d, d));
    } else if (pull == Pull.DECAY_AHEAD) {
      const y = f32x4.add(v128.load(x + k), v128.load(u + k));
      h = addProduct(h, f32x4.mul(factor, v128.load(scales + k)), f32x4.mul(d, y));
    }
    sum = f32x4.add(sum, h);
    if (pull == Pull.PRINTED) h = f32x4.add(h, factor);
    v128.store(to + k, h);
    squares = addProduct(squares, h, h);
  }
  span.sums.h += total(sum);
  span.sums.hh += total(squares);
}

/** Everything at once. */
@unmanaged
export class Coordinates {
  visit(span: Span): void {
    const delta = deltaBefore(span);
    const from = gradientOf(span);
    findH(span, from, delta, hBlock);
    update(span, from, delta);
    tuneSpan(span, hBlock);
  }
}

/** The first of two sweeps where scales are bounded: keeps h. */
@unmanaged
export class Advance {
  visit(span: Span): void {
    const delta = deltaBefore(span);
    const from = gradientOf(span);
    findH(span, from, delta, within(span, extraAt));
    update(span, from, delta);
  }
}

/** The second: the bound is known. */
@unmanaged
export class Follow {
  visit(span: Span): void {
    tuneSpan(span, within(span, extraAt));
  }
}

/** The step that finds s_init: Δ_t and h are 0, and the tuners come when it is found. */
@unmanaged
class Begin {
  visit(span: Span): void {
    update(span, gradientOf(span), deltaBefore(span));
  }
}

@unmanaged
class FollowBegin {
  visit(span: Span): void {
    tuneSpan(span, zeroBlock);
  }
}

function beginCoordinates(group: Group): void {
  sweepAlone<Begin>();
  findStart(betaCount);
  if (groupBetas > 0) tune();
  group.xx = 0;
  group.dd = 0;
  sweepAlone<FollowBegin>();
}

@unmanaged
export class LookAhead {
  visit(span: Span): void {
    lookAhead(span, within(span, extraAt));
  }
}

/** The sweep after a look ahead: u_t and ‖x_t + u_t‖ are known. */
@unmanaged
export class CoordinatesAhead {
  visit(span: Span): void {
    const delta = deltaBefore(span);
    findH(span, gradientOf(span), delta, hBlock);
    const u = within(span, extraAt);
    const next = deltaOf(span);
    for (let k: usize = 0; k < span.bytes; k += 16) {
      v128.store(next + k, f32x4.add(v128.load(delta + k), v128.load(u + k)));
    }
    tuneSpan(span, hBlock);
  }
}

/** One step, after `scan` and `begin`. */
export function stepCoordinates(): void {
  const group = groupOf(0);
  const ahead = pullKind == Pull.DECAY_AHEAD;
  clearSums(group);
  clearHashes();
  holdConstants();
  if (ahead) sweep<LookAhead>(Task.LOOK_AHEAD);
  findPullFactor();
  group.h = 0;
  group.hh = 0;
  group.scaleMean = 0;
  group.scaleMax = 0;
  if (isUnstarted()) beginCoordinates(group);
  else if (ahead) sweepBehind<CoordinatesAhead>(group, Task.COORDINATES_AHEAD);
  else if (config.spread == Infinity) sweepBehind<Coordinates>(group, Task.COORDINATES);
  else {
    sweep<Advance>(Task.ADVANCE);
    tune();
    sweepBehind<Follow>(group, Task.FOLLOW);
  }
  group.scaleMean /= activeCount();
  if (pullKind == Pull.PRINTED) group.h += scalars.pullFactor * activeCount();
}

/** The sweep that moves x, and so finds ‖x‖² and ‖Δ‖² anew. */
function sweepBehind<S>(group: Group, task: Task): void {
  group.xx = 0;
  group.dd = 0;
  sweep<S>(task);
}
