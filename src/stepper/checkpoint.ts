import { OptimizerError } from "../common/errors.js";
import { cut, expectBytes, show } from "../common/expect.js";
import { toBytes, toText } from "../common/ascii.js";
import { hashOf, mix } from "../common/hash.js";
import { checkClock, type Clock } from "./clock.js";
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
  const found = parse(state.subarray(HEADER, HEADER + text));
  // Steps of older packages weighed no squares.
  const description =
    version === VERSION ? found : { ...found, clock: { ...{ squaresMax: 0 }, ...found.clock } };
  return { version, description, payload: state.subarray(HEADER + text) };
}

function readClock({ clock }: Description): Clock {
  return checkClock(clock) ?? refuse("it is damaged (clock)");
}

/** Where the run stands that a saved state is of. */
export const clockOf = (state: unknown): Clock => readClock(read(state).description);

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
    return { clock: readClock(description), payload, saved, sources: own.map((_, k) => k) };
  }
  const isTensor = (tensor: unknown) => typeof (tensor as { frozen?: unknown } | null)?.frozen === "boolean";
  if (!isArray(tensors) || tensors.length === 0 || !tensors.every(isTensor))
    refuse("it is damaged (tensors)");
  const places = match(tensors, own, partial);
  const saved = tensors.map(({ frozen }, k) => ({ size: own[places[k]].size, frozen }));
  const sources = own.map((): number | undefined => undefined);
  places.forEach((place, k) => (sources[place] = k));
  return { clock: readClock(description), payload, saved, sources };
}

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

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

/** What is left out is "none". */
const shown = (json: string) => (json === "undefined" ? "none" : cut(json));

function compare(what: string, found: object, expected: object): void {
  for (const [key, value] of Object.entries(expected)) {
    const [theirs, ours] = [jsonOf((found as Record<string, unknown> | undefined)?.[key]), jsonOf(value)];
    if (theirs !== ours)
      refuse(`${what} was saved with ${key} ${shown(theirs)}; this optimizer has ${shown(ours)}`);
  }
}
