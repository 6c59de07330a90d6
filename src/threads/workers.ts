import { OptimizerError } from "../common/errors.js";
import { WORKER_SCRIPT } from "./binary.js";
import type { Orders, Report } from "./worker.js";

/** Milliseconds that workers get to start. */
const START_LIMIT = 30_000;

/** A worker of Node or of a page, as far as it matters here. */
interface Link {
  /** Whether it keeps the process alive. */
  hold(holds: boolean): void;
  terminate(): Promise<unknown>;
}

interface Listener {
  readonly hear: (report: Report) => void;
  readonly fail: (reason: string) => void;
}

interface NodeWorker {
  on(event: "message", listener: (report: Report) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "exit", listener: (code: number) => void): void;
  postMessage(orders: Orders): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface Node {
  readonly versions?: { readonly node?: string };
  readonly type?: string;
}

const { process = {} } = globalThis as { process?: Node };

/** Is this Node. Electron's pages and their workers have its `process`, but modules and workers as other pages do. */
export const inNode =
  process.versions?.node !== undefined && !["renderer", "worker", "service-worker"].includes(process.type!);

/** A built-in module of Node, by a name that bundlers do not follow into pages. */
async function builtin<Module>(name: string): Promise<Module> {
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`)) as Module;
}

async function startInNode(orders: Orders, { hear, fail }: Listener): Promise<Link> {
  type Constructor = new (script: string, options: object) => NodeWorker;
  const { Worker: NodeWorker } = await builtin<{ Worker: Constructor }>("worker_threads");
  // Without the flags of the process, which may be meant for its own script.
  const worker = new NodeWorker(WORKER_SCRIPT, { eval: true, execArgv: [] });
  worker.on("message", hear);
  worker.on("error", ({ message }) => fail(message));
  worker.on("exit", (code) => fail(`it ended with code ${code}`));
  worker.postMessage(orders);
  return {
    hold: (holds) => (holds ? worker.ref() : worker.unref()),
    terminate: () => worker.terminate(),
  };
}

let scriptUrl: string | undefined;

/** The script as a text needs no help of bundlers; where a page's policy forbids such workers, its file may do. */
function startInPage(orders: Orders, { hear, fail }: Listener): Link {
  let worker: Worker | undefined;
  const use = (started: Worker, onFailure: (message: string | undefined) => void) => {
    worker = started;
    worker.onmessage = ({ data }: MessageEvent<Report>) => hear(data);
    worker.onerror = ({ message }: Partial<ErrorEvent>) => onFailure(message);
    worker.postMessage(orders);
  };
  const useFile = () => {
    const blocked = "its script could not be loaded: see docs/engines.md on content security policies";
    try {
      const file = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      use(file, (message) => fail(message ?? blocked));
    } catch (error) {
      fail(`${blocked} (${String(error)})`);
    }
  };
  try {
    scriptUrl ??= URL.createObjectURL(new Blob([WORKER_SCRIPT], { type: "text/javascript" }));
    // What the script itself throws has a message.
    use(new Worker(scriptUrl), (message) => (message === undefined ? useFile() : fail(message)));
  } catch {
    useFile();
  }
  return {
    hold: () => {},
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
  readonly #links: Link[] = [];
  #ended: Promise<unknown> | undefined;
  #failure: OptimizerError | undefined;
  #waiting: { resolve: () => void; reject: (error: OptimizerError) => void } | undefined;
  #reports = 0;

  /** Starts workers with their orders, and resolves when all of them help. */
  static async start(orders: readonly Orders[], limit = START_LIMIT): Promise<Workers> {
    const workers = new Workers();
    const late = () => workers.#fail(`not ready after ${limit / 1000} s`);
    const timer = setTimeout(late, limit);
    try {
      const ready = workers.#reported(orders.length);
      await Promise.race([ready, workers.#launch(orders)]);
      await ready;
    } catch (error) {
      void workers.end();
      if (error instanceof OptimizerError) throw error;
      throw new OptimizerError("threads", `threads could not be started: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
    workers.#links.forEach((link) => link.hold(false));
    return workers;
  }

  async #launch(orders: readonly Orders[]): Promise<void> {
    for (const order of orders) {
      const listener: Listener = { hear: () => this.#hear(), fail: (reason) => this.#fail(reason) };
      this.#links.push(inNode ? await startInNode(order, listener) : startInPage(order, listener));
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

  /** Resolves when the first worker has led a command that it was given. */
  async led(): Promise<void> {
    const [leader] = this.#links;
    leader.hold(true);
    try {
      await this.#reported(1);
    } finally {
      leader.hold(false);
    }
  }

  /** Resolves with the last of so many reports. */
  #reported(count: number): Promise<void> {
    this.#reports = count;
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      else this.#waiting = { resolve, reject };
    });
  }

  #hear(): void {
    if (--this.#reports > 0) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #fail(reason: string): void {
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
    await (this.#ended ??= Promise.all(this.#links.map((link) => link.terminate())));
  }
}
