import type { Rule } from "../bases/base.js";
import type { Form } from "../forms.js";
import type { Segment } from "../tensors.js";
import type { Tuner } from "../tuners.js";
import { instantiate, MEMORY_LIMIT, type Kernels } from "./wasm.js";

/** What an engine runs. */
export interface Program {
  readonly size: number;
  readonly segments: readonly Segment[];
  readonly rule: Rule;
  readonly tuner: Tuner | null;
  readonly form: Form | null;
  /** Tuners: one for each of so many tensors, or one for each coordinate. */
  readonly groups: number;
  readonly perCoordinate: boolean;
  /** Gradients are clipped to ±bound. */
  readonly bound: number;
}

/** Kernels set up for a program, and views of their memory, which never move. */
export interface Engine {
  readonly kernels: Kernels;
  readonly params: Float32Array;
  readonly grads: Float32Array;
  /** Tuners: one for each of so many tensors. */
  readonly groups: number;
  /** S of every coordinate, where each has a tuner. */
  readonly scales: Float32Array | undefined;
  /** All that a step reads and writes, but the gradient: the tuner's groups, and the vectors from x on. */
  readonly state: readonly [groups: Uint8Array, vectors: Uint8Array];
}

/** Steps between two looks for moments that have all but vanished: often enough to be rid of them, too rare to cost. */
export const FLUSH_EVERY = 256;

const isBounded = (tuner: Tuner | null) => typeof tuner?.spread === "number";

function reserve(kernels: Kernels, program: Program): void {
  const { size, segments, groups, rule, tuner, form, perCoordinate } = program;
  const planned = kernels.plan(
    size,
    segments.length,
    groups,
    form?.decays.length ?? 0,
    rule.slots,
    tuner !== null,
    tuner?.delta === "stored",
    perCoordinate,
    form?.usesScaleBefore ?? false,
    form?.pull === "DECAY_AHEAD" || isBounded(tuner),
    isBounded(tuner),
  );
  // Planning counts bytes modulo 2⁶⁴.
  const bytes = Math.max(planned, 4 * size);
  if (bytes > MEMORY_LIMIT - 2 ** 17) {
    throw new RangeError(
      `params: ${size} parameters need ${bytes} bytes with these options; ` +
        `one WebAssembly memory has at most ${MEMORY_LIMIT} bytes (4 GiB)`,
    );
  }
  if (!kernels.reserve())
    throw new RangeError(`params: this machine did not grant the ${bytes} bytes they need`);
}

function setForm(kernels: Kernels, tuner: Tuner, form: Form): void {
  const deltas = { stored: "STORED", reconstructed: "RECONSTRUCTED", additive: "ADDITIVE" } as const;
  const delta = kernels[`Delta.${deltas[tuner.delta]}`].value as number;
  const pull = kernels[`Pull.${form.pull}`].value as number;
  kernels.setSpread(tuner.spread ?? Infinity);
  kernels.setForm(delta, pull, tuner.lambda, tuner.eps, form.mStart, form.mFloor);
  kernels.setReading(form.signed, form.clipsReward, form.clampsReward, form.usesScaleBefore, form.epsInRoot);
  form.decays.forEach(([m, v, r], k) => kernels.setDecays(k, m, v, r));
}

/** Sets up the WebAssembly engine. Throws a RangeError when the program does not fit into memory. */
export function createEngine(program: Program): Engine {
  const { size, segments, rule, tuner, form, bound } = program;
  const kernels = instantiate();
  reserve(kernels, program);
  segments.forEach(({ first, last, group, learningRate, weightDecay }, k) =>
    kernels.setSegment(k, first, last, group, learningRate, weightDecay),
  );
  kernels.setBase(kernels[`Base.${rule.kernel}`].value as number);
  const decays = segments.some(({ weightDecay }) => weightDecay !== 0);
  kernels.setDecay(rule.decoupled, decays || form?.pull === "DECAY_AHEAD");
  kernels.setBound(bound);
  if (tuner && form) setForm(kernels, tuner, form);
  const { buffer } = kernels.memory;
  const bytes = (at: number, length: number) => new Uint8Array(buffer, at >>> 0, length >>> 0);
  const paramsAt = kernels.paramsAt() >>> 0;
  return {
    kernels,
    groups: program.groups,
    params: new Float32Array(buffer, paramsAt, size),
    grads: new Float32Array(buffer, kernels.gradsAt() >>> 0, size),
    scales: program.perCoordinate ? new Float32Array(buffer, kernels.scalesAt() >>> 0, size) : undefined,
    state: [bytes(kernels.groupsAt(), kernels.groupsLength()), bytes(paramsAt, kernels.vectorsLength())],
  };
}
