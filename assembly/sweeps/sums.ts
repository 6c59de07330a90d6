import { partials, summary } from "../memory/layout";
import { PartialSums, Span, Sums } from "../memory/records";

/*
 * Where spans put their sums. A thread alone adds them to the group's as it goes. Threads that share a sweep give each
 * span a record of its own, and the records are added up in the order of the spans when all are there: the same additions
 * in the same order, so the same bits, whoever swept what.
 */

/** Whether the sweep is one that threads share, so that spans have records of their own. */
let shared: bool = false;

export function setShared(yes: bool): void {
  shared = yes;
}

/** ‖g‖² before clipping, over all groups. */
export let unclipped: f64 = 0;

export function setUnclipped(sum: f64): void {
  unclipped = sum;
}

@inline
export function addUnclipped(span: Span, sum: f64): void {
  if (ASC_FEATURE_THREADS && shared) changetype<PartialSums>(span.sums).unclipped += sum;
  else unclipped += sum;
}

/** Of the hashes of x as the sweep that moves it comes upon it, and as it leaves it: see point.ts. */
export function clearHashes(): void {
  summary.hashFound = 0;
  summary.hashLeft = 0;
}

@inline
export function isShared(): bool {
  return shared;
}

@inline
export function addHashes(span: Span, found: f64, left: f64): void {
  if (ASC_FEATURE_THREADS && shared) {
    const sums = changetype<PartialSums>(span.sums);
    sums.hashFound += found;
    sums.hashLeft += left;
  } else {
    summary.hashFound += found;
    summary.hashLeft += left;
  }
}

@inline
export function partialOf(index: usize): PartialSums {
  return changetype<PartialSums>(partials + index * offsetof<PartialSums>());
}

@inline
export function clear(sums: PartialSums): void {
  const record = changetype<usize>(sums);
  const none = f64x2.splat(0);
  v128.store(record, none);
  v128.store(record, none, 16);
  v128.store(record, none, 32);
  v128.store(record, none, 48);
  v128.store(record, none, 64);
  v128.store(record, none, 80);
  v128.store(record, none, 96);
  v128.store(record, none, 112);
}

@inline
function addTwo(to: usize, from: usize, offset: usize): void {
  v128.store(to + offset, f64x2.add(v128.load(to + offset), v128.load(from + offset)));
}

/** to += span's. A span adds to a sum once at most, so that sum is the span's, rounded as it would have been. */
export function collect(to: Sums, span: PartialSums): void {
  const sums = changetype<usize>(to);
  const record = changetype<usize>(span);
  addTwo(sums, record, 0);
  addTwo(sums, record, 16);
  addTwo(sums, record, 32);
  addTwo(sums, record, 48);
  addTwo(sums, record, 64);
  addTwo(sums, record, 80);
  to.scaleMax = max(to.scaleMax, span.scaleMax);
  unclipped += span.unclipped;
  summary.hashFound += span.hashFound;
  summary.hashLeft += span.hashLeft;
}
