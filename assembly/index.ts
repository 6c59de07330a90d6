import { accumulate } from "./accumulate";
import {
  complete,
  decayOf,
  deltaAt,
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
  report,
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
} from "./layout";
import { stepCoordinates } from "./coordinates";
import { move } from "./move";
import { rescaleCoordinates, reseedCoordinates, startCoordinates } from "./coordinate-tuners";
import { measure } from "./scan";
import { begin, clipScale } from "./step";
import { findStart, isUnstarted } from "./start";
import { rescaleGroups, reseed, seed, tune } from "./tuner";

/* What the host sees. Scalars go in and out as arguments; vectors and the saved state by address. */

export { Delta, Pull, setForm, setReading, setSpread } from "./form";
export { plan } from "./layout";
export { setBound, setDecay } from "./step";
export { gradientChange, keepGradient } from "./compare";
export { clippedSquares, scan, scanExactly } from "./scan";

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

/** A segment's gradient and parameters are elsewhere: at any multiple of 4 bytes. */
export function setPlace(index: u32, gradsAt: usize, paramsAt: usize): void {
  const segment = segmentOf(index);
  segment.grads = gradsAt;
  segment.params = paramsAt;
  segment.padded = false;
}

export function setDecays(index: u32, m: f64, v: f64, r: f64): void {
  const decay = decayOf(index);
  decay.m = m;
  decay.v = v;
  decay.r = r;
}

/** One step, after `scan`, with the scalars that the host has written. */
export function step(): void {
  begin();
  if (perCoordinate) stepCoordinates();
  else stepGroups();
  takeStock();
}

/** Sweep A, the tuner, sweep B. */
function stepGroups(): void {
  accumulate();
  if (!tuned) return;
  if (isUnstarted()) findStart(groupBetas);
  tune(clipScale);
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
  if (deltaStored) memory.fill(stateOf(deltaAt), 0, stride);
  for (let k: usize = 0; k < groupCount; k++) {
    groupOf(k).dd = 0;
  }
  measure();
  takeStock();
}

/** A fresh tuner: every s is `share` of `sInit`. */
export function start(sInit: f64, share: f64): void {
  if (perCoordinate) startCoordinates(sInit, share);
  for (let k: usize = 0; k < groupCount; k++) seed(groupOf(k), sInit, share);
  takeStock();
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
  takeStock();
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

/** One of the base's moments ← 0. */
export function clearSlot(index: u32): void {
  memory.fill(stateOf(slotsAt + index), 0, stride);
}

export function gradsAt(): usize {
  return grads;
}

export function paramsAt(): usize {
  return params;
}

/** Everything that `save` keeps: the groups, and the vectors from x on (from xRef on, where x is elsewhere). */
export function groupsAt(): usize {
  return groups;
}

export function groupsLength(): usize {
  return groupCount * groupBytes;
}

export function vectorsAt(): usize {
  return complete ? params : stateOf(0);
}

export function vectorsLength(): usize {
  return (usize(complete) + stateCount) * stride + (stride / EIGHT) * tunerBytes;
}

/** S of each coordinate, where each has a tuner. */
export function scalesAt(): usize {
  return stateOf(scaleAt);
}

export function scaleOf(group: u32): f64 {
  return groupOf(group).scale;
}

/** Bytes that a coordinate takes in all vectors. */
export function bytesPerCoordinate(): usize {
  return (2 * usize(complete) + stateCount) * sizeof<f32>() + tunerBytes / 8;
}

export function scalarsAt(): usize {
  return changetype<usize>(scalars);
}

export function reportAt(): usize {
  return changetype<usize>(report);
}

/** Sums up the groups in the report. */
export function takeStock(): void {
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
  report.h = h;
  report.scaleMean = perCoordinate ? first.scaleMean : scale / f64(groupCount);
  report.scaleMax = perCoordinate ? first.scaleMax : scaleMax;
  report.xx = xx;
  report.xxMin = xxMin;
  report.dd = dd;
  report.leadDg = leadDg;
  report.sInitMax = sInitMax;
  report.vitality = h + squares + scale + report.scaleMean + xx + dd + leadDg;
}
