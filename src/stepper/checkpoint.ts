import { OptimizerError } from "../common/errors.js";
import { cut, expectBytes } from "../common/expect.js";
import { toBytes, toText } from "../common/ascii.js";
import type { GradientKind } from "../common/kinds.js";

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
const VERSION = 2;
const HEADER = 16;

/** What the payload belongs to, and the numbers that live outside of it. */
export interface Description {
  readonly base: string;
  readonly kernel: string;
  readonly slots: number;
  readonly form: string | null;
  readonly delta: string | null;
  readonly granularity: string | null;
  readonly betas: number;
  readonly sizes: readonly number[];
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
});

/** An average of nothing. */
export const newAverage = () => ({ age: 0, weightSum: 0, slopeMean: 0, slopeSquares: 0, slopes: 0 });

/** One word into the hash: MurmurHash3's step. Every bit reaches bits on both sides, so damage does not cancel. */
function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Over little-endian 32-bit words, and the bytes behind the last one. */
function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
  let hash = 0;
  for (let i = 0; i < words.length; i++) hash = mix(hash, words[i]);
  for (let i = words.length * 4; i < aligned.length; i++) hash = mix(hash, aligned[i]);
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
function read(given: unknown): { description: Description; payload: Uint8Array } {
  const state = expectBytes("state", given);
  if (state.length < HEADER) refuse(`${state.length} bytes are too few for a saved state`);
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  if (view.getUint32(0, true) !== MAGIC) refuse("these bytes are not a saved state (no magic number)");
  const version = view.getUint32(4, true);
  if (version !== VERSION) refuse(`it has version ${version}; this package reads version ${VERSION}`);
  if (view.getUint32(8, true) !== checksum(state.subarray(12)))
    refuse("it is truncated or damaged (checksum)");
  const text = view.getUint32(12, true);
  if (HEADER + text > state.length) refuse("it is damaged (description)");
  const description = parse(state.subarray(HEADER, HEADER + text));
  return { description, payload: state.subarray(HEADER + text) };
}

/** Where the run stands that a saved state is of. */
export const clockOf = (state: unknown): Clock => checkClock(read(state).description.clock);

/** Checks a saved state against the optimizer it shall go into; returns its clock and payload. */
export function decode(
  state: unknown,
  expected: Omit<Description, "clock">,
  payloadLength: number,
): { clock: Clock; payload: Uint8Array } {
  const { description, payload } = read(state);
  compare(description, expected);
  if (payload.length !== payloadLength)
    refuse(`it has ${payload.length} bytes of payload, not ${payloadLength}`);
  return { clock: checkClock(description.clock), payload };
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

function compare(found: Description, expected: Omit<Description, "clock">): void {
  for (const key of ["base", "kernel", "slots", "form", "delta", "granularity", "betas", "sizes"] as const) {
    const [theirs, ours] = [jsonOf(found[key]), jsonOf(expected[key])];
    if (theirs !== ours) refuse(`it was saved with ${key} ${cut(theirs)}; this optimizer has ${cut(ours)}`);
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
    KINDS.includes(gradients);
  if (!whole) refuse("it is damaged (clock)");
  // In the order of a new clock, so that what is saved again has the same bytes.
  const fields = Object.keys(newClock(gradients)).map((name) => [name, found[name as keyof Clock]]);
  return Object.fromEntries(fields) as Clock;
}
