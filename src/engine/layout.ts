import type { Form } from "../tuners/forms.js";
import type { Tuner } from "../tuners/tuners.js";
import { expectFit, readsParams, type Engine, type Program } from "./program.js";
import { CHUNK_BYTES, Config, Layout, Scalar, Summary, TENSOR_SUMS } from "./records.js";
import { enumerationsOf, type WasmKernels } from "./wasm.js";

/*
 * Kernels and their memory: the host writes one record of all that does not change from step to step, the kernels lay
 * out what lies behind it, and say where everything is in a second one.
 */

/** Where kernels begin in a memory of their own: an address of 0 would be none. */
export const FIRST_BYTE = CHUNK_BYTES;

/** The next byte where kernels may begin. */
export const alignUp = (byte: number): number => CHUNK_BYTES * Math.ceil(byte / CHUNK_BYTES);

/** What the kernels are to know besides the program. */
export interface Setting {
  /** The first byte, a multiple of 64. */
  readonly from: number;
  readonly external?: boolean;
  readonly threads?: number;
}

const DELTAS = { stored: "STORED", reconstructed: "RECONSTRUCTED", additive: "ADDITIVE" } as const;

type Values = Record<Exclude<keyof typeof Config, "count">, unknown>;

function valuesOf(kernels: WasmKernels, program: Program, { external, threads = 1 }: Setting): Values {
  const { tuner, form } = program;
  const { Delta, Pull } = enumerationsOf(kernels);
  return {
    // By the same names. Without a tuner they are absent, and all of them 0.
    ...(tuner as Tuner),
    ...(form as Form),
    ...program,
    ...{ external, threads },
    segments: program.segments.length,
    betas: form?.decays.length,
    tuned: tuner !== null,
    delta: tuner && Delta[DELTAS[tuner.delta]].value,
    pull: form && Pull[form.pull].value,
    spread: tuner?.spread ?? Infinity,
    readsParams: readsParams(program),
    bound: Math.fround(program.bound),
  };
}

function layoutOf({ memory: { buffer } }: WasmKernels, from: number): Float64Array {
  return new Float64Array(buffer, alignUp(from + 8 * Config.count), Layout.count);
}

/** Configures the kernels and lets them lay out the memory; returns how many bytes they take from `from` on. */
export function plan(kernels: WasmKernels, program: Program, setting: Setting): number {
  const { from } = setting;
  const config = new Float64Array(kernels.memory.buffer, from, Config.count);
  const values = valuesOf(kernels, program, setting);
  for (const name of Object.keys(values) as (keyof Values)[])
    if (name in Config) config[Config[name]] = Number(values[name] ?? 0);
  kernels.plan(from, 0);
  // Planning counts bytes modulo 2⁶⁴.
  const bytes = Math.max(layoutOf(kernels, from)[Layout.end], 4 * program.size) - from;
  expectFit(bytes, program.size);
  return bytes;
}

/** Fills in the tables of segments and of decay factors, once there is a memory for them. */
export function setUp(kernels: WasmKernels, { segments, form }: Program): void {
  segments.forEach(({ first, last, group, learningRate, weightDecay }, k) =>
    kernels.setSegment(k, first, last, group, learningRate, weightDecay),
  );
  form?.decays.forEach(([m, v, r], k) => kernels.setDecays(k, m, v, r));
}

export type Views = Pick<
  Engine,
  "params" | "grads" | "reference" | "moments" | "scales" | "state" | "scalars" | "summary" | "tensorSums"
>;

/** Views of what is laid out, for as long as the memory does not grow. */
export function viewsOf(kernels: WasmKernels, program: Program, { from, external = false }: Setting): Views {
  const { buffer } = kernels.memory;
  const { size, slots, tuner, perCoordinate } = program;
  const layout = layoutOf(kernels, from);
  const bytes = (at: number, length: number) => new Uint8Array(buffer, layout[at], layout[length]);
  const floats = (at: number, length = size) => new Float32Array(buffer, at, length);
  const record = (at: number, count: number) => new Float64Array(buffer, layout[at], count);
  return {
    params: floats(layout[Layout.params], external ? 0 : size),
    grads: floats(layout[Layout.grads], external ? 0 : size),
    reference: tuner ? floats(layout[Layout.reference]) : undefined,
    moments: Array.from({ length: slots }, (_, k) =>
      floats(layout[Layout.slots] + k * layout[Layout.stride]),
    ),
    scales: perCoordinate ? floats(layout[Layout.scales]) : undefined,
    state: [bytes(Layout.groups, Layout.groupsLength), bytes(Layout.vectors, Layout.vectorsLength)],
    scalars: record(Layout.scalars, Scalar.count),
    summary: record(Layout.summary, Summary.count),
    tensorSums: record(Layout.tensors, program.tensors * (1 + TENSOR_SUMS)),
  };
}

export const bytesPerCoordinateOf = (kernels: WasmKernels, { from }: Setting): number =>
  layoutOf(kernels, from)[Layout.perCoordinate];
