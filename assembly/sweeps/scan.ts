import { config, groupCount, groupOf } from "../memory/layout";
import { Span } from "../memory/records";
import { sweepAlone } from "./segments";
import { addUnclipped, setUnclipped, unclipped } from "./sums";
import { sweep, Task } from "./sweep";
import { clearTensors, watchGrads } from "./tensors";
import { addProduct, at, bounded, Q0, Q1, Q2, Q3, squares, total, zero } from "../vec";

/*
 * What must be known before anything changes: the gradient's norm. One read of g finds whether it is
 * finite, how to clip it, and the norm that scales the rate (14).
 */

@unmanaged
export class Scan {
  visit(span: Span): void {
    const found = squaresOf(span.grads, span.bytes);
    addUnclipped(span, found);
    span.sums.gg += found;
    watchGrads(span, false);
  }
}

@unmanaged
export class ScanClipped {
  visit(span: Span): void {
    const high = f32x4.splat(f32(config.bound));
    const low = f32x4.splat(-f32(config.bound));
    let g = span.grads;
    let whole = zero();
    let clipped = zero();
    for (const end = g + span.bytes; g < end; g += 16) {
      const lanes = at<Q0>(g);
      const within = bounded(lanes, low, high);
      whole = addProduct(whole, lanes, lanes);
      clipped = addProduct(clipped, within, within);
    }
    addUnclipped(span, total(whole));
    span.sums.gg += total(clipped);
    watchGrads(span, false);
  }
}

/** The squares' sum of a span of a vector. */
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
  visit(span: Span): void {
    const sums = span.sums;
    const bound = f64(f32(config.bound));
    let sum = unclipped;
    let g = span.grads;
    for (const end = g + span.bytes; g < end; g += sizeof<f32>()) {
      const value = f64(load<f32>(g));
      const clipped = min(max(value, -bound), bound);
      sum += value * value;
      sums.gg += clipped * clipped;
    }
    setUnclipped(sum);
    watchGrads(span, true);
  }
}

@inline
function clearSums(): void {
  setUnclipped(0);
  clearTensors();
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).gg = 0;
}

/** Finds every group's ‖g‖²; returns the whole one before clipping. */
export function scan(): f64 {
  clearSums();
  if (config.bound < Infinity) sweep<ScanClipped>(Task.SCAN_CLIPPED);
  else sweep<Scan>(Task.SCAN);
  return unclipped;
}

/** `scan` without overflow: finite for every finite gradient. */
export function scanExactly(): f64 {
  clearSums();
  sweepAlone<ScanExactly>();
  return unclipped;
}

/** ‖g‖² over all groups, clipped by value. */
export function clippedSquares(): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < groupCount; k++) sum += groupOf(k).gg;
  return sum;
}

/** ‖x‖² of one span. */
export function measureSpan(span: Span): void {
  span.sums.xx += squaresOf(span.params, span.bytes);
}

/** ‖x‖², where no sweep has just left it. */
@unmanaged
export class Measure {
  visit(span: Span): void {
    measureSpan(span);
  }
}

export function measure(): void {
  for (let k: usize = 0; k < groupCount; k++) groupOf(k).xx = 0;
  sweep<Measure>(Task.MEASURE);
}
