/*
 * Where everything lies in the memory, which the host provides: an optimizer's own, as large as `plan` says, or a part
 * of another library's, from a byte that the host names. Nothing moves afterwards.
 *
 *   from        ┐                           a multiple of 64, and not 0
 *   config      │ Config                    from the host, for good
 *   layout      │ Layout                    for the host: what is said here
 *   segments    │ Segment × segmentCount    spans of coordinates that are treated alike
 *   decays      │ Decay × betaPairs         the tuner's decay factors
 *   scalars     │ Scalars                   from the host, for the coming step
 *   summary      │ Summary                    for the host, of the state as it is
 *   ends        │ f64 × tensorCount         from the host: the coordinates behind the tensors' last ones
 *   tensors     │ TensorSums × tensorCount  for the host
 *   span        │ Span                      what is being swept: this and all up to the constants, for each thread
 *   staging     │ 64 B × (2 + stateCount)   sixteen coordinates cut out of the vectors (segments.ts), and their tuners
 *   deltaBlock  │ 4 KiB                     Δ_t of one block, where Δ is not stored
 *   gradBlock   │ 4 KiB                     g_t of one block, where it is clipped or decayed
 *   updateBlock │ 4 KiB                     u_t of one block, where x takes part in it
 *   zeroBlock   │ 4 KiB                     zeros
 *   hBlock      │ 4 KiB                     h of one block's coordinates
 *   gradsTail   │ 4 KiB                     a last block whose gradient and parameters are external, padded
 *   paramsTail  │ 4 KiB
 *   constants   │ 16 B × (CONSTANTS + 3 betaCount)  what a loop holds on to (held.ts)
 *   partials    │ PartialSums × spans       where threads share the sweeps: what every span finds,
 *   parts       │ PartSums × (spans + tensorCount)  and of every tensor's part in it, and
 *   pool        │ 64 B × (5 + threads)      how they agree (pool.ts)
 *   groups      │ { Group, Beta × groupPairs } × groupCount      ← saved
 *   vectors     │ stride bytes each, 64-byte aligned and zero behind the last coordinate:
 *               │   g      gradients                             (not saved)
 *               │   x      parameters                            ← saved, as are all that follow
 *               │                                                (g and x: absent where all segments' are external)
 *               │   xRef   reference point                       (absent without a tuner)
 *               │   Δ      accumulated base updates              (absent unless Δ is stored)
 *               │   …      the base optimizer's moments
 *               │   S      scales                                (these and all that follow: only with
 *               │   share  s_init / K                             a tuner for each coordinate)
 *               │   extra  u where h looks ahead; h where scales are bounded
 *   tuners      │ { m, v, r, s (and s of the step before) × betaCount } of eight coordinates, then of the next
 *   end         ┘
 */
import { Delta, Pull } from "./form";
import { Beta, Config, Decay, Group, Layout, PartialSums, PartSums, Scalars, Segment, Span } from "./records";
import { Summary, TensorSums } from "./records";

/** Bytes that one chunk of a sweep's loop handles: sixteen coordinates. Vectors are padded to it. */
export const CHUNK: usize = 64;
/** Bytes of eight coordinates, whose tuners lie together. */
export const EIGHT: usize = 32;
/** Bytes of a vector whose sums are taken in f32 lanes before they go to f64. */
export const BLOCK: usize = 4096;

/** Constants that a loop may hold, besides the betas' (held.ts). */
export const CONSTANTS: usize = 25;

/** Places of the state's vectors, which are all but g and x, counted from xRef. */
export const REFERENCE: usize = 0;
/** Δ_{t+1}, where it is stored. */
export const DELTA: usize = 1;
/** Has Δ a vector. Otherwise Δ_{t+1} is in x's until the parameters are rebuilt. */
export let deltaStored: bool = false;
export let slotsAt: usize = 0;
export let scaleAt: usize = 0;
export let shareAt: usize = 0;
export let extraAt: usize = 0;
export let stateCount: usize = 0;
/** How Δ_t comes about, and what h adds to ⟨Δ_t, g_t⟩: members of `Delta` and `Pull`. */
export let deltaKind: i32 = 0;
export let pullKind: i32 = 0;
/** Is there a tuner, and with it a reference point. */
export let tuned: bool = false;
/** Has every coordinate a tuner of its own. */
export let perCoordinate: bool = false;

export let size: usize = 0;
export let tensorCount: usize = 0;
export let segmentCount: usize = 0;
export let groupCount: usize = 0;
export let betaCount: usize = 0;
/** Tuners in a group; 0 where the coordinates have them. */
export let groupBetas: usize = 0;
/** The same in pairs. Of an odd number the last is alone: its partner's s is 0 and stays so. */
export let groupPairs: usize = 0;

export let config: Config = changetype<Config>(0);
export let segments: usize = 0;
export let decays: usize = 0;
export let scalars: Scalars = changetype<Scalars>(0);
export let summary: Summary = changetype<Summary>(0);
export let ends: usize = 0;
export let tensors: usize = 0;
export let span: Span = changetype<Span>(0);
export let staging: usize = 0;
export let deltaBlock: usize = 0;
export let gradBlock: usize = 0;
export let updateBlock: usize = 0;
export let zeroBlock: usize = 0;
export let hBlock: usize = 0;
export let gradsTail: usize = 0;
export let paramsTail: usize = 0;
export let constants: usize = 0;
export let partials: usize = 0;
export let parts: usize = 0;
export let pool: usize = 0;
export let groups: usize = 0;
export let groupBytes: usize = 0;
/** Are there vectors of g and x. */
export let complete: bool = false;
export let grads: usize = 0;
export let params: usize = 0;
export let states: usize = 0;
/** Coordinates' tuners: one stream to read and write, which processors fetch ahead far better than one for each field. */
export let tuners: usize = 0;
/** Bytes of eight coordinates' tuners: one beta's and all. */
export let betaBytes: usize = 0;
export let tunerBytes: usize = 0;
export let stride: usize = 0;
let end: u64 = 0;

/** Threads that share the sweeps, and which of them this instance of the binary is. */
export let threads: usize = 1;
export let thread: usize = 0;

@inline
function align(address: u64): u64 {
  return (address + u64(CHUNK) - 1) & ~(u64(CHUNK) - 1);
}

/**
 * Reads the configuration, which begins at byte `from`, a multiple of 64, and lays out the memory behind it. `index`:
 * which of the threads this instance is.
 */
export function plan(from: usize, index: u32): void {
  config = changetype<Config>(from);
  thread = index;
  count();
  const bytes = align(u64(config.size) * sizeof<f32>());
  size = usize(config.size);
  stride = usize(bytes);
  end = align(from + offsetof<Config>());
  const layout = changetype<Layout>(usize(end));
  end = align(end + offsetof<Layout>());
  placeRecords();
  placeScratch();
  if (ASC_FEATURE_THREADS) placePool(u64(config.size));
  placeVectors(bytes);
  describe(layout);
}

/** How many there are of everything, and the places of the state's vectors. */
function count(): void {
  deltaKind = i32(config.delta);
  pullKind = i32(config.pull);
  tuned = config.tuned != 0;
  deltaStored = tuned && deltaKind == Delta.STORED;
  const bounded = config.spread < Infinity;
  const twoSweeps = bounded || pullKind == Pull.DECAY_AHEAD;
  perCoordinate = config.perCoordinate != 0;
  threads = usize(config.threads);
  tensorCount = usize(config.tensors);
  segmentCount = usize(config.segments);
  groupCount = usize(config.groups);
  betaCount = usize(config.betas);
  groupBetas = perCoordinate && !bounded ? 0 : betaCount;
  groupPairs = (groupBetas + 1) / 2;
  complete = config.external == 0;
  slotsAt = usize(tuned) + usize(deltaStored);
  scaleAt = slotsAt + usize(config.slots);
  shareAt = scaleAt + 1;
  extraAt = shareAt + 1;
  stateCount = perCoordinate ? extraAt + usize(twoSweeps) : scaleAt;
  betaBytes = (4 + usize(config.usesScaleBefore != 0)) * EIGHT;
  tunerBytes = perCoordinate ? betaCount * betaBytes : 0;
  groupBytes = offsetof<Group>() + groupPairs * offsetof<Beta>();
}

function placeRecords(): void {
  segments = usize(end);
  end += u64(segmentCount) * offsetof<Segment>();
  decays = usize(end);
  end = align(end + ((betaCount + 1) / 2) * offsetof<Decay>());
  scalars = changetype<Scalars>(usize(end));
  end = align(end + offsetof<Scalars>());
  summary = changetype<Summary>(usize(end));
  ends = usize(end + offsetof<Summary>());
  tensors = ends + tensorCount * sizeof<f64>();
  end = align(u64(tensors) + u64(tensorCount) * offsetof<TensorSums>());
}

/** Each thread's own. */
function placeScratch(): void {
  const bytes: usize =
    (3 + stateCount) * CHUNK + 2 * tunerBytes + 7 * BLOCK + (CONSTANTS + 3 * betaCount) * 16;
  const scratch = usize(end) + (ASC_FEATURE_THREADS ? thread * bytes : 0);
  span = changetype<Span>(scratch);
  staging = scratch + CHUNK;
  deltaBlock = stagingTuners() + 2 * tunerBytes;
  gradBlock = deltaBlock + BLOCK;
  updateBlock = gradBlock + BLOCK;
  zeroBlock = updateBlock + BLOCK;
  hBlock = zeroBlock + BLOCK;
  gradsTail = hBlock + BLOCK;
  paramsTail = gradsTail + BLOCK;
  constants = paramsTail + BLOCK;
  end += ASC_FEATURE_THREADS ? u64(threads) * bytes : bytes;
}

/** A segment has a span for every block, one more for what is left, and two in the staging area. */
function placePool(n: u64): void {
  const spans = n / 1024 + 3 * u64(segmentCount);
  partials = usize(end);
  parts = usize(end + spans * offsetof<PartialSums>());
  end = align(u64(parts) + (spans + tensorCount) * offsetof<PartSums>());
  pool = usize(end);
  end += (5 + threads) * CHUNK;
}

function placeVectors(bytes: u64): void {
  groups = usize(end);
  end = align(end + u64(groupCount) * groupBytes);
  grads = usize(end);
  params = grads + usize(bytes);
  if (complete) end += bytes * 2;
  states = usize(end);
  end += bytes * stateCount;
  tuners = usize(end);
  end += (bytes / EIGHT) * tunerBytes;
}

function describe(layout: Layout): void {
  layout.end = f64(end);
  layout.scalars = f64(changetype<usize>(scalars));
  layout.summary = f64(changetype<usize>(summary));
  layout.tensors = f64(ends);
  layout.groups = f64(groups);
  layout.groupsLength = f64(groupCount * groupBytes);
  layout.vectors = f64(complete ? params : states);
  layout.vectorsLength = f64((usize(complete) + stateCount) * stride + (stride / EIGHT) * tunerBytes);
  layout.grads = f64(grads);
  layout.params = f64(params);
  layout.reference = f64(stateOf(REFERENCE));
  layout.slots = f64(stateOf(slotsAt));
  layout.scales = f64(stateOf(scaleAt));
  layout.stride = f64(stride);
  layout.perCoordinate = f64((2 * usize(complete) + stateCount) * sizeof<f32>() + tunerBytes / 8);
}

@inline
export function segmentOf(index: usize): Segment {
  return changetype<Segment>(segments + index * offsetof<Segment>());
}

/** Coordinates that take part. */
export function activeCount(): f64 {
  let count: f64 = 0;
  for (let k: usize = 0; k < segmentCount; k++) count += f64(segmentOf(k).last - segmentOf(k).first);
  return count;
}

@inline
export function groupOf(index: usize): Group {
  return changetype<Group>(groups + index * groupBytes);
}

/** Where the state's vector `index` begins. */
@inline
export function stateOf(index: usize): usize {
  return states + index * stride;
}

/** Where the tuner begins of the coordinate at byte `at` of a vector; its fields are 32 bytes apart. */
@inline
export function tunerOf(at: usize): usize {
  return tuners + offsetOfTuner(at);
}

@inline
export function offsetOfTuner(at: usize): usize {
  return (at / EIGHT) * tunerBytes + (at % EIGHT);
}

/** Where the staging area has the tuners of its sixteen coordinates. */
@inline
export function stagingTuners(): usize {
  return staging + (2 + stateCount) * CHUNK;
}

/** Where a span begins in the state's vector `index`. */
@inline
export function within(span: Span, index: usize): usize {
  return span.state + index * span.gap;
}

/** Where Δ_{t+1} of a span is. */
@inline
export function deltaOf(span: Span): usize {
  return deltaStored ? within(span, DELTA) : span.params;
}
