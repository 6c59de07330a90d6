/* What lies in the memory besides vectors: layout.ts says where. */

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
  /** Its first span, counted over all segments. Only threads need it. */
  firstSpan: u32;
  learningRate: f64;
  weightDecay: f64;
}

/*
 * Records of betas go in pairs, field by field, as the tuner takes two betas at a time: the next field of a beta is
 * behind that of its partner.
 */

/** Decay factors of one beta for m (27), v (28) and r (29). */
@unmanaged
export class Decay {
  m: f64;
  mOfPartner: f64;
  v: f64;
  vOfPartner: f64;
  r: f64;
  rOfPartner: f64;
}

/*
 * The records that the kernels share with the host hold nothing but f64: scripts/records.mjs tells the host where their
 * fields are. Yes and no are 1 and 0.
 */

/** What the host says once, before `plan`: all that does not change from step to step. Every thread reads it. */
@unmanaged
export class Config {
  /** How many coordinates, tensors, segments, groups, betas of the tuner and slots of the base there are. */
  size: f64;
  tensors: f64;
  segments: f64;
  groups: f64;
  betas: f64;
  slots: f64;
  /** Threads that share the sweeps. */
  threads: f64;
  /** Every segment gets a place for its gradient and parameters, which have no vectors here. */
  external: f64;
  /** Is there a tuner, and has every coordinate one of its own. */
  tuned: f64;
  perCoordinate: f64;
  /** What distinguishes the forms (form.ts): members of `Delta` and of `Pull`, and eps. */
  delta: f64;
  pull: f64;
  eps: f64;
  /** m at the start, and what is added to |h| in m. */
  mStart: f64;
  mFloor: f64;
  /** m takes h with its sign (27) instead of |h|. */
  signed: f64;
  /** r takes h clipped to ±m_{t−1}. */
  clipsReward: f64;
  /** r is kept ≥ 0 (30), not only read so. */
  clampsReward: f64;
  /** r takes s_{t−1} (29) instead of s_t. */
  usesScaleBefore: f64;
  /** √(v + eps) instead of √v + eps. */
  epsInRoot: f64;
  /** Coordinates' scales stay within this factor of the S of all coordinates together; infinite: unbounded. */
  spread: f64;
  /** Weight decay joins the update, times the learning rate (1), or the gradient (0). */
  decoupled: f64;
  /** The sweep reads x: for weight decay, or for the sums at x_t + u_t. */
  readsParams: f64;
  /** Coordinates of the gradient are clipped to ±bound. */
  bound: f64;
}

/** What `plan` tells the host: addresses, and numbers of bytes. */
@unmanaged
export class Layout {
  /** Where the memory ends. More than 4 GiB: no memory is so large. */
  end: f64;
  scalars: f64;
  summary: f64;
  tensors: f64;
  /** All that `save` keeps: the groups, and the vectors from x on (from xRef on, where x is external). */
  groups: f64;
  groupsLength: f64;
  vectors: f64;
  vectorsLength: f64;
  grads: f64;
  params: f64;
  /** The state's vectors, as far as there are such; from one slot of the base to the next it is a stride. */
  reference: f64;
  slots: f64;
  scales: f64;
  stride: f64;
  /** Bytes that a coordinate takes in all vectors. */
  perCoordinate: f64;
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
  k6: f64;
  k7: f64;
  /** η itself, for decoupled weight decay. */
  learningRate: f64;
  /** The factor that clips the gradient's norm. */
  clipScale: f64;
  /** The number of the rule (rules/index.ts); which of the base's slots its first is, and which the lead z − y is. */
  base: f64;
  firstSlot: f64;
  leadSlot: f64;
  /** β of schedule-free averaging, 0 for none; and the weight c of the new z in the average. */
  interpolation: f64;
  weight: f64;
  /** 1: s has a floor of its own, s_init / K; 0: the wealth has one (31). */
  ownFloor: f64;
  /** λ of h; a part of it at the step before which S was multiplied, as x is still where the old S had it. */
  lambda: f64;
  /** r takes h clipped to so many times ±m. */
  rewardLimit: f64;
  /** S is at most so many times what it was when the window began. */
  growthLimit: f64;
  /** S does not grow where the step promises more than this: S ⟨−u, g⟩, in units of the loss. */
  promiseLimit: f64;
  /** S grows at most so many times as fast as its evidence. */
  catchUp: f64;
  /** s_init where none was given, over ‖x‖ / ‖u_1‖; 0: one was given. */
  start: f64;
  /** 1: the step hashes the parameters that it leaves; 2: and those that it comes upon, as nobody has looked at them before. */
  hashes: f64;
  /** 1: the step sums by tensors, too. */
  watch: f64;
  /**
   * Found by the kernels before the sweep that uses it. The factor of the pull where each coordinate has a tuner:
   * λ ‖g‖ / ‖x‖, with y and eps as the form has them.
   */
  pullFactor: f64;
}

/** What the host wants to know after a step. */
@unmanaged
export class Summary {
  /** Σ h over all groups. */
  h: f64;
  /** S: the mean over all groups, and the largest. */
  scaleMean: f64;
  scaleMax: f64;
  /** ‖x‖² of all groups, and the least group's. */
  paramsSquares: f64;
  paramsSquaresMin: f64;
  /** ‖Δ‖². */
  deltaSquares: f64;
  /** Finite as long as every h, S, x and Δ is, and every square that was kept. */
  finiteCheck: f64;
  /** Σ ⟨e_t, g_t⟩ over all groups. */
  leadSlope: f64;
  /** The largest s_init; 0 where there is none yet. */
  sInitMax: f64;
  /** Hashes of the parameters (point.ts) as the last step came upon them, and as it left them. */
  hashFound: f64;
  hashLeft: f64;
}

/** What a step that is watched finds of a tensor. */
@unmanaged
export class TensorSums {
  /** ‖g_t‖² before clipping, ‖x_t‖² and ‖x_{t+1} − x_t‖². */
  gg: f64;
  xx: f64;
  dd: f64;
}

/** The same of its part in a span of a sweep that threads share. */
@unmanaged
export class PartSums extends TensorSums {
  tensor: u32;
  unused: u32;
}

/** What sweeps find: sums over the coordinates of a group, or of a span in it. */
@unmanaged
export class Sums {
  /** ‖g_t‖², clipped by value. */
  gg: f64;
  /** ⟨Δ_t, g_t⟩. */
  dg: f64;
  /** ‖Δ_t‖². */
  dd: f64;
  /** ‖x_t‖² and ⟨Δ_t, x_t⟩. */
  xx: f64;
  dx: f64;
  /** ‖y‖² and ⟨Δ_t, y⟩ at y = x_t + u_t. */
  yy: f64;
  dy: f64;
  /** h_t (26), or Σ h of the coordinates, and Σ h². */
  h: f64;
  hh: f64;
  /** ⟨Δ_{t+1}, g_t⟩. */
  nextDg: f64;
  /** ⟨e_t, g_t⟩ of the lead e = z − y: below 0 where the average lags behind. */
  leadDg: f64;
  /** Of the coordinates' scales, where each has a tuner. */
  scaleMean: f64;
  scaleMax: f64;
}

/** A group's sums, and its tuner: one for all, or one for each tensor. */
@unmanaged
export class Group extends Sums {
  /** S = Σ s. */
  scale: f64;
  /** s_init of the current window, which S has at its begin; 0 where it is still to be found. */
  sInit: f64;
  /** S of the step before. */
  scaleBefore: f64;
}

/** The sums of one span of a sweep that threads share, ‖g_t‖² before clipping, and its hashes. */
@unmanaged
export class PartialSums extends Sums {
  unclipped: f64;
  hashFound: f64;
  hashLeft: f64;
}

/** Coordinates to sweep, at most a block: where they begin, how many bytes of each vector, and where sums go. */
@unmanaged
export class Span {
  segment: Segment;
  sums: Sums;
  grads: usize;
  params: usize;
  /** In the state's vectors they follow `gap` bytes apart. */
  state: usize;
  gap: usize;
  /** Its coordinates' tuners, where each has one. */
  tuners: usize;
  bytes: usize;
}

/** One beta's tuner: m (27), v (28), r (29, 30), s (32), and s of the step before. */
@unmanaged
export class Beta {
  m: f64;
  mOfPartner: f64;
  v: f64;
  vOfPartner: f64;
  r: f64;
  rOfPartner: f64;
  s: f64;
  sOfPartner: f64;
  sBefore: f64;
  sBeforeOfPartner: f64;
}
