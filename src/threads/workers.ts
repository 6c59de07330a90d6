import { OptimizerError } from "../common/errors.js";
import { WORKER_SCRIPT } from "./binary.js";
import type { WorkerSetup, WorkerMessage } from "./worker.js";

/** Milliseconds that workers get to start. */
const START_LIMIT = 30_000;

/** A worker of Node or of a page, as far as it matters here. */
interface WorkerHandle {
  /** Whether it keeps the process alive. */
  setRef(alive: boolean): void;
  terminate(): Promise<unknown>;
}

interface Listener {
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onFailure: (reason: string) => void;
}

interface NodeWorker {
  on(event: "message", listener: (message: WorkerMessage) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "exit", listener: (code: number) => void): void;
  postMessage(setups: WorkerSetup): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface Node {
  readonly versions?: { readonly node?: string };
  readonly type?: string;
}

const { process = {} } = globalThis as { process?: Node };

/** Is this Node? Electron's pages and their workers have its `process`, but modules and workers as other pages do. */
export const inNode =
  process.versions?.node !== undefined && !["renderer", "worker", "service-worker"].includes(process.type!);

/** A built-in module of Node, by a name that bundlers do not follow into pages. */
async function builtin<Module>(name: string): Promise<Module> {
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`)) as Module;
}

async function startInNode(setups: WorkerSetup, { onMessage, onFailure }: Listener): Promise<WorkerHandle> {
  type Constructor = new (script: string, options: object) => NodeWorker;
  const { Worker: NodeWorker } = await builtin<{ Worker: Constructor }>("worker_threads");
  // Without the flags of the process, which may be meant for its own script.
  const worker = new NodeWorker(WORKER_SCRIPT, { eval: true, execArgv: [] });
  worker.on("message", onMessage);
  worker.on("error", ({ message }) => onFailure(message));
  worker.on("exit", (code) => onFailure(`it ended with code ${code}`));
  worker.postMessage(setups);
  return {
    setRef: (alive) => (alive ? worker.ref() : worker.unref()),
    terminate: () => worker.terminate(),
  };
}

let scriptUrl: string | undefined;

/** The script as a text needs no help of bundlers; where a page's policy forbids such workers, its file may do. */
function startInPage(setups: WorkerSetup, { onMessage, onFailure }: Listener): WorkerHandle {
  let worker: Worker | undefined;
  const use = (started: Worker, onFailure: (message: string | undefined) => void) => {
    worker = started;
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => onMessage(data);
    worker.onerror = ({ message }: Partial<ErrorEvent>) => onFailure(message);
    worker.postMessage(setups);
  };
  const useFile = () => {
    const blocked = "its script could not be loaded: see docs/engines.md on content security policies";
    try {
      const file = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      use(file, (message) => onFailure(message ?? blocked));
    } catch (error) {
      onFailure(`${blocked} (${String(error)})`);
    }
  };
  try {
    scriptUrl ??= URL.createObjectURL(new Blob([WORKER_SCRIPT], { type: "text/javascript" }));
    // What the script itself throws has a message.
    use(new Worker(scriptUrl), (message) => (message === undefined ? useFile() : onFailure(message)));
  } catch {
    useFile();
  }
  return {
    setRef: () => {},
    terminate() {
      if (worker) worker.onerror = null;
      worker?.terminate();
      return Promise.resolve();
    },
  };
}

/** How many threads the machine runs at the same time. */
export async function parallelism(): Promise<number> {
  if (!inNode) return navigator.hardwareConcurrency;
  return (await builtin<{ availableParallelism(): number }>("os")).availableParallelism();
}

/** Workers that help with an optimizer's sweeps. */
export class Workers {
  readonly #handles: WorkerHandle[] = [];
  #ended: Promise<unknown> | undefined;
  #failure: OptimizerError | undefined;
  #waiting: { resolve: () => void; reject: (error: OptimizerError) => void } | undefined;
  #expected = 0;

  /** Starts workers, and resolves when all of them help. */
  static async start(setups: readonly WorkerSetup[], limit = START_LIMIT): Promise<Workers> {
    const workers = new Workers();
    const late = () => workers.#onFailure(`not ready after ${limit / 1000} s`);
    const timer = setTimeout(late, limit);
    try {
      const ready = workers.#received(setups.length);
      await Promise.race([ready, workers.#launch(setups)]);
      await ready;
    } catch (error) {
      void workers.end();
      if (error instanceof OptimizerError) throw error;
      throw new OptimizerError("threads", `threads could not be started: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
    workers.#handles.forEach((handle) => handle.setRef(false));
    return workers;
  }

  async #launch(setups: readonly WorkerSetup[]): Promise<void> {
    for (const setup of setups) {
      const listener: Listener = {
        onMessage: () => this.#onMessage(),
        onFailure: (reason) => this.#onFailure(reason),
      };
      this.#handles.push(inNode ? await startInNode(setup, listener) : startInPage(setup, listener));
    }
  }

  /** Why no more steps can be taken. */
  get failure(): OptimizerError | undefined {
    return this.#failure;
  }

  /** Throws when a worker has died. */
  check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#waiting) throw new OptimizerError("threads", "a stepAsync is under way; await it first");
  }

  /** Resolves when the first worker has carried out its command. */
  async commandDone(): Promise<void> {
    const [leader] = this.#handles;
    leader.setRef(true);
    try {
      await this.#received(1);
    } finally {
      leader.setRef(false);
    }
  }

  /** Resolves with the last of so many messages. */
  #received(count: number): Promise<void> {
    this.#expected = count;
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      else this.#waiting = { resolve, reject };
    });
  }

  #onMessage(): void {
    if (--this.#expected > 0) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #onFailure(reason: string): void {
    this.stop(new OptimizerError("threads", `a thread has failed: ${reason}`));
  }

  /** No more steps, for the reason given. Keeps the first of several reasons. */
  stop(reason: OptimizerError): void {
    this.#failure ??= reason;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }

  /** Ends all of them; resolves when they have ended. */
  async end(): Promise<void> {
    this.stop(new OptimizerError("disposed", "this optimizer was disposed of"));
    await (this.#ended ??= Promise.all(this.#handles.map((handle) => handle.terminate())));
  }
}
