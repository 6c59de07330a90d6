import {
  DD,
  DELTA_BLOCK,
  DG,
  DX,
  DY,
  GG,
  GRAD_BLOCK,
  LEAD_DG,
  NEXT_DG,
  POINT_BLOCK,
  SCALE,
  UPDATE_BLOCK,
  XX,
  YY,
  ZEROS,
  type Memory,
  type Visit,
} from "./memory.js";
import { Scalar, Summary } from "../kernels.js";
import { addProduct, bounded, round } from "../../bases/arithmetic.js";
import { hashOf } from "./point.js";

/*
 * The sweeps of assembly/sweeps/scan.ts, accumulate.ts and move.ts. Sums come from vectors as they stand in memory, in
 * passes of their own, and in the order of the SIMD kernels.
 */

/** One of four lanes' sums: every fourth product; `span` of them are added up, pair by pair, before they join. */
function lane(f: Float32Array, a: number, b: number, length: number, span: number): number {
  let sum = 0;
  for (const end = a + length; a < end; a += 4 * span, b += 4 * span) {
    let part = round(f[a] * f[b]);
    if (span > 1) part = addProduct(part, f[a + 4], f[b + 4]);
    if (span > 2) part = round(part + addProduct(round(f[a + 8] * f[b + 8]), f[a + 12], f[b + 12]));
    sum = round(sum + part);
  }
  return sum;
}

/** Σ a b over a span, in float32 lanes. */
export function dot(f: Float32Array, a: number, b: number, length: number, span = 1): number {
  return (
    lane(f, a, b, length, span) +
    lane(f, a + 1, b + 1, length, span) +
    (lane(f, a + 2, b + 2, length, span) + lane(f, a + 3, b + 3, length, span))
  );
}

/** Writes the gradient, clipped by value and times `scale`, to its block. */
function clip({ f, g, length, bound }: Memory, scale: number): void {
  for (let k = 0; k < length; k++) f[GRAD_BLOCK + k] = bounded(f[g + k], -bound, bound) * scale;
}

const scanPlain: Visit = (m) => {
  const found = dot(m.f, m.g, m.g, m.length, 4);
  m.unclipped += found;
  m.group[GG] += found;
};

const scanClipped: Visit = (m) => {
  clip(m, 1);
  m.unclipped += dot(m.f, m.g, m.g, m.length);
  m.group[GG] += dot(m.f, GRAD_BLOCK, GRAD_BLOCK, m.length);
};

const scanInDouble: Visit = (m) => {
  for (let k = m.g; k < m.g + m.length; k++) {
    const value = m.f[k];
    const within = bounded(value, -m.bound, m.bound);
    m.unclipped += value * value;
    m.group[GG] += within * within;
  }
};

/** Finds every group's ‖g‖²; returns the whole one before clipping. */
export function scan(m: Memory, exactly: boolean): number {
  m.unclipped = 0;
  m.clearSums(GG);
  m.sweep(exactly ? scanInDouble : m.bound < Infinity ? scanClipped : scanPlain);
  return m.unclipped;
}

export const measure: Visit = ({ f, group, x, length }) => {
  group[XX] += dot(f, x, x, length, 4);
};

/** Where the gradient of a span is, clipped first where that is asked for. */
export function gradientOf(m: Memory): number {
  if (m.clipScale === 1 && m.bound === Infinity) return m.g;
  clip(m, round(m.clipScale));
  return GRAD_BLOCK;
}

/** Where Δ_t of a span is, made first where it is not stored, with the sums that h needs. */
export function deltaOf(m: Memory): number {
  const { f, group, length, x, xRef, scales, perCoordinate } = m;
  if (m.keepsDelta) {
    if (m.form?.pull === "DECAY") group[DX] += dot(f, m.next, x, length);
    return m.next;
  }
  const additive = m.tuner.delta === "additive";
  const eps = round(m.tuner.eps);
  const scale = group[SCALE] + m.tuner.eps;
  const factor = round(additive ? 1 : 1 / scale);
  const shift = round(additive ? scale : 0);
  for (let k = 0; k < length; k++) {
    const moved = round(f[x + k] - f[xRef + k]);
    const own = round(f[scales + k] + eps);
    if (!perCoordinate) f[DELTA_BLOCK + k] = round(moved * factor) + shift;
    else f[DELTA_BLOCK + k] = additive ? moved + own : moved * round(1 / own);
  }
  if (!perCoordinate) {
    group[XX] += dot(f, x, x, length);
    group[DX] += dot(f, DELTA_BLOCK, x, length);
    group[DD] += dot(f, DELTA_BLOCK, DELTA_BLOCK, length);
  }
  // The additive shift (25) must not reach the zeros behind the last coordinate.
  const end = m.vectors + m.size - m.g;
  if (length > end) f.fill(0, DELTA_BLOCK + end, DELTA_BLOCK + length);
  return DELTA_BLOCK;
}

/** The base's loop: writes Δ_t + u_t to `next`. */
function runBase(m: Memory, from: number, delta: number, next: number): void {
  if (m.scalars[Scalar.interpolation] > 0) averageBase(m, from, delta, next);
  else runRule(m, from, delta, next);
}

function runRule(m: Memory, from: number, delta: number, next: number): void {
  const { f, length, slots, gap, c } = m;
  const { update } = m.rule;
  const step = -round(m.rate * m.segment.learningRate);
  for (let k = 0; k < length; k++) {
    f[next + k] = f[delta + k] + update(f, slots + m.firstSlot * gap + k, gap, f[from + k], step, c);
  }
}

/** The same with averaging: assembly/sweeps/update.ts has the equations. */
function averageBase(m: Memory, from: number, delta: number, next: number): void {
  const { f, length, slots, gap, c } = m;
  const step = -(m.rate * m.segment.learningRate);
  const { update, direction } = m.rule;
  const first = slots + m.firstSlot * gap;
  for (let k = 0; k < length; k++) {
    const g = f[from + k];
    f[UPDATE_BLOCK + k] = direction
      ? direction(f, first + k, g, c)
      : update(f, first + k, gap, g, round(step), c);
  }
  average(m, direction ? step : 1, from, delta, next);
}

/** d is `step` times what stands in its block. */
function average(m: Memory, step: number, from: number, delta: number, next: number): void {
  const { f, length, scalars } = m;
  const lead = m.slots + m.leadSlot * m.gap;
  m.group[LEAD_DG] += dot(f, lead, from, length, 2);
  const [beta, c] = [scalars[Scalar.interpolation], scalars[Scalar.weight]];
  const [weight, rest] = [round(c), round(1 - c)];
  const [pace, near] = [round(step * beta), round(step * (1 - beta * (1 - c)))];
  for (let k = 0; k < length; k++) {
    const d = f[UPDATE_BLOCK + k];
    const e = f[lead + k];
    f[lead + k] = rest * addProduct(e, pace, d);
    f[next + k] = f[delta + k] + addProduct(round(near * d), weight, e);
  }
}

/** u_t to its block: decoupled decay is in it. */
function findUpdate(m: Memory, from: number): void {
  const { f, length, x, segment, decoupled } = m;
  const decay = round(decoupled ? m.eta * segment.learningRate * segment.weightDecay : 0);
  const averages = decoupled && m.scalars[Scalar.interpolation] > 0;
  if (averages) runRule(m, from, ZEROS, UPDATE_BLOCK);
  else runBase(m, from, ZEROS, UPDATE_BLOCK);
  for (let k = 0; k < length; k++) f[UPDATE_BLOCK + k] -= round(decay * f[x + k]);
  if (averages) average(m, 1, from, ZEROS, UPDATE_BLOCK);
}

/** One span of sweep A: from g and Δ_t to Δ_{t+1} at `next`, and the sums, in the pairs that the kernels take. */
export function update(m: Memory, from: number, delta: number, next: number): void {
  const { f, group, length, x, decoupled, readsParams } = m;
  const { weightDecay } = m.segment;
  const ahead = m.form?.pull === "DECAY_AHEAD";
  const couples = readsParams && (ahead || !decoupled);
  group[DG] += dot(f, delta, from, length, couples ? 1 : 2);
  if (couples) {
    const decay = round(decoupled ? 0 : weightDecay);
    for (let k = 0; k < length; k++) f[GRAD_BLOCK + k] = addProduct(f[from + k], decay, f[x + k]);
    from = GRAD_BLOCK;
  }
  if (readsParams && (ahead || decoupled)) {
    findUpdate(m, from);
    for (let k = 0; k < length; k++) f[POINT_BLOCK + k] = f[x + k] + f[UPDATE_BLOCK + k];
    if (ahead) {
      group[YY] += dot(f, POINT_BLOCK, POINT_BLOCK, length);
      group[DY] += dot(f, delta, POINT_BLOCK, length);
    }
    addUpdate(m, UPDATE_BLOCK, delta, next);
  } else runBase(m, from, delta, next);
}

/** Δ_{t+1} = Δ_t + u_t. */
export function addUpdate({ f, length }: Memory, u: number, delta: number, next: number): void {
  for (let k = 0; k < length; k++) f[next + k] = f[delta + k] + f[u + k];
}

/** Sweep A. */
export function accumulate(m: Memory): void {
  m.clearSums(DG, DX, YY, DY, NEXT_DG, LEAD_DG);
  if (!m.tuner || !m.keepsDelta) m.clearSums(XX, DD);
  m.sweep(() => {
    update(m, gradientOf(m), deltaOf(m), m.next);
    if (!m.tuner) measure(m);
  });
}

/** (33), by way of a block, as Δ may stand where x is written. */
export const moveSpan: Visit = (m) => {
  if (m.scalars[Scalar.hashes] > 1) m.summary[Summary.hashFound] += hashOf(m);
  const { f, group, length, x, xRef, next, scales, perCoordinate } = m;
  const scale = round(group[SCALE]);
  for (let k = 0; k < length; k++) {
    f[POINT_BLOCK + k] = addProduct(f[xRef + k], perCoordinate ? f[scales + k] : scale, f[next + k]);
  }
  const span = perCoordinate ? 2 : 4;
  group[XX] += dot(f, POINT_BLOCK, POINT_BLOCK, length, span);
  group[DD] += dot(f, next, next, length, span);
  f.copyWithin(x, POINT_BLOCK, POINT_BLOCK + length);
  if (m.scalars[Scalar.hashes] > 0) m.summary[Summary.hashLeft] += hashOf(m);
};

/** Sweep B. */
export function move(m: Memory): void {
  m.clearSums(XX, DD);
  m.sweep(moveSpan);
}

/** Where a span's gradient is, clipped, and with weight decay where that joins it. */
function gradientSeen(m: Memory): number {
  const { f, length, x } = m;
  const from = gradientOf(m);
  if (!m.readsParams || m.decoupled) return from;
  const decay = round(m.segment.weightDecay);
  for (let k = 0; k < length; k++) f[GRAD_BLOCK + k] = addProduct(f[from + k], decay, f[x + k]);
  return GRAD_BLOCK;
}

/** assembly/sweeps/compare.ts: keeps the gradient in a slot of the base. */
export function keepGradient(m: Memory, slot: number): void {
  m.sweep(() => {
    const from = gradientSeen(m);
    m.f.copyWithin(m.slots + slot * m.gap, from, from + m.length);
  });
}

/** δ of the gradient and of `times` what a slot holds. */
export function gradientChange(m: Memory, slot: number, times: number): number {
  m.clearSums(YY, DY);
  m.sweep(() => {
    const from = gradientSeen(m);
    const before = m.slots + slot * m.gap;
    let [apart, both] = [0, 0];
    for (let k = 0; k < m.length; k++) {
      const second = m.f[from + k];
      const first = times * m.f[before + k];
      apart += (second - first) * (second - first);
      both += first * first + second * second;
    }
    m.group[YY] += apart;
    m.group[DY] += both;
  });
  let [apart, both] = [0, 0];
  for (const group of m.groups) {
    apart += group[YY];
    both += group[DY];
  }
  return apart / both;
}

/** ‖Δ_{t+1}‖² of every group. */
export function measureDelta(m: Memory): void {
  m.clearSums(DD);
  m.sweep(({ f, group, next, length }) => {
    group[DD] += dot(f, next, next, length, 4);
  });
}

/** ⟨Δ_{t+1}, g_t⟩ of every group. */
export function measureSlope(m: Memory): void {
  m.clearSums(NEXT_DG);
  m.sweep(() => {
    m.group[NEXT_DG] += dot(m.f, m.next, gradientOf(m), m.length);
  });
}
