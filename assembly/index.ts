import { accumulate } from "./sweeps/accumulate";
import { decayOf } from "./memory/betas";
import {
  complete,
  DELTA,
  deltaStored,
  EIGHT,
  groupBetas,
  grads,
  groupBytes,
  groupCount,
  groupOf,
  groups,
  params,
  perCoordinate,
  REFERENCE,
  summary,
  scalars,
  scaleAt,
  segmentCount,
  segmentOf,
  slotsAt,
  stateCount,
  stateOf,
  stride,
  tuned,
  tunerBytes,
} from "./memory/layout";
import { stepCoordinates } from "./sweeps/coordinates";
import { move } from "./sweeps/move";
import { rescaleCoordinates, reseedCoordinates, startCoordinates } from "./tuner/coordinate-tuners";
import { measure, scan } from "./sweeps/scan";
import { forgetSpan } from "./sweeps/segments";
import { findStart, isUnstarted } from "./tuner/start";
import { rescaleGroups, reseed, seed, tune } from "./tuner/tuner";

/* What the host sees. Vectors, records and the saved state go by address: see `Layout`. */

export { Delta, Pull } from "./memory/form";
export { plan } from "./memory/layout";
export { gradientChange, keepGradient } from "./sweeps/compare";
export { pointHash } from "./sweeps/point";
export { clippedSquares, scan, scanExactly } from "./sweeps/scan";

export function setSegment(
  index: u32,
  first: u32,
  last: u32,
  group: u32,
  learningRate: f64,
  weightDecay: f64,
): void {
  const segment = segmentOf(index);
  segment.first = first;
  segment.last = last;
  segment.group = group;
  segment.learningRate = learningRate;
  segment.weightDecay = weightDecay;
  setPlace(index, grads + first * sizeof<f32>(), params + first * sizeof<f32>());
  segment.padded = true;
}

/** A segment's gradient and parameters are external: at any multiple of 4 bytes. */
export function setPlace(index: u32, gradsAt: usize, paramsAt: usize): void {
  const segment = segmentOf(index);
  segment.grads = gradsAt;
  segment.params = paramsAt;
  segment.padded = false;
  forgetSpan();
}

export function setDecays(index: u32, m: f64, v: f64, r: f64): void {
  const decay = decayOf(index);
  decay.m = m;
  decay.v = v;
  decay.r = r;
}

/** One step, after `scan`, with the scalars that the host has written. */
export function step(): void {
  if (perCoordinate) stepCoordinates();
  else stepGroups();
  summarize();
}

/**
 * `scan` and `step` in one call from the host: returns ‖g‖², or −1 where that is more than `limit` or no number. Then
 * nothing has changed yet.
 */
export function scanAndStep(limit: f64): f64 {
  const squares = scan();
  if (!(squares <= limit)) return -1;
  step();
  return squares;
}

/** Sweep A, the tuner, sweep B. */
function stepGroups(): void {
  accumulate();
  if (!tuned) return;
  if (isUnstarted()) findStart(groupBetas);
  tune();
  move();
}

/** The point as it stands becomes the reference: xRef ← x, Δ ← 0. */
export function rebase(): void {
  if (tuned) {
    for (let k: usize = 0; k < segmentCount; k++) {
      const segment = segmentOf(k);
      const from = usize(segment.first) * sizeof<f32>();
      memory.copy(stateOf(REFERENCE) + from, segment.params, usize(segment.last) * sizeof<f32>() - from);
    }
  }
  if (deltaStored) memory.fill(stateOf(DELTA), 0, stride);
  for (let k: usize = 0; k < groupCount; k++) {
    groupOf(k).dd = 0;
  }
  measure();
  summarize();
}

/** A fresh tuner: every s is `share` of `sInit`. */
export function start(sInit: f64, share: f64): void {
  if (perCoordinate) startCoordinates(sInit, share);
  for (let k: usize = 0; k < groupCount; k++) seed(groupOf(k), sInit, share);
  summarize();
}

export function anchor(carry: f64): void {
  if (perCoordinate) reseedCoordinates(carry);
  reseed(carry);
  rebase();
}

/** S and s_init, and every s, times a factor. */
export function rescale(factor: f64): void {
  if (perCoordinate) rescaleCoordinates(factor);
  rescaleGroups(factor);
  summarize();
}

/** Where `other` is a smaller scale that is not 0, or the group's is 0: the group's becomes it. */
export function lowerScale(group: u32, other: f64): void {
  const scale = groupOf(group).scale;
  if (other > 0 && !(scale > 0 && scale < other)) groupOf(group).scale = other;
}

/**
 * Moments closer to 0 than 2⁻¹²⁰ become 0. Where gradients are 0 for long, moments decay into float32's denormal
 * numbers and stay there, and processors are slow with those.
 */
export function flushMoments(): void {
  const least = f32x4.splat(7.52316384526264e-37);
  const end = stateOf(scaleAt);
  for (let k = stateOf(slotsAt); k < end; k += 16) {
    const lanes = v128.load(k);
    const tiny = f32x4.lt(f32x4.abs(lanes), least);
    // Most often there is nothing to write.
    if (v128.any_true(v128.and(tiny, lanes))) v128.store(k, v128.andnot(lanes, tiny));
  }
}

/** One of the base's moments ← factor times itself. */
export function scaleSlot(index: u32, factor: f64): void {
  const by = f32x4.splat(f32(factor));
  const first = stateOf(slotsAt + index);
  for (let k = first; k < first + stride; k += 16) v128.store(k, f32x4.mul(v128.load(k), by));
}

export function scaleOf(group: u32): f64 {
  return groupOf(group).scale;
}

/** Sums up the groups in the summary. */
export function summarize(): void {
  const first = groupOf(0);
  let h: f64 = 0;
  let scale: f64 = 0;
  let scaleMax: f64 = 0;
  let xx: f64 = 0;
  let xxMin: f64 = Infinity;
  let dd: f64 = 0;
  let squares: f64 = 0;
  let leadDg: f64 = 0;
  let sInitMax: f64 = 0;
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    h += group.h;
    scale += group.scale;
    scaleMax = max(scaleMax, group.scale);
    xx += group.xx;
    xxMin = min(xxMin, group.xx);
    dd += group.dd;
    squares += group.hh;
    leadDg += group.leadDg;
    sInitMax = max(sInitMax, group.sInit);
  }
  summary.h = h;
  summary.scaleMean = perCoordinate ? first.scaleMean : scale / f64(groupCount);
  summary.scaleMax = perCoordinate ? first.scaleMax : scaleMax;
  summary.paramsSquares = xx;
  summary.paramsSquaresMin = xxMin;
  summary.deltaSquares = dd;
  summary.leadSlope = leadDg;
  summary.sInitMax = sInitMax;
  summary.finiteCheck = h + squares + scale + summary.scaleMean + xx + dd + leadDg;
}
