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
  /** Its first run, counted over all segments. Only threads need it. */
  firstRun: u32;
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
  decayRate: f64;
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
  /** r takes h clipped to so many times ±m. */
  rewardLimit: f64;
  /** S is at most so many times what it was when the window began. */
  growthLimit: f64;
  /** S does not grow where the step promises more than this: S ⟨−u, g⟩, in units of the loss. */
  promiseLimit: f64;
  /** s_init where none was given, over ‖x‖ / ‖u_1‖; 0: one was given. */
  start: f64;
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
  /** Σ ⟨e_t, g_t⟩ over all groups. */
  leadDg: f64;
  /** The largest s_init; 0 where there is none yet. */
  sInitMax: f64;
}

/** What sweeps find: sums over the coordinates of a group, or of a run in it. */
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

/** What one run of a sweep that threads share finds, and ‖g_t‖² before clipping. */
@unmanaged
export class Found extends Sums {
  unclipped: f64;
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
