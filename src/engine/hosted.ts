import { alignUp, bytesPerCoordinateOf, plan, setUp, viewsOf, type Setting, type Views } from "./layout.js";
import type { Engine, HostMemory, Program } from "./program.js";
import { instantiate, type WasmKernels } from "./wasm.js";

/**
 * The WebAssembly engine in another library's memory. When that grows, views of it detach, so here each is looked up
 * when it is wanted: do not keep one.
 */
export class HostedEngine implements Engine {
  readonly name = "wasm";
  readonly kernels: WasmKernels;
  readonly groups: number;
  readonly bytesPerCoordinate: number;
  readonly #program: Program;
  readonly #setting: Setting;
  #latest: Views;

  constructor(kernels: WasmKernels, program: Program, setting: Setting) {
    this.kernels = kernels;
    this.groups = program.groups;
    this.bytesPerCoordinate = bytesPerCoordinateOf(kernels, setting);
    this.#program = program;
    this.#setting = setting;
    this.#latest = viewsOf(kernels, program, setting);
  }

  get #views(): Views {
    const detached = this.#latest.scalars.length === 0;
    return detached ? (this.#latest = viewsOf(this.kernels, this.#program, this.#setting)) : this.#latest;
  }

  get params(): Float32Array {
    return this.#views.params;
  }

  get grads(): Float32Array {
    return this.#views.grads;
  }

  get reference(): Float32Array | undefined {
    return this.#views.reference;
  }

  get moments(): readonly Float32Array[] {
    return this.#views.moments;
  }

  get scales(): Float32Array | undefined {
    return this.#views.scales;
  }

  get state(): Engine["state"] {
    return this.#views.state;
  }

  get scalars(): Float64Array {
    return this.#views.scalars;
  }

  get summary(): Float64Array {
    return this.#views.summary;
  }

  /** The same kernels, for a stepper whose gradients and parameters are somewhere else. */
  withOutside(outside: () => readonly Float32Array[]): Engine {
    return new OutsideEngine(this.kernels, this.#program, this.#setting, outside);
  }
}

const NOTHING = new Float32Array(0);

class OutsideEngine extends HostedEngine {
  readonly #outside: () => readonly Float32Array[];

  constructor(
    kernels: WasmKernels,
    program: Program,
    setting: Setting,
    outside: () => readonly Float32Array[],
  ) {
    super(kernels, program, setting);
    this.#outside = outside;
  }

  override get params(): Float32Array {
    return NOTHING;
  }

  override get grads(): Float32Array {
    return NOTHING;
  }

  get outside(): readonly Float32Array[] {
    return this.#outside();
  }
}

/** Sets up kernels where the host has room for them. */
export function hostKernels(
  module: WebAssembly.Module,
  planner: WasmKernels,
  program: Program,
  { memory, allocate, external }: HostMemory,
): HostedEngine {
  // An address that the host finds may be up to 63 bytes before one where kernels may begin.
  const bytes = alignUp(1) + plan(planner, program, { from: alignUp(1), external });
  const allocated = allocate(bytes);
  new Uint8Array(memory.buffer, allocated, bytes).fill(0);
  const setting = { from: alignUp(allocated), external };
  const kernels = instantiate(module, memory);
  plan(kernels, program, setting);
  setUp(kernels, program);
  return new HostedEngine(kernels, program, setting);
}
