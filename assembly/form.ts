/*
 * The constants that tell one form of the method from another; docs/notation.md has the table.
 * The host sets them once.
 */

/** How Δ_t comes about: its own vector, (x − xRef) / (S + eps), or x − xRef + S + eps (25). */
export enum Delta {
  STORED,
  RECONSTRUCTED,
  ADDITIVE,
}

/** What h adds to ⟨Δ_t, g_t⟩. */
export enum Pull {
  /** λ (‖g‖ / ‖x‖) S ‖Δ‖², 0 where ‖x‖ = 0. */
  PROXIMAL,
  /** λ S ‖g‖ ⟨Δ, y⟩ / (‖y‖ + eps) at y = x_t + u_t (arXiv 2306.00144, its PyTorch version). */
  DECAY_AHEAD,
  /** The same at y = x_t (its optax version). */
  DECAY,
  /** λ ‖g‖ / ‖x‖, as printed (26). */
  PRINTED,
}

export let deltaKind: i32 = Delta.STORED;
export let pullKind: i32 = Pull.PROXIMAL;
export let lambda: f64 = 0;
export let eps: f64 = 0;
/** m at the start, and what is added to |h| in m. */
export let mStart: f64 = 0;
export let mFloor: f64 = 0;
/** m takes h with its sign (27) instead of |h|. */
export let signed: bool = false;
/** r takes h clipped to ±m_{t−1}. */
export let clipsReward: bool = false;
/** r is kept ≥ 0 (30), not only read so. */
export let clampsReward: bool = false;
/** r takes s_{t−1} (29) instead of s_t. */
export let usesScaleBefore: bool = false;
/** √(v + eps) instead of √v + eps. */
export let epsInRoot: bool = false;

/** Coordinates' scales stay within this factor of the S of all coordinates together; infinite: unbounded. */
export let spread: f64 = Infinity;

export function setSpread(factor: f64): void {
  spread = factor;
}

export function setForm(delta: i32, pull: i32, pullWeight: f64, epsilon: f64, start: f64, floor: f64): void {
  deltaKind = delta;
  pullKind = pull;
  lambda = pullWeight;
  eps = epsilon;
  mStart = start;
  mFloor = floor;
}

export function setReading(isSigned: bool, clips: bool, clamps: bool, before: bool, inRoot: bool): void {
  signed = isSigned;
  clipsReward = clips;
  clampsReward = clamps;
  usesScaleBefore = before;
  epsInRoot = inRoot;
}

/** Where S has not begun below this, no anchor takes s_init below it: from 0 it would not return. */
export const LEAST: f32 = 1e-24;
