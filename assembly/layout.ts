/*
 * Where everything lies in the memory, which the host provides: an optimizer's own, sized once by `reserve` before the
 * host makes a view, or a part of another library's, from a byte that the host names. Nothing moves afterwards.
 *
 *   from        ┐                            __heap_base, in a memory of our own
 *   segments    │ Segment × segmentCount    runs of coordinates that are treated alike
 *   decays      │ Decay × betaCount         the tuner's decay factors
 *   scalars     │ Scalars                   from the host, for the coming step
 *   report      │ Report                    for the host, of the state as it is
 *   run         │ Run                       what is being swept
 *   stage       │ 64 B × (2 + stateCount)   sixteen coordinates cut out of the vectors (segments.ts)
 *   deltaBlock  │ 4 KiB                     Δ_t of one block, where Δ is not stored
 *   gradBlock   │ 4 KiB                     g_t of one block, where it is clipped or decayed
 *   updateBlock │ 4 KiB                     u_t of one block, where x takes part in it
 *   zeroBlock   │ 4 KiB                     zeros
 *   hBlock      │ 4 KiB                     h of one block's coordinates
 *   gradsTail   │ 4 KiB                     a last block whose gradient and parameters are elsewhere, padded
 *   paramsTail  │ 4 KiB
 *   constants   │ 16 B × 16                 what a loop holds on to (see held)
 *   groups      │ { Group, Beta × groupBetas } × groupCount      ← saved
 *   vectors     │ stride bytes each, 64-byte aligned and zero behind the last coordinate:
 *               │   g      gradients                             (not saved)
 *               │   x      parameters                            ← saved, as are all that follow
 *               │                                                (g and x: absent where all segments' are elsewhere)
 *               │   xRef   reference point                       (absent without a tuner)
 *               │   Δ      accumulated base updates              (absent unless Δ is stored)
 *               │   …      the base optimizer's moments
 *               │   S      scales                                (these and all that follow: only with
 *               │   share  s_init / K                             a tuner for each coordinate)
 *               │   extra  u where h looks ahead; h where scales are bounded
 *               │   …      m, v, r, s (and s of the step before) × betaCount
 *   end         ┘
 */

/** Bytes that one turn of a sweep's loop handles: sixteen coordinates. Vectors are padded to it. */
export const TURN: usize = 64;
/** Bytes of a vector whose sums are taken in f32 lanes before they go to f64. */
export const BLOCK: usize = 4096;

/** Coordinates first … last − 1 share a group, a learning-rate multiplier and a weight decay. */
@unmanaged
export class Segment {
  first: u32;
  last: u32;
  group: u32;
  /** Are g and x in vectors of ours, with zeros behind the last coordinate. */
  padded: bool;
  /** Where g and x of the first coordinate are. */
  grads: usize;
  params: usize;
  learningRate: f64;
  weightDecay: f64;
}

/** Decay factors of one beta for m (27), v (28) and r (29). */
@unmanaged
export class Decay {
  m: f64;
  v: f64;
  r: f64;
}

/** What the host says of the coming step. */
@unmanaged
export class Scalars {
  /** The base's step size: η times its bias correction. */
  rate: f64;
  /** The rule's constants. */
  k0: f64;
  k1: f64;
  k2: f64;
  k3: f64;
  k4: f64;
  k5: f64;
  /** η itself, for decoupled weight decay. */
  decayRate: f64;
  /** The factor that clips the gradient's norm. */
  clipScale: f64;
}

/** What the host wants to know after a step: read at once, as every call costs it more than a read. */
@unmanaged
export class Report {
  /** Σ h over all groups. */
  h: f64;
  /** S: the mean over all groups, and the largest. */
  scaleMean: f64;
  scaleMax: f64;
  /** ‖x‖² of all groups, and the least group's. */
  xx: f64;
  xxMin: f64;
  /** ‖Δ‖². */
  dd: f64;
  /** Finite as long as every h, S, x and Δ is, and every square that was kept. */
  vitality: f64;
}

/** What sweeps find: sums over the coordinates of a group, or of a run in it. */
@unmanaged
export class Sums {
  /** ‖g_t‖², clipped by value. */
  gg: f64;
  /** ⟨Δ_t, g_t⟩. */
  dg: f64;
  /** ‖Δ_t‖², and what the sweep in progress finds for Δ_{t+1}. */
  dd: f64;
  ddNext: f64;
  /** ‖x_t‖² and ⟨Δ_t, x_t⟩. */
  xx: f64;
  dx: f64;
  /** ‖y‖² and ⟨Δ_t, y⟩ at y = x_t + u_t. */
  yy: f64;
  dy: f64;
  /** h_t (26), or Σ h of the coordinates, and Σ h². */
  h: f64;
  hh: f64;
  /** Of the coordinates' scales, where each has a tuner. */
  scaleMean: f64;
  scaleMax: f64;
}

/** A group's sums, and its tuner: one for all, or one for each tensor. */
@unmanaged
export class Group extends Sums {
  /** S = Σ s. */
  scale: f64;
  /** s_init of the current window. */
  sInit: f64;
}

/** Coordinates to sweep, at most a block: where they begin, how many bytes of each vector, and where sums go. */
@unmanaged
export class Run {
  segment: Segment;
  sums: Sums;
  grads: usize;
  params: usize;
  /** In the state's vectors they follow `gap` bytes apart. */
  state: usize;
  gap: usize;
  bytes: usize;
}

/** One beta's tuner: m (27), v (28), r (29, 30), s (32), and s of the step before. */
@unmanaged
export class Beta {
  m: f64;
  v: f64;
  r: f64;
  s: f64;
  sBefore: f64;
}

/** Places of the state's vectors, which are all but g and x, counted from xRef. */
export const REFERENCE: usize = 0;
/** Δ_{t+1}, where it is stored. */
export let deltaAt: usize = 0;
/** Has Δ a vector. Otherwise Δ_{t+1} is in x's until the parameters are rebuilt. */
export let deltaStored: bool = false;
export let slotsAt: usize = 0;
export let scaleAt: usize = 0;
export let shareAt: usize = 0;
export let extraAt: usize = 0;
export let planesAt: usize = 0;
/** Vectors of one beta's tuners: m, v, r, s, and s of the step before where it is kept. */
export let planesPerBeta: usize = 0;
export let stateCount: usize = 0;
/** Is there a tuner, and with it a reference point. */
export let tuned: bool = false;
/** Has every coordinate a tuner of its own. */
export let perCoordinate: bool = false;

export let size: usize = 0;
export let segmentCount: usize = 0;
export let groupCount: usize = 0;
export let betaCount: usize = 0;
/** Tuners in a group; 0 where the coordinates have them. */
export let groupBetas: usize = 0;

export let segments: usize = 0;
export let decays: usize = 0;
export let scalars: Scalars = changetype<Scalars>(0);
export let report: Report = changetype<Report>(0);
export let run: Run = changetype<Run>(0);
export let stage: usize = 0;
export let deltaBlock: usize = 0;
export let gradBlock: usize = 0;
export let updateBlock: usize = 0;
export let zeroBlock: usize = 0;
export let hBlock: usize = 0;
export let gradsTail: usize = 0;
export let paramsTail: usize = 0;
let constants: usize = 0;
export let groups: usize = 0;
export let groupBytes: usize = 0;
/** Are there vectors of g and x. */
export let complete: bool = false;
export let grads: usize = 0;
export let params: usize = 0;
export let states: usize = 0;
export let stride: usize = 0;
let end: u64 = 0;

@inline
function align(address: u64): u64 {
  return (address + u64(TURN) - 1) & ~(u64(TURN) - 1);
}

/**
 * Plans the memory and returns its size in bytes (more than 4 GiB means that it cannot be reserved).
 * `stored`: Δ has a vector of its own; `slots`: moments per coordinate; `keepsBefore`: s of the step before is
 * kept; `twoSweeps`: coordinates' tuners need a sweep before theirs, and a vector to keep what it found; `bounded`:
 * there is a tuner over all coordinates beside theirs; `from`: the first byte that may be used, 0 for the memory's;
 * `elsewhere`: every segment gets a place for its gradient and parameters.
 */
// eslint-disable-next-line max-lines-per-function -- straight-line code
export function plan(
  n: f64,
  segmentsWanted: u32,
  groupsWanted: u32,
  betas: u32,
  slots: u32,
  hasTuner: bool,
  stored: bool,
  coordinates: bool,
  keepsBefore: bool,
  twoSweeps: bool,
  bounded: bool,
  from: usize,
  elsewhere: bool,
): f64 {
  tuned = hasTuner;
  perCoordinate = coordinates;
  segmentCount = segmentsWanted;
  groupCount = groupsWanted;
  betaCount = betas;
  groupBetas = coordinates && !bounded ? 0 : betas;
  complete = !elsewhere;
  deltaStored = stored;
  deltaAt = REFERENCE + 1;
  slotsAt = usize(tuned) + usize(stored);
  scaleAt = slotsAt + slots;
  shareAt = scaleAt + 1;
  extraAt = shareAt + 1;
  planesAt = extraAt + usize(twoSweeps);
  planesPerBeta = 4 + usize(keepsBefore);
  stateCount = coordinates ? planesAt + betaCount * planesPerBeta : scaleAt;
  groupBytes = offsetof<Group>() + groupBetas * offsetof<Beta>();
  const bytes = align(u64(n) * sizeof<f32>());

  end = align(from ? from : __heap_base);
  segments = usize(end);
  end += u64(segmentCount) * offsetof<Segment>();
  decays = usize(end);
  end = align(end + betaCount * offsetof<Decay>());
  scalars = changetype<Scalars>(usize(end));
  end = align(end + offsetof<Scalars>());
  report = changetype<Report>(usize(end));
  end = align(end + offsetof<Report>());
  run = changetype<Run>(usize(end));
  stage = usize(end) + TURN;
  end += (3 + stateCount) * TURN;
  deltaBlock = usize(end);
  gradBlock = deltaBlock + BLOCK;
  updateBlock = gradBlock + BLOCK;
  zeroBlock = updateBlock + BLOCK;
  hBlock = zeroBlock + BLOCK;
  gradsTail = hBlock + BLOCK;
  paramsTail = gradsTail + BLOCK;
  constants = paramsTail + BLOCK;
  end += 7 * BLOCK + 256;
  groups = usize(end);
  end = align(end + u64(groupCount) * groupBytes);
  grads = usize(end);
  params = grads + usize(bytes);
  if (complete) end += bytes * 2;
  states = usize(end);
  end += bytes * stateCount;

  size = usize(n);
  stride = usize(bytes);
  return f64(end);
}

/** Grows the memory to what was planned; false when the machine has not got it. */
export function reserve(): bool {
  // One page more than needed keeps every end pointer below 2³².
  const missing = i64(end >> 16) + 1 - i64(memory.size());
  return missing <= 0 || memory.grow(i32(missing)) >= 0;
}

@inline
export function segmentOf(index: usize): Segment {
  return changetype<Segment>(segments + index * offsetof<Segment>());
}

@inline
export function groupOf(index: usize): Group {
  return changetype<Group>(groups + index * groupBytes);
}

@inline
export function betaOf(group: Group, index: usize): Beta {
  return changetype<Beta>(changetype<usize>(group) + offsetof<Group>() + index * offsetof<Beta>());
}

/** Where the state's vector `index` begins. */
@inline
export function stateOf(index: usize): usize {
  return states + index * stride;
}

/** Where a run begins in the state's vector `index`. */
@inline
export function within(run: Run, index: usize): usize {
  return run.state + index * run.gap;
}

/** Where Δ_{t+1} of a run is. */
@inline
export function deltaOf(run: Run): usize {
  return deltaStored ? within(run, deltaAt) : run.params;
}

@inline
export function decayOf(index: usize): Decay {
  return changetype<Decay>(decays + index * offsetof<Decay>());
}

/**
 * Keeps four lanes of a constant for a loop that begins with `held`. Made by splat alone, V8 would make it anew in
 * every turn: it moves what is cheap to where it is used, and a conversion to float32 counts as cheap.
 */
export function hold(index: usize, value: f64): void {
  v128.store(constants + index * 16, f32x4.splat(f32(value)));
}

@inline
export function held(index: usize): v128 {
  return v128.load(constants + index * 16);
}
