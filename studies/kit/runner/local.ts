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
    // A job that crashes takes no other with it.
    runtime: "child_process",
    execArgv: ["--import", "tsx"],
    filename: new URL("./local-worker.ts", import.meta.url).href,
    minThreads: Math.min(workers, tasks.size),
    maxThreads: workers,
  });
  try {
    await Promise.all(
      [...tasks].map(async ([id, task]) => {
        const file = join(out, "kept", id);
        const outcome = await attempt(() => pool.run({ ...task, file }) as Promise<Json>);
        onOutcome(task, outcome);
        if (!(outcome instanceof Error)) rmSync(file, { force: true });
      }),
    );
  } finally {
    await pool.destroy();
  }
}

/** A process that was killed is no fault of its job, which goes on in another, unless that happens three times. */
async function attempt(run: () => Promise<Json>): Promise<Json | Error> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      // It comes from another process, where it was an Error.
      const { message } = error as Error;
      if (message !== "Worker exited unexpectedly" || tries === 3) return new Error(message);
    }
  }
}
