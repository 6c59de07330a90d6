import { betaAt, DD, EIGHT, S_INIT, SCALE, TURN, XX } from "./js/memory.js";
import type { Decoded, Held } from "../stepper/checkpoint.js";
import type { Engine, Program } from "./program.js";

/*
 * A saved state may have its tensors in another order, lack some, or have them frozen. Then it is taken over tensor by
 * tensor. What was not saved, or was frozen, starts afresh: where no s_init was given, from the mean S of the others.
 */

/** A state as numbers: the tuners' groups, and the vectors, with the coordinates' tuners as more vectors behind them. */
interface Numbers {
  readonly groups: Float64Array;
  readonly f: Float32Array;
  /** Where coordinate j of vector k is. */
  readonly at: (k: number, j: number) => number;
}

/** A tensor's first coordinate, and which of the groups is its own where each tensor has one. */
interface Place extends Held {
  readonly first: number;
  readonly group: number;
}

const strideOf = (size: number) => TURN * Math.ceil(size / TURN);
const sizeOf = (tensors: readonly Held[]) => tensors.reduce((sum, { size }) => sum + size, 0);

function placesOf(tensors: readonly Held[], isFrozen?: (place: Place) => boolean): Place[] {
  let [first, group] = [0, 0];
  return tensors.map(({ size, frozen: known }) => {
    const frozen = known ?? isFrozen?.({ first, group, size, frozen: known });
    const place = { first, group, size, frozen };
    first += size;
    group += Number(!frozen);
    return place;
  });
}

/** The parts of an engine's state, and whether any tensor starts afresh. */
export interface Transplanted {
  readonly parts: readonly [groups: Uint8Array, vectors: Uint8Array];
  readonly fresh: boolean;
}

/** What an engine's state has to be; undefined where the payload has not the length that it should have. */
export function transplant(
  { state: [groupsNow, vectorsNow] }: Engine,
  program: Program,
  { payload, saved, sources }: Decoded,
  own: readonly Held[],
): Transplanted | undefined {
  const perStride = vectorsNow.length / strideOf(program.size);
  const begin = payload.length - perStride * strideOf(sizeOf(saved));
  const parts = [payload.subarray(0, Math.max(0, begin)), payload.subarray(Math.max(0, begin))] as const;
  const same = saved.length === own.length && saved.every(({ frozen }, k) => frozen === own[k].frozen);
  if (same && sources.every((source, k) => source === k))
    return begin === groupsNow.length ? { parts, fresh: false } : undefined;
  if (begin < 0 || begin % 8) return undefined;
  const to = numbersOf(program, groupsNow, vectorsNow, program.size);
  const work = new Transplant(program, to, numbersOf(program, ...parts, sizeOf(saved)));
  const there = work.placesOf(saved);
  if (!there) return undefined;
  const fresh = work.run(there, placesOf(own), sources);
  return { parts: [new Uint8Array(to.groups.buffer), new Uint8Array(to.f.buffer)], fresh };
}

/** Copies. */
function numbersOf(program: Program, groups: Uint8Array, vectors: Uint8Array, size: number): Numbers {
  const { betas, fields } = layoutOf(program);
  const stride = strideOf(size);
  const own = vectors.length / 4 / stride - betas * fields;
  const tuners = (j: number) => own * stride + Math.floor(j / EIGHT) * betas * fields * EIGHT + (j % EIGHT);
  return {
    groups: new Float64Array(groups.slice().buffer),
    f: new Float32Array(vectors.slice().buffer),
    at: (k, j) => (k < own ? k * stride + j : tuners(j) + (k - own) * EIGHT),
  };
}

/** Places of vectors: x is the first, xRef the second, then Δ. Numbers of each beta's tuner where coordinates have them. */
function layoutOf({ tuner, form, slots, perCoordinate }: Program) {
  return {
    stored: tuner?.delta === "stored",
    scaleAt: 1 + Number(!!tuner) + Number(tuner?.delta === "stored") + slots,
    betas: form?.decays.length ?? 0,
    fields: perCoordinate ? (form!.usesScaleBefore ? 5 : 4) : 0,
  };
}

/** What a tuner and vectors hold that have seen nothing; `scale` where there is no s_init. */
function freshOf(program: Program, count: number, scale: number) {
  const { scaleAt, betas, fields } = layoutOf(program);
  const { tuner, form } = program;
  const sInit = tuner?.sInit ?? scale;
  const s = tuner?.sInit === undefined ? sInit / betas : sInit * form!.startShare;
  const tuners = count - betas * fields;
  return {
    group: (group: Float64Array): void => {
      group.fill(0);
      group[S_INIT] = sInit;
      group[SCALE] = betas * s;
      // m, and behind v and r the two s.
      for (let k = 0; k < betas; k++)
        for (const field of [0, 6, 8]) group[betaAt(k) + field] = field ? s : form!.mStart;
    },
    vector: (k: number, x: number): number => {
      if (k === 1 && tuner) return x;
      if (!fields || k < scaleAt) return 0;
      if (k < tuners) return [betas * s, sInit / betas, 0][k - scaleAt];
      return [form!.mStart, 0, 0, s, s][(k - tuners) % fields];
    },
  };
}

class Transplant {
  readonly #program: Program;
  readonly #to: Numbers;
  readonly #from: Numbers;
  /** Vectors, those of coordinates' tuners included. */
  readonly #count: number;
  readonly #perTensor: boolean;
  readonly #groupLength: number;

  constructor(program: Program, to: Numbers, from: Numbers) {
    this.#program = program;
    this.#to = to;
    this.#from = from;
    this.#count = to.f.length / strideOf(program.size);
    this.#perTensor = program.tuner?.granularity === "tensor";
    this.#groupLength = to.groups.length / program.groups;
  }

  /** Where the saved tensors are: where nothing ever moved, all but x is 0. Undefined where tuners are missing. */
  placesOf(saved: readonly Held[]): Place[] | undefined {
    const from = this.#from;
    const places = placesOf(saved, (place) => {
      for (let k = 1; k < this.#count; k++)
        if (sumOf(from, k, place, (value) => +(value !== 0))) return false;
      return true;
    });
    const groups = this.#perTensor ? places.filter(({ frozen }) => !frozen).length : 1;
    return from.groups.length === groups * this.#groupLength ? places : undefined;
  }

  #groupOf({ groups }: Numbers, { group }: Place): Float64Array {
    const length = this.#groupLength;
    return this.#perTensor ? groups.subarray(group * length, (group + 1) * length) : groups;
  }

  /** The mean S of those that have one. */
  #meanScale(places: readonly Place[]): number {
    const { scaleAt, fields } = layoutOf(this.#program);
    let [sum, count] = [0, 0];
    for (const place of places) {
      if (place.frozen) continue;
      const add = (term: (scale: number) => number) =>
        fields ? sumOf(this.#from, scaleAt, place, term) : term(this.#groupOf(this.#from, place)[SCALE]);
      sum += add((scale) => scale);
      count += add((scale) => +(scale > 0));
    }
    return count && sum / count;
  }

  /** Takes all tensors over; returns whether one of them starts afresh. */
  run(there: readonly Place[], here: readonly Place[], sources: readonly (number | undefined)[]): boolean {
    const { groups } = this.#to;
    const fresh = freshOf(this.#program, this.#count, this.#meanScale(there));
    const stored = this.#program.tuner?.delta === "stored";
    if (!this.#perTensor) {
      groups.set(this.#from.groups);
      this.#forgetSums(groups, stored);
    }
    let anyFresh = false;
    here.forEach((place, k) => {
      const source = sources[k] === undefined ? undefined : there[sources[k]];
      const kept = source && !source.frozen && !place.frozen ? source : undefined;
      this.#moveVectors(place, source, kept, fresh.vector);
      if (place.frozen) return;
      anyFresh ||= !kept;
      const group = this.#groupOf(this.#to, place);
      if (this.#perTensor) {
        if (kept) group.set(this.#groupOf(this.#from, kept));
        else fresh.group(group);
        this.#forgetSums(group, stored);
      }
      group[XX] += sumOf(this.#to, 0, place, (x) => x * x);
      if (stored) group[DD] += sumOf(this.#to, 2, place, (delta) => delta * delta);
    });
    return anyFresh;
  }

  #forgetSums(group: Float64Array, stored: boolean): void {
    group[XX] = 0;
    if (stored) group[DD] = 0;
  }

  /** Of what was or is frozen, x alone. */
  #moveVectors(
    { first, size, frozen }: Place,
    source: Place | undefined,
    kept: Place | undefined,
    fresh: (k: number, x: number) => number,
  ): void {
    const [to, from] = [this.#to, this.#from];
    for (let k = 0; k < this.#count; k++) {
      const there = k === 0 ? source : kept;
      for (let i = 0; i < size; i++) {
        const at = to.at(k, first + i);
        if (there) to.f[at] = from.f[from.at(k, there.first + i)];
        else if (k > 0) to.f[at] = frozen ? 0 : fresh(k, to.f[first + i]);
      }
    }
  }
}

function sumOf(
  { f, at }: Numbers,
  k: number,
  { first, size }: Pick<Place, "first" | "size">,
  term: (value: number) => number,
): number {
  let sum = 0;
  for (let j = first; j < first + size; j++) sum += term(f[at(k, j)]);
  return sum;
}
