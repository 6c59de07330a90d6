import { Beta, Scalar } from "../records.js";
import { BETAS, betaAt, DD, DG, DX, DY, GG, H, NEXT_DG, SCALE, SCALE_BEFORE, S_INIT } from "./memory.js";
import { XX, YY, type Memory } from "./memory.js";
import { measureDelta, measureSlope } from "./sweeps.js";

/* The tuner of assembly/tuner/tuner.ts: from h to S, in float64, once per group. */

/** What h has besides ⟨Δ_t, g_t⟩; `gradNorm` is ‖g_t‖ as the base saw it. */
function pullOf({ form, scalars, tuner: { eps } }: Memory, group: Float64Array, gradNorm: number): number {
  const xNorm = Math.sqrt(group[XX]);
  const scale = group[SCALE];
  const lambda = scalars[Scalar.lambda];
  switch (form.pull) {
    case "PROXIMAL":
      return xNorm === 0 ? 0 : lambda * (gradNorm / xNorm) * scale * group[DD];
    case "DECAY_AHEAD":
      return (lambda * scale * gradNorm * group[DY]) / (Math.sqrt(group[YY]) + eps);
    case "DECAY":
      return (lambda * scale * gradNorm * group[DX]) / (xNorm + eps);
    default:
      return (lambda * gradNorm) / xNorm;
  }
}

/** (27)–(32) for one beta; returns s_{t+1}. */
function tuneBeta({ form, tuner: { eps }, scalars }: Memory, group: Float64Array, k: number): number {
  const own = scalars[Scalar.ownFloor] > 0;
  const share = group[S_INIT] / form.decays.length;
  const [decayM, decayV, decayR] = form.decays[k];
  const m = betaAt(k);
  const [v, r, s, sBefore] = [m + Beta.v, m + Beta.r, m + Beta.s, m + Beta.sBefore];
  const h = group[H];
  const mBefore = group[m];
  group[m] = Math.max(decayM * mBefore, form.signed ? h : Math.abs(h) + form.mFloor); // (27)
  group[v] = decayV * group[v] + h * h; // (28)
  const limit = form.clipsReward ? scalars[Scalar.rewardLimit] * mBefore : Infinity;
  const reward = Math.min(Math.max(h, -limit), limit);
  const free = decayR * group[r] - group[form.usesScaleBefore ? sBefore : s] * reward; // (29)
  const positive = Math.max(0, free); // (30)
  group[r] = form.clampsReward ? positive : free;
  const wealth = (own ? 0 : share) * group[m] + positive; // (31)
  group[sBefore] = group[s];
  const root = form.epsInRoot ? Math.sqrt(group[v] + eps) : Math.sqrt(group[v]) + eps;
  return (group[s] = wealth / root + (own ? share : 0)); // (32)
}

/** Tunes every group's S. */
export function tune(m: Memory): void {
  const catchUp = m.scalars[Scalar.catchUp];
  for (const group of m.groups) {
    group[H] = group[DG] + pullOf(m, group, Math.sqrt(group[GG]) * m.clipScale); // (26)
    // In the kernels' order.
    const scales = [0, 0];
    const earned = [0, 0];
    for (let k = 0; k < m.form.decays.length; k++) {
      const at = betaAt(k);
      earned[k & 1] += group[at + Beta.r] / (Math.sqrt(group[at + Beta.v]) + m.tuner.eps);
      scales[k & 1] += tuneBeta(m, group, k);
    }
    group[SCALE_BEFORE] = group[SCALE];
    group[SCALE] = scales[0] + scales[1];
    // As r and v had S before the step: more than it was where limits held it down.
    const pace = Math.max(1, group[SCALE] / (group[S_INIT] + (earned[0] + earned[1]))) * catchUp;
    limitScale(m, group, group[SCALE_BEFORE] * pace);
    limitScale(m, group, m.scalars[Scalar.growthLimit] * group[S_INIT]);
  }
  const limit = m.scalars[Scalar.promiseLimit];
  if (limit < Infinity && m.groups.some((group) => group[SCALE] > group[SCALE_BEFORE]))
    limitPromise(m, limit);
}

/** S ← min(S, limit), with every s in proportion. */
function limitScale(m: Memory, group: Float64Array, limit: number): void {
  if (!(group[SCALE] > limit)) return;
  multiplyScale(m, group, limit / group[SCALE]);
  group[SCALE] = limit;
}

function multiplyScale({ form }: Memory, group: Float64Array, factor: number): void {
  const betas = group.length > BETAS ? form.decays.length : 0;
  for (let k = 0; k < betas; k++) {
    group[betaAt(k) + Beta.s] *= factor;
    group[betaAt(k) + Beta.sBefore] *= factor;
  }
}

/** Where the step promises more than `limit`, no S grows further than it may, or than it was. */
function limitPromise(m: Memory, limit: number): void {
  measureSlope(m);
  let promise = 0;
  for (const group of m.groups) promise += group[SCALE] * (group[DG] - group[NEXT_DG]);
  if (!(promise > limit)) return;
  for (const group of m.groups) {
    const [scale, before] = [group[SCALE], group[SCALE_BEFORE]];
    if (scale > before) limitScale(m, group, Math.max(before, scale * (limit / promise)));
  }
}

/** Every scale times a factor, and s_init with it. */
export function rescale(m: Memory, factor: number): void {
  for (const group of m.groups) {
    group[S_INIT] *= factor;
    group[SCALE] *= factor;
    multiplyScale(m, group, factor);
  }
}

/** Is s_init still to be found? */
export const isUnstarted = ({ scalars, groups }: Memory): boolean =>
  scalars[Scalar.start] > 0 && groups[0][S_INIT] === 0;

/** assembly/tuner/start.ts: s_init by the first step that moves; undefined where it does not. */
export function findStart(m: Memory): number | undefined {
  measureDelta(m);
  let [xx, dd] = [0, 0];
  for (const group of m.groups) {
    xx += group[XX];
    dd += group[DD];
    group[DD] = 0;
  }
  if (dd === 0) return undefined;
  const active = m.segments.reduce((sum, { first, last }) => sum + last - first, 0);
  const length = Math.sqrt(xx > 0 ? xx : active);
  const sInit = Math.min((m.scalars[Scalar.start] * length) / Math.sqrt(dd), 1e30);
  for (const group of m.groups) seed(m, group, sInit, 1 / m.form.decays.length);
  return sInit;
}

/** A tuner that has seen nothing: each s is `share` of `sInit`. */
export function seed(m: Memory, group: Float64Array, sInit: number, share: number): void {
  group[S_INIT] = sInit;
  group[SCALE] = 0;
  group[SCALE_BEFORE] = 0;
  group.fill(0, BETAS);
  const betas = group.length > BETAS ? m.form.decays.length : 0;
  for (let k = 0; k < betas; k++) {
    const at = betaAt(k);
    group[at] = m.form.mStart;
    group[at + Beta.s] = group[at + Beta.sBefore] = sInit * share;
    group[SCALE] += sInit * share;
  }
}

/** No anchor takes s_init below this, unless it began there. */
export const LEAST = Math.fround(1e-24);

/** An anchor's part: s_init ← carry · S (paper, 6.3). */
export function reseed(m: Memory, carry: number): void {
  for (const group of m.groups) {
    const sInit = group[S_INIT];
    const next = group[SCALE] > 0 ? Math.max(carry * group[SCALE], Math.min(sInit, LEAST)) : sInit;
    seed(m, group, next, 1 / m.form.decays.length);
  }
}
