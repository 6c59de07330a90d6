import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json, Study } from "../study.js";

/** What a process needs to know to compute a job, wherever it is. */
export interface Task {
  /** The study's folder in `studies`. */
  readonly study: string;
  readonly job: Json;
}

/** Where a job's state outlives whoever computes it. */
export interface Keeper {
  read(): Promise<Uint8Array | undefined>;
  write(state: Uint8Array): Promise<void>;
}

const folder = fileURLToPath(new URL("../../", import.meta.url));

/** The study in a folder of `studies`. */
export async function loadStudy(name: string): Promise<Study> {
  const file = join(folder, name, "study.ts");
  // A name may come from another machine.
  if (!/^[a-z][a-z-]*$/.test(name) || !existsSync(file)) {
    throw new RangeError(`there is no study ${JSON.stringify(name)} that is made of jobs: no file ${file}`);
  }
  return ((await import(file)) as { study: Study }).study;
}

/** Recognises a task: the same text for the same job of the same edition with the same package. */
export function taskId({ study, job }: Task, edition: number, version: string): string {
  const text = JSON.stringify([study, edition, version, job]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

export async function compute({ study: name, job }: Task, keeper: Keeper): Promise<Json> {
  const study = await loadStudy(name);
  return study.run(job, { kept: await keeper.read(), keep: (state) => keeper.write(state) });
}

/** Keeps a state in a file, which is replaced whole: a process that is killed while it writes leaves the one before. */
export function keptInFile(file: string): Keeper & { forget(): void } {
  return {
    read: async () => (existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined),
    write: async (state) => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, state);
      renameSync(`${file}.new`, file);
    },
    forget: () => rmSync(file, { force: true }),
  };
}
