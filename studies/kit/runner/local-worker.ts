import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { compute } from "./compute.js";
import type { LocalTask } from "./local.js";

export default ({ file, ...task }: LocalTask) =>
  compute(task, { kept: read(file), keep: async (state) => Promise.resolve(write(file, state)) });

function read(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch {
    return undefined;
  }
}

/** Replaces the file as a whole: a process that is killed while it writes leaves the one before. */
function write(file: string, state: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, state);
  renameSync(`${file}.new`, file);
}
