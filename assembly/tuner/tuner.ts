import { LEAST, Pull } from "../memory/form";
import { betaOf, decayOf } from "../memory/betas";
import { config, groupBetas, groupCount, groupOf, pullKind, scalars } from "../memory/layout";
import { Beta, Decay, Group } from "../memory/records";
import { promised } from "./promise";

/* The tuner: from h to S, in f64, once per group. */

/** The term that h adds to ⟨Δ_t, g_t⟩; `gradNorm` is ‖g_t‖ as the base saw it. */
function pull(group: Group, gradNorm: f64): f64 {
  const xNorm = sqrt(group.xx);
  switch (pullKind) {
    case Pull.PROXIMAL:
      return xNorm == 0 ? 0 : scalars.lambda * (gradNorm / xNorm) * group.scale * group.dd;
    case Pull.DECAY_AHEAD:
      return (scalars.lambda * group.scale * gradNorm * group.dy) / (sqrt(group.yy) + config.eps);
    case Pull.DECAY:
      return (scalars.lambda * group.scale * gradNorm * group.dx) / (xNorm + config.eps);
    default:
      return (scalars.lambda * gradNorm) / xNorm;
  }
}

/** S as r and v had it before the step: more than S was where limits held it down. */
let earned: f64 = 0;

/** (27)–(32), two betas at a time; returns S = Σ s. */
function tuneGroup(group: Group): f64 {
  const size = config.signed != 0 ? group.h : abs(group.h) + config.mFloor;
  // Where r takes h unclipped, the limit is raised beyond every h.
  const raise = f64x2.splat(config.clipsReward != 0 ? 0 : f64.MAX_VALUE);
  const inRoot = f64x2.splat(config.epsInRoot != 0 ? config.eps : 0);
  const behindRoot = f64x2.splat(config.epsInRoot != 0 ? 0 : config.eps);
  const share = group.sInit / f64(groupBetas);
  // The floor is under the wealth or under s itself.
  const wealthShare = f64x2.splat(scalars.ownFloor == 0 ? share : 0);
  const ownShare = f64x2.splat(scalars.ownFloor == 0 ? 0 : share);
  const keepsBefore = config.usesScaleBefore != 0;
  let scale = f64x2.splat(0);
  let before = f64x2.splat(0);
  for (let k: usize = 0; k < groupBetas; k += 2) {
    // Where the last beta has no partner, zeros stand for it, and stay.
    const both = k + 1 < groupBetas ? i64x2.splat(-1) : i64x2(-1, 0);
    const h = v128.and(f64x2.splat(group.h), both);
    const beta = changetype<usize>(betaOf(group, k));
    const decay = changetype<usize>(decayOf(k));
    const mBefore = v128.load(beta, offsetof<Beta>("m"));
    const m = f64x2.pmax(
      f64x2.mul(v128.load(decay, offsetof<Decay>("m")), mBefore),
      v128.and(f64x2.splat(size), both),
    ); // (27)
    const vBefore = v128.load(beta, offsetof<Beta>("v"));
    const v = f64x2.add(f64x2.mul(v128.load(decay, offsetof<Decay>("v")), vBefore), f64x2.mul(h, h)); // (28)
    const limit = f64x2.pmax(f64x2.mul(f64x2.splat(scalars.rewardLimit), mBefore), raise);
    const reward = f64x2.pmin(f64x2.pmax(h, f64x2.neg(limit)), limit);
    const s = v128.load(beta, offsetof<Beta>("s"));
    const change = f64x2.mul(keepsBefore ? v128.load(beta, offsetof<Beta>("sBefore")) : s, reward);
    const rBefore = v128.load(beta, offsetof<Beta>("r"));
    const r = f64x2.sub(f64x2.mul(v128.load(decay, offsetof<Decay>("r")), rBefore), change); // (29)
    const positive = f64x2.pmax(r, f64x2.splat(0)); // (30)
    const wealth = f64x2.add(f64x2.mul(wealthShare, m), positive); // (31)
    const root = f64x2.add(f64x2.sqrt(f64x2.add(v, inRoot)), behindRoot);
    before = f64x2.add(before, f64x2.div(rBefore, f64x2.add(f64x2.sqrt(vBefore), behindRoot)));
    const next = f64x2.add(f64x2.div(wealth, root), v128.and(ownShare, both)); // (32)
    v128.store(beta, m, offsetof<Beta>("m"));
    v128.store(beta, v, offsetof<Beta>("v"));
    v128.store(beta, config.clampsReward != 0 ? positive : r, offsetof<Beta>("r"));
    v128.store(beta, next, offsetof<Beta>("s"));
    v128.store(beta, s, offsetof<Beta>("sBefore"));
    scale = f64x2.add(scale, next);
  }
  earned = group.sInit + (f64x2.extract_lane(before, 0) + f64x2.extract_lane(before, 1));
  return f64x2.extract_lane(scale, 0) + f64x2.extract_lane(scale, 1);
}

/** Tunes every group's S. The base saw the gradient times `clipScale`. */
export function tune(): void {
  for (let i: usize = 0; i < groupCount; i++) {
    const group = groupOf(i);
    group.h = group.dg + pull(group, sqrt(group.gg) * scalars.clipScale); // (26)
    group.scaleBefore = group.scale;
    group.scale = tuneGroup(group);
    // x moves by the growth of S times all of Δ: what S was denied before, it does not get back at once.
    limitScale(group, group.scaleBefore * (max(1, group.scale / earned) * scalars.catchUp));
    limitScale(group, scalars.growthLimit * group.sInit);
  }
  if (scalars.promiseLimit < Infinity) limitPromise(scalars.promiseLimit);
}

/** S ← min(S, limit), with every s in proportion. */
function limitScale(group: Group, limit: f64): void {
  if (!(group.scale > limit)) return;
  multiplyScale(group, limit / group.scale);
  group.scale = limit;
}

function multiplyScale(group: Group, factor: f64): void {
  for (let k: usize = 0; k < groupBetas; k++) {
    const beta = betaOf(group, k);
    beta.s *= factor;
    beta.sBefore *= factor;
  }
}

/** Where the step promises more than `limit`, no S grows further than it may, or than it was. */
function limitPromise(limit: f64): void {
  let grows = false;
  for (let k: usize = 0; k < groupCount; k++) grows = grows || groupOf(k).scale > groupOf(k).scaleBefore;
  if (!grows) return;
  const promise = promised();
  if (!(promise > limit)) return;
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    if (group.scale > group.scaleBefore)
      limitScale(group, max(group.scaleBefore, group.scale * (limit / promise)));
  }
}

/** Every scale times a factor, and s_init with it. */
export function rescaleGroups(factor: f64): void {
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    group.sInit *= factor;
    group.scale *= factor;
    multiplyScale(group, factor);
  }
}

/** A tuner that has seen nothing: each s is `share` of `sInit`, which is also the least S it falls back to. */
export function seed(group: Group, sInit: f64, share: f64): void {
  group.sInit = sInit;
  group.scale = 0;
  group.scaleBefore = 0;
  for (let k: usize = 0; k < groupBetas; k++) {
    const beta = betaOf(group, k);
    beta.m = config.mStart;
    beta.v = 0;
    beta.r = 0;
    beta.s = sInit * share;
    beta.sBefore = beta.s;
    group.scale += beta.s;
  }
}

/** An anchor's part in the tuner: s_init ← carry · S, and a fresh start from there (paper, 6.3). */
export function reseed(carry: f64): void {
  for (let k: usize = 0; k < groupCount; k++) {
    const group = groupOf(k);
    const sInit = group.scale > 0 ? max(carry * group.scale, min(group.sInit, f64(LEAST))) : group.sInit;
    seed(group, sInit, 1 / f64(groupBetas));
  }
}
