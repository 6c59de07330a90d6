import { instantiateSync } from "@assemblyscript/loader";
import type { Kernel } from "../bases/base.js";
import { WASM_BASE64 } from "./binary.js";

/** The exports of assembly/index.ts. */
export interface Kernels extends Readonly<Record<`Base.${Kernel}`, WebAssembly.Global>> {
  readonly memory: WebAssembly.Memory;
  plan(
    size: number,
    segments: number,
    groups: number,
    betas: number,
    slots: number,
    tuned: boolean,
    stored: boolean,
    coordinates: boolean,
    keepsBefore: boolean,
    twoSweeps: boolean,
    bounded: boolean,
    from: number,
    elsewhere: boolean,
  ): number;
  reserve(): number;
  setSegment(
    index: number,
    first: number,
    last: number,
    group: number,
    learningRate: number,
    weightDecay: number,
  ): void;
  setPlace(segment: number, gradsAt: number, paramsAt: number): void;
  setDecays(index: number, m: number, v: number, r: number): void;
  setForm(delta: number, pull: number, lambda: number, eps: number, mStart: number, mFloor: number): void;
  setReading(signed: boolean, clips: boolean, clamps: boolean, before: boolean, inRoot: boolean): void;
  setSpread(factor: number): void;
  setDecay(decoupled: boolean, readsParams: boolean): void;
  setBound(value: number): void;
  scan(): number;
  scanExactly(): number;
  clippedSquares(): number;
  setBase(base: number): void;
  step(): void;
  start(sInit: number, share: number): void;
  rebase(): void;
  anchor(carry: number): void;
  lowerScale(group: number, other: number): void;
  flushMoments(): void;
  clearSlot(index: number): void;
  gradsAt(): number;
  paramsAt(): number;
  groupsAt(): number;
  groupsLength(): number;
  vectorsAt(): number;
  vectorsLength(): number;
  scalesAt(): number;
  bytesPerCoordinate(): number;
  scaleOf(group: number): number;
  scalarsAt(): number;
  reportAt(): number;
  takeStock(): void;
  readonly "Delta.STORED": WebAssembly.Global;
  readonly "Delta.RECONSTRUCTED": WebAssembly.Global;
  readonly "Delta.ADDITIVE": WebAssembly.Global;
  readonly "Pull.PROXIMAL": WebAssembly.Global;
  readonly "Pull.DECAY_AHEAD": WebAssembly.Global;
  readonly "Pull.DECAY": WebAssembly.Global;
  readonly "Pull.PRINTED": WebAssembly.Global;
}

/** Places in a step's scalars, which the host writes: the rule's step size and constants, and these. */
export const Scalar = { learningRate: 7, clipScale: 8, count: 9 } as const;

/** Places in the report, which the kernels write; assembly/layout.ts says what is there. */
export const Report = {
  h: 0,
  scaleMean: 1,
  scaleMax: 2,
  paramsSquares: 3,
  paramsSquaresMin: 4,
  deltaSquares: 5,
  vitality: 6,
  count: 7,
} as const;

let compiled: WebAssembly.Module | undefined;

function compile(): WebAssembly.Module {
  const text = atob(WASM_BASE64);
  return new WebAssembly.Module(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

/** A fresh instance on a memory. The binary is compiled once. */
export function instantiate(memory: WebAssembly.Memory): Kernels {
  compiled ??= compile();
  // The raw exports: the loader's wrappers count arguments at every call, which no kernel needs.
  return instantiateSync(compiled, { env: { memory } }).instance.exports as unknown as Kernels;
}

/** No wasm32 memory is larger: 65 536 pages. */
export const MEMORY_LIMIT = 2 ** 32;

/** A memory that grows as far as one can. */
export function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 0, maximum: 2 ** 16 });
}
