import { bytesPerCoordinateOf, FIRST_BYTE, plan, setUp, viewsOf, type Setting } from "../engine/layout.js";
import type { Kernels } from "../engine/kernels.js";
import { notGranted, type Engine, type Program } from "../engine/program.js";
import type { WasmKernels } from "../engine/wasm.js";
import { OptimizerError } from "../common/errors.js";
import { fromHex } from "../common/hex.js";
import { THREADS_HEX } from "./binary.js";
import type { WorkerSetup } from "./worker.js";
import { Workers } from "./workers.js";

/** The exports of assembly/threads/threads.ts. */
interface ThreadKernels extends WasmKernels {
  setSleep(allowed: boolean): void;
  countSpans(): void;
  command(command: number): void;
  result(): number;
  quit(): void;
  readonly "Command.SCAN": WebAssembly.Global;
  readonly "Command.SCAN_EXACTLY": WebAssembly.Global;
  readonly "Command.STEP": WebAssembly.Global;
}

/** Calls that read or write vectors, and may share a sweep. */
const SWEEPS = [
  ...(["scan", "scanExactly", "step", "scanAndStep", "rebase", "start", "anchor"] as const),
  ...(["lowerScale", "scaleSlot", "flushMoments", "rescale", "keepGradient", "gradientChange"] as const),
];

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(fromHex(THREADS_HEX));
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
  /** A command that another thread carries out as the leader; this one does something else until the promise resolves. */
  command(name: "SCAN" | "SCAN_EXACTLY" | "STEP"): Promise<number>;
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
function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): ThreadKernels {
  const imports = { env: { memory }, threads: { announce: () => {} } };
  return new WebAssembly.Instance(module, imports).exports as unknown as ThreadKernels;
}

/** A page's main thread may not sleep. */
const maySleep = () => typeof document === "undefined";

/** Sets up an engine with `threads` threads, this one included. */
export async function createThreadedEngine(program: Program, threads: number): Promise<ThreadedEngine> {
  expectIsolation();
  const module = await (compiled ??= compile());
  const setting: Setting = { from: FIRST_BYTE, threads };
  // What a memory must hold is known before there is one.
  const memory = sharedMemory(setting.from + plan(instantiate(module, sharedMemory(0)), program, setting));
  const kernels = instantiate(module, memory);
  kernels.setSleep(maySleep());
  plan(kernels, program, setting);
  setUp(kernels, program);
  kernels.countSpans();
  const setups = Array.from({ length: threads - 1 }, (_, k): WorkerSetup => {
    return { module, memory, from: setting.from, thread: k + 1 };
  });
  const workers = await Workers.start(setups);
  return {
    engine: engineOf(kernels, workers, program, setting),
    async command(name) {
      workers.check();
      kernels.command(kernels[`Command.${name}`].value as number);
      await workers.commandDone();
      return kernels.result();
    },
    end() {
      kernels.quit();
      return workers.end();
    },
  };
}

/** The kernels, whose sweeps fail when a thread has. */
function guardedBy(workers: Workers, kernels: ThreadKernels): Kernels {
  type Sweep = (...args: unknown[]) => unknown;
  const guard =
    (sweep: Sweep): Sweep =>
    (...args) => {
      workers.check();
      try {
        return sweep(...args);
      } catch (error) {
        // The kernels trap when a thread has not finished after many seconds.
        if ((error as Error).name !== "RuntimeError") throw error;
        const reason = "a thread did not finish its part of a step; this optimizer's state is lost";
        workers.stop(new OptimizerError("threads", reason));
        throw workers.failure!;
      }
    };
  const functions = kernels as unknown as Record<(typeof SWEEPS)[number], Sweep>;
  const sweeps = SWEEPS.map((name) => [name, guard(functions[name])] as const);
  return { ...kernels, ...Object.fromEntries(sweeps) };
}

function engineOf(kernels: ThreadKernels, workers: Workers, program: Program, setting: Setting): Engine {
  const { state, ...views } = viewsOf(kernels, program, setting);
  return {
    name: "wasm",
    kernels: guardedBy(workers, kernels),
    groups: program.groups,
    bytesPerCoordinate: bytesPerCoordinateOf(kernels, setting),
    ...views,
    expectAlive: () => workers.check(),
    get state() {
      workers.check();
      return state;
    },
  };
}
