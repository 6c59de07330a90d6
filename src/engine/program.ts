import type { Form } from "../tuners/forms.js";
import type { Segment } from "../tensors.js";
import type { Tuner } from "../tuners/tuners.js";
import type { EngineName, Kernels } from "./kernels.js";

/** What an engine runs. */
export interface Program {
  readonly engine: EngineName | "auto";
  readonly size: number;
  readonly segments: readonly Segment[];
  /** How many there are, frozen ones too. */
  readonly tensors: number;
  /** Moments per coordinate, and a lead where one may be wanted. */
  readonly slots: number;
  /** Weight decay joins the update (true) or the gradient (false). */
  readonly decoupled: boolean;
  readonly tuner: Tuner | null;
  readonly form: Form | null;
  /** Tuners: one for each of so many tensors, or one for each coordinate. */
  readonly groups: number;
  readonly perCoordinate: boolean;
  /** Gradients are clipped to ±bound. */
  readonly bound: number;
}

/** A part of another library's memory for an engine to live in. */
export interface HostMemory {
  readonly memory: WebAssembly.Memory;
  /** Returns the address of so many bytes that stay the engine's. Throws when there are none. */
  readonly allocate: (bytes: number) => number;
  /**
   * Every segment gets a place for its gradient and parameters, by `kernels.setPlace`, before anything else is called:
   * then the engine has no vectors of them, `params` and `grads` are empty, and `state` is without x.
   */
  readonly external: boolean;
}

/** Kernels set up for a program, and views of their memory. Those of a memory of our own never move. */
export interface Engine {
  /** The one that runs, whatever was asked for. */
  readonly name: EngineName;
  readonly kernels: Kernels;
  readonly params: Float32Array;
  readonly grads: Float32Array;
  /** Tuners: one for each of so many tensors. */
  readonly groups: number;
  /** Bytes that a coordinate takes in all vectors. */
  readonly bytesPerCoordinate: number;
  /** The reference point, where there is a tuner. */
  readonly reference: Float32Array | undefined;
  /** The base's slots, as far as the program has them. */
  readonly moments: readonly Float32Array[];
  /** S of every coordinate, where each has a tuner. */
  readonly scales: Float32Array | undefined;
  /** All that a step reads and writes, but the gradient: the tuner's groups, and the vectors from x on. */
  readonly state: readonly [groups: Uint8Array, vectors: Uint8Array];
  /** What the kernels read at a step, and what they wrote after it. */
  readonly scalars: Float64Array;
  readonly summary: Float64Array;
  /**
   * The coordinates behind the tensors' last ones, from the host, and what a step that was watched found of each tensor:
   * `TENSOR_SUMS` numbers. The js engine has none.
   */
  readonly tensorSums?: Float64Array;
  /** Parameters that are external, which a step writes to all the same. */
  readonly outside?: readonly Float32Array[];
  /** Throws where a thread of it has died, or is at work. */
  expectAlive?(): void;
}

/** Steps between two looks for moments that have all but vanished: often enough to be rid of them, too rare to cost. */
export const FLUSH_EVERY = 256;

/** h looks ahead to x_t + u_t. */
export const looksAhead = ({ form }: Program): boolean => form?.pull === "DECAY_AHEAD";

/** Coordinates' scales are bounded by a tuner over all of them. */
export const isBounded = ({ tuner }: Program): boolean => typeof tuner?.spread === "number";

/** Sweep A reads x. */
export const readsParams = (program: Program): boolean =>
  program.segments.some(({ weightDecay }) => weightDecay !== 0) || looksAhead(program);

/** No wasm32 memory is larger: 65 536 pages. */
const MEMORY_LIMIT = 2 ** 32;

/** @throws RangeError when so many bytes are more than any engine has. */
export function expectFit(bytes: number, size: number): void {
  if (bytes > MEMORY_LIMIT - 2 ** 17) {
    throw new RangeError(
      `params: ${size} parameters need ${bytes} bytes with these options; ` +
        `one WebAssembly memory has at most ${MEMORY_LIMIT} bytes (4 GiB)`,
    );
  }
}

export const notGranted = (bytes: number): RangeError =>
  new RangeError(`params: this machine did not grant the ${bytes} bytes they need`);
