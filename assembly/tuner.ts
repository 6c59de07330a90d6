import {
  clampsReward,
  clipsReward,
  eps,
  epsInRoot,
  lambda,
  mFloor,
  mStart,
  Pull,
  pullKind,
  signed,
  usesScaleBefore,
} from "./form";
import { groupBetas, betaOf, decayOf, groupCount, groupOf } from "./layout";
import { Beta, Decay, Group } from "./records";

/* The tuner: from h to S, in f64, once per group. */

/** The term that h adds to ⟨Δ_t, g_t⟩; `gradNorm` is ‖g_t‖ as the base saw it. */
function pull(group: Group, gradNorm: f64): f64 {
  const xNorm = sqrt(group.xx);
  switch (pullKind) {
    case Pull.PROXIMAL:
      return xNorm == 0 ? 0 : lambda * (gradNorm / xNorm) * group.scale * group.dd;
    case Pull.DECAY_AHEAD:
      return (lambda * group.scale * gradNorm * group.dy) / (sqrt(group.yy) + eps);
    case Pull.DECAY:
      return (lambda * group.scale * gradNorm * group.dx) / (xNorm + eps);
    default:
      return (lambda * gradNorm) / xNorm;
  }
}

/** (27)–(32) for one beta; returns s_{t+1}. */
function tuneBeta(beta: Beta, decay: Decay, h: f64, sInit: f64): f64 {
  const mBefore = beta.m;
  beta.m = max(decay.m * mBefore, signed ? h : abs(h) + mFloor); // (27)
  beta.v = decay.v * beta.v + h * h; // (28)
  const reward = clipsReward ? min(max(h, -mBefore), mBefore) : h;
  const r = decay.r * beta.r - (usesScaleBefore ? beta.sBefore : beta.s) * reward; // (29)
  beta.r = clampsReward ? max(0, r) : r; // (30)
  const wealth = (sInit * beta.m) / f64(groupBetas) + max(0, r); // (31)
  beta.sBefore = beta.s;
  beta.s = wealth / (epsInRoot ? sqrt(beta.v + eps) : sqrt(beta.v) + eps); // (32)
  return beta.s;
}

/** Tunes every group's S. The base saw the gradient times `clipScale`. */
export function tune(clipScale: f64): void {
  for (let i: usize = 0; i < groupCount; i++) {
    const group = groupOf(i);
    group.h = group.dg + pull(group, sqrt(group.gg) * clipScale); // (26)
    let scale: f64 = 0;
    for (let k: usize = 0; k < groupBetas; k++) {
      scale += tuneBeta(betaOf(group, k), decayOf(k), group.h, group.sInit);
    }
    group.scale = scale;
  }
}

/** A tuner that has seen nothing: each s is `share` of `sInit`, which is also the least S it falls back to. */
export function seed(group: Group, sInit: f64, share: f64): void {
  group.sInit = sInit;
  group.scale = 0;
  for (let k: usize = 0; k < groupBetas; k++) {
    const beta = betaOf(group, k);
    beta.m = mStart;
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
    const sInit = group.scale > 0 ? carry * group.scale : group.sInit;
    seed(group, sInit, 1 / f64(groupBetas));
  }
}
