import { held, heldAt, hold } from "../memory/held";
import { LEAST } from "../memory/form";
import { decayOf } from "../memory/betas";
import {
  betaBytes,
  betaCount,
  config,
  CONSTANTS,
  deltaOf,
  EIGHT,
  gradBlock,
  groupOf,
  REFERENCE,
  scalars,
  scaleAt,
  segmentCount,
  segmentOf,
  shareAt,
  stateOf,
  tunerOf,
  within,
} from "../memory/layout";
import { Span } from "../memory/records";
import { foundHash, leftHash } from "../sweeps/point";
import { addHashes } from "../sweeps/sums";
import { watchMove, watchPoint } from "../sweeps/tensors";
import { addProduct, at, bounded, put, Q0, Q1, splat, total, zero } from "../vec";

/*
 * The tuners of coordinates, eight coordinates at a time. One loop goes from h to x, as it then waits for roots and
 * divisions while memory delivers the next coordinates' tuners.
 */

/** Eight tuners of one beta, field by field: m, v, r, s, and where it is kept s of the step before. */
const V: usize = EIGHT;
const R: usize = 2 * EIGHT;
const S: usize = 3 * EIGHT;

/** Places among what a loop holds, behind those of sweep A: the tuner's constants, and the betas' decay factors. */
const TUNER: usize = 14;
const DECAYS: usize = CONSTANTS;

/** Writes what m is compared with (27): h as printed, or |h| and a floor. */
function findSizes(from: usize, bytes: usize): void {
  const floor = splat(config.mFloor);
  const signed = config.signed != 0;
  for (let k: usize = 0; k < bytes; k += 16) {
    const h = v128.load(from + k);
    v128.store(gradBlock + k, signed ? h : f32x4.add(f32x4.abs(h), floor));
  }
}

function holdConstants(span: Span): void {
  // Where r takes h unclipped, the limit is raised beyond every h.
  hold(TUNER + 0, config.clipsReward != 0 ? 0 : f64(f32.MAX_VALUE));
  hold(TUNER + 1, config.epsInRoot != 0 ? config.eps : 0);
  hold(TUNER + 2, config.epsInRoot != 0 ? 0 : config.eps);
  const scale = groupOf(span.segment.group).scale;
  hold(TUNER + 3, scale / config.spread);
  hold(TUNER + 4, scale * config.spread);
  hold(TUNER + 5, scalars.rewardLimit);
  // What a coordinate's S may be at most, over its share of s_init.
  hold(TUNER + 6, scalars.growthLimit * f64(betaCount));
  for (let k: usize = 0; k < betaCount; k++) {
    const decay = decayOf(k);
    hold(DECAYS + 3 * k, decay.m);
    hold(DECAYS + 3 * k + 1, decay.v);
    hold(DECAYS + 3 * k + 2, decay.r);
  }
}

/** (27)–(32) for four coordinates and one beta; returns s_{t+1}. */
@inline
function tuneLanes<Q>(
  tuner: usize,
  before: usize,
  decay: usize,
  h: usize,
  wealthShare: v128,
  ownShare: v128,
  sizes: usize,
  raise: v128,
  rewardLimit: v128,
  keepsBefore: bool,
  inRoot: v128,
  behindRoot: v128,
): v128 {
  const ht = at<Q>(h);
  const mBefore = at<Q>(tuner);
  const m = f32x4.pmax(f32x4.mul(v128.load(decay), mBefore), at<Q>(sizes)); // (27)
  const v = addProduct(f32x4.mul(v128.load(decay, 16), v128.load(tuner, V + offsetof<Q>())), ht, ht); // (28)
  const limit = f32x4.pmax(f32x4.mul(rewardLimit, mBefore), raise);
  const reward = f32x4.pmin(f32x4.pmax(ht, f32x4.neg(limit)), limit);
  const change = f32x4.mul(at<Q>(before), reward);
  const kept = f32x4.mul(v128.load(decay, 32), v128.load(tuner, R + offsetof<Q>()));
  const r = f32x4.pmax(f32x4.sub(kept, change), zero()); // (29, 30)
  const wealth = addProduct(r, wealthShare, m); // (31)
  const root = f32x4.add(f32x4.sqrt(f32x4.add(v, inRoot)), behindRoot);
  const s = f32x4.add(f32x4.div(wealth, root), ownShare); // (32)
  put<Q>(tuner, m);
  v128.store(tuner, v, V + offsetof<Q>());
  v128.store(tuner, r, R + offsetof<Q>());
  if (keepsBefore) v128.store(before, v128.load(tuner, S + offsetof<Q>()), offsetof<Q>());
  v128.store(tuner, s, S + offsetof<Q>());
  return s;
}

/** Lanes that belong to no coordinate have scale 0, and keep it; one that is no number stays none, and fails the step. */
@inline
function boundedScale(scale: v128, low: v128, high: v128): v128 {
  return v128.andnot(bounded(scale, low, high), f32x4.eq(scale, zero()));
}

/** (33) for four coordinates; returns x_{t+1}. */
@inline
function moveLanes<Q>(x: usize, xRef: usize, scales: usize, scale: v128, delta: v128): v128 {
  const moved = addProduct(at<Q>(xRef), scale, delta);
  put<Q>(scales, scale);
  put<Q>(x, moved);
  return moved;
}

/**
 * (27)–(33) over a span, from h to x, and the sums that the next step needs. Scales stay within `spread` times the S of
 * all coordinates together.
 */
// eslint-disable-next-line max-lines-per-function -- one loop
export function tuneSpan(span: Span, h: usize): void {
  const found = foundHash(span);
  watchPoint(span);
  holdConstants(span);
  const raise = held(TUNER + 0);
  const inRoot = held(TUNER + 1);
  const behindRoot = held(TUNER + 2);
  const rewardLimit = held(TUNER + 5);
  const growth = held(TUNER + 6);
  // Which of the two floors the shares of s_init are.
  const own = i32x4.splat(scalars.ownFloor == 0 ? 0 : -1);
  findSizes(h, span.bytes);
  let sizes = gradBlock;
  const lastDecay = heldAt(DECAYS + 3 * betaCount);
  let x = span.params;
  let xRef = within(span, REFERENCE);
  let delta = deltaOf(span);
  let shares = within(span, shareAt);
  let scales = within(span, scaleAt);
  let tuner = span.tuners;
  const keepsBefore = config.usesScaleBefore != 0;
  const sForReward = keepsBefore ? S + EIGHT : S;
  const bounds = config.spread < Infinity;
  let xx = zero();
  let dd = zero();
  let sum = zero();
  let largest = zero();
  for (const end = x + span.bytes; x < end; x += EIGHT) {
    let s0 = zero();
    let s1 = zero();
    const share0 = at<Q0>(shares);
    const share1 = at<Q1>(shares);
    const own0 = v128.and(share0, own);
    const own1 = v128.and(share1, own);
    const wealth0 = v128.andnot(share0, own);
    const wealth1 = v128.andnot(share1, own);
    for (let decay = heldAt(DECAYS); decay < lastDecay; decay += 48) {
      const before = tuner + sForReward;
      s0 = f32x4.add(
        s0,
        tuneLanes<Q0>(
          tuner,
          before,
          decay,
          h,
          wealth0,
          own0,
          sizes,
          raise,
          rewardLimit,
          keepsBefore,
          inRoot,
          behindRoot,
        ),
      );
      s1 = f32x4.add(
        s1,
        tuneLanes<Q1>(
          tuner,
          before,
          decay,
          h,
          wealth1,
          own1,
          sizes,
          raise,
          rewardLimit,
          keepsBefore,
          inRoot,
          behindRoot,
        ),
      );
      tuner += betaBytes;
    }
    s0 = f32x4.pmin(s0, f32x4.mul(growth, share0));
    s1 = f32x4.pmin(s1, f32x4.mul(growth, share1));
    if (bounds) {
      const low = held(TUNER + 3);
      const high = held(TUNER + 4);
      s0 = boundedScale(s0, low, high);
      s1 = boundedScale(s1, low, high);
    }
    // Δ_{t+1} may stand where x is written.
    const d0 = at<Q0>(delta);
    const d1 = at<Q1>(delta);
    const x0 = moveLanes<Q0>(x, xRef, scales, s0, d0);
    const x1 = moveLanes<Q1>(x, xRef, scales, s1, d1);
    xx = f32x4.add(xx, addProduct(f32x4.mul(x0, x0), x1, x1));
    dd = f32x4.add(dd, addProduct(f32x4.mul(d0, d0), d1, d1));
    sum = f32x4.add(sum, f32x4.add(s0, s1));
    largest = f32x4.pmax(largest, f32x4.pmax(s0, s1));
    h += EIGHT;
    sizes += EIGHT;
    xRef += EIGHT;
    delta += EIGHT;
    shares += EIGHT;
    scales += EIGHT;
  }
  const sums = span.sums;
  sums.xx += total(xx);
  sums.dd += total(dd);
  sums.scaleMean += total(sum);
  const a = max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  const b = max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3));
  sums.scaleMax = max(sums.scaleMax, f64(max(a, b)));
  addHashes(span, found, leftHash(span));
  watchMove(span);
}

/** The tuner of the coordinate at byte j of each vector, as if it had seen nothing, each s at `s`. */
function seedCoordinate(j: usize, s: f32): void {
  let sum: f32 = 0;
  let tuner = tunerOf(j);
  for (let k: usize = 0; k < betaCount; k++) {
    store<f32>(tuner, f32(config.mStart));
    store<f32>(tuner, 0, V);
    store<f32>(tuner, 0, R);
    for (let field = S; field < betaBytes; field += EIGHT) store<f32>(tuner + field, s);
    tuner += betaBytes;
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
      const share = load<f32>(stateOf(shareAt) + j);
      if (scale > 0) store<f32>(stateOf(shareAt) + j, max(factor * scale, min(share, LEAST)));
      seedCoordinate(j, load<f32>(stateOf(shareAt) + j));
    }
  }
}

/** Every scale times a factor, and s_init with it. */
export function rescaleCoordinates(factor: f64): void {
  const times = f32(factor);
  for (let i: usize = 0; i < segmentCount; i++) {
    const segment = segmentOf(i);
    for (let j = usize(segment.first) * 4; j < usize(segment.last) * 4; j += 4) {
      multiply(stateOf(shareAt) + j, times);
      multiply(stateOf(scaleAt) + j, times);
      let tuner = tunerOf(j);
      for (let k: usize = 0; k < betaCount; k++) {
        for (let field = S; field < betaBytes; field += EIGHT) multiply(tuner + field, times);
        tuner += betaBytes;
      }
    }
  }
}

@inline
function multiply(at: usize, times: f32): void {
  store<f32>(at, load<f32>(at) * times);
}
