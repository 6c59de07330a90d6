import { groupCount, groupOf } from "./layout";
import { Run } from "./records";
import { sweepAlone } from "./segments";
import { bound } from "./step";
import { addUnclipped, setUnclipped, unclipped } from "./sums";
import { sweep, Task } from "./sweep";
import { addProduct, at, bounded, Q0, Q1, Q2, Q3, squares, total, zero } from "./vec";

/*
 * What must be known before anything changes: the gradient's norm. One read of g finds whether it is
 * finite, how to clip it, and the norm that scales the rate (14).
 */

@unmanaged
export class Scan {
  run(run: Run): void {
    const found = squaresOf(run.grads, run.bytes);
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

/** The squares' sum of a run of a vector. */
@inline
export function squaresOf(from: usize, bytes: usize): f64 {
  let sum = zero();
  for (const end = from + bytes; from < end; from += 64) {
    sum = f32x4.add(sum, squares(at<Q0>(from), at<Q1>(from), at<Q2>(from), at<Q3>(from)));
  }
  return total(sum);
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

/** ‖x‖² of one run. */
export function measureRun(run: Run): void {
  run.sums.xx += squaresOf(run.params, run.bytes);
}

/** ‖x‖², where no sweep has just left it. */
@unmanaged
export class Measure {
  run(run: Run): void {
    measureRun(run);
  }
}

export function measure(): void {
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).xx = 0;
  sweep<Measure>(Task.MEASURE);
}
