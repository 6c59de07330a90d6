import { join } from "node:path";
import { Piscina } from "piscina";
import type { Json } from "../study.js";
import { keptInFile, type Task } from "./compute.js";

/** Tells the outcome of a task, or the error that it ended with. */
export type OnOutcome = (task: Task, outcome: Json | Error) => void;

export interface LocalTask extends Task {
  /** Where it keeps its state. */
  readonly file: string;
}

/** Computes tasks on this machine, by so many workers. */
export async function computeHere(
  tasks: ReadonlyMap<string, Task>,
  { workers, out }: { workers: number; out: string },
  onOutcome: OnOutcome,
): Promise<void> {
  const pool = new Piscina<LocalTask, Json>({
    filename: new URL("./local-worker.ts", import.meta.url).href,
    minThreads: Math.min(workers, tasks.size),
    maxThreads: workers,
    maxQueue: Infinity,
  });
  try {
    await Promise.all(
      [...tasks].map(async ([id, task]) => {
        const file = join(out, "kept", id);
        const outcome = await pool.run({ ...task, file }).catch((error: unknown) => toError(error));
        onOutcome(task, outcome);
        if (!(outcome instanceof Error)) keptInFile(file).forget();
      }),
    );
  } finally {
    await pool.destroy();
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
