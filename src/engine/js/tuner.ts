import { BETA, BETAS, DD, DG, DX, DY, GG, H, SCALE, S_INIT, XX, YY, type Memory } from "./memory.js";

/* The tuner of assembly/tuner.ts: from h to S, in float64, once per group. */

/** What h has besides ⟨Δ_t, g_t⟩; `gradNorm` is ‖g_t‖ as the base saw it. */
function pullOf({ form, tuner: { lambda, eps } }: Memory, group: Float64Array, gradNorm: number): number {
  const xNorm = Math.sqrt(group[XX]);
  const scale = group[SCALE];
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
function tuneBeta({ form, tuner: { eps } }: Memory, group: Float64Array, k: number): number {
  const [decayM, decayV, decayR] = form.decays[k];
  const at = BETAS + BETA * k;
  const h = group[H];
  const mBefore = group[at];
  const s = group[at + 3];
  group[at] = Math.max(decayM * mBefore, form.signed ? h : Math.abs(h) + form.mFloor); // (27)
  const v = (group[at + 1] = decayV * group[at + 1] + h * h); // (28)
  const reward = form.clipsReward ? Math.min(Math.max(h, -mBefore), mBefore) : h;
  const r = decayR * group[at + 2] - (form.usesScaleBefore ? group[at + 4] : s) * reward; // (29)
  group[at + 2] = form.clampsReward ? Math.max(0, r) : r; // (30)
  const wealth = (group[S_INIT] * group[at]) / form.decays.length + Math.max(0, r); // (31)
  group[at + 4] = s;
  return (group[at + 3] = wealth / (form.epsInRoot ? Math.sqrt(v + eps) : Math.sqrt(v) + eps)); // (32)
}

/** Tunes every group's S. */
export function tune(m: Memory): void {
  for (const group of m.groups) {
    group[H] = group[DG] + pullOf(m, group, Math.sqrt(group[GG]) * m.clipScale); // (26)
    let scale = 0;
    for (let k = 0; k < m.form.decays.length; k++) scale += tuneBeta(m, group, k);
    group[SCALE] = scale;
  }
}

/** A tuner that has seen nothing: each s is `share` of `sInit`. */
export function seed(m: Memory, group: Float64Array, sInit: number, share: number): void {
  group[S_INIT] = sInit;
  group[SCALE] = 0;
  for (let at = BETAS; at < group.length; at += BETA) {
    group[at] = m.form.mStart;
    group[at + 1] = group[at + 2] = 0;
    group[at + 3] = group[at + 4] = sInit * share;
    group[SCALE] += group[at + 3];
  }
}

/** An anchor's part: s_init ← carry · S (paper, 6.3). */
export function reseed(m: Memory, carry: number): void {
  for (const group of m.groups) {
    seed(m, group, group[SCALE] > 0 ? carry * group[SCALE] : group[S_INIT], BETA / (group.length - BETAS));
  }
}
