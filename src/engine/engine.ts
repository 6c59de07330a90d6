import { OptimizerError } from "../common/errors.js";
import { createJsEngine } from "./js/engine.js";
import type { EngineName } from "./kernels.js";
import { hostKernels, type HostedEngine } from "./hosted.js";
import { bytesPerCoordinateOf, FIRST_BYTE, plan, setUp, viewsOf } from "./layout.js";
import { placeFor } from "./places.js";
import type { Engine, HostMemory, Program } from "./program.js";
import { compiledOnce, hasRelaxed, instantiate, newMemory, PAGE, type WasmKernels } from "./wasm.js";

export { HostedEngine } from "./hosted.js";
export { FLUSH_EVERY, type Engine, type Program } from "./program.js";

/** Instances that only plan, in a memory of their own: how many bytes a memory needs is known before there is one. */
const planners = new Map<WebAssembly.Module, WasmKernels>();

function plannerOf(module: WebAssembly.Module): WasmKernels {
  const planner = planners.get(module) ?? instantiate(module, newMemory(PAGE));
  planners.set(module, planner);
  return planner;
}

/** The WebAssembly kernels of a module, in a place of their own. */
function createWasmEngine(name: EngineName, module: WebAssembly.Module, program: Program): Engine {
  const { memory, from } = placeFor(plan(plannerOf(module), program, { from: FIRST_BYTE }));
  const kernels = instantiate(module, memory);
  plan(kernels, program, { from });
  setUp(kernels, program);
  const bytesPerCoordinate = bytesPerCoordinateOf(kernels, { from });
  return {
    name,
    kernels,
    groups: program.groups,
    bytesPerCoordinate,
    ...viewsOf(kernels, program, { from }),
  };
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

/** The WebAssembly engine in another library's memory; its kernels are told where segments lie. */
export function createHostedEngine(program: Program, host: HostMemory): HostedEngine {
  const { module, reason } = compiledOnce("wasm");
  if (!module) throw new OptimizerError("engine", `engine: ${whyNot(reason)}`);
  return hostKernels(module, plannerOf(module), program, host);
}
