import {
  deltaBlock,
  ends,
  partials,
  parts,
  scalars,
  tensorCount,
  tensors,
  zeroBlock,
} from "../memory/layout";
import { PartialSums, PartSums, Span, TensorSums } from "../memory/records";
import { placeOf } from "./segments";
import { isShared } from "./sums";
import { at, Q0, Q1, Q2, Q3, squares, total, zero } from "../vec";

/*
 * Sums by tensors, where the host asks for them: of g as the scan reads it, and of x as the sweep that moves it comes upon
 * it and leaves it, while it is in the cache. A segment may hold several tensors, and a span parts of them.
 *
 * Where threads share a sweep, every part has a record of its own. From one part to the next the span, the tensor or both
 * are the next ones, so that the sum of their numbers tells parts apart.
 */

/** Where a tensor's sums are. */
@inline
function tensorOf(index: usize): TensorSums {
  return changetype<TensorSums>(tensors + index * offsetof<TensorSums>());
}

/** Where a tensor ends, in bytes. */
@inline
function endOf(index: usize): usize {
  return usize(load<f64>(ends + index * sizeof<f64>())) * sizeof<f32>();
}

/** The tensor that the last span ended in: the next span most often begins there. */
let current: usize = 0;

/** Σ (a − b)² over some coordinates, in float32 lanes; `exactly`: in f64. */
function squaresBetween(a: usize, b: usize, bytes: usize, exactly: bool): f64 {
  const end = a + bytes;
  const whole = exactly ? a : a + (bytes & ~63);
  let sum = zero();
  for (; a < whole; a += 64, b += 64) {
    const d0 = f32x4.sub(at<Q0>(a), at<Q0>(b));
    const d1 = f32x4.sub(at<Q1>(a), at<Q1>(b));
    const d2 = f32x4.sub(at<Q2>(a), at<Q2>(b));
    const d3 = f32x4.sub(at<Q3>(a), at<Q3>(b));
    sum = f32x4.add(sum, squares(d0, d1, d2, d3));
  }
  let rest: f64 = 0;
  for (; a < end; a += 4, b += 4) {
    const d = f64(load<f32>(a) - load<f32>(b));
    rest += d * d;
  }
  return total(sum) + rest;
}

/** Where the sums are of the span's part of the present tensor. */
@inline
function sumsOf(span: Span): usize {
  if (!ASC_FEATURE_THREADS || !isShared()) return changetype<usize>(tensorOf(current));
  const index = (changetype<usize>(span.sums) - partials) / offsetof<PartialSums>();
  const part = partOf(index + current);
  part.tensor = u32(current);
  return changetype<usize>(part);
}

@inline
function partOf(index: usize): PartSums {
  return changetype<PartSums>(parts + index * offsetof<PartSums>());
}

/** Adds Σ (a − b)² to a field of every tensor that the span has a part of. */
function addSquares(field: usize, span: Span, a: usize, b: usize, exactly: bool): void {
  let from = placeOf(span);
  const end = min(from + span.bytes, usize(span.segment.last) * sizeof<f32>());
  if (current > 0 && from < endOf(current - 1)) current = 0;
  while (true) {
    const last = min(endOf(current), end);
    if (from < last) {
      const sum = sumsOf(span) + field;
      store<f64>(sum, load<f64>(sum) + squaresBetween(a, b, last - from, exactly));
      a += last - from;
      b += last - from;
      from = last;
    }
    if (from == end) return;
    current++;
  }
}

/** Of a step that is watched, at its begin. */
export function clearTensors(): void {
  if (scalars.watch != 0) memory.fill(tensors, 0, tensorCount * offsetof<TensorSums>());
}

export function watchGrads(span: Span, exactly: bool): void {
  if (scalars.watch != 0) addSquares(offsetof<TensorSums>("gg"), span, span.grads, zeroBlock, exactly);
}

/** Before a span moves; where Δ is x's place, x is gone by then. */
export function watchPoint(span: Span): void {
  if (scalars.watch != 0) memory.copy(deltaBlock, span.params, span.bytes);
}

/** After it has moved. */
export function watchMove(span: Span): void {
  if (scalars.watch == 0) return;
  addSquares(offsetof<TensorSums>("xx"), span, deltaBlock, zeroBlock, false);
  addSquares(offsetof<TensorSums>("dd"), span, span.params, deltaBlock, false);
}

/** Adds the parts that threads have found to their tensors, in order. */
export function gatherTensors(spans: usize): void {
  if (scalars.watch == 0) return;
  for (let k: usize = 0; k < spans + tensorCount; k++) {
    const part = partOf(k);
    const tensor = tensorOf(part.tensor);
    tensor.gg += part.gg;
    tensor.xx += part.xx;
    tensor.dd += part.dd;
    part.gg = part.xx = part.dd = 0;
  }
}
