import {
  BLOCK,
  EIGHT,
  gradsTail,
  groupOf,
  offsetOfTuner,
  paramsTail,
  run,
  segmentCount,
  segmentOf,
  size,
  stage,
  stagedTuners,
  stateCount,
  states,
  stride,
  tunerBytes,
  tunerOf,
  TURN,
} from "./layout";
import { Segment } from "./records";

/*
 * How a sweep walks: segment by segment, run by run. A run is at most a block, in whole turns (sixteen coordinates each).
 *
 *   first          wholeFrom                     wholeTo     last
 *     |──── stage ────|── block ── block ── block ──|── stage ──|
 *
 * Where a segment begins or ends inside a turn, its coordinates are copied to the stage (zeros
 * elsewhere), swept there, and copied back, so that a sweep has one loop and no tails. The last turn
 * of a vector needs no stage: behind the last coordinate lie zeros, and they stay zero. Behind a gradient and
 * parameters that are not ours lie none: of their last block a padded copy is swept.
 *
 * A sweep S is a class with `run(run)`.
 */

const LANE: usize = sizeof<f32>();

/** Bounds of the segment that is swept, in bytes from a vector's begin. */
let first: usize = 0;
let last: usize = 0;
let wholeFrom: usize = 0;
let wholeTo: usize = 0;

/** Bytes of the run that were copied, and from where, to be copied back; and whether of all vectors. */
let copied: usize = 0;
let copiedFrom: usize = 0;
let staged: bool = false;

/** Whole blocks that follow right behind the run. */
let ahead: usize = 0;

/** Makes a segment the one that is swept; returns its number of runs. */
export function enter(segment: Segment): usize {
  first = usize(segment.first) * LANE;
  last = usize(segment.last) * LANE;
  wholeFrom = (first + TURN - LANE) & ~(TURN - 1);
  wholeTo = usize(segment.last) == size ? stride : last & ~(TURN - 1);
  run.segment = segment;
  const blocks = wholeFrom < wholeTo ? (wholeTo - wholeFrom + BLOCK - 1) / BLOCK : 0;
  return usize(first < wholeFrom) + blocks + usize(wholeFrom <= wholeTo && wholeTo < last);
}

function copyLanes(from: usize, to: usize, bytes: usize): void {
  for (let lane: usize = 0; lane < bytes; lane += LANE) store<f32>(to + lane, load<f32>(from + lane));
}

/** Coordinates from … to, which lie within one turn, are swept in the stage. */
function toStage(from: usize, to: usize): void {
  const segment = run.segment;
  copied = to - from;
  copiedFrom = from;
  staged = true;
  ahead = 0;
  run.grads = stage;
  run.params = stage + TURN;
  run.state = stage + 2 * TURN;
  run.gap = TURN;
  run.tuners = stagedTuners();
  run.bytes = TURN;
  memory.fill(stage, 0, (2 + stateCount) * TURN + 2 * tunerBytes);
  copyLanes(segment.grads + from - first, run.grads, copied);
  copyLanes(segment.params + from - first, run.params, copied);
  for (let k: usize = 0; k < stateCount; k++) {
    copyLanes(states + k * stride + from, run.state + k * TURN, copied);
  }
  for (let lane: usize = 0; lane < copied; lane += LANE)
    copyTuner(tunerOf(from + lane), stagedTuners() + offsetOfTuner(lane));
}

function copyTuner(from: usize, to: usize): void {
  for (let field: usize = 0; field < tunerBytes; field += EIGHT)
    store<f32>(to + field, load<f32>(from + field));
}

/** Whole turns are swept where they are, but for a gradient and parameters that end without padding. */
function toBlock(from: usize, bytes: usize): void {
  const segment = run.segment;
  run.grads = segment.grads + from - first;
  run.params = segment.params + from - first;
  run.state = states + from;
  run.gap = stride;
  run.tuners = tunerOf(from);
  run.bytes = bytes;
  staged = false;
  ahead = (min(last, wholeTo) - from) / BLOCK;
  if (ahead > 0) ahead--;
  copiedFrom = from;
  copied = segment.padded || from + bytes <= last ? 0 : last - from;
  if (copied == 0) return;
  memory.fill(gradsTail, 0, 2 * BLOCK);
  memory.copy(gradsTail, run.grads, copied);
  memory.copy(paramsTail, run.params, copied);
  run.grads = gradsTail;
  run.params = paramsTail;
}

/** Finds run `index` of the segment. */
export function prepare(index: usize): void {
  if (first < wholeFrom) {
    if (index == 0) return toStage(first, min(last, wholeFrom));
    index--;
  }
  const from = wholeFrom + index * BLOCK;
  if (from < wholeTo) toBlock(from, min(BLOCK, wholeTo - from));
  else toStage(wholeTo, last);
}

@inline
export function isCopied(): bool {
  return copied > 0;
}

/** Copies back what was swept elsewhere. */
export function finish(): void {
  copyLanes(run.params, run.segment.params + copiedFrom - first, copied);
  if (!staged) return;
  for (let k: usize = 0; k < stateCount; k++) {
    copyLanes(run.state + k * TURN, states + k * stride + copiedFrom, copied);
  }
  for (let lane: usize = 0; lane < copied; lane += LANE)
    copyTuner(stagedTuners() + offsetOfTuner(lane), tunerOf(copiedFrom + lane));
}

/** Goes on to a whole block right behind the run. */
@inline
export function advance(): bool {
  if (ahead == 0) return false;
  ahead--;
  run.grads += BLOCK;
  run.params += BLOCK;
  run.state += BLOCK;
  run.tuners += (BLOCK / EIGHT) * tunerBytes;
  return true;
}

/** A sweep by one thread. */
export function sweepAlone<S>(): void {
  for (let k: usize = 0; k < segmentCount; k++) {
    const segment = segmentOf(k);
    run.sums = groupOf(segment.group);
    const runs = enter(segment);
    let index: usize = 0;
    while (index < runs) {
      prepare(index);
      do {
        changetype<S>(0).run(run);
        index++;
      } while (advance());
      if (isCopied()) finish();
    }
  }
}
