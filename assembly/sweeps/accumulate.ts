import { Delta, Pull } from "../memory/form";
import { held, hold } from "../memory/held";
import {
  config,
  deltaBlock,
  deltaKind,
  deltaOf,
  gradBlock,
  groupCount,
  groupOf,
  pullKind,
  scalars,
  tuned,
  updateBlock,
  within,
  zeroBlock,
} from "../memory/layout";
import { clips } from "../memory/step";
import { Group, Span } from "../memory/records";
import { reconstruct } from "./reconstruct";
import { measureSpan } from "./scan";
import { sweep, Task } from "./sweep";
import { watchMove, watchPoint } from "./tensors";
import { averageGiven, foundDg, holdConstants, runBase, runRule } from "./update";
import { addProduct, at, bounded, put, Q0, Q1, splat, total, zero } from "../vec";

/*
 * Sweep A: reads g and Δ_t, updates the base's moments, writes Δ_{t+1} = Δ_t + u_t, and sums what h
 * needs (26). Without a tuner the parameters themselves stand for Δ: x_{t+1} = x_t + u_t.
 */

/** Place among what a loop holds, behind the rule's (update.ts). */
const DECAY: usize = 13;

/** Where Δ_t of a span is, made first where it is not stored. Sums ⟨Δ_t, x_t⟩ for those who need it. */
function deltaBefore(span: Span): usize {
  if (deltaKind != Delta.STORED) {
    reconstruct(span);
    return deltaBlock;
  }
  const delta = deltaOf(span);
  if (pullKind == Pull.DECAY) span.sums.dx += dot(delta, span.params, span.bytes);
  return delta;
}

/** Σ a b over a span. */
export function dot(a: usize, b: usize, bytes: usize): f64 {
  let sum = zero();
  for (const end = a + bytes; a < end; a += 16, b += 16) sum = addProduct(sum, at<Q0>(a), at<Q0>(b));
  return total(sum);
}

/** Where the gradient of a span is, clipped first where that is asked for. */
export function gradientOf(span: Span): usize {
  if (!clips()) return span.grads;
  clip(span);
  return gradBlock;
}

/** One span: from g and Δ_t to Δ_{t+1}, and the sums. */
export function update(span: Span, from: usize, delta: usize): void {
  if (config.readsParams == 0) {
    runBase(span, stepOf(span), from, delta, deltaOf(span));
    span.sums.dg += foundDg;
  } else if (pullKind == Pull.DECAY_AHEAD) {
    decayGradient(span, from, delta);
    findUpdate(span, gradBlock);
    addUpdate(span, delta, deltaOf(span));
  } else if (config.decoupled != 0) {
    findUpdate(span, from);
    decayUpdate(span, from, delta);
  } else {
    decayGradient(span, from, delta);
    runBase(span, stepOf(span), gradBlock, delta, deltaOf(span));
  }
}

@inline
function stepOf(span: Span): f64 {
  return scalars.rate * span.segment.learningRate;
}

/** u_t alone, to `updateBlock`: what becomes of Δ_t = 0. Decoupled decay is in it only where it is averaged, too. */
function findUpdate(span: Span, from: usize): void {
  if (scalars.interpolation == 0 || config.decoupled == 0)
    return runBase(span, stepOf(span), from, zeroBlock, updateBlock);
  runRule(span, stepOf(span), from, zeroBlock, updateBlock);
  subtractDecay(span);
  averageGiven(span, from, zeroBlock, updateBlock);
}

/** d ← d − decay · x in `updateBlock`. */
function subtractDecay(span: Span): void {
  const x = span.params;
  const decay = splat(decayOf(span));
  for (let k: usize = 0; k < span.bytes; k += 16) {
    const d = v128.load(updateBlock + k);
    v128.store(updateBlock + k, f32x4.sub(d, f32x4.mul(decay, v128.load(x + k))));
  }
}

/** One span's u_t to `to`, and Σ (x + u)². What it sums otherwise is of no use. */
export function lookAhead(span: Span, to: usize): void {
  decayGradient(span, gradientOf(span), zeroBlock);
  findUpdate(span, gradBlock);
  addUpdate(span, zeroBlock, to);
}

@unmanaged
export class Accumulate {
  visit(span: Span): void {
    if (!tuned) watchPoint(span);
    update(span, gradientOf(span), deltaBefore(span));
    if (tuned) return;
    measureSpan(span);
    watchMove(span);
  }
}

/** Writes one span's gradient to `gradBlock`, clipped. */
function clip(span: Span): void {
  const g = span.grads;
  const high = f32x4.splat(f32(config.bound));
  const low = f32x4.splat(-f32(config.bound));
  const scale = splat(scalars.clipScale);
  for (let k: usize = 0; k < span.bytes; k += 16) {
    v128.store(gradBlock + k, f32x4.mul(bounded(v128.load(g + k), low, high), scale));
  }
}

/** Writes g + weightDecay · x to `gradBlock` (or g, where the decay is decoupled), and sums ⟨Δ_t, g⟩. */
export function decayGradient(span: Span, from: usize, delta: usize): void {
  const x = span.params;
  const decay = splat(config.decoupled != 0 ? 0 : span.segment.weightDecay);
  let dg = zero();
  for (let k: usize = 0; k < span.bytes; k += 16) {
    const lanes = v128.load(from + k);
    dg = addProduct(dg, v128.load(delta + k), lanes);
    v128.store(gradBlock + k, addProduct(lanes, decay, v128.load(x + k)));
  }
  span.sums.dg += total(dg);
}

/** What decoupled decay takes from u_t, over x_t. */
@inline
function decayOf(span: Span): f64 {
  return scalars.learningRate * span.segment.learningRate * span.segment.weightDecay;
}

/** The same for a loop to hold; 0 where it is in u_t already. */
@inline
function heldDecay(span: Span): v128 {
  hold(DECAY, config.decoupled != 0 && scalars.interpolation == 0 ? decayOf(span) : 0);
  return held(DECAY);
}

/** Writes Δ_t + u_t, u_t with decoupled decay, and sums ⟨Δ_t, g⟩. */
function decayUpdate(span: Span, from: usize, delta: usize): void {
  const x = span.params;
  const next = deltaOf(span);
  const decay = heldDecay(span);
  let dg = zero();
  for (let k: usize = 0; k < span.bytes; k += 32) {
    const d0 = at<Q0>(delta + k);
    const d1 = at<Q1>(delta + k);
    const u0 = f32x4.sub(at<Q0>(updateBlock + k), f32x4.mul(decay, at<Q0>(x + k)));
    const u1 = f32x4.sub(at<Q1>(updateBlock + k), f32x4.mul(decay, at<Q1>(x + k)));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d0, at<Q0>(from + k)), d1, at<Q1>(from + k)));
    put<Q0>(next + k, f32x4.add(d0, u0));
    put<Q1>(next + k, f32x4.add(d1, u1));
  }
  span.sums.dg += total(dg);
}

/** Writes Δ_t + u_t, u_t with decoupled decay, and sums what h may need at y = x_t + u_t. */
function addUpdate(span: Span, delta: usize, next: usize): void {
  const x = span.params;
  const decay = heldDecay(span);
  let yy = zero();
  let dy = zero();
  for (let k: usize = 0; k < span.bytes; k += 16) {
    const xt = v128.load(x + k);
    const dt = v128.load(delta + k);
    const u = f32x4.sub(v128.load(updateBlock + k), f32x4.mul(decay, xt));
    const y = f32x4.add(xt, u);
    v128.store(next + k, f32x4.add(dt, u));
    yy = addProduct(yy, y, y);
    dy = addProduct(dy, dt, y);
  }
  const sums = span.sums;
  sums.yy += total(yy);
  sums.dy += total(dy);
}

/** What a sweep adds to, at its begin. */
export function clearSums(group: Group): void {
  group.dg = 0;
  group.nextDg = 0;
  group.leadDg = 0;
  group.yy = 0;
  group.dy = 0;
}

export function accumulate(): void {
  holdConstants();
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    clearSums(group);
    group.dx = 0;
    // Of x and Δ as sweep B left them.
    if (tuned && deltaKind == Delta.STORED) continue;
    group.xx = 0;
    group.dd = 0;
  }
  sweep<Accumulate>(Task.ACCUMULATE);
}
