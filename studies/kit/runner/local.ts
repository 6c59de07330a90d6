import { rmSync } from "node:fs";
import { join } from "node:path";
import { Tinypool } from "tinypool";
import type { Json } from "../study.js";
import type { OnOutcome, Task } from "./compute.js";

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
  const pool = new Tinypool({
    // A job that crashes takes no other with it, and processes read TypeScript as their parent does.
    runtime: "child_process",
    filename: new URL("./local-worker.ts", import.meta.url).href,
    minThreads: Math.min(workers, tasks.size),
    maxThreads: workers,
  });
  try {
    await Promise.all(
      [...tasks].map(async ([id, task]) => {
        const file = join(out, "kept", id);
        const outcome = await (pool.run({ ...task, file }) as Promise<Json>).catch(toError);
        onOutcome(task, outcome);
        if (!(outcome instanceof Error)) rmSync(file, { force: true });
      }),
    );
  } finally {
    await pool.destroy();
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
