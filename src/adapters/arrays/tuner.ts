import { LEAST } from "../../engine/js/tuner.js";
import { ENDLESS, TINY, type Algebra, type Flag, type Value } from "./algebra.js";

/** m, √v, r and s of every beta, and their sum S. */
export type TunerState<V> = {
  readonly m: V;
  /** v itself would leave float32 where gradients are small. */
  readonly rootV: V;
  readonly r: V;
  readonly s: V;
  readonly scale: V;
  /** 0 where it is still to be found. */
  readonly sInit: V;
};

/** A tuner that has seen nothing. */
export function seeded<A>(c: Algebra<A>, sInit: Value<A>, betas: number): TunerState<Value<A>> {
  const share = 1 / betas;
  return { m: 0, rootV: 0, r: 0, s: c.mul(share, sInit), scale: sInit, sInit };
}

export function choose<A>(
  c: Algebra<A>,
  condition: Flag<A>,
  a: TunerState<Value<A>>,
  b: TunerState<Value<A>>,
): TunerState<Value<A>> {
  const of = (key: keyof TunerState<Value<A>>) => c.where(condition, a[key], b[key]);
  return { m: of("m"), rootV: of("rootV"), r: of("r"), s: of("s"), scale: of("scale"), sInit: of("sInit") };
}

/** Every scale times a factor, and s_init with it. */
export function rescaled<A>(
  c: Algebra<A>,
  tuner: TunerState<Value<A>>,
  factor: Value<A>,
): TunerState<Value<A>> {
  const of = (key: "s" | "scale" | "sInit") => c.mul(factor, tuner[key]);
  return { ...tuner, s: of("s"), scale: of("scale"), sInit: of("sInit") };
}

/** s_init = start ‖x‖ / ‖u_1‖, once something moves. `length` is ‖x‖, or √n where x = 0. */
export function started<A>(
  c: Algebra<A>,
  tuner: TunerState<Value<A>>,
  { start, length, moved, betas }: { start: Value<A>; length: Value<A>; moved: Value<A>; betas: number },
): TunerState<Value<A>> {
  const found = c.min(ENDLESS, c.div(c.mul(start, length), c.max(moved, TINY)));
  const begins = c.and(c.equal(tuner.sInit, 0), c.less(0, moved), c.less(0, start));
  return choose(c, begins, seeded(c, found, betas), tuner);
}

export interface Drive<A> {
  readonly betas: Value<A>;
  readonly ones: Value<A>;
  readonly count: number;
  readonly eps: number;
  /** Added to |h| in (27). */
  readonly mFloor: number;
  readonly ownFloor: Flag<A>;
  readonly rewardLimit: Value<A>;
  /** How many times as fast as its evidence S may grow. */
  readonly catchUp: Value<A>;
  /** S over s_init, at most. */
  readonly growth: Value<A>;
}

/** (27)–(32) with h, and S within the growth that its window allows. */
export function advanced<A>(
  c: Algebra<A>,
  tuner: TunerState<Value<A>>,
  h: Value<A>,
  { betas, ones, count, eps, mFloor, ownFloor, rewardLimit, catchUp, growth }: Drive<A>,
): TunerState<Value<A>> {
  const { add, mul, div, max } = c;
  const size = add(c.abs(h), mFloor);
  const bounded = c.clamp(h, mul(rewardLimit, tuner.m));
  const m = max(mul(betas, tuner.m), size);
  const rootV = c.hypot(mul(betas, tuner.rootV), c.abs(h));
  const r = max(0, c.sub(mul(betas, tuner.r), mul(tuner.s, bounded)));
  const root = add(rootV, eps);
  // One for each beta, also where all of them are the same yet.
  const floor = mul(ones, mul(1 / count, tuner.sInit));
  // The quotient first: the product of m and the floor may be too small for float32.
  const s = add(mul(floor, c.where(ownFloor, 1, div(m, root))), div(r, root));
  const scale = c.sum(s, count);
  const free = { ...tuner, m, rootV, r, s, scale };
  const most = mul(growth, tuner.sInit);
  if (catchUp === ENDLESS) return limited(c, free, most);
  // As its evidence had S before: more than it was, where limits held it down.
  const earned = add(tuner.sInit, c.sum(div(tuner.r, max(add(tuner.rootV, eps), TINY)), count));
  const pace = mul(max(1, div(scale, max(earned, TINY))), catchUp);
  return limited(c, free, c.min(most, mul(tuner.scale, pace)));
}

/** S at most this, every s in proportion. */
export function limited<A>(c: Algebra<A>, tuner: TunerState<Value<A>>, most: Value<A>): TunerState<Value<A>> {
  const factor = c.where(c.less(most, tuner.scale), c.div(most, c.max(tuner.scale, TINY)), 1);
  return { ...tuner, s: c.mul(factor, tuner.s), scale: c.mul(factor, tuner.scale) };
}

/** Starts over from a share of what was learned: s_init = carry S. */
export function restarted<A>(
  c: Algebra<A>,
  { scale, sInit }: TunerState<Value<A>>,
  carry: Value<A>,
  betas: number,
): TunerState<Value<A>> {
  const kept = c.max(c.mul(carry, scale), c.min(sInit, LEAST));
  return seeded(c, c.where(c.less(0, scale), kept, sInit), betas);
}
