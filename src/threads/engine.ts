import { plan, setUp, viewsOf } from "../engine/engine.js";
import { notGranted, type Engine, type Program } from "../engine/program.js";
import type { WasmKernels } from "../engine/wasm.js";
import { OptimizerError } from "../common/errors.js";
import { THREADS_BASE64 } from "./binary.js";
import type { Call, Orders } from "./worker.js";
import { Workers } from "./workers.js";

/** The exports of assembly/threads.ts. */
interface ThreadKernels extends WasmKernels {
  setThread(index: number, count: number): void;
  setSleep(allowed: boolean): void;
  countRuns(): void;
  command(command: number): void;
  result(): number;
  quit(): void;
  readonly "Command.SCAN": WebAssembly.Global;
  readonly "Command.SCAN_EXACTLY": WebAssembly.Global;
  readonly "Command.STEP": WebAssembly.Global;
}

/** Calls of a set-up that leave something in the instance itself. */
const SET_UP = ["plan", "setDecay", "setBound", "setSpread", "setForm", "setReading"] as const;

/** Calls that read or write vectors, and may share a sweep. */
const SWEEPS = [
  ...["scan", "scanExactly", "step", "rebase", "start", "anchor"],
  ...["lowerScale", "clearSlot", "flushMoments", "rescale", "keepGradient", "gradientChange"],
];

type Function = (...args: unknown[]) => unknown;

/** The kernels, with some of their functions replaced. */
function wrapped<K extends WasmKernels>(
  kernels: K,
  names: readonly string[],
  wrap: (call: Function, name: string) => Function,
): K {
  const functions = kernels as unknown as Record<string, Function>;
  const wrappers = names.map((name) => [name, wrap(functions[name], name)] as const);
  return { ...kernels, ...Object.fromEntries(wrappers) };
}

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  const text = atob(THREADS_BASE64);
  try {
    return await WebAssembly.compile(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  } catch (error) {
    throw new OptimizerError(
      "threads",
      `threads need SIMD WebAssembly, which does not run here: ${String(error)}`,
    );
  }
}

function expectIsolation(): void {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (typeof SharedArrayBuffer !== "undefined" && crossOriginIsolated !== false) return;
  throw new OptimizerError(
    "threads",
    "threads need SharedArrayBuffer, which a page has only when it is cross-origin isolated: serve it with the " +
      'headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp", ' +
      "or use createOptimizer of superlevel, which needs no threads",
  );
}

/** An engine whose sweeps are shared by threads. */
export interface ThreadedEngine {
  readonly engine: Engine;
  /** A call of the kernels that another thread leads; this one does something else until the promise resolves. */
  lead(call: "SCAN" | "SCAN_EXACTLY" | "STEP"): Promise<number>;
  /** Ends the threads; resolves when they have ended. */
  end(): Promise<void>;
}

/** As large as it will ever be. */
function sharedMemory(bytes: number): WebAssembly.Memory {
  // One page more than needed keeps every end pointer below 2³².
  const pages = Math.ceil(bytes / 2 ** 16) + 1;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    throw notGranted(bytes);
  }
}

/** The optimizer's own instance. */
function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: number): ThreadKernels {
  const imports = { env: { memory }, threads: { announce: () => {} } };
  const kernels = new WebAssembly.Instance(module, imports).exports as unknown as ThreadKernels;
  kernels.setThread(0, threads);
  return kernels;
}

/** A page's main thread may not sleep. */
const maySleep = () => typeof document === "undefined";

/** Sets up an engine with `threads` threads, this one included. */
export async function createThreadedEngine(program: Program, threads: number): Promise<ThreadedEngine> {
  expectIsolation();
  const module = await (compiled ??= compile());
  // What a memory must hold is known before there is one.
  const bytes = plan(instantiate(module, sharedMemory(0), threads), program);
  const memory = sharedMemory(bytes);
  const kernels = instantiate(module, memory, threads);
  kernels.setSleep(maySleep());
  const calls: Call[] = [];
  const recording = wrapped(kernels, SET_UP, (call, name) => (...args) => {
    calls.push([name, args]);
    return call(...args);
  });
  plan(recording, program);
  setUp(recording, program);
  kernels.countRuns();
  const orders = Array.from({ length: threads - 1 }, (_, k): Orders => {
    return { module, memory, thread: k + 1, threads, calls };
  });
  const workers = await Workers.start(orders);
  return {
    engine: engineOf(kernels, workers, program),
    async lead(call) {
      workers.check();
      kernels.command(kernels[`Command.${call}`].value as number);
      await workers.led();
      return kernels.result();
    },
    end() {
      kernels.quit();
      return workers.end();
    },
  };
}

function engineOf(kernels: ThreadKernels, workers: Workers, program: Program): Engine {
  const { state, ...views } = viewsOf(kernels, program);
  const guarded = wrapped(kernels, SWEEPS, (call) => (...args) => {
    workers.check();
    try {
      return call(...args);
    } catch (error) {
      // The kernels trap when a thread has not finished after many seconds.
      if ((error as Error).name !== "RuntimeError") throw error;
      workers.stop(
        new OptimizerError(
          "threads",
          "a thread did not finish its part of a step; this optimizer's state is lost",
        ),
      );
      throw workers.failure!;
    }
  });
  return {
    name: "wasm",
    kernels: guarded,
    groups: program.groups,
    ...views,
    get state() {
      workers.check();
      return state;
    },
  };
}
