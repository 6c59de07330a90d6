import { Delta, deltaKind } from "./form";
import {
  deltaBlock,
  deltaOf,
  gradBlock,
  Group,
  groupCount,
  groupOf,
  Run,
  slotsAt,
  updateBlock,
  within,
  zeroBlock,
} from "./layout";
import { reconstruct } from "./reconstruct";
import { bound, bounded } from "./scan";
import { sweep } from "./segments";
import { clips, clipScale, decayRate, decoupled, rate, readsParams } from "./step";
import { foundDd, foundDg, runBase } from "./update";
import { addProduct, splat, total, zero } from "./vec";

/*
 * Sweep A: reads g and Δ_t, updates the base's moments, writes Δ_{t+1} = Δ_t + u_t, and sums what h
 * needs (26). Without a tuner the parameters themselves stand for Δ: x_{t+1} = x_t + u_t.
 */

/** Where Δ_t of a run is, made first where it is not stored. */
function deltaBefore(run: Run): usize {
  if (deltaKind == Delta.STORED) return deltaOf(run);
  reconstruct(run);
  return deltaBlock;
}

/** Where the gradient of a run is, clipped first where that is asked for. */
export function gradientOf(run: Run): usize {
  if (!clips) return run.grads;
  clip(run);
  return gradBlock;
}

/** One run: from g and Δ_t to Δ_{t+1}, and the sums. */
export function update(run: Run, from: usize, delta: usize): void {
  const step = rate * run.segment.learningRate;
  const slots = within(run, slotsAt);
  if (!readsParams) {
    runBase(step, from, run.bytes, delta, deltaOf(run), slots, run.gap);
    run.sums.dg += foundDg;
    run.sums.ddNext += foundDd;
    return;
  }
  // The same loop yields u_t alone when Δ_t is taken as 0.
  decayGradient(run, from, delta);
  runBase(step, gradBlock, run.bytes, zeroBlock, updateBlock, slots, run.gap);
  addUpdate(run, delta, deltaOf(run));
}

/** One run's u_t to `to`, and Σ (x + u)². What it sums otherwise is of no use. */
export function lookAhead(run: Run, to: usize): void {
  decayGradient(run, gradientOf(run), zeroBlock);
  const step = rate * run.segment.learningRate;
  runBase(step, gradBlock, run.bytes, zeroBlock, updateBlock, within(run, slotsAt), run.gap);
  addUpdate(run, zeroBlock, to);
}

@unmanaged
class Accumulate {
  run(run: Run): void {
    update(run, gradientOf(run), deltaBefore(run));
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
function decayGradient(run: Run, from: usize, delta: usize): void {
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

/** Writes Δ_t + u_t, u_t with decoupled decay, and sums what h may need at y = x_t + u_t. */
function addUpdate(run: Run, delta: usize, next: usize): void {
  const segment = run.segment;
  const x = run.params;
  const decay = splat(decoupled ? decayRate * segment.learningRate * segment.weightDecay : 0);
  let dd = zero();
  let yy = zero();
  let dy = zero();
  for (let k: usize = 0; k < run.bytes; k += 16) {
    const xt = v128.load(x + k);
    const dt = v128.load(delta + k);
    const u = f32x4.sub(v128.load(updateBlock + k), f32x4.mul(decay, xt));
    const n = f32x4.add(dt, u);
    const y = f32x4.add(xt, u);
    v128.store(next + k, n);
    dd = addProduct(dd, n, n);
    yy = addProduct(yy, y, y);
    dy = addProduct(dy, dt, y);
  }
  const sums = run.sums;
  sums.ddNext += total(dd);
  sums.yy += total(yy);
  sums.dy += total(dy);
}

/** What a sweep adds to, at its begin. */
export function forget(group: Group): void {
  group.dg = 0;
  group.ddNext = 0;
  group.yy = 0;
  group.dy = 0;
}

/** The sums at x_t and Δ_t, where `reconstruct` finds them. */
function forgetReconstruction(group: Group): void {
  group.xx = 0;
  group.dx = 0;
  group.dd = 0;
}

export function accumulate(): void {
  for (let k: usize = 0; k < groupCount; k++) {
    forget(groupOf(k));
    if (deltaKind != Delta.STORED) forgetReconstruction(groupOf(k));
  }
  sweep<Accumulate>();
}
