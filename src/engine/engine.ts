import type { Rule } from "../bases/base.js";
import type { Form } from "../forms.js";
import type { Segment } from "../tensors.js";
import type { Tuner } from "../tuners.js";
import { instantiate, MEMORY_LIMIT, newMemory, Report, Scalar, type Kernels } from "./wasm.js";

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

/** A part of another library's memory for an engine to live in. */
export interface Lodging {
  readonly memory: WebAssembly.Memory;
  /** Returns the address of so many bytes that stay the engine's. Throws when there are none. */
  readonly allocate: (bytes: number) => number;
  /**
   * Every segment gets a place for its gradient and parameters, by `kernels.setPlace`, before anything else is called:
   * then the engine has no vectors of them, `params` and `grads` are empty, and `state` is without x.
   */
  readonly elsewhere: boolean;
}

/** Kernels set up for a program, and views of their memory. Those of a memory of our own never move. */
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
  /** What the kernels read at a step, and what they wrote after it. */
  readonly scalars: Float64Array;
  readonly report: Float64Array;
}

/** Steps between two looks for moments that have all but vanished: often enough to be rid of them, too rare to cost. */
export const FLUSH_EVERY = 256;

const isBounded = (tuner: Tuner | null) => typeof tuner?.spread === "number";

function planOf({ size, segments, groups, rule, tuner, form, perCoordinate }: Program) {
  return [
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
  ] as const;
}

/** Lays out the kernels' memory from a byte on (0: the first); returns where it ends. */
function plan(kernels: Kernels, program: Program, from: number, elsewhere: boolean): number {
  const { size } = program;
  // Planning counts bytes modulo 2⁶⁴.
  const end = Math.max(kernels.plan(...planOf(program), from, elsewhere), 4 * size);
  if (end > MEMORY_LIMIT - 2 ** 17) {
    throw new RangeError(
      `params: ${size} parameters need ${end - from} bytes with these options; ` +
        `one WebAssembly memory has at most ${MEMORY_LIMIT} bytes (4 GiB)`,
    );
  }
  return end;
}

function reserve(kernels: Kernels, program: Program): void {
  const bytes = plan(kernels, program, 0, false);
  if (!kernels.reserve())
    throw new RangeError(`params: this machine did not grant the ${bytes} bytes they need`);
}

function lodge(kernels: Kernels, program: Program, { memory, allocate, elsewhere }: Lodging): void {
  // The plan begins at the next multiple of 64.
  const bytes = plan(kernels, program, 64, elsewhere);
  const from = allocate(bytes);
  plan(kernels, program, from, elsewhere);
  new Uint8Array(memory.buffer, from, bytes).fill(0);
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

/** Tells the kernels all that does not change from step to step. */
function setUp(kernels: Kernels, { segments, rule, tuner, form, bound }: Program): void {
  segments.forEach(({ first, last, group, learningRate, weightDecay }, k) =>
    kernels.setSegment(k, first, last, group, learningRate, weightDecay),
  );
  kernels.setBase(kernels[`Base.${rule.kernel}`].value as number);
  const decays = segments.some(({ weightDecay }) => weightDecay !== 0);
  kernels.setDecay(rule.decoupled, decays || form?.pull === "DECAY_AHEAD");
  kernels.setBound(bound);
  if (tuner && form) setForm(kernels, tuner, form);
}

type Views = Pick<Engine, "params" | "grads" | "scales" | "state" | "scalars" | "report">;

function viewsOf(kernels: Kernels, { size, perCoordinate }: Program, elsewhere: boolean): Views {
  const { buffer } = kernels.memory;
  const bytes = (at: number, length: number) => new Uint8Array(buffer, at >>> 0, length >>> 0);
  const floats = (at: number, length: number) => new Float32Array(buffer, at >>> 0, length);
  const own = elsewhere ? 0 : size;
  return {
    params: floats(kernels.paramsAt(), own),
    grads: floats(kernels.gradsAt(), own),
    scales: perCoordinate ? floats(kernels.scalesAt(), size) : undefined,
    state: [
      bytes(kernels.groupsAt(), kernels.groupsLength()),
      bytes(kernels.vectorsAt(), kernels.vectorsLength()),
    ],
    scalars: new Float64Array(buffer, kernels.scalarsAt() >>> 0, Scalar.count),
    report: new Float64Array(buffer, kernels.reportAt() >>> 0, Report.count),
  };
}

/** Sets up the WebAssembly engine. Throws a RangeError when the program does not fit into memory. */
export function createEngine(program: Program): Engine {
  const kernels = instantiate(newMemory());
  reserve(kernels, program);
  setUp(kernels, program);
  return { kernels, groups: program.groups, ...viewsOf(kernels, program, false) };
}

/**
 * The same in another library's memory. When that grows, views of it detach, so here each is looked up when it is
 * wanted: do not keep one.
 */
export function createLodgedEngine(program: Program, lodging: Lodging): Engine {
  const kernels = instantiate(lodging.memory);
  lodge(kernels, program, lodging);
  setUp(kernels, program);
  let views = viewsOf(kernels, program, lodging.elsewhere);
  const current = (): Views => {
    const detached = views.state[0].length === 0;
    return detached ? (views = viewsOf(kernels, program, lodging.elsewhere)) : views;
  };
  return {
    kernels,
    groups: program.groups,
    get params() {
      return current().params;
    },
    get grads() {
      return current().grads;
    },
    get scales() {
      return current().scales;
    },
    get state() {
      return current().state;
    },
    get scalars() {
      return current().scalars;
    },
    get report() {
      return current().report;
    },
  };
}
