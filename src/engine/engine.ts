import { OptimizerError } from "../common/errors.js";
import type { Form } from "../tuners/forms.js";
import type { Tuner } from "../tuners/tuners.js";
import { createJsEngine } from "./js/engine.js";
import { Report, Scalar, type EngineName } from "./kernels.js";
import { placeFor } from "./places.js";
import { expectFit, isBounded, looksAhead, readsParams } from "./program.js";
import type { Engine, Lodging, Program } from "./program.js";
import {
  compiledOnce,
  enumerationsOf,
  hasRelaxed,
  instantiate,
  newMemory,
  type Enumerations,
  type WasmKernels,
} from "./wasm.js";

export { FLUSH_EVERY, type Engine, type Program } from "./program.js";

function planOf(program: Program) {
  const { size, segments, groups, slots, tuner, form, perCoordinate } = program;
  return [
    size,
    segments.length,
    groups,
    form?.decays.length ?? 0,
    slots,
    tuner !== null,
    tuner?.delta === "stored",
    perCoordinate,
    form?.usesScaleBefore ?? false,
    looksAhead(program) || isBounded(program),
    isBounded(program),
  ] as const;
}

/** Lays out the kernels' memory from a byte on (0: the first); returns where it ends. */
export function plan(kernels: WasmKernels, program: Program, from = 0, elsewhere = false): number {
  const { size } = program;
  // Planning counts bytes modulo 2⁶⁴.
  const end = Math.max(kernels.plan(...planOf(program), from, elsewhere), 4 * size);
  expectFit(end - from, size);
  return end;
}

/** Instances that only plan, in a memory of their own: how many bytes a memory needs is known before there is one. */
const planners = new Map<WebAssembly.Module, WasmKernels>();

function plannerOf(module: WebAssembly.Module): WasmKernels {
  const planner = planners.get(module) ?? instantiate(module, newMemory(0));
  planners.set(module, planner);
  return planner;
}

function lodge(kernels: WasmKernels, program: Program, { memory, allocate, elsewhere }: Lodging): void {
  // The plan begins at the next multiple of 64.
  const bytes = plan(kernels, program, 64, elsewhere);
  const from = allocate(bytes);
  plan(kernels, program, from, elsewhere);
  new Uint8Array(memory.buffer, from, bytes).fill(0);
}

function setForm(kernels: WasmKernels, { Delta, Pull }: Enumerations, tuner: Tuner, form: Form): void {
  const deltas = { stored: "STORED", reconstructed: "RECONSTRUCTED", additive: "ADDITIVE" } as const;
  const delta = Delta[deltas[tuner.delta]].value as number;
  const pull = Pull[form.pull].value as number;
  kernels.setSpread(tuner.spread ?? Infinity);
  kernels.setForm(delta, pull, tuner.lambda, tuner.eps, form.mStart, form.mFloor);
  kernels.setReading(form.signed, form.clipsReward, form.clampsReward, form.usesScaleBefore, form.epsInRoot);
  form.decays.forEach(([m, v, r], k) => kernels.setDecays(k, m, v, r));
}

/** Tells the kernels all that does not change from step to step. */
export function setUp(kernels: WasmKernels, program: Program): void {
  const { segments, decoupled, tuner, form, bound } = program;
  segments.forEach(({ first, last, group, learningRate, weightDecay }, k) =>
    kernels.setSegment(k, first, last, group, learningRate, weightDecay),
  );
  kernels.setDecay(decoupled, readsParams(program));
  kernels.setBound(bound);
  if (tuner && form) setForm(kernels, enumerationsOf(kernels), tuner, form);
}

type Views = Pick<Engine, "params" | "grads" | "scales" | "state" | "scalars" | "report">;

export function viewsOf(kernels: WasmKernels, { size, perCoordinate }: Program, elsewhere = false): Views {
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

/** The WebAssembly kernels of a module, in a place of their own. */
function createWasmEngine(name: EngineName, module: WebAssembly.Module, program: Program): Engine {
  const { memory, from } = placeFor(plan(plannerOf(module), program));
  const kernels = instantiate(module, memory);
  plan(kernels, program, from);
  setUp(kernels, program);
  return { name, kernels, groups: program.groups, ...viewsOf(kernels, program) };
}

let warned = false;

function warnOnce(message: string): void {
  if (!warned) globalThis.console?.warn(message);
  warned = true;
}

const whyNot = (reason: unknown): string => `SIMD WebAssembly does not run here (${String(reason)})`;

/** Plain JavaScript in place of WebAssembly; where it fails as well, that is for WebAssembly's reason. */
function standIn(program: Program, reason: unknown): Engine {
  let engine: Engine;
  try {
    engine = createJsEngine(program);
  } catch (error) {
    throw reason instanceof Error ? reason : error;
  }
  warnOnce(`superlevel: ${whyNot(reason)}, so plain JavaScript does the same, to the last bit, but slower`);
  return engine;
}

/**
 * Sets up the engine asked for, or the one that stands in for it where it does not run.
 *
 * @throws OptimizerError "engine" when none may stand in for it, RangeError when the program does not fit into memory
 */
export function createEngine(program: Program): Engine {
  const wanted = program.engine;
  if (wanted === "js") return createJsEngine(program);
  if (wanted === "wasm-relaxed") {
    if (!hasRelaxed()) {
      throw new OptimizerError("engine", `engine: "wasm-relaxed" needs import "superlevel/relaxed" first`);
    }
    const { module } = compiledOnce(wanted);
    if (module) return createWasmEngine(wanted, module, program);
  }
  const { module, reason } = compiledOnce("wasm");
  if (!module) {
    if (wanted === "auto") return standIn(program, reason);
    throw new OptimizerError("engine", `engine: ${whyNot(reason)}; "auto" and "js" do without it`);
  }
  try {
    return createWasmEngine("wasm", module, program);
  } catch (error) {
    // The machine has not got the memory.
    if (wanted === "auto") return standIn(program, error);
    throw error;
  }
}

/** An engine whose kernels may be told where segments lie. */
export interface LodgedEngine extends Engine {
  readonly kernels: WasmKernels;
}

/**
 * The WebAssembly engine in another library's memory. When that grows, views of it detach, so here each is looked up
 * when it is wanted: do not keep one.
 */
export function createLodgedEngine(program: Program, lodging: Lodging): LodgedEngine {
  const { module, reason } = compiledOnce("wasm");
  if (!module) throw new OptimizerError("engine", `engine: ${whyNot(reason)}`);
  const kernels = instantiate(module, lodging.memory);
  lodge(kernels, program, lodging);
  setUp(kernels, program);
  let views = viewsOf(kernels, program, lodging.elsewhere);
  const current = (): Views => {
    const detached = views.state[0].length === 0;
    return detached ? (views = viewsOf(kernels, program, lodging.elsewhere)) : views;
  };
  return {
    name: "wasm",
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
