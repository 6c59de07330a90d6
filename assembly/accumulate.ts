import { Delta, deltaKind, Pull, pullKind } from "./form";
import {
  deltaBlock,
  deltaOf,
  gradBlock,
  held,
  hold,
  groupCount,
  groupOf,
  tuned,
  updateBlock,
  within,
  zeroBlock,
} from "./layout";
import { Group, Run } from "./records";
import { reconstruct } from "./reconstruct";
import { measureRun } from "./scan";
import { bound, clips, clipScale, decayRate, decoupled, interpolation, rate, readsParams } from "./step";
import { sweep, Task } from "./sweep";
import { averageGiven, foundDg, runBase, runRule } from "./update";
import { addProduct, at, bounded, put, Q0, Q1, splat, total, zero } from "./vec";

/*
 * Sweep A: reads g and Δ_t, updates the base's moments, writes Δ_{t+1} = Δ_t + u_t, and sums what h
 * needs (26). Without a tuner the parameters themselves stand for Δ: x_{t+1} = x_t + u_t.
 */

/** Where Δ_t of a run is, made first where it is not stored. Sums ⟨Δ_t, x_t⟩ for those who need it. */
function deltaBefore(run: Run): usize {
  if (deltaKind != Delta.STORED) {
    reconstruct(run);
    return deltaBlock;
  }
  const delta = deltaOf(run);
  if (pullKind == Pull.DECAY) run.sums.dx += dot(delta, run.params, run.bytes);
  return delta;
}

/** Σ a b over a run. */
export function dot(a: usize, b: usize, bytes: usize): f64 {
  let sum = zero();
  for (const end = a + bytes; a < end; a += 16, b += 16) sum = addProduct(sum, at<Q0>(a), at<Q0>(b));
  return total(sum);
}

/** Where the gradient of a run is, clipped first where that is asked for. */
export function gradientOf(run: Run): usize {
  if (!clips) return run.grads;
  clip(run);
  return gradBlock;
}

/** One run: from g and Δ_t to Δ_{t+1}, and the sums. */
export function update(run: Run, from: usize, delta: usize): void {
  if (!readsParams) {
    runBase(run, stepOf(run), from, delta, deltaOf(run));
    run.sums.dg += foundDg;
  } else if (pullKind == Pull.DECAY_AHEAD) {
    decayGradient(run, from, delta);
    findUpdate(run, gradBlock);
    addUpdate(run, delta, deltaOf(run));
  } else if (decoupled) {
    findUpdate(run, from);
    decayUpdate(run, from, delta);
  } else {
    decayGradient(run, from, delta);
    runBase(run, stepOf(run), gradBlock, delta, deltaOf(run));
  }
}

@inline
function stepOf(run: Run): f64 {
  return rate * run.segment.learningRate;
}

/** u_t alone, to `updateBlock`: what becomes of Δ_t = 0. Decoupled decay is in it only where it is averaged, too. */
function findUpdate(run: Run, from: usize): void {
  if (interpolation == 0 || !decoupled) return runBase(run, stepOf(run), from, zeroBlock, updateBlock);
  runRule(run, stepOf(run), from, zeroBlock, updateBlock);
  subtractDecay(run);
  averageGiven(run, from, zeroBlock, updateBlock);
}

/** d ← d − decay · x in `updateBlock`. */
function subtractDecay(run: Run): void {
  const x = run.params;
  const decay = splat(decayOf(run));
  for (let k: usize = 0; k < run.bytes; k += 16) {
    const d = v128.load(updateBlock + k);
    v128.store(updateBlock + k, f32x4.sub(d, f32x4.mul(decay, v128.load(x + k))));
  }
}

/** One run's u_t to `to`, and Σ (x + u)². What it sums otherwise is of no use. */
export function lookAhead(run: Run, to: usize): void {
  decayGradient(run, gradientOf(run), zeroBlock);
  findUpdate(run, gradBlock);
  addUpdate(run, zeroBlock, to);
}

@unmanaged
export class Accumulate {
  run(run: Run): void {
    update(run, gradientOf(run), deltaBefore(run));
    if (!tuned) measureRun(run);
  }
}

/** Writes one run's gradient to `gradBlock`, clipped. */
function clip(run: Run): void {
  const g = run.grads;
  const high = f32x4.splat(bound);
  const low = f32x4.splat(-bound);
  const scale = splat(clipScale);
  for (let k: usize = 0; k < run.bytes; k += 16) {
    v128.store(gradBlock + k, f32x4.mul(bounded(v128.load(g + k), low, high), scale));
  }
}

/** Writes g + weightDecay · x to `gradBlock` (or g, where the decay is decoupled), and sums ⟨Δ_t, g⟩. */
export function decayGradient(run: Run, from: usize, delta: usize): void {
  const x = run.params;
  const decay = splat(decoupled ? 0 : run.segment.weightDecay);
  let dg = zero();
  for (let k: usize = 0; k < run.bytes; k += 16) {
    const lanes = v128.load(from + k);
    dg = addProduct(dg, v128.load(delta + k), lanes);
    v128.store(gradBlock + k, addProduct(lanes, decay, v128.load(x + k)));
  }
  run.sums.dg += total(dg);
}

/** What decoupled decay takes from u_t, over x_t. */
@inline
function decayOf(run: Run): f64 {
  return decayRate * run.segment.learningRate * run.segment.weightDecay;
}

/** The same for a loop to hold; 0 where it is in u_t already. */
@inline
function heldDecay(run: Run): v128 {
  hold(7, decoupled && interpolation == 0 ? decayOf(run) : 0);
  return held(7);
}

/** Writes Δ_t + u_t, u_t with decoupled decay, and sums ⟨Δ_t, g⟩. */
function decayUpdate(run: Run, from: usize, delta: usize): void {
  const x = run.params;
  const next = deltaOf(run);
  const decay = heldDecay(run);
  let dg = zero();
  for (let k: usize = 0; k < run.bytes; k += 32) {
    const d0 = at<Q0>(delta + k);
    const d1 = at<Q1>(delta + k);
    const u0 = f32x4.sub(at<Q0>(updateBlock + k), f32x4.mul(decay, at<Q0>(x + k)));
    const u1 = f32x4.sub(at<Q1>(updateBlock + k), f32x4.mul(decay, at<Q1>(x + k)));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d0, at<Q0>(from + k)), d1, at<Q1>(from + k)));
    put<Q0>(next + k, f32x4.add(d0, u0));
    put<Q1>(next + k, f32x4.add(d1, u1));
  }
  run.sums.dg += total(dg);
}

/** Writes Δ_t + u_t, u_t with decoupled decay, and sums what h may need at y = x_t + u_t. */
function addUpdate(run: Run, delta: usize, next: usize): void {
  const x = run.params;
  const decay = heldDecay(run);
  let yy = zero();
  let dy = zero();
  for (let k: usize = 0; k < run.bytes; k += 16) {
    const xt = v128.load(x + k);
    const dt = v128.load(delta + k);
    const u = f32x4.sub(v128.load(updateBlock + k), f32x4.mul(decay, xt));
    const y = f32x4.add(xt, u);
    v128.store(next + k, f32x4.add(dt, u));
    yy = addProduct(yy, y, y);
    dy = addProduct(dy, dt, y);
  }
  const sums = run.sums;
  sums.yy += total(yy);
  sums.dy += total(dy);
}

/** What a sweep adds to, at its begin. */
export function forget(group: Group): void {
  group.dg = 0;
  group.nextDg = 0;
  group.leadDg = 0;
  group.yy = 0;
  group.dy = 0;
}

export function accumulate(): void {
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    forget(group);
    group.dx = 0;
    // Of x and Δ as sweep B left them.
    if (tuned && deltaKind == Delta.STORED) continue;
    group.xx = 0;
    group.dd = 0;
  }
  sweep<Accumulate>(Task.ACCUMULATE);
}
