import { clipsReward, eps, epsInRoot, mFloor, mStart, signed } from "./form";
import {
  betaCount,
  decayOf,
  gradBlock,
  held,
  hold,
  planesAt,
  planesPerBeta,
  scaleAt,
  segmentCount,
  segmentOf,
  shareAt,
  stateOf,
  within,
} from "./layout";
import { Run } from "./records";
import { addProduct, splat, zero } from "./vec";

/* The tuners of coordinates: m, v, r, s of one beta are vectors, four coordinates at a time. */

/** Writes what m is compared with (27): h as printed, or |h| and a floor. */
export function findSizes(from: usize, bytes: usize): void {
  const floor = splat(mFloor);
  for (let k: usize = 0; k < bytes; k += 16) {
    const h = v128.load(from + k);
    v128.store(gradBlock + k, signed ? h : f32x4.add(f32x4.abs(h), floor));
  }
}

/** (27)–(32) for one beta over a run; adds s_{t+1} to the scales. */
// eslint-disable-next-line max-lines-per-function -- straight-line code, one line an equation
@inline
function tuneRun(run: Run, index: usize, h: usize, keepsBefore: bool): void {
  const decay = decayOf(index);
  hold(0, decay.m);
  hold(1, decay.v);
  hold(2, decay.r);
  // Where r takes h unclipped, the limit is raised beyond every h.
  hold(3, clipsReward ? 0 : f64(f32.MAX_VALUE));
  hold(4, epsInRoot ? eps : 0);
  hold(5, epsInRoot ? 0 : eps);
  const keepM = held(0);
  const keepV = held(1);
  const keepR = held(2);
  const raise = held(3);
  const inRoot = held(4);
  const behindRoot = held(5);
  const gap = run.gap;
  let m = within(run, planesAt + index * planesPerBeta);
  let v = m + gap;
  let r = v + gap;
  let s = r + gap;
  let before = keepsBefore ? s + gap : s;
  let share = within(run, shareAt);
  let scale = within(run, scaleAt);
  let size = gradBlock;
  for (const end = m + run.bytes; m < end; m += 16) {
    const ht = v128.load(h);
    const mBefore = v128.load(m);
    const mt = f32x4.pmax(f32x4.mul(keepM, mBefore), v128.load(size));
    const vt = addProduct(f32x4.mul(keepV, v128.load(v)), ht, ht);
    const limit = f32x4.pmax(mBefore, raise);
    const reward = f32x4.pmin(f32x4.pmax(ht, f32x4.neg(limit)), limit);
    const change = f32x4.mul(v128.load(before), reward);
    const rt = f32x4.pmax(f32x4.sub(f32x4.mul(keepR, v128.load(r)), change), zero());
    const wealth = f32x4.add(f32x4.mul(v128.load(share), mt), rt);
    const next = f32x4.div(wealth, f32x4.add(f32x4.sqrt(f32x4.add(vt, inRoot)), behindRoot));
    v128.store(m, mt);
    v128.store(v, vt);
    v128.store(r, rt);
    if (keepsBefore) v128.store(before, v128.load(s));
    v128.store(s, next);
    v128.store(scale, f32x4.add(v128.load(scale), next));
    v += 16;
    r += 16;
    s += 16;
    before += 16;
    h += 16;
    size += 16;
    share += 16;
    scale += 16;
  }
}

export function tuneRunPrinted(run: Run, beta: usize, h: usize): void {
  tuneRun(run, beta, h, true);
}

export function tuneRunAtOnce(run: Run, beta: usize, h: usize): void {
  tuneRun(run, beta, h, false);
}

/** Coordinate j's tuner as if it had seen nothing, each s at `s`. */
function seedCoordinate(j: usize, s: f32): void {
  let sum: f32 = 0;
  for (let k: usize = 0; k < betaCount; k++) {
    const plane = planesAt + k * planesPerBeta;
    store<f32>(stateOf(plane) + j, f32(mStart));
    store<f32>(stateOf(plane + 1) + j, 0);
    store<f32>(stateOf(plane + 2) + j, 0);
    for (let field: usize = 3; field < planesPerBeta; field++) store<f32>(stateOf(plane + field) + j, s);
    sum += s;
  }
  store<f32>(stateOf(scaleAt) + j, sum);
}

/** Fresh tuners: s_init everywhere, and each s `share` of it. */
export function startCoordinates(sInit: f64, share: f64): void {
  for (let i: usize = 0; i < segmentCount; i++) {
    const segment = segmentOf(i);
    for (let j = usize(segment.first) * 4; j < usize(segment.last) * 4; j += 4) {
      store<f32>(stateOf(shareAt) + j, f32(sInit / f64(betaCount)));
      seedCoordinate(j, f32(sInit * share));
    }
  }
}

/** An anchor's part in the tuners: s_init ← carry · S, coordinate by coordinate (paper, 6.3). */
export function reseedCoordinates(carry: f64): void {
  const factor = f32(carry / f64(betaCount));
  for (let i: usize = 0; i < segmentCount; i++) {
    const segment = segmentOf(i);
    for (let j = usize(segment.first) * 4; j < usize(segment.last) * 4; j += 4) {
      const scale = load<f32>(stateOf(scaleAt) + j);
      if (scale > 0) store<f32>(stateOf(shareAt) + j, factor * scale);
      seedCoordinate(j, load<f32>(stateOf(shareAt) + j));
    }
  }
}
