import { groupOf, span, segmentCount, segmentOf, pool, thread, threads, CHUNK } from "../memory/layout";
import { Segment } from "../memory/records";
import { advance, enter, finish, isCopied, prepare } from "../sweeps/segments";
import { clear, collect, partialOf, setShared } from "../sweeps/sums";
import { gatherTensors } from "../sweeps/tensors";

/*
 * How threads share a sweep. One leads: it opens the gate, sweeps too, and closes the gate when no span is left. Others
 * pass the gate while it is open, help, and leave. Every thread has a share of the spans, takes the next one of its own
 * with an atomic addition, and then helps with the other shares. So nobody waits for a thread that is late or asleep:
 * the leader waits only for those inside, each of which has at most one span to finish.
 *
 *   gate  ┌── epoch ── 24 ──┬── threads inside ── 7 ──┬── open ── 1 ──┐
 *
 * Words that different threads write lie 64 bytes apart.
 */

const GATE: usize = 0;
/** Some threads may have gone to sleep since all were last woken. */
const SLEEPERS: usize = CHUNK;
/** The leader sleeps until the last one has left. */
const LEADER_SLEEPS: usize = 2 * CHUNK;
const QUIT: usize = 3 * CHUNK;
/** The command that a thread carries out as the leader, 0 for none. */
const COMMAND: usize = 3 * CHUNK + 4;
/** What the sweep in progress does, and with how many spans. */
const TASK: usize = 4 * CHUNK;
const SPANS: usize = 4 * CHUNK + 4;
const RESULT: usize = 4 * CHUNK + 8;
/** The next span of each thread's share. */
const NEXT: usize = 5 * CHUNK;

const OPEN: i32 = 1;
const INSIDE: i32 = 2;
const ALL_INSIDE: i32 = 0xfe;
const EPOCH: i32 = 0x100;

/** A share is taken in at least so many portions of whole spans, if it has so many. */
const PORTIONS: usize = 32;

/** Looks at a word before a thread goes to sleep: some 30 µs. */
const SPIN_LIMIT: i32 = 20_000;
/** Looks, and waits of 1 s, after which a thread that is inside is taken for dead. */
const SPIN_TIMEOUT: i32 = i32.MAX_VALUE;
const WAIT_TIMEOUT: i32 = 20;

/** May this instance sleep? A page's main thread may not. */
let maySleep: bool = true;
/** The last epoch that this instance took part in. */
let lastEpoch: i32 = 0;
/** The last span, and the place of its segment. */
let taken: usize = 0;
let current: usize = 0;

export function setSleep(allowed: bool): void {
  maySleep = allowed;
}

/** Numbers the spans. Once, when all segments are there. */
export function countSpans(): void {
  let spans: usize = 0;
  for (let k: usize = 0; k < segmentCount; k++) {
    const segment = segmentOf(k);
    segment.firstSpan = u32(spans);
    spans += enter(segment);
  }
  store<i32>(pool + SPANS, spans);
}

/** The first span of a thread's share. */
@inline
function shareOf(index: usize): usize {
  return (load<u32>(pool + SPANS) * u32(index)) / u32(threads);
}

/** The segment of span `index`: most often that of the span before, or the next. */
function segmentAt(index: usize): Segment {
  let low: usize = 0;
  let high = segmentCount;
  if (index >= usize(segmentOf(current).firstSpan)) {
    low = current;
    const near = current + 2;
    if (near < high && index < usize(segmentOf(near).firstSpan)) high = near;
  } else high = current;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (usize(segmentOf(middle).firstSpan) <= index) low = middle;
    else high = middle;
  }
  current = low;
  return segmentOf(low);
}

/** Makes span `index` the one that is swept. */
function take(index: usize): void {
  const sums = partialOf(index);
  clear(sums);
  span.sums = sums;
  const follows = index == taken + 1;
  taken = index;
  if (follows && advance()) return;
  const segment = segmentAt(index);
  if (span.segment != segment) enter(segment);
  prepare(index - usize(segment.firstSpan));
}

/** Sweeps spans that nobody has taken, until there are none: one's own share first. */
export function share<S>(): void {
  setShared(true);
  const many = max(usize(load<u32>(pool + SPANS)) / (threads * PORTIONS), 1);
  for (let k: usize = 0; k < threads; k++) {
    const owner = (thread + k) % threads;
    const next = pool + NEXT + owner * CHUNK;
    const end = shareOf(owner + 1);
    while (true) {
      let index = usize(atomic.add<i32>(next, i32(many)));
      if (index >= end) break;
      for (const last = min(index + many, end); index < last; index++) {
        take(index);
        changetype<S>(0).visit(span);
        if (isCopied()) finish();
      }
    }
  }
  setShared(false);
}

function open(task: i32): void {
  store<i32>(pool + TASK, task);
  for (let k: usize = 0; k < threads; k++) store<u32>(pool + NEXT + k * CHUNK, u32(shareOf(k)));
  const closed = atomic.load<i32>(pool + GATE);
  atomic.store<i32>(pool + GATE, closed + EPOCH + OPEN);
  if (atomic.load<i32>(pool + SLEEPERS) != 0) {
    // Waking takes longer than a short sweep: the next one does not wake them again.
    atomic.store<i32>(pool + SLEEPERS, 0);
    atomic.notify(pool + GATE, -1);
  }
}

/** Lets nobody in any more, and waits until all have left. Traps when one does not. */
function close(): void {
  atomic.and<i32>(pool + GATE, ~OPEN);
  for (let look: i32 = 0; (atomic.load<i32>(pool + GATE) & ALL_INSIDE) != 0; look++) {
    if (look == SPIN_TIMEOUT) unreachable();
    if (look >= SPIN_LIMIT && maySleep) return waitForAll();
  }
}

function waitForAll(): void {
  atomic.store<i32>(pool + LEADER_SLEEPS, 1);
  let timeouts: i32 = 0;
  while (true) {
    const state = atomic.load<i32>(pool + GATE);
    if ((state & ALL_INSIDE) == 0) break;
    if (timeouts == WAIT_TIMEOUT) unreachable();
    const woken = atomic.wait<i32>(pool + GATE, state, 1_000_000_000);
    if (woken == AtomicWaitResult.TIMED_OUT) timeouts++;
  }
  atomic.store<i32>(pool + LEADER_SLEEPS, 0);
}

/** Adds the spans' sums to their groups and tensors, in order. */
function gather(): void {
  let index: usize = 0;
  for (let k: usize = 0; k < segmentCount; k++) {
    const group = groupOf(segmentOf(k).group);
    const end = k + 1 < segmentCount ? usize(segmentOf(k + 1).firstSpan) : load<u32>(pool + SPANS);
    for (; index < end; index++) collect(group, partialOf(index));
  }
  gatherTensors(index);
}

export function sweepShared<S>(task: i32): void {
  open(task);
  share<S>();
  close();
  gather();
}

/**
 * Waits, awake first and then asleep, until there is something to do. Returns a task whose gate this thread has passed
 * and must `leave`, or minus a command that it shall lead, or 0 when it is to quit.
 */
export function nextTask(): i32 {
  let look: i32 = 0;
  while (true) {
    const state = atomic.load<i32>(pool + GATE);
    if (atomic.load<i32>(pool + QUIT) != 0) return 0;
    if (thread == 1) {
      const command = atomic.load<i32>(pool + COMMAND);
      if (command != 0) return -command;
    }
    const epoch = state & ~(EPOCH - 1);
    if ((state & OPEN) != 0 && epoch != lastEpoch) {
      if (atomic.cmpxchg<i32>(pool + GATE, state, state + INSIDE) != state) continue;
      lastEpoch = epoch;
      return load<i32>(pool + TASK);
    }
    if (look++ < SPIN_LIMIT) continue;
    look = 0;
    atomic.store<i32>(pool + SLEEPERS, 1);
    atomic.wait<i32>(pool + GATE, state, -1);
  }
}

export function leave(): void {
  const state = atomic.sub<i32>(pool + GATE, INSIDE);
  if ((state & OPEN) == 0 && atomic.load<i32>(pool + LEADER_SLEEPS) != 0) atomic.notify(pool + GATE, -1);
}

/** Tells a thread to lead what `command` says. It is done when `finishCommand` is called. */
export function command(command: i32): void {
  atomic.store<i32>(pool + COMMAND, command);
  wakeAll();
}

export function finishCommand(result: f64): void {
  store<f64>(pool + RESULT, result);
  atomic.store<i32>(pool + COMMAND, 0);
}

export function result(): f64 {
  return load<f64>(pool + RESULT);
}

/** Ends all other threads. */
export function quit(): void {
  atomic.store<i32>(pool + QUIT, 1);
  wakeAll();
}

/** Wakes the sleepers although the gate stays shut. */
function wakeAll(): void {
  atomic.add<i32>(pool + GATE, EPOCH);
  atomic.notify(pool + GATE, -1);
}
