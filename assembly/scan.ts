import { groupCount, groupOf } from "./layout";
import { Run } from "./records";
import { sweepAlone } from "./segments";
import { bound } from "./step";
import { addUnclipped, setUnclipped, unclipped } from "./sums";
import { sweep, Task } from "./sweep";
import { addProduct, at, Q0, Q1, Q2, Q3, total, zero } from "./vec";

/*
 * What must be known before anything changes: the gradient's norm. One read of g finds whether it is
 * finite, how to clip it, and the norm that scales the rate (14).
 */

/** g's coordinates within ±bound. */
@inline
export function bounded(g: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(g, low), high);
}

@unmanaged
export class Scan {
  run(run: Run): void {
    let g = run.grads;
    let sum = zero();
    for (const end = g + run.bytes; g < end; g += 64) {
      sum = f32x4.add(sum, squares(at<Q0>(g), at<Q1>(g), at<Q2>(g), at<Q3>(g)));
    }
    const found = total(sum);
    addUnclipped(run, found);
    run.sums.gg += found;
  }
}

@unmanaged
export class ScanClipped {
  run(run: Run): void {
    const high = f32x4.splat(bound);
    const low = f32x4.splat(-bound);
    let g = run.grads;
    let whole = zero();
    let clipped = zero();
    for (const end = g + run.bytes; g < end; g += 16) {
      const lanes = at<Q0>(g);
      const within = bounded(lanes, low, high);
      whole = addProduct(whole, lanes, lanes);
      clipped = addProduct(clipped, within, within);
    }
    addUnclipped(run, total(whole));
    run.sums.gg += total(clipped);
  }
}

@inline
function squares(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(addProduct(f32x4.mul(a, a), b, b), addProduct(f32x4.mul(c, c), d, d));
}

/** The same in f64, for gradients whose squares leave float32's range. A rare thing, and not for threads. */
@unmanaged
class ScanExactly {
  run(run: Run): void {
    const sums = run.sums;
    let sum = unclipped;
    let g = run.grads;
    for (const end = g + run.bytes; g < end; g += sizeof<f32>()) {
      const value = f64(load<f32>(g));
      const clipped = min(max(value, -f64(bound)), f64(bound));
      sum += value * value;
      sums.gg += clipped * clipped;
    }
    setUnclipped(sum);
  }
}

@inline
function forget(): void {
  setUnclipped(0);
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).gg = 0;
}

/** Finds every group's ‖g‖²; returns the whole one before clipping. */
export function scan(): f64 {
  forget();
  if (bound < Infinity) sweep<ScanClipped>(Task.SCAN_CLIPPED);
  else sweep<Scan>(Task.SCAN);
  return unclipped;
}

/** `scan` without overflow: finite for every finite gradient. */
export function scanExactly(): f64 {
  forget();
  sweepAlone<ScanExactly>();
  return unclipped;
}

/** ‖g‖² over all groups, clipped by value. */
export function clippedSquares(): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < groupCount; k++) sum += groupOf(k).gg;
  return sum;
}

/** ‖x‖², where sweep B has not just left it. */
@unmanaged
export class Measure {
  run(run: Run): void {
    const x = run.params;
    let sum = zero();
    for (let k: usize = 0; k < run.bytes; k += 16) sum = addProduct(sum, v128.load(x + k), v128.load(x + k));
    run.sums.xx += total(sum);
  }
}

export function measure(): void {
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).xx = 0;
  sweep<Measure>(Task.MEASURE);
}
