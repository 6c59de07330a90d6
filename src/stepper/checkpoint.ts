import { OptimizerError } from "../common/errors.js";
import { cut, expectBytes, show } from "../common/expect.js";
import { toBytes, toText } from "../common/ascii.js";
import { hashOf, mix } from "../common/hash.js";
import type { GradientKind } from "../common/kinds.js";
import { nameOf, WHOLE, type Tensor } from "../tensors.js";

/*
 * A saved state, little-endian:
 *
 *   0   "SLVL"
 *   4   u32  version
 *   8   u32  checksum of everything behind it
 *   12  u32  bytes of the description
 *   16  description: JSON, ASCII, padded with spaces to a multiple of 8
 *       payload: the optimizer's state as it lies in memory
 */

const MAGIC = 0x4c564c53;
const VERSION = 3;
/** The oldest that is still read: it knew of tensors their sizes alone. */
const OLDEST = 2;
const HEADER = 16;

/** What the payload belongs to, and the numbers that live outside of it. */
export interface Description {
  /** Options that the numbers in the payload were made with, such as "base.beta1". */
  readonly options: Readonly<Record<string, unknown>>;
  readonly tensors: readonly Pick<Tensor, "name" | "shape" | "learningRate" | "weightDecay" | "frozen">[];
  readonly clock: Clock;
}

/** Where a run stands. */
export interface Clock {
  /** Steps taken, the skipped ones included. */
  iterations: number;
  skipped: number;
  /** The step of the last anchor; 0 before the first. */
  windowStart: number;
  learningRate: number;
  /** Largest gradient norm so far. */
  gradNormMax: number;
  /** Updates before momentum last started from 0; 0 unless a step was rejected. */
  momentumStart: number;
  /** What a guard multiplies the rate by, in (0, 1]. */
  rateFactor: number;
  gradients: GradientKind;
  /** Anchors so far, by hand as well: there may be more of them than steps. */
  anchors: number;
  /** Of schedule-free averaging: t in the weights w, Σ w over the newest of them, and the largest rate. */
  age: number;
  weightSum: number;
  rateMax: number;
  /** Running mean of ‖g‖². */
  squaresMean: number;
  /** Running means of ⟨e, g⟩ and of its square, and over how many steps. */
  slopeMean: number;
  slopeSquares: number;
  slopes: number;
  /** What a run knows that another one goes on from. */
  watch?: Watch;
}

/** What a run that watches its loss goes by from step to step. */
export interface Watch {
  /** The first loss, the lowest, the one that the lowest is compared with, and for how many steps it has not fallen. */
  readonly first?: number;
  readonly best?: number;
  readonly reference?: number;
  readonly waited?: number;
  /** Steps in a row that a level held in place. */
  readonly held?: number;
  /** V as the guard's probe measured it last; null where it is no measure of the next step. */
  readonly probed?: number | null;
  /** The loss where the run ended. A run that begins with another one is not the same. */
  readonly loss?: number;
}

export const newClock = (gradients: GradientKind): Clock => ({
  iterations: 0,
  skipped: 0,
  windowStart: 0,
  learningRate: 0,
  gradNormMax: 0,
  momentumStart: 0,
  rateFactor: 1,
  gradients,
  anchors: 0,
  ...newAverage(),
  rateMax: 0,
  squaresMean: 0,
  watch: undefined,
});

/** An average of nothing. */
export const newAverage = () => ({ age: 0, weightSum: 0, slopeMean: 0, slopeSquares: 0, slopes: 0 });

/** Over little-endian 32-bit words, and the bytes behind the last one. */
function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  let hash = hashOf(new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2));
  for (let i = aligned.length & ~3; i < aligned.length; i++) hash = mix(hash, aligned[i]);
  return hash >>> 0;
}

export function encode(description: Description, payload: readonly Uint8Array[]): Uint8Array {
  const json = toBytes(JSON.stringify(description));
  const text = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(payload.reduce((sum, part) => sum + part.length, HEADER + text)).fill(
    32,
    0,
    HEADER + text,
  );
  bytes.set(json, HEADER);
  let at = HEADER + text;
  for (const part of payload) {
    bytes.set(part, at);
    at += part.length;
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(12, text, true);
  view.setUint32(8, checksum(bytes.subarray(12)), true);
  return bytes;
}

function refuse(reason: string): never {
  throw new OptimizerError("state", `state: ${reason}`);
}

/** A saved state, taken apart and checked for damage. */
function read(given: unknown): { version: number; description: Description; payload: Uint8Array } {
  const state = expectBytes("state", given);
  if (state.length < HEADER) refuse(`${state.length} bytes are too few for a saved state`);
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  if (view.getUint32(0, true) !== MAGIC) refuse("these bytes are not a saved state (no magic number)");
  const version = view.getUint32(4, true);
  if (version < OLDEST || version > VERSION)
    refuse(`it has version ${version}; this package reads versions ${OLDEST} and ${VERSION}`);
  if (view.getUint32(8, true) !== checksum(state.subarray(12)))
    refuse("it is truncated or damaged (checksum)");
  const text = view.getUint32(12, true);
  if (HEADER + text > state.length) refuse("it is damaged (description)");
  const description = parse(state.subarray(HEADER, HEADER + text));
  return { version, description, payload: state.subarray(HEADER + text) };
}

/** Where the run stands that a saved state is of. */
export const clockOf = (state: unknown): Clock => checkClock(read(state).description.clock);

/** A tensor as a state holds it; `frozen` is unknown in states of version 2. */
export interface Held {
  readonly size: number;
  readonly frozen: boolean | undefined;
}

/** What a saved state must agree with, and what one of version 2 must. */
export interface Expected {
  readonly options: Description["options"];
  readonly older: Readonly<Record<string, unknown>>;
}

/** A saved state that goes with an optimizer. */
export interface Decoded {
  readonly clock: Clock;
  readonly payload: Uint8Array;
  readonly saved: readonly Held[];
  /** For each of the optimizer's tensors, its number among the saved ones. */
  readonly sources: readonly (number | undefined)[];
}

/**
 * Checks a saved state against the optimizer it shall go into.
 *
 * @param partial tensors that were not saved are allowed
 */
export function decode(
  state: unknown,
  { options, older }: Expected,
  own: readonly Tensor[],
  partial: boolean,
): Decoded {
  const { version, description, payload } = read(state);
  const { tensors } = description;
  compare(
    "it",
    version === VERSION ? description.options : description,
    version === VERSION ? options : older,
  );
  if (version !== VERSION) {
    const saved = own.map(({ size }) => ({ size, frozen: undefined }));
    return { clock: checkClock(description.clock), payload, saved, sources: own.map((_, k) => k) };
  }
  if (!Array.from(tensors ?? []).every((tensor) => typeof tensor?.frozen === "boolean") || !tensors?.length)
    refuse("it is damaged (tensors)");
  const places = match(tensors, own, partial);
  const saved = tensors.map(({ frozen }, k) => ({ size: own[places[k]].size, frozen }));
  const sources = own.map((): number | undefined => undefined);
  places.forEach((place, k) => (sources[place] = k));
  return { clock: checkClock(description.clock), payload, saved, sources };
}

/** Which of the tensors each saved one is: by name, or by place where they were saved without names. */
function match(saved: Description["tensors"], own: readonly Tensor[], partial: boolean): number[] {
  const unnamed = saved[0]?.name === WHOLE || saved.every(({ name }, k) => name === nameOf(k));
  const left = new Map(own.map(({ name }, k) => [unnamed ? nameOf(k) : name, k]));
  const places = saved.map((tensor, k) => {
    const key = unnamed ? nameOf(k) : tensor.name;
    const place = left.get(key);
    if (place === undefined)
      return refuse(`it has a tensor ${show(tensor.name)}; this optimizer has none of that name`);
    left.delete(key);
    const { name, shape, learningRate, weightDecay } = own[place];
    if (
      jsonOf([tensor.shape, tensor.learningRate, tensor.weightDecay]) !==
      jsonOf([shape, learningRate, weightDecay])
    )
      compare(`tensor ${show(name)}`, tensor, { shape, learningRate, weightDecay });
    return place;
  });
  for (const place of partial ? [] : left.values()) {
    const cure = "restore(state, { partial: true }) lets it start afresh";
    refuse(`it has no tensor ${show(own[place].name)}; ${cure}`);
  }
  return places;
}

function parse(bytes: Uint8Array): Description {
  try {
    const value: unknown = JSON.parse(toText(bytes));
    if (typeof value === "object" && value !== null) return value as Description;
  } catch {
    // Fall through: whatever is wrong, it is not a description.
  }
  return refuse("it is damaged (description)");
}

/** What is nested so deep that the stack ends is in no description. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch {
    return refuse("it is damaged (description)");
  }
}

function compare(what: string, found: object, expected: object): void {
  for (const [key, value] of Object.entries(expected)) {
    const [theirs, ours] = [jsonOf((found as Record<string, unknown> | undefined)?.[key]), jsonOf(value)];
    if (theirs !== ours)
      refuse(`${what} was saved with ${key} ${cut(theirs)}; this optimizer has ${cut(ours)}`);
  }
}

/** Every number of a clock: counts of steps, of steps that moved the parameters, and what only those change. */
const COUNTS = ["iterations", "skipped", "windowStart", "anchors"] as const;
const APPLIED_COUNTS = ["momentumStart", "slopes"] as const;
const MEASURES = [
  ...(["learningRate", "gradNormMax", "age", "weightSum", "rateMax"] as const),
  ...(["squaresMean", "slopeSquares"] as const),
];
const KINDS: readonly GradientKind[] = ["exact", "noisy", "undecided"];

/** JSON has null for what is no number: a V, or a loss. */
const OPEN = ["probed", "loss"];
const WATCHED = ["first", "best", "reference", "waited", "held", ...OPEN];

const isWatch = (watch: unknown): boolean =>
  watch === undefined ||
  (typeof watch === "object" &&
    watch !== null &&
    Object.entries(watch).every(([name, value]) =>
      value === null ? OPEN.includes(name) : WATCHED.includes(name) && Number.isFinite(value),
    ));

function checkClock(clock: unknown): Clock {
  const found = (clock ?? {}) as Clock;
  const { gradients, slopeMean, rateFactor } = found;
  const applied = found.iterations - found.skipped;
  const isCount = (value: number, most: number) => Number.isSafeInteger(value) && value >= 0 && value <= most;
  const isMeasure = (value: number) => Number.isFinite(value) && value >= 0 && (applied > 0 || value === 0);
  const whole =
    COUNTS.every((name) => isCount(found[name], name === "anchors" ? Infinity : found.iterations)) &&
    APPLIED_COUNTS.every((name) => isCount(found[name], applied)) &&
    MEASURES.every((name) => isMeasure(found[name])) &&
    Number.isFinite(slopeMean) &&
    Number.isFinite(rateFactor) &&
    rateFactor >= 0 &&
    KINDS.includes(gradients) &&
    isWatch(found.watch);
  if (!whole) refuse("it is damaged (clock)");
  // In the order of a new clock, so that what is saved again has the same bytes.
  const fields = Object.keys(newClock(gradients)).map((name) => [name, found[name as keyof Clock]]);
  return Object.fromEntries(fields) as Clock;
}
