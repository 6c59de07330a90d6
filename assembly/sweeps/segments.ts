import {
  BLOCK,
  EIGHT,
  gradsTail,
  groupOf,
  offsetOfTuner,
  paramsTail,
  span,
  segmentCount,
  segmentOf,
  size,
  staging,
  stagingTuners,
  stateCount,
  states,
  stride,
  tunerBytes,
  tunerOf,
  CHUNK,
} from "../memory/layout";
import { Segment, Span } from "../memory/records";

/*
 * How a sweep walks: segment by segment, span by span. A span is at most a block, in whole chunks (sixteen coordinates each).
 *
 *   first          wholeFrom                     wholeTo     last
 *     |── staging ──|── block ── block ── block ──|── staging ──|
 *
 * Where a segment begins or ends inside a chunk, its coordinates are copied to the staging area (zeros
 * elsewhere), swept there, and copied back, so that a sweep has one loop and no tails. The last chunk
 * of a vector needs no copy: behind the last coordinate lie zeros, and they stay zero. Behind a gradient and
 * parameters that are not ours lie none: of their last block a padded copy is swept.
 *
 * A sweep S is a class with `visit(span)`.
 */

const LANE: usize = sizeof<f32>();

/** Bounds of the segment that is swept, in bytes from a vector's begin. */
let first: usize = 0;
let last: usize = 0;
let wholeFrom: usize = 0;
let wholeTo: usize = 0;

/** Bytes of the span that were copied, and from where, to be copied back; and whether of all vectors. */
let copied: usize = 0;
let copiedFrom: usize = 0;
let staged: bool = false;

/** Whole blocks that follow right behind the span. */
let ahead: usize = 0;

/** Makes a segment the one that is swept; returns its number of spans. */
export function enter(segment: Segment): usize {
  first = usize(segment.first) * LANE;
  last = usize(segment.last) * LANE;
  wholeFrom = (first + CHUNK - LANE) & ~(CHUNK - 1);
  wholeTo = usize(segment.last) == size ? stride : last & ~(CHUNK - 1);
  span.segment = segment;
  const blocks = wholeFrom < wholeTo ? (wholeTo - wholeFrom + BLOCK - 1) / BLOCK : 0;
  return usize(first < wholeFrom) + blocks + usize(wholeFrom <= wholeTo && wholeTo < last);
}

function copyLanes(from: usize, to: usize, bytes: usize): void {
  for (let lane: usize = 0; lane < bytes; lane += LANE) store<f32>(to + lane, load<f32>(from + lane));
}

/** Coordinates from … to, which lie within one chunk, are swept in the staging area. */
function toStaging(from: usize, to: usize): void {
  const segment = span.segment;
  copied = to - from;
  copiedFrom = from;
  staged = true;
  ahead = 0;
  span.grads = staging;
  span.params = staging + CHUNK;
  span.state = staging + 2 * CHUNK;
  span.gap = CHUNK;
  span.tuners = stagingTuners();
  span.bytes = CHUNK;
  memory.fill(staging, 0, (2 + stateCount) * CHUNK + 2 * tunerBytes);
  copyLanes(segment.grads + from - first, span.grads, copied);
  copyLanes(segment.params + from - first, span.params, copied);
  for (let k: usize = 0; k < stateCount; k++) {
    copyLanes(states + k * stride + from, span.state + k * CHUNK, copied);
  }
  for (let lane: usize = 0; lane < copied; lane += LANE)
    copyTuner(tunerOf(from + lane), stagingTuners() + offsetOfTuner(lane));
}

function copyTuner(from: usize, to: usize): void {
  for (let field: usize = 0; field < tunerBytes; field += EIGHT)
    store<f32>(to + field, load<f32>(from + field));
}

/** Whole chunks are swept where they are, but for a gradient and parameters that end without padding. */
function toBlock(from: usize, bytes: usize): void {
  const segment = span.segment;
  span.grads = segment.grads + from - first;
  span.params = segment.params + from - first;
  span.state = states + from;
  span.gap = stride;
  span.tuners = tunerOf(from);
  span.bytes = bytes;
  staged = false;
  ahead = (min(last, wholeTo) - from) / BLOCK;
  if (ahead > 0) ahead--;
  copiedFrom = from;
  copied = segment.padded || from + bytes <= last ? 0 : last - from;
  if (copied == 0) return;
  memory.fill(gradsTail, 0, 2 * BLOCK);
  memory.copy(gradsTail, span.grads, copied);
  memory.copy(paramsTail, span.params, copied);
  span.grads = gradsTail;
  span.params = paramsTail;
}

/** Finds span `index` of the segment. */
export function prepare(index: usize): void {
  if (first < wholeFrom) {
    if (index == 0) return toStaging(first, min(last, wholeFrom));
    index--;
  }
  const from = wholeFrom + index * BLOCK;
  if (from < wholeTo) toBlock(from, min(BLOCK, wholeTo - from));
  else toStaging(wholeTo, last);
}

/** A span's place in every vector, in bytes. */
export function placeOf(span: Span): usize {
  return staged ? copiedFrom : span.state - states;
}

@inline
export function isCopied(): bool {
  return copied > 0;
}

/** Copies back what was swept elsewhere. */
export function finish(): void {
  copyLanes(span.params, span.segment.params + copiedFrom - first, copied);
  if (!staged) return;
  for (let k: usize = 0; k < stateCount; k++) {
    copyLanes(span.state + k * CHUNK, states + k * stride + copiedFrom, copied);
  }
  for (let lane: usize = 0; lane < copied; lane += LANE)
    copyTuner(stagingTuners() + offsetOfTuner(lane), tunerOf(copiedFrom + lane));
}

/** Goes on to a whole block right behind the span. */
@inline
export function advance(): bool {
  if (ahead == 0) return false;
  ahead--;
  span.grads += BLOCK;
  span.params += BLOCK;
  span.state += BLOCK;
  span.tuners += (BLOCK / EIGHT) * tunerBytes;
  return true;
}

/** The next segment of a sweep by one thread; spans of the present one, and how many of them were prepared. */
let nextSegment: usize = 0;
let spans: usize = 0;
let prepared: usize = 0;
/** Whether there is one span in all, which is in its place already. */
let sole: bool = false;

/** For when segments are set. */
export function forgetSpan(): void {
  sole = false;
}

/** Makes `span` the first one; false where there is none. */
function begin(): bool {
  if (sole) return true;
  nextSegment = spans = prepared = ahead = copied = 0;
  const any = next();
  sole = !ASC_FEATURE_THREADS && segmentCount == 1 && spans == 1 && copied == 0;
  return any;
}

/** Makes `span` the next one; false where there is none. What was swept elsewhere is copied back. */
function next(): bool {
  if (isCopied()) finish();
  while (prepared == spans) {
    if (nextSegment == segmentCount) return false;
    const segment = segmentOf(nextSegment++);
    span.sums = groupOf(segment.group);
    spans = enter(segment);
    prepared = 0;
  }
  prepare(prepared);
  prepared += 1 + ahead;
  return true;
}

/** A sweep by one thread. */
export function sweepAlone<S>(): void {
  for (let more = begin(); more; more = advance() || next()) changetype<S>(0).visit(span);
}
