import type { Clock } from "../stepper/clock.js";
import type { Granularity } from "../tuners/tuners.js";
import type { Engine, Program } from "./program.js";
import { CHUNK_BYTES, Group } from "./records.js";

/** A share of x beyond which it was not rounded, but written. */
const ROUNDED = 1e-5;

/** Vectors are padded to so many coordinates. */
const CHUNK = CHUNK_BYTES / 4;

/** A copy of everything that a step changes, and of the gradient. */
export class StateCopy {
  readonly #sources: readonly (Uint8Array | Float32Array)[];
  readonly #copies: readonly (Uint8Array | Float32Array)[];

  constructor({ state, grads, outside = [] }: Engine) {
    this.#sources = [...state, grads, ...outside];
    this.#copies = this.#sources.map((source) => source.slice());
  }

  get grads(): Float32Array {
    return this.#copies[2] as Float32Array;
  }

  /** Where x is in memory of our own: the vectors begin with it. */
  get params(): Float32Array {
    return new Float32Array(this.#copies[1].buffer, 0, this.grads.length);
  }

  update(): this {
    this.#copies.forEach((copy, k) => copy.set(this.#sources[k]));
    return this;
  }

  restore(): void {
    this.#sources.forEach((source, k) => source.set(this.#copies[k]));
  }
}

/** What `save` keeps: without the sums that a step clears before it adds to them, as a step that fails leaves others. */
export function savedState({ state: [groups, vectors], groups: count }: Engine): Engine["state"] {
  const copy = groups.slice();
  const fields = new Float64Array(copy.buffer);
  const length = fields.length / count;
  for (let k = 0; k < fields.length; k += length)
    for (const sum of [Group.gg, Group.yy, Group.dy]) fields[k + sum] = 0;
  return [copy, vectors];
}

/** A point in a run to go back to. */
export interface Snapshot {
  readonly copy: StateCopy;
  readonly clock: Readonly<Clock>;
  readonly fresh: boolean;
}

/** What a rejected step halves: the tuners' scales, or without a tuner the rate. */
export interface Backoff {
  readonly scales: ArrayLike<number>;
  readonly rateFactor: number;
}

/** S of every tuner: one for each coordinate, tensor, or for all. */
export function scalesOf({ kernels, groups, scales }: Engine): ArrayLike<number> {
  return scales?.slice() ?? Array.from({ length: groups }, (_, group) => kernels.scaleOf(group));
}

/** S as the user sees it: a number, one for each tensor (0 where frozen), or one for each coordinate. */
export function shownScale(
  { kernels, scales }: Engine,
  granularity: Granularity,
  tensors: readonly { readonly frozen: boolean }[],
): number | Float32Array {
  if (granularity === "global") return kernels.scaleOf(0);
  if (granularity === "parameter") return scales!;
  let group = 0;
  return Float32Array.from(tensors, ({ frozen }) => (frozen ? 0 : kernels.scaleOf(group++)));
}

/** S ← min(S, other), tuner by tuner; a scale of 0 says nothing. */
export function lowerScales({ kernels, scales }: Engine, others: ArrayLike<number>): void {
  for (let k = 0; k < others.length; k++) {
    if (!scales) kernels.lowerScale(k, others[k]);
    else if (others[k] > 0 && !(scales[k] > 0 && scales[k] < others[k])) scales[k] = others[k];
  }
}

/** x − S · share · lead: the average where the lead is z − y, of a rule whose `slot` it is. */
export function averageOf(
  engine: Engine,
  program: Program,
  slot: number,
  share: number,
  point: Float32Array,
): Float32Array {
  const { kernels, scales } = engine;
  const lead = engine.moments[slot];
  const average = point.slice();
  for (const { first, last, group } of program.segments) {
    const scale = program.tuner ? kernels.scaleOf(group) : 1;
    for (let i = first; i < last; i++) average[i] -= (scales ? scales[i] : scale) * share * lead[i];
  }
  return average;
}

/** xRef ← xRef + offset. */
export function shiftReference({ reference }: Engine, offset: ArrayLike<number>): void {
  if (reference) for (let i = 0; i < reference.length; i++) reference[i] += offset[i];
}

/**
 * The first coordinate where x is not xRef + SΔ, but for what moves from outside have rounded, or else the farthest from it.
 * Δ has a vector, the third of the state.
 */
export function offPlace(
  { kernels, scales, state: [, vectors] }: Engine,
  { size, segments }: Program,
): number {
  const stride = CHUNK * Math.ceil(size / CHUNK);
  const f = new Float32Array(vectors.buffer, vectors.byteOffset, 3 * stride);
  let [place, most] = [0, -1];
  for (const { first, last, group } of segments) {
    const scale = scales ? 0 : kernels.scaleOf(group);
    for (let i = first; i < last; i++) {
      const [x, reference, moved] = [f[i], f[stride + i], (scales ? scales[i] : scale) * f[2 * stride + i]];
      const off = Math.abs(x - reference - moved) / (Math.abs(x) + Math.abs(reference) + Math.abs(moved));
      if (off > ROUNDED) return i;
      if (off > most) [place, most] = [i, off];
    }
  }
  return place;
}
