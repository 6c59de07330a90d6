/*
 * What a worker runs: an instance of the kernels on the optimizer's memory, which helps until it is told to quit.
 * scripts/embed.mjs makes a text of it, so it imports nothing and awaits nothing: it has to run as a classic script, too.
 */

/** What the optimizer's thread sends a new worker. */
export interface WorkerSetup {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the kernels' configuration is, which all threads read. */
  readonly from: number;
  readonly thread: number;
}

/** What a worker says: it helps now; it has carried out a command. */
export type WorkerMessage = "ready" | "done";

type Functions = Record<string, (...args: readonly unknown[]) => unknown>;

function help({ module, memory, from, thread }: WorkerSetup, send: (send: WorkerMessage) => void): void {
  const announce = () => send("done");
  const kernels = new WebAssembly.Instance(module, { env: { memory }, threads: { announce } })
    .exports as Functions;
  kernels.plan(from, thread);
  send("ready");
  kernels.work();
}

interface NodeThreads {
  readonly parentPort: {
    once(event: "message", listener: (setup: WorkerSetup) => void): void;
    postMessage(send: WorkerMessage): void;
  };
}

if ("WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as Worker;
  scope.onmessage = ({ data }: MessageEvent<WorkerSetup>) => help(data, (send) => scope.postMessage(send));
} else {
  // By a name that bundlers do not follow into pages.
  const builtin = "node:worker_threads";
  const threads = import(/* @vite-ignore */ /* webpackIgnore: true */ builtin) as Promise<NodeThreads>;
  void threads.then(({ parentPort }) =>
    parentPort.once("message", (setup) => help(setup, (send) => parentPort.postMessage(send))),
  );
}
