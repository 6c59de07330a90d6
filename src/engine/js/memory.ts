import type { ScalarRule } from "../../bases/base.js";
import type { Form } from "../../tuners/forms.js";
import type { Segment as Shared } from "../../tensors.js";
import type { Tuner } from "../../tuners/tuners.js";
import { expectFit, isBounded, looksAhead, notGranted, readsParams, type Program } from "../program.js";
import { Beta, BLOCK_BYTES, CHUNK_BYTES, EIGHT_BYTES, Group, Scalar, Summary } from "../records.js";

/*
 * The js engine's memory. Groups and vectors lie as in assembly/memory/layout.ts, since a state saved by one engine goes on
 * in every other; before them come blocks and the staging area. Addresses are indices into `f`, which views the whole.
 */

/** Coordinates whose tuners lie together; of a chunk, which vectors are padded to; of a block, whose sums are float32. */
export const EIGHT = EIGHT_BYTES / 4;
export const CHUNK = CHUNK_BYTES / 4;
export const BLOCK = BLOCK_BYTES / 4;

/** Scratch blocks: Δ_t, g_t and u_t of a span where they are not vectors, h, y or x; and two that stay as they are. */
export const DELTA_BLOCK = 0;
export const GRAD_BLOCK = BLOCK;
export const UPDATE_BLOCK = 2 * BLOCK;
export const H_BLOCK = 3 * BLOCK;
export const POINT_BLOCK = 4 * BLOCK;
export const ZEROS = 5 * BLOCK;
export const ONES = 6 * BLOCK;
const STAGING = 7 * BLOCK;

/** Places of the vectors, counted from g. */
export const PARAMS = 1;
export const REFERENCE = 2;

/** Fields of a group, in float64, by the names of assembly/memory/records.ts; behind them the tuners of its betas. */
export const { gg: GG, dg: DG, dd: DD, xx: XX, dx: DX, yy: YY, dy: DY, h: H, hh: HH } = Group;
export const { nextDg: NEXT_DG, leadDg: LEAD_DG, scaleMean: SCALE_MEAN, scaleMax: SCALE_MAX } = Group;
export const { scale: SCALE, sInit: S_INIT, scaleBefore: SCALE_BEFORE, count: BETAS } = Group;

/** Where the k-th beta's first field is in a group. The fields of two betas lie in turns. */
export const betaAt = (k: number) => BETAS + (k >> 1) * Beta.count + (k & 1);

export interface Segment extends Omit<Shared, "group"> {
  readonly group: Float64Array;
}

/** What a sweep does with one span of a segment's coordinates, which the fields from `length` on describe. */
export type Visit = (m: Memory) => void;

function allocate(length: number, size: number): Float32Array<ArrayBuffer> {
  expectFit(4 * length, size);
  try {
    return new Float32Array(length);
  } catch {
    throw notGranted(4 * length);
  }
}

const align = (index: number) => Math.ceil(index / CHUNK) * CHUNK;

/** A program, its vectors and its tuners. */
export class Memory {
  declare readonly f: Float32Array;
  /** The same as words. */
  declare readonly words: Int32Array;
  declare readonly groups: readonly Float64Array[];
  declare readonly segments: readonly Segment[];
  declare readonly size: number;
  declare readonly stride: number;
  declare readonly vectors: number;
  declare readonly vectorCount: number;
  declare readonly deltaAt: number;
  declare readonly slotsAt: number;
  declare readonly scaleAt: number;
  /** Coordinates' tuners, behind the vectors; eight coordinates' of one beta, and of all. */
  declare readonly tuners: number;
  declare readonly betaLength: number;
  declare readonly tunerLength: number;

  declare rule: ScalarRule;
  declare readonly decoupled: boolean;
  declare readonly readsParams: boolean;
  declare readonly bound: number;
  declare readonly perCoordinate: boolean;
  /** Null without a tuner; then no one asks. */
  declare readonly tuner: Tuner;
  declare readonly form: Form;
  /** Δ has a vector, or is x itself. */
  declare readonly keepsDelta: boolean;

  /** The step's scalars, from the host, and what of them the sweeps use. */
  readonly scalars = new Float64Array(Scalar.count);
  readonly c = new Float32Array(Scalar.learningRate - 1);
  declare rate: number;
  declare eta: number;
  declare clipScale: number;
  /** Places of the rule's first slot and of the lead, counted from the base's slots. */
  declare firstSlot: number;
  declare leadSlot: number;
  readonly summary = new Float64Array(Summary.count);
  /** ‖g‖² before clipping. */
  declare unclipped: number;

  /** The span: its place and length, its segment, where it begins in each vector, and how far these are apart. */
  declare at: number;
  declare length: number;
  declare segment: Segment;
  declare group: Float64Array;
  declare gap: number;
  declare g: number;
  declare x: number;
  declare xRef: number;
  declare next: number;
  declare slots: number;
  declare scales: number;
  declare shares: number;
  declare extra: number;
  declare spanTuners: number;

  constructor(program: Program) {
    const { size, slots, decoupled, perCoordinate } = program;
    const tuner = (this.tuner = program.tuner!);
    const form = (this.form = program.form!);
    this.size = size;
    this.decoupled = decoupled;
    this.readsParams = readsParams(program);
    this.bound = Math.fround(program.bound);
    this.perCoordinate = perCoordinate;

    const stored = tuner?.delta === "stored";
    this.keepsDelta = stored || !tuner;
    const betas = form?.decays.length ?? 0;
    this.stride = align(size);
    this.deltaAt = stored ? REFERENCE + 1 : PARAMS;
    this.slotsAt = PARAMS + 1 + Number(!!tuner) + Number(stored);
    this.scaleAt = this.slotsAt + slots;
    this.vectorCount = this.scaleAt;
    if (perCoordinate) this.vectorCount += 2 + Number(looksAhead(program) || isBounded(program));
    this.betaLength = EIGHT * (form?.usesScaleBefore ? 5 : 4);
    this.tunerLength = perCoordinate ? betas * this.betaLength : 0;
    const groupsBegin = STAGING + this.vectorCount * CHUNK + 2 * this.tunerLength;
    const groupLength = perCoordinate && !isBounded(program) ? BETAS : betaAt(betas + (betas % 2));
    this.vectors = align(groupsBegin + 2 * program.groups * groupLength);

    this.tuners = this.vectorOf(this.vectorCount);
    this.f = allocate(this.tuners + (this.stride / EIGHT) * this.tunerLength, size);
    this.words = new Int32Array(this.f.buffer);
    this.f.fill(1, ONES, ONES + BLOCK);
    this.groups = Array.from(
      { length: program.groups },
      (_, k) => new Float64Array(this.f.buffer, 4 * groupsBegin + 8 * k * groupLength, groupLength),
    );
    this.segments = program.segments.map((segment) => ({ ...segment, group: this.groups[segment.group] }));
  }

  vectorOf(index: number): number {
    return this.vectors + index * this.stride;
  }

  /** Where coordinate j's tuner begins, of those from `tuners` on; its fields are eight places apart. */
  tunerOf(j: number, tuners = this.tuners): number {
    return tuners + Math.floor(j / EIGHT) * this.tunerLength + (j % EIGHT);
  }

  /** Segment by segment, in blocks of whole chunks; chunks that a segment shares with others go over the staging area. */
  sweep(visit: Visit): void {
    for (const segment of this.segments) {
      const { first, last } = segment;
      const wholeFrom = align(first);
      const wholeTo = last === this.size ? this.stride : last - (last % CHUNK);
      this.segment = segment;
      this.group = segment.group;
      if (first < wholeFrom) this.#sweepStaged(visit, first, Math.min(last, wholeFrom));
      for (let from = wholeFrom; from < wholeTo; from += BLOCK) {
        this.at = from;
        this.#visit(
          visit,
          this.vectors + from,
          this.stride,
          this.tunerOf(from),
          Math.min(BLOCK, wholeTo - from),
        );
      }
      if (wholeFrom <= wholeTo && wholeTo < last) this.#sweepStaged(visit, wholeTo, last);
    }
  }

  #visit(visit: Visit, g: number, gap: number, tuners: number, length: number): void {
    this.length = length;
    this.gap = gap;
    this.g = g;
    this.x = g + PARAMS * gap;
    this.xRef = g + REFERENCE * gap;
    this.next = g + this.deltaAt * gap;
    this.slots = g + this.slotsAt * gap;
    this.scales = g + this.scaleAt * gap;
    this.shares = this.scales + gap;
    this.extra = this.shares + gap;
    this.spanTuners = tuners;
    visit(this);
  }

  #sweepStaged(visit: Visit, first: number, last: number): void {
    const { f, vectorCount, tunerLength } = this;
    const tuners = STAGING + vectorCount * CHUNK;
    const carry = (put: (there: number, here: number) => void) => {
      for (let k = 0; k < last - first; k++) {
        for (let v = 0; v < vectorCount; v++) put(this.vectorOf(v) + first + k, STAGING + v * CHUNK + k);
        for (let field = 0; field < tunerLength; field += EIGHT)
          put(this.tunerOf(first + k) + field, this.tunerOf(k, tuners) + field);
      }
    };
    f.fill(0, STAGING, tuners + 2 * tunerLength);
    carry((there, here) => (f[here] = f[there]));
    this.at = first;
    this.#visit(visit, STAGING, CHUNK, tuners, CHUNK);
    carry((there, here) => (f[there] = f[here]));
  }

  /** Starts sums anew. */
  clearSums(...fields: number[]): void {
    for (const group of this.groups) for (const field of fields) group[field] = 0;
  }
}
