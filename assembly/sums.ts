import { found } from "./layout";
import { Found, Run, Sums } from "./records";

/*
 * Where runs put their sums. A thread alone adds them to the group's as it goes. Threads that share a sweep give each
 * run a record of its own, and the records are added up in the order of the runs when all are there: the same additions
 * in the same order, so the same bits, whoever swept what.
 */

/** ‖g‖² before clipping, over all groups. */
export let unclipped: f64 = 0;

export function setUnclipped(sum: f64): void {
  unclipped = sum;
}

@inline
export function addUnclipped(run: Run, sum: f64): void {
  if (ASC_FEATURE_THREADS) changetype<Found>(run.sums).unclipped += sum;
  else unclipped += sum;
}

@inline
export function foundOf(index: usize): Found {
  return changetype<Found>(found + index * offsetof<Found>());
}

@inline
export function clear(found: Found): void {
  const record = changetype<usize>(found);
  const none = f64x2.splat(0);
  v128.store(record, none);
  v128.store(record, none, 16);
  v128.store(record, none, 32);
  v128.store(record, none, 48);
  v128.store(record, none, 64);
  v128.store(record, none, 80);
  v128.store(record, none, 96);
}

@inline
function addTwo(to: usize, from: usize, offset: usize): void {
  v128.store(to + offset, f64x2.add(v128.load(to + offset), v128.load(from + offset)));
}

/** to += run's. A run adds to a sum once at most, so that sum is the run's, rounded as it would have been. */
export function collect(to: Sums, run: Found): void {
  const sums = changetype<usize>(to);
  const record = changetype<usize>(run);
  addTwo(sums, record, 0);
  addTwo(sums, record, 16);
  addTwo(sums, record, 32);
  addTwo(sums, record, 48);
  addTwo(sums, record, 64);
  addTwo(sums, record, 80);
  to.scaleMax = max(to.scaleMax, run.scaleMax);
  unclipped += run.unclipped;
}
