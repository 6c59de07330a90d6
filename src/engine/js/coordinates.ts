import {
  DD,
  DG,
  DY,
  EIGHT,
  GG,
  H,
  HH,
  LEAD_DG,
  NEXT_DG,
  H_BLOCK,
  ONES,
  SCALE,
  SCALE_MAX,
  SCALE_MEAN,
  XX,
  YY,
  ZEROS,
  type Memory,
} from "./memory.js";
import { Scalar } from "../kernels.js";
import { addProduct, bounded, larger, root, round } from "../../bases/arithmetic.js";
import { addUpdate, deltaOf, dot, gradientOf, moveSpan, update } from "./sweeps.js";
import { findStart, isUnstarted, LEAST, tune } from "./tuner.js";

/* A tuner for each coordinate: assembly/sweeps/coordinates.ts and coordinate-tuners.ts. */

/** Factor of the pull: λ ‖g‖ / ‖x‖, with y and eps as the form has them. */
function pullFactor({ groups: [group], scalars, clipScale, form: { pull }, tuner: { eps } }: Memory): number {
  const weight = scalars[Scalar.lambda] * Math.sqrt(group[GG]) * clipScale;
  if (pull === "DECAY_AHEAD") return weight / (Math.sqrt(group[YY]) + eps);
  return pull === "PROXIMAL" && group[XX] === 0 ? 0 : weight / Math.sqrt(group[XX]);
}

/** (26) over a span: writes h to `to`. What PRINTED adds to every h is left out of the sum. */
function findH(m: Memory, factor: number, from: number, delta: number, to: number): void {
  const { f, group, length, x, scales, extra } = m;
  const { pull } = m.form;
  for (let k = 0; k < length; k++) {
    const d = f[delta + k];
    const h = round(d * f[from + k]);
    const weight = round(factor * f[scales + k]);
    if (pull === "PROXIMAL") f[to + k] = addProduct(h, weight, round(d * d));
    else if (pull === "DECAY_AHEAD")
      f[to + k] = addProduct(h, weight, round(d * round(f[x + k] + f[extra + k])));
    else f[to + k] = h;
  }
  group[H] += dot(f, to, ONES, length);
  if (pull === "PRINTED") for (let k = 0; k < length; k++) f[to + k] += factor;
  group[HH] += dot(f, to, to, length);
}

/** (27)–(32) for one beta over a span; adds s_{t+1} to the scales. */
function tuneSpan(m: Memory, beta: number, h: number): void {
  const { f, length, scales, shares, form } = m;
  const [decayM, decayV, decayR] = form.decays[beta];
  const [keepM, keepV, keepR] = [round(decayM), round(decayV), round(decayR)];
  const [floor, eps] = [round(form.mFloor), round(m.tuner.eps)];
  // Where r takes h unclipped, the limit is raised beyond every h.
  const raise = form.clipsReward ? 0 : Infinity;
  const rewardLimit = round(m.scalars[Scalar.rewardLimit]);
  const own = m.scalars[Scalar.ownFloor] > 0;
  for (let k = 0; k < length; k++) {
    // m, v, r, s, and s of the step before.
    const at = m.tunerOf(k, m.spanTuners) + beta * m.betaLength;
    const s = at + 3 * EIGHT;
    const before = form.usesScaleBefore ? s + EIGHT : s;
    const ht = f[h + k];
    const limit = larger(round(rewardLimit * f[at]), raise);
    const mt = larger(round(keepM * f[at]), form.signed ? ht : round(Math.abs(ht) + floor));
    const vt = addProduct(round(keepV * f[at + EIGHT]), ht, ht);
    const change = round(f[before] * bounded(ht, -limit, limit));
    const rt = larger(round(round(keepR * f[at + 2 * EIGHT]) - change), 0);
    const share = f[shares + k];
    const wealth = addProduct(rt, own ? 0 : share, mt);
    const ratio = round(wealth / (form.epsInRoot ? root(round(vt + eps)) : round(root(vt) + eps)));
    const next = round(ratio + (own ? share : 0));
    f[at] = mt;
    f[at + EIGHT] = vt;
    f[at + 2 * EIGHT] = rt;
    f[before] = f[s];
    f[s] = next;
    f[scales + k] += next;
  }
}

/** A span from Δ_{t+1} and h on. */
function tuneAndMove(m: Memory, h: number): void {
  const { f, group, length, scales } = m;
  const { spread } = m.tuner;
  f.fill(0, scales, scales + length);
  for (let beta = 0; beta < m.form.decays.length; beta++) tuneSpan(m, beta, h);
  const growth = round(m.scalars[Scalar.growthLimit] * m.form.decays.length);
  for (let k = scales; k < scales + length; k++) {
    const most = round(growth * f[k + m.shares - scales]);
    if (most < f[k]) f[k] = most;
    // Within `spread` times the S of all coordinates together; where no coordinate is, 0 stays 0.
    if (spread && f[k] > 0) f[k] = bounded(f[k], round(group[SCALE] / spread), round(group[SCALE] * spread));
    group[SCALE_MAX] = larger(group[SCALE_MAX], f[k]);
  }
  group[SCALE_MEAN] += dot(f, scales, ONES, length, 2);
  moveSpan(m);
}

/** One step, after `scan` and `begin`: one sweep, or two where h looks ahead or scales are bounded. */
export function stepCoordinates(m: Memory): void {
  const [group] = m.groups;
  const ahead = m.form.pull === "DECAY_AHEAD";
  const twice = !ahead && m.tuner.spread !== null;
  const active = m.segments.reduce((sum, { first, last }) => sum + last - first, 0);
  m.clearSums(DG, YY, DY, NEXT_DG, LEAD_DG);
  if (ahead) m.sweep(() => update(m, gradientOf(m), ZEROS, m.extra));
  const factor = pullFactor(m);
  m.clearSums(H, HH, SCALE_MEAN, SCALE_MAX);
  if (isUnstarted(m)) return begin(m, active);
  const advance = () => {
    const h = twice ? m.extra : H_BLOCK;
    const delta = deltaOf(m);
    const from = gradientOf(m);
    findH(m, round(factor), from, delta, h);
    if (ahead) addUpdate(m, m.extra, delta, m.next);
    else update(m, from, delta, m.next);
    if (!twice) tuneAndMove(m, h);
  };
  if (twice) {
    m.sweep(advance);
    tune(m);
  }
  m.clearSums(XX, DD);
  m.sweep(twice ? () => tuneAndMove(m, m.extra) : advance);
  group[SCALE_MEAN] /= active;
  if (m.form.pull === "PRINTED") group[H] += factor * active;
}

/** The step that finds s_init: Δ_t and h are 0. */
function begin(m: Memory, active: number): void {
  m.sweep(() => update(m, gradientOf(m), deltaOf(m), m.next));
  const sInit = findStart(m);
  if (sInit !== undefined) startCoordinates(m, sInit, 1 / m.form.decays.length);
  if (m.tuner.spread !== null) tune(m);
  m.clearSums(XX, DD);
  m.sweep(() => tuneAndMove(m, ZEROS));
  m.groups[0][SCALE_MEAN] /= active;
}

/** Every scale times a factor, and s_init with it. */
export function rescaleCoordinates(m: Memory, factor: number): void {
  const times = round(factor);
  const vectors = [m.vectorOf(m.scaleAt + 1), m.vectorOf(m.scaleAt)];
  for (const { first, last } of m.segments) {
    for (let j = first; j < last; j++) {
      for (const vector of vectors) m.f[vector + j] *= times;
      for (let k = 0; k < m.form.decays.length; k++)
        for (let field = 3 * EIGHT; field < m.betaLength; field += EIGHT)
          m.f[m.tunerOf(j) + k * m.betaLength + field] *= times;
    }
  }
}

/** Coordinate j's tuner as if it had seen nothing, each s at `s`. */
function seedCoordinate(m: Memory, j: number, s: number): void {
  const { f, betaLength } = m;
  let at = m.tunerOf(j);
  let sum = 0;
  for (let k = 0; k < m.form.decays.length; k++) {
    f[at] = m.form.mStart;
    f[at + EIGHT] = f[at + 2 * EIGHT] = 0;
    for (let field = 3 * EIGHT; field < betaLength; field += EIGHT) f[at + field] = s;
    at += betaLength;
    sum = round(sum + s);
  }
  f[m.vectorOf(m.scaleAt) + j] = sum;
}

/** Fresh tuners: s_init everywhere, and each s `share` of it. */
export function startCoordinates(m: Memory, sInit: number, share: number): void {
  for (const { first, last } of m.segments) {
    for (let j = first; j < last; j++) {
      m.f[m.vectorOf(m.scaleAt + 1) + j] = sInit / m.form.decays.length;
      seedCoordinate(m, j, round(sInit * share));
    }
  }
}

/** An anchor's part: s_init ← carry · S, coordinate by coordinate. */
export function reseedCoordinates(m: Memory, carry: number): void {
  const factor = round(carry / m.form.decays.length);
  for (const { first, last } of m.segments) {
    for (let j = first; j < last; j++) {
      const scale = m.f[m.vectorOf(m.scaleAt) + j];
      const share = m.vectorOf(m.scaleAt + 1) + j;
      if (scale > 0) m.f[share] = Math.max(factor * scale, Math.min(m.f[share], LEAST));
      seedCoordinate(m, j, m.f[share]);
    }
  }
}
