import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { JobContext, Json, Study } from "../study.js";

/** What a process needs to know to compute a job, wherever it is. */
export interface Task {
  /** The study's folder in `studies`. */
  readonly study: string;
  readonly job: Json;
}

/** Tells the outcome of a task, or the error that it ended with. */
export type OnOutcome = (task: Task, outcome: Json | Error) => void;

const folder = fileURLToPath(new URL("../../", import.meta.url));

/** The study in a folder of `studies`. */
export async function loadStudy(name: string): Promise<Study> {
  const file = join(folder, name, "study.ts");
  // A name may come from another machine.
  if (!/^[a-z][a-z-]*$/.test(name) || !existsSync(file)) {
    throw new RangeError(`there is no study ${JSON.stringify(name)} that is made of jobs: no file ${file}`);
  }
  return ((await import(pathToFileURL(file).href)) as { study: Study }).study;
}

/** Recognises a task: the same text for the same job of the same edition with the same package. */
export function taskId({ study, job }: Task, edition: number, version: string): string {
  const text = JSON.stringify([study, edition, version, job]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** The outcome as JSON holds it (a NaN is null), so that it does not depend on the way that it comes. */
export async function compute({ study: name, job }: Task, context: JobContext): Promise<Json> {
  const study = await loadStudy(name);
  return JSON.parse(JSON.stringify(await study.run(job, context))) as Json;
}
