import { putBack } from "./text-decoder.js";
import { demangle } from "@assemblyscript/loader";
import { fromHex } from "../common/hex.js";
import type { Form } from "../tuners/forms.js";
import { WASM_HEX } from "./binary.js";
import type { Kernels } from "./kernels.js";
import { notGranted } from "./program.js";

putBack();

/** The exports of assembly/index.ts. */
export interface WasmKernels extends Kernels {
  readonly memory: WebAssembly.Memory;
  plan(from: number, thread: number): void;
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
}

type BinaryName = "wasm" | "wasm-relaxed";

/** The compiled kernels. The relaxed ones are there when "superlevel/relaxed" was imported. */
const binaries: { wasm: string; "wasm-relaxed"?: string } = { wasm: WASM_HEX };

/** A binary for this machine, or why the runtime does not compile it. */
export interface Compiled {
  readonly module?: WebAssembly.Module;
  readonly reason?: string;
}

/** Each is compiled once. */
const compiled = new Map<BinaryName, Compiled>();

export function registerRelaxed(hex: string): void {
  binaries["wasm-relaxed"] = hex;
}

export const hasRelaxed = (): boolean => binaries["wasm-relaxed"] !== undefined;

function compile(name: BinaryName): Compiled {
  try {
    return { module: new WebAssembly.Module(fromHex(binaries[name]!)) };
  } catch (error) {
    // There is no WebAssembly, no (relaxed) SIMD, or a content security policy forbids it.
    return { reason: String(error) };
  }
}

export function compiledOnce(name: BinaryName): Compiled {
  const found = compiled.get(name) ?? compile(name);
  compiled.set(name, found);
  return found;
}

/** The enumerations of assembly/index.ts. */
export type Enumerations = {
  readonly Delta: Readonly<Record<"STORED" | "RECONSTRUCTED" | "ADDITIVE", WebAssembly.Global>>;
  readonly Pull: Readonly<Record<Form["pull"], WebAssembly.Global>>;
};

/**
 * The exports named "Delta.STORED" and so on, as members. Functions are better called as they are exported: the loader's
 * wrappers count arguments at every call, which no kernel needs.
 */
export const enumerationsOf = (kernels: WasmKernels): Enumerations => demangle<Enumerations>({ ...kernels });

/** A fresh instance on a memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WasmKernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as WasmKernels;
}

export const PAGE = 2 ** 16;

/**
 * A memory of at least so many bytes, all from the start: where a memory grows, V8 runs every loop over typed arrays in
 * the process about 1.5 times as slowly from then on, also the user's own.
 *
 * @throws RangeError when the machine has not got them
 */
export function newMemory(bytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial, maximum: PAGE });
  } catch {
    throw notGranted(Math.max(initial, 1) * PAGE);
  }
}
