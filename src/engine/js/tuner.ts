import { BETAS, betaAt, DD, DG, DX, DY, GG, H, SCALE, S_INIT, XX, YY, type Memory } from "./memory.js";

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
  const m = betaAt(k);
  const [v, r, s, sBefore] = [m + 2, m + 4, m + 6, m + 8];
  const h = group[H];
  const mBefore = group[m];
  group[m] = Math.max(decayM * mBefore, form.signed ? h : Math.abs(h) + form.mFloor); // (27)
  group[v] = decayV * group[v] + h * h; // (28)
  const reward = form.clipsReward ? Math.min(Math.max(h, -mBefore), mBefore) : h;
  const free = decayR * group[r] - group[form.usesScaleBefore ? sBefore : s] * reward; // (29)
  const positive = Math.max(0, free); // (30)
  group[r] = form.clampsReward ? positive : free;
  const wealth = (group[S_INIT] / form.decays.length) * group[m] + positive; // (31)
  group[sBefore] = group[s];
  const root = form.epsInRoot ? Math.sqrt(group[v] + eps) : Math.sqrt(group[v]) + eps;
  return (group[s] = wealth / root); // (32)
}

/** Tunes every group's S. */
export function tune(m: Memory): void {
  for (const group of m.groups) {
    group[H] = group[DG] + pullOf(m, group, Math.sqrt(group[GG]) * m.clipScale); // (26)
    // In the kernels' order.
    const scales = [0, 0];
    for (let k = 0; k < m.form.decays.length; k++) scales[k & 1] += tuneBeta(m, group, k);
    group[SCALE] = scales[0] + scales[1];
  }
}

/** A tuner that has seen nothing: each s is `share` of `sInit`. */
export function seed(m: Memory, group: Float64Array, sInit: number, share: number): void {
  group[S_INIT] = sInit;
  group[SCALE] = 0;
  group.fill(0, BETAS);
  const betas = group.length > BETAS ? m.form.decays.length : 0;
  for (let k = 0; k < betas; k++) {
    const at = betaAt(k);
    group[at] = m.form.mStart;
    group[at + 6] = group[at + 8] = sInit * share;
    group[SCALE] += sInit * share;
  }
}

/** An anchor's part: s_init ← carry · S (paper, 6.3). */
export function reseed(m: Memory, carry: number): void {
  for (const group of m.groups) {
    seed(m, group, group[SCALE] > 0 ? carry * group[SCALE] : group[S_INIT], 1 / m.form.decays.length);
  }
}
