import type { Decoded, Held } from "../stepper/checkpoint.js";
import { EIGHT, SCALE, SCALE_MEAN, CHUNK, XX } from "./js/memory.js";
import type { Engine, Program } from "./program.js";

/** A tensor's first coordinate, and its number among those that have a tuner of their own. */
interface Place extends Held {
  readonly first: number;
  readonly group: number;
}

const strideOf = (size: number) => CHUNK * Math.ceil(size / CHUNK);
const sizeOf = (tensors: readonly Held[]) => tensors.reduce((sum, { size }) => sum + size, 0);

function placesOf(tensors: readonly Held[], isFrozen?: (first: number, size: number) => boolean): Place[] {
  let [first, group] = [0, 0];
  return tensors.map(({ size, frozen = isFrozen?.(first, size) }) => {
    const place = { first, group, size, frozen };
    first += size;
    group += Number(!frozen);
    return place;
  });
}

/** Views of a state: its groups, all vectors, and where coordinate j of vector k is; coordinates' tuners are the last. */
function viewsOf({ perCoordinate, form }: Program, groups: Uint8Array, vectors: Uint8Array, size: number) {
  const stride = strideOf(size);
  const length = perCoordinate ? form!.decays.length * (form!.usesScaleBefore ? 5 : 4) : 0;
  const count = vectors.length / 4 / stride;
  const tuners = (count - length) * stride;
  return {
    groups: new Float64Array(groups.buffer, groups.byteOffset, groups.length / 8),
    f: new Float32Array(vectors.buffer, vectors.byteOffset, vectors.length / 4),
    count,
    at: (k: number, j: number) =>
      k < count - length
        ? k * stride + j
        : tuners + (Math.floor(j / EIGHT) * length + k - count + length) * EIGHT + (j % EIGHT),
  };
}

type Views = ReturnType<typeof viewsOf>;

/** Where nothing ever moved, all but x is 0. */
function isUntouched({ f, at, count }: Views, first: number, size: number): boolean {
  for (let k = 1; k < count; k++)
    for (let j = first; j < first + size; j++) if (f[at(k, j)] !== 0) return false;
  return true;
}

/**
 * Takes over a saved state, where its tensors are in another order, are too few, or were frozen, tensor by tensor. What
 * was not saved, or was frozen, starts afresh: where no s_init was given, from the mean S of the others.
 *
 * @returns whether anything starts afresh; undefined where the payload has not the length that it should have
 */
export function transplant(
  { kernels, state: [groups, vectors] }: Engine,
  program: Program,
  { payload, saved, sources }: Decoded,
  own: readonly Held[],
): boolean | undefined {
  const savedSize = sizeOf(saved);
  const begin = payload.length - (vectors.length / strideOf(program.size)) * strideOf(savedSize);
  const same = saved.length === own.length && saved.every(({ frozen }, k) => frozen === own[k].frozen);
  if (same && sources.every((source, k) => source === k)) {
    if (begin !== groups.length) return undefined;
    groups.set(payload.subarray(0, begin));
    vectors.set(payload.subarray(begin));
    return false;
  }
  if (begin < 0 || begin % 8) return undefined;
  const from = viewsOf(program, payload.slice(0, begin), payload.slice(begin), savedSize);
  const there = placesOf(saved, (first, size) => isUntouched(from, first, size));
  const perTensor = program.tuner?.granularity === "tensor";
  const tuners = perTensor ? there.filter(({ frozen }) => !frozen).length : 1;
  if (begin !== (groups.length / program.groups) * tuners) return undefined;

  const to = viewsOf(program, groups, vectors, program.size);
  groups.fill(0);
  to.f.fill(0, strideOf(program.size));
  startAfresh(kernels, program, from.groups, tuners);
  if (!perTensor) groups.set(payload.subarray(0, begin));
  return moveTensors(
    program,
    to,
    from,
    placesOf(own).map((place, k) => [place, there[sources[k] ?? -1]]),
  );
}

function startAfresh(
  kernels: Engine["kernels"],
  { tuner, form, perCoordinate }: Program,
  groups: Float64Array,
  tuners: number,
): void {
  if (!form) return;
  if (tuner!.sInit !== undefined) return kernels.start(tuner!.sInit, form.startShare);
  let scale = 0;
  for (let k = perCoordinate ? SCALE_MEAN : SCALE; k < groups.length; k += groups.length / tuners)
    scale += groups[k] / tuners;
  kernels.start(scale, 1 / form.decays.length);
}

/** Tensors that take part have their ‖x‖² summed anew. */
function moveTensors(
  { tuner, groups }: Program,
  to: Views,
  from: Views,
  places: readonly [to: Place, from: Place | undefined][],
): boolean {
  const length = to.groups.length / groups;
  const perTensor = tuner?.granularity === "tensor";
  let anyFresh = false;
  if (!perTensor) to.groups[XX] = 0;
  for (const [{ first, group, size, frozen }, source] of places) {
    const kept = source && !source.frozen && !frozen;
    const own = perTensor ? length * group : 0;
    if (perTensor && kept) {
      const there = length * source.group;
      to.groups.set(from.groups.subarray(there, there + length), own);
    }
    if (perTensor && !frozen) to.groups[own + XX] = 0;
    anyFresh ||= !kept && !frozen;
    for (let j = first; j < first + size; j++) {
      for (let k = 0; source && k < (kept ? to.count : 1); k++)
        to.f[to.at(k, j)] = from.f[from.at(k, source.first + j - first)];
      const x = to.f[j];
      if (tuner && !kept && !frozen) to.f[to.at(1, j)] = x;
      if (!frozen) to.groups[own + XX] += x * x;
    }
  }
  return anyFresh;
}
