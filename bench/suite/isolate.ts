import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Contender, Effort, Take } from "./contender.js";
import { alternating, loops, type LoopSpec } from "./loops.js";
import { prepare } from "./measure.js";

/*
 * Plain loops take their turns in a thread of this process, with a heap of its own. Once any ArrayBuffer was detached,
 * as when a WebAssembly memory grows, V8 looks at every access to a typed array whether its buffer is still there: plain
 * loops take 1.4 times as long. Who writes plain loops need not load WebAssembly, so here they have none beside them.
 */

interface Task {
  readonly name: string;
  readonly spec: LoopSpec;
  readonly alternates: boolean;
  readonly steps: number;
  readonly effort: Effort;
}

/** tsx does not see to threads by itself. */
const entry = `
  import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))})
    .then(({ register }) => register())
    .then(() => import(${JSON.stringify(import.meta.url)}));
`;

/** Plain loops in a thread of their own. */
export function isolated(name: string, spec: LoopSpec, alternates = false): Contender {
  let worker: Worker | undefined;
  return {
    name,
    step: () => {
      throw new Error(`${name} steps in its own thread only`);
    },
    prepare: async (steps, effort): Promise<Take> => {
      const task: Task = { name, spec, alternates, steps, effort };
      const thread = (worker = new Worker(entry, { eval: true, workerData: task }));
      await once(thread, "message");
      return async () => {
        thread.postMessage("take");
        const [time] = (await once(thread, "message")) as [number];
        return time;
      };
    },
    dispose: () => void worker?.terminate(),
  };
}

async function serve({ name, spec, alternates, steps, effort }: Task): Promise<void> {
  const contender = loops(name, spec);
  const take = await prepare(alternates ? alternating(contender) : contender, steps, effort);
  parentPort!.on("message", () => void take().then((time) => parentPort!.postMessage(time)));
  parentPort!.postMessage("ready");
}

if (!isMainThread) await serve(workerData as Task);
