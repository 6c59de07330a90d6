import { scalars } from "./layout";
import { Scalars } from "./records";

/* The step's scalars, from the host. */

/** Coordinates of the gradient are clipped to ±bound. */
export let bound: f32 = Infinity;

export function setBound(value: f64): void {
  bound = f32(value);
}

export let rate: f64 = 0;
/** The number of the rule (rules/index.ts), and the places of its first slot and of the lead among the base's. */
export let base: i32 = 0;
export let firstSlot: usize = 0;
export let leadSlot: usize = 0;
/** Schedule-free averaging (update.ts): β, 0 for none, and c. */
export let interpolation: f64 = 0;
export let weight: f64 = 0;
export let decayRate: f64 = 0;
export let clipScale: f64 = 1;
/** The gradient goes through a clipped copy, block by block. */
export let clips: bool = false;

/** The rule's constant k. */
@inline
export function constant(k: usize): f64 {
  return load<f64>(changetype<usize>(scalars) + k * sizeof<f64>(), offsetof<Scalars>("k0"));
}

/** Factor of the pull where each coordinate has a tuner: λ ‖g‖ / ‖x‖, with y and eps as the form has them. */
export let pullFactor: f64 = 0;

export function setPullFactor(factor: f64): void {
  pullFactor = factor;
}

/** Weight decay joins the update, times the learning rate (true), or the gradient (false). */
export let decoupled: bool = false;
/** The sweep reads x: for weight decay, or for the sums at x_t + u_t. */
export let readsParams: bool = false;

export function setDecay(isDecoupled: bool, reads: bool): void {
  decoupled = isDecoupled;
  readsParams = reads;
}

/** Takes up the scalars of the coming step, which the host has written. */
export function begin(): void {
  const s = scalars;
  rate = s.rate;
  decayRate = s.decayRate;
  clipScale = s.clipScale;
  base = i32(s.base);
  firstSlot = usize(s.firstSlot);
  leadSlot = usize(s.leadSlot);
  interpolation = s.interpolation;
  weight = s.weight;
  clips = clipScale != 1 || bound < Infinity;
}
