import { Adadelta } from "./base/adadelta";
import { Adagrad } from "./base/adagrad";
import { Adam } from "./base/adam";
import { Adamax } from "./base/adamax";
import { Amsgrad } from "./base/amsgrad";
import { Lion } from "./base/lion";
import { Momentum } from "./base/momentum";
import { Nadam } from "./base/nadam";
import { Rmsprop } from "./base/rmsprop";
import { RmspropMomentum } from "./base/rmsprop-momentum";
import { Sgd } from "./base/sgd";
import { held, hold } from "./layout";
import { constant } from "./step";
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

let base: i32 = Base.SGD;

export function setBase(chosen: i32): void {
  base = chosen;
}

/** The chosen base's loop over one run: see `run`. */
export function runBase(
  rate: f64,
  from: usize,
  bytes: usize,
  delta: usize,
  next: usize,
  slots: usize,
  gap: usize,
): void {
  // The gradient is stepped against.
  hold(0, -rate);
  for (let k: usize = 0; k < 6; k++) hold(1 + k, constant(k));
  switch (base) {
    case Base.SGD:
      return run<Sgd>(from, bytes, delta, next, slots, gap);
    case Base.MOMENTUM:
      return run<Momentum>(from, bytes, delta, next, slots, gap);
    case Base.ADAM:
      return run<Adam>(from, bytes, delta, next, slots, gap);
    case Base.LION:
      return run<Lion>(from, bytes, delta, next, slots, gap);
    case Base.AMSGRAD:
      return run<Amsgrad>(from, bytes, delta, next, slots, gap);
    case Base.NADAM:
      return run<Nadam>(from, bytes, delta, next, slots, gap);
    case Base.ADAMAX:
      return run<Adamax>(from, bytes, delta, next, slots, gap);
    case Base.RMSPROP:
      return run<Rmsprop>(from, bytes, delta, next, slots, gap);
    case Base.RMSPROP_MOMENTUM:
      return run<RmspropMomentum>(from, bytes, delta, next, slots, gap);
    case Base.ADAGRAD:
      return run<Adagrad>(from, bytes, delta, next, slots, gap);
    case Base.ADADELTA:
      return run<Adadelta>(from, bytes, delta, next, slots, gap);
  }
}

/** What `run` found: Σ Δ_t g_t. */
export let foundDg: f64 = 0;

/**
 * The loop. Reads the gradient at `from` and Δ_t at `delta`, writes Δ_t + u_t to `next`. Roots and divisions keep a
 * multiplier busy: another sum here, such as ‖Δ_{t+1}‖², costs more than in a later loop that loads and stores.
 */
function run<R>(from: usize, bytes: usize, delta: usize, next: usize, first: usize, gap: usize): void {
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
