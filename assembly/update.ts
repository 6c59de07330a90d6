import { Adadelta } from "./rules/adadelta";
import { Adagrad } from "./rules/adagrad";
import { Adam } from "./rules/adam";
import { Adamax } from "./rules/adamax";
import { Amsgrad } from "./rules/amsgrad";
import { Lion } from "./rules/lion";
import { Momentum } from "./rules/momentum";
import { Nadam } from "./rules/nadam";
import { Rmsprop, rmsRoot } from "./rules/rmsprop";
import { RmspropMomentum } from "./rules/rmsprop-momentum";
import { Sgd } from "./rules/sgd";
import { held, hold, slotsAt, updateBlock, within, zeroBlock } from "./layout";
import { Run } from "./records";
import { bounded } from "./scan";
import { base, constant, firstSlot, interpolation, leadSlot, longest, weight } from "./step";
import { addProduct, at, put, Q0, Q1, Q2, Q3, total, zero } from "./vec";

/*
 * The base optimizers' loop. It is generic over the rule and compiled once for each, so there is no call inside.
 */

/** The rules that the host can choose from. */
export enum Base {
  SGD,
  MOMENTUM,
  ADAM,
  LION,
  AMSGRAD,
  NADAM,
  ADAMAX,
  RMSPROP,
  RMSPROP_MOMENTUM,
  ADAGRAD,
  ADADELTA,
}

/** Places of the averaging's constants among those that a loop holds. */
const WEIGHT: usize = 8;
const REST: usize = 9;
const PACE: usize = 10;
const NEAR: usize = 11;
const HIGH: usize = 12;
const LOW: usize = 13;

/** A rule's step size for a segment, and its constants. */
function holdRule(rate: f64): void {
  // The gradient is stepped against.
  hold(0, -rate);
  for (let k: usize = 0; k < 6; k++) hold(1 + k, constant(k));
}

/** d is `step` times the direction that the loop finds. */
function holdAveraging(step: f64): void {
  hold(WEIGHT, weight);
  hold(REST, 1 - weight);
  hold(PACE, step * interpolation);
  hold(NEAR, step * (1 - interpolation * (1 - weight)));
}

/** The base's loop over one run: with averaging where the step asks for it. */
export function runBase(run: Run, rate: f64, from: usize, delta: usize, next: usize): void {
  if (interpolation == 0) return runRule(run, rate, from, delta, next);
  const first = within(run, slotsAt + firstSlot);
  holdRule(rate);
  holdAveraging(-rate);
  switch (base) {
    case Base.SGD:
      return average<Gradient>(run, from, delta, next, first);
    case Base.RMSPROP:
      // Its fourth constant is the unit of its direction.
      hold(HIGH, longest * constant(3));
      hold(LOW, -longest * constant(3));
      return average<Normalized>(run, from, delta, next, first);
    default:
      runRule(run, rate, from, zeroBlock, updateBlock);
      return averageGiven(run, from, delta, next);
  }
}

/** Averages d as it stands in `updateBlock`. */
export function averageGiven(run: Run, from: usize, delta: usize, next: usize): void {
  holdAveraging(1);
  average<Given>(run, from, delta, next, updateBlock);
}

/** The chosen rule's loop over one run: see `sweepRule`. */
export function runRule(run: Run, rate: f64, from: usize, delta: usize, next: usize): void {
  const slots = within(run, slotsAt + firstSlot);
  const bytes = run.bytes;
  const gap = run.gap;
  holdRule(rate);
  switch (base) {
    case Base.SGD:
      return sweepRule<Sgd>(from, bytes, delta, next, slots, gap);
    case Base.MOMENTUM:
      return sweepRule<Momentum>(from, bytes, delta, next, slots, gap);
    case Base.ADAM:
      return sweepRule<Adam>(from, bytes, delta, next, slots, gap);
    case Base.LION:
      return sweepRule<Lion>(from, bytes, delta, next, slots, gap);
    case Base.AMSGRAD:
      return sweepRule<Amsgrad>(from, bytes, delta, next, slots, gap);
    case Base.NADAM:
      return sweepRule<Nadam>(from, bytes, delta, next, slots, gap);
    case Base.ADAMAX:
      return sweepRule<Adamax>(from, bytes, delta, next, slots, gap);
    case Base.RMSPROP:
      return sweepRule<Rmsprop>(from, bytes, delta, next, slots, gap);
    case Base.RMSPROP_MOMENTUM:
      return sweepRule<RmspropMomentum>(from, bytes, delta, next, slots, gap);
    case Base.ADAGRAD:
      return sweepRule<Adagrad>(from, bytes, delta, next, slots, gap);
    case Base.ADADELTA:
      return sweepRule<Adadelta>(from, bytes, delta, next, slots, gap);
  }
}

/** What a loop found: Σ Δ_t g_t. */
export let foundDg: f64 = 0;

/**
 * The loop. Reads the gradient at `from` and Δ_t at `delta`, writes Δ_t + u_t to `next`. Roots and divisions keep a
 * multiplier busy: another sum here, such as ‖Δ_{t+1}‖², costs more than in a later loop that loads and stores.
 */
function sweepRule<R>(from: usize, bytes: usize, delta: usize, next: usize, first: usize, gap: usize): void {
  const rule = changetype<R>(0);
  const step = held(0);
  const c0 = held(1);
  const c1 = held(2);
  const c2 = held(3);
  const c3 = held(4);
  const c4 = held(5);
  const c5 = held(6);
  let second = first + gap;
  let third = second + gap;
  let dg = zero();
  for (const end = from + bytes; from < end; from += 64, delta += 64, next += 64) {
    const d0 = at<Q0>(delta);
    const g0 = at<Q0>(from);
    put<Q0>(next, f32x4.add(d0, rule.update<Q0>(first, second, third, g0, step, c0, c1, c2, c3, c4, c5)));
    const d1 = at<Q1>(delta);
    const g1 = at<Q1>(from);
    put<Q1>(next, f32x4.add(d1, rule.update<Q1>(first, second, third, g1, step, c0, c1, c2, c3, c4, c5)));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d0, g0), d1, g1));
    const d2 = at<Q2>(delta);
    const g2 = at<Q2>(from);
    put<Q2>(next, f32x4.add(d2, rule.update<Q2>(first, second, third, g2, step, c0, c1, c2, c3, c4, c5)));
    const d3 = at<Q3>(delta);
    const g3 = at<Q3>(from);
    put<Q3>(next, f32x4.add(d3, rule.update<Q3>(first, second, third, g3, step, c0, c1, c2, c3, c4, c5)));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d2, g2), d3, g3));
    first += 64;
    second += 64;
    third += 64;
  }
  foundDg = total(dg);
}

/** The directions that are averaged: d over the step size. */

/** Of gradient descent. */
@unmanaged
class Gradient {
  @inline
  find<Q>(first: usize, g: v128, c0: v128, c1: v128, c2: v128, low: v128, high: v128): v128 {
    return g;
  }
}

/** Of RMSProp, and of Adam without momentum. */
@unmanaged
class Normalized {
  @inline
  find<Q>(nus: usize, g: v128, alpha: v128, rest: v128, eps: v128, low: v128, high: v128): v128 {
    return bounded(f32x4.div(g, rmsRoot<Q>(nus, g, alpha, rest, eps)), low, high);
  }
}

/** As it stands in the first slot's place. */
@unmanaged
class Given {
  @inline
  find<Q>(first: usize, g: v128, c0: v128, c1: v128, c2: v128, low: v128, high: v128): v128 {
    return at<Q>(first);
  }
}

/**
 * Schedule-free averaging (arXiv 2405.15682) of what a rule without momentum does. z ← z + d is the rule's own point,
 * x̄ ← x̄ + c (z − x̄) its average, and the gradient is taken at y = (1 − β) z + β x̄. Of the three, y is Δ here (or x,
 * without a tuner), and the lead e = z − y is kept: then x̄ = y − (1 − β) / β · e, and an anchor changes nothing in it.
 * u = (1 − β (1 − c)) d + c e, e ← (1 − c) (e + β d), where d is a step size times a direction: `pace` is β times that
 * step size, `near` 1 − β (1 − c) times it. Returns u for four coordinates, and writes their e.
 */
@inline
function averaged<Q>(
  lead: usize,
  e: v128,
  direction: v128,
  weight: v128,
  rest: v128,
  pace: v128,
  near: v128,
): v128 {
  put<Q>(lead, f32x4.mul(rest, addProduct(e, pace, direction)));
  return addProduct(f32x4.mul(near, direction), weight, e);
}

/** The loop with averaging. Otherwise as `sweepRule`. */
function average<D>(run: Run, from: usize, delta: usize, next: usize, first: usize): void {
  const rule = changetype<D>(0);
  const c0 = held(1);
  const c1 = held(2);
  const c2 = held(3);
  const weight = held(WEIGHT);
  const rest = held(REST);
  const pace = held(PACE);
  const near = held(NEAR);
  const high = held(HIGH);
  const low = held(LOW);
  let lead = within(run, slotsAt + leadSlot);
  let dg = zero();
  let eg = zero();
  for (const end = from + run.bytes; from < end; from += 32, delta += 32, next += 32) {
    const d0 = at<Q0>(delta);
    const g0 = at<Q0>(from);
    const p0 = rule.find<Q0>(first, g0, c0, c1, c2, low, high);
    const e0 = at<Q0>(lead);
    put<Q0>(next, f32x4.add(d0, averaged<Q0>(lead, e0, p0, weight, rest, pace, near)));
    const d1 = at<Q1>(delta);
    const g1 = at<Q1>(from);
    const p1 = rule.find<Q1>(first, g1, c0, c1, c2, low, high);
    const e1 = at<Q1>(lead);
    put<Q1>(next, f32x4.add(d1, averaged<Q1>(lead, e1, p1, weight, rest, pace, near)));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d0, g0), d1, g1));
    eg = f32x4.add(eg, addProduct(f32x4.mul(e0, g0), e1, g1));
    first += 32;
    lead += 32;
  }
  foundDg = total(dg);
  run.sums.leadDg += total(eg);
}
