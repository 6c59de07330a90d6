import { groupOf, run, segmentCount, segmentOf, team, thread, threads, TURN } from "./layout";
import { Segment } from "./records";
import { advance, enter, finish, isCopied, prepare } from "./segments";
import { begin, pullFactor, setPullFactor } from "./step";
import { clear, collect, foundOf } from "./sums";

/*
 * How threads share a sweep. One leads: it opens the gate, sweeps too, and closes the gate when no run is left. Others
 * pass the gate while it is open, help, and leave. Every thread has a share of the runs, takes the next one of its own
 * with an atomic addition, and then helps with the other shares. So nobody waits for a thread that is late or asleep:
 * the leader waits only for those inside, each of which has at most one run to finish.
 *
 *   gate  ┌── epoch ── 24 ──┬── threads inside ── 7 ──┬── open ── 1 ──┐
 *
 * Words that different threads write lie 64 bytes apart.
 */

const GATE: usize = 0;
/** Some threads may have gone to sleep since all were last woken. */
const SLEEPERS: usize = TURN;
/** The leader sleeps until the last one has left. */
const LEADER_SLEEPS: usize = 2 * TURN;
const QUIT: usize = 3 * TURN;
/** What a thread shall lead, 0 for nothing. */
const COMMAND: usize = 3 * TURN + 4;
/** What the sweep in progress does, and with how many runs. */
const TASK: usize = 4 * TURN;
const RUNS: usize = 4 * TURN + 4;
const RESULT: usize = 4 * TURN + 8;
const PULL_FACTOR: usize = 4 * TURN + 16;
/** The next run of each thread's share. */
const NEXT: usize = 5 * TURN;

const OPEN: i32 = 1;
const INSIDE: i32 = 2;
const ALL_INSIDE: i32 = 0xfe;
const EPOCH: i32 = 0x100;

/** A share is taken in at least so many portions of whole runs, if it has so many. */
const PORTIONS: usize = 32;

/** Looks at a word before a thread goes to sleep: some 30 µs. */
const PATIENCE: i32 = 20_000;
/** Looks, and waits of 1 s, after which a thread that is inside is taken for dead. */
const LAST_LOOK: i32 = i32.MAX_VALUE;
const LAST_WAIT: i32 = 20;

/** May this instance sleep? A page's main thread may not. */
let maySleep: bool = true;
/** The last epoch that this instance took part in. */
let lastEpoch: i32 = 0;
/** The last run, and the place of its segment. */
let taken: usize = 0;
let current: usize = 0;

export function setSleep(allowed: bool): void {
  maySleep = allowed;
}

/** Numbers the runs. Once, when all segments are there. */
export function countRuns(): void {
  let runs: usize = 0;
  for (let k: usize = 0; k < segmentCount; k++) {
    const segment = segmentOf(k);
    segment.firstRun = u32(runs);
    runs += enter(segment);
  }
  store<i32>(team + RUNS, runs);
}

/** The first run of a thread's share. */
@inline
function shareOf(index: usize): usize {
  return (load<u32>(team + RUNS) * u32(index)) / u32(threads);
}

/** The segment of run `index`: most often that of the run before, or the next. */
function segmentAt(index: usize): Segment {
  let low: usize = 0;
  let high = segmentCount;
  if (index >= usize(segmentOf(current).firstRun)) {
    low = current;
    const near = current + 2;
    if (near < high && index < usize(segmentOf(near).firstRun)) high = near;
  } else high = current;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (usize(segmentOf(middle).firstRun) <= index) low = middle;
    else high = middle;
  }
  current = low;
  return segmentOf(low);
}

/** Makes run `index` the one that is swept. */
function take(index: usize): void {
  const found = foundOf(index);
  clear(found);
  run.sums = found;
  const follows = index == taken + 1;
  taken = index;
  if (follows && advance()) return;
  const segment = segmentAt(index);
  if (run.segment != segment) enter(segment);
  prepare(index - usize(segment.firstRun));
}

/** Sweeps runs that nobody has taken, until there are none: one's own share first. */
export function share<S>(): void {
  const many = max(usize(load<u32>(team + RUNS)) / (threads * PORTIONS), 1);
  for (let turn: usize = 0; turn < threads; turn++) {
    const owner = (thread + turn) % threads;
    const next = team + NEXT + owner * TURN;
    const end = shareOf(owner + 1);
    while (true) {
      let index = usize(atomic.add<i32>(next, i32(many)));
      if (index >= end) break;
      for (const last = min(index + many, end); index < last; index++) {
        take(index);
        changetype<S>(0).run(run);
        if (isCopied()) finish();
      }
    }
  }
}

function open(task: i32): void {
  store<i32>(team + TASK, task);
  store<f64>(team + PULL_FACTOR, pullFactor);
  for (let k: usize = 0; k < threads; k++) store<u32>(team + NEXT + k * TURN, u32(shareOf(k)));
  const closed = atomic.load<i32>(team + GATE);
  atomic.store<i32>(team + GATE, closed + EPOCH + OPEN);
  if (atomic.load<i32>(team + SLEEPERS) != 0) {
    // Waking takes longer than a short sweep: the next one does not wake them again.
    atomic.store<i32>(team + SLEEPERS, 0);
    atomic.notify(team + GATE, -1);
  }
}

/** Lets nobody in any more, and waits until all have left. Traps when one does not. */
function close(): void {
  atomic.and<i32>(team + GATE, ~OPEN);
  for (let look: i32 = 0; (atomic.load<i32>(team + GATE) & ALL_INSIDE) != 0; look++) {
    if (look == LAST_LOOK) unreachable();
    if (look >= PATIENCE && maySleep) return waitForAll();
  }
}

function waitForAll(): void {
  atomic.store<i32>(team + LEADER_SLEEPS, 1);
  let timeouts: i32 = 0;
  while (true) {
    const state = atomic.load<i32>(team + GATE);
    if ((state & ALL_INSIDE) == 0) break;
    if (timeouts == LAST_WAIT) unreachable();
    const woken = atomic.wait<i32>(team + GATE, state, 1_000_000_000);
    if (woken == AtomicWaitResult.TIMED_OUT) timeouts++;
  }
  atomic.store<i32>(team + LEADER_SLEEPS, 0);
}

/** Adds what the runs found to their groups, in order. */
function gather(): void {
  let index: usize = 0;
  for (let k: usize = 0; k < segmentCount; k++) {
    const group = groupOf(segmentOf(k).group);
    const end = k + 1 < segmentCount ? usize(segmentOf(k + 1).firstRun) : load<u32>(team + RUNS);
    for (; index < end; index++) collect(group, foundOf(index));
  }
}

export function sweepTogether<S>(task: i32): void {
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
    const state = atomic.load<i32>(team + GATE);
    if (atomic.load<i32>(team + QUIT) != 0) return 0;
    if (thread == 1) {
      const command = atomic.load<i32>(team + COMMAND);
      if (command != 0) return -command;
    }
    const epoch = state & ~(EPOCH - 1);
    if ((state & OPEN) != 0 && epoch != lastEpoch) {
      if (atomic.cmpxchg<i32>(team + GATE, state, state + INSIDE) != state) continue;
      lastEpoch = epoch;
      begin();
      setPullFactor(load<f64>(team + PULL_FACTOR));
      return load<i32>(team + TASK);
    }
    if (look++ < PATIENCE) continue;
    look = 0;
    atomic.store<i32>(team + SLEEPERS, 1);
    atomic.wait<i32>(team + GATE, state, -1);
  }
}

export function leave(): void {
  const state = atomic.sub<i32>(team + GATE, INSIDE);
  if ((state & OPEN) == 0 && atomic.load<i32>(team + LEADER_SLEEPS) != 0) atomic.notify(team + GATE, -1);
}

/** Tells a thread to lead what `command` says. It is done when `led` is called. */
export function command(command: i32): void {
  atomic.store<i32>(team + COMMAND, command);
  stir();
}

export function led(result: f64): void {
  store<f64>(team + RESULT, result);
  atomic.store<i32>(team + COMMAND, 0);
}

export function result(): f64 {
  return load<f64>(team + RESULT);
}

/** Ends all other threads. */
export function quit(): void {
  atomic.store<i32>(team + QUIT, 1);
  stir();
}

/** Wakes the sleepers although the gate stays shut. */
function stir(): void {
  atomic.add<i32>(team + GATE, EPOCH);
  atomic.notify(team + GATE, -1);
}
