import { held, hold } from "../memory/held";
import { scalars, slotsAt, updateBlock, within, zeroBlock } from "../memory/layout";
import { Span } from "../memory/records";
import { withDirection, withRule } from "../rules/index";
import { constant } from "../memory/step";
import { addProduct, at, put, Q0, Q1, Q2, Q3, total, zero } from "../vec";

/*
 * The base optimizers' loop. It is generic over the rule and compiled once for each, so there is no call inside.
 */

/** Places among what a loop holds: the rule's step size and from 1 on its constants, then the averaging's. */
const STEP: usize = 0;
const WEIGHT: usize = 9;
const REST: usize = 10;
const PACE: usize = 11;
const NEAR: usize = 12;

/** The rule's constants, for all spans of a step. Each thread has its own place for them. */
export function holdConstants(): void {
  for (let k: usize = 0; k < 8; k++) hold(1 + k, constant(k));
}

/** d is `step` times the direction that the loop finds. */
function holdAveraging(step: f64): void {
  hold(WEIGHT, scalars.weight);
  hold(REST, 1 - scalars.weight);
  hold(PACE, step * scalars.interpolation);
  hold(NEAR, step * (1 - scalars.interpolation * (1 - scalars.weight)));
}

/** The rule's constant k, where it takes so many. */
@inline
function taken<R>(rule: R, k: i32): v128 {
  return k < rule.constants ? held(1 + k) : zero();
}

/** Where the rule's slots begin. */
@inline
function firstSlot(span: Span): usize {
  return within(span, slotsAt + usize(scalars.firstSlot));
}

/** The base's loop over one span: with averaging where the step asks for it. */
export function runBase(span: Span, rate: f64, from: usize, delta: usize, next: usize): void {
  if (scalars.interpolation == 0) return runRule(span, rate, from, delta, next);
  holdAveraging(-rate);
  if (withDirection<Average>(i32(scalars.base), span, from, delta, next, firstSlot(span))) return;
  runRule(span, rate, from, zeroBlock, updateBlock);
  averageGiven(span, from, delta, next);
}

/** The chosen rule's loop over one span: see `sweepRule`. */
export function runRule(span: Span, rate: f64, from: usize, delta: usize, next: usize): void {
  // The gradient is stepped against.
  hold(STEP, -rate);
  withRule<Update>(i32(scalars.base), span, from, delta, next, firstSlot(span));
}

/** Averages d as it stands in `updateBlock`. */
export function averageGiven(span: Span, from: usize, delta: usize, next: usize): void {
  holdAveraging(1);
  average<Given>(span, from, delta, next, updateBlock);
}

@unmanaged
class Update {
  @inline
  with<R>(span: Span, from: usize, delta: usize, next: usize, first: usize): void {
    sweepRule<R>(from, span.bytes, delta, next, first, span.gap);
  }
}

@unmanaged
class Average {
  @inline
  with<R>(span: Span, from: usize, delta: usize, next: usize, first: usize): void {
    average<R>(span, from, delta, next, first);
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
  const step = held(STEP);
  const c0 = taken<R>(rule, 0);
  const c1 = taken<R>(rule, 1);
  const c2 = taken<R>(rule, 2);
  const c3 = taken<R>(rule, 3);
  const c4 = taken<R>(rule, 4);
  const c5 = taken<R>(rule, 5);
  const c6 = taken<R>(rule, 6);
  const c7 = taken<R>(rule, 7);
  let second = first + gap;
  let third = second + gap;
  let dg = zero();
  for (const end = from + bytes; from < end; from += 64, delta += 64, next += 64) {
    const d0 = at<Q0>(delta);
    const g0 = at<Q0>(from);
    const u0 = rule.update<Q0>(first, second, third, g0, step, c0, c1, c2, c3, c4, c5, c6, c7);
    put<Q0>(next, f32x4.add(d0, u0));
    const d1 = at<Q1>(delta);
    const g1 = at<Q1>(from);
    const u1 = rule.update<Q1>(first, second, third, g1, step, c0, c1, c2, c3, c4, c5, c6, c7);
    put<Q1>(next, f32x4.add(d1, u1));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d0, g0), d1, g1));
    const d2 = at<Q2>(delta);
    const g2 = at<Q2>(from);
    const u2 = rule.update<Q2>(first, second, third, g2, step, c0, c1, c2, c3, c4, c5, c6, c7);
    put<Q2>(next, f32x4.add(d2, u2));
    const d3 = at<Q3>(delta);
    const g3 = at<Q3>(from);
    const u3 = rule.update<Q3>(first, second, third, g3, step, c0, c1, c2, c3, c4, c5, c6, c7);
    put<Q3>(next, f32x4.add(d3, u3));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d2, g2), d3, g3));
    if (rule.slots > 0) first += 64;
    if (rule.slots > 1) second += 64;
    if (rule.slots > 2) third += 64;
  }
  foundDg = total(dg);
}

/** A direction that is an update already, as it stands where the first slot would. */
@unmanaged
class Given {
  @inline
  get constants(): i32 {
    return 0;
  }

  @inline
  direction<Q>(first: usize, g: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128): v128 {
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

/** The loop with averaging of the rule's direction. Otherwise as `sweepRule`. */
function average<R>(span: Span, from: usize, delta: usize, next: usize, first: usize): void {
  const rule = changetype<R>(0);
  const c0 = taken<R>(rule, 0);
  const c1 = taken<R>(rule, 1);
  const c2 = taken<R>(rule, 2);
  const c3 = taken<R>(rule, 3);
  const c4 = taken<R>(rule, 4);
  const weight = held(WEIGHT);
  const rest = held(REST);
  const pace = held(PACE);
  const near = held(NEAR);
  let lead = within(span, slotsAt + usize(scalars.leadSlot));
  let dg = zero();
  let eg = zero();
  for (const end = from + span.bytes; from < end; from += 32, delta += 32, next += 32) {
    const d0 = at<Q0>(delta);
    const g0 = at<Q0>(from);
    const p0 = rule.direction<Q0>(first, g0, c0, c1, c2, c3, c4);
    const e0 = at<Q0>(lead);
    put<Q0>(next, f32x4.add(d0, averaged<Q0>(lead, e0, p0, weight, rest, pace, near)));
    const d1 = at<Q1>(delta);
    const g1 = at<Q1>(from);
    const p1 = rule.direction<Q1>(first, g1, c0, c1, c2, c3, c4);
    const e1 = at<Q1>(lead);
    put<Q1>(next, f32x4.add(d1, averaged<Q1>(lead, e1, p1, weight, rest, pace, near)));
    dg = f32x4.add(dg, addProduct(f32x4.mul(d0, g0), d1, g1));
    eg = f32x4.add(eg, addProduct(f32x4.mul(e0, g0), e1, g1));
    first += 32;
    lead += 32;
  }
  foundDg = total(dg);
  span.sums.leadDg += total(eg);
}
