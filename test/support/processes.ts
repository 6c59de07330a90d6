/** Programs in process groups of their own, to be killed with all that they have started, and a folder for their files. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach } from "vitest";

export interface Program {
  readonly child: ChildProcess;
  /** All that it has printed. */
  readonly text: () => string;
  readonly ended: Promise<void>;
}

const children: ChildProcess[] = [];
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "superlevel-test-"));
});
afterEach(() => {
  for (const child of children.splice(0)) kill(child);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A folder for the test under way. */
export const testFolder = (): string => folder;

/** Kills it and what it has started, as a power cut would. */
export function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/** Is killed behind the test at the latest. */
export function start(command: string, args: readonly string[], env: Record<string, string> = {}): Program {
  const child = spawn(command, args, { detached: true, env: { ...process.env, ...env } });
  children.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => (text += String(part)));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return { child, text: () => text, ended };
}

/** `npm run study -- …` and `npm run example -- …`. */
export const run = (args: readonly string[], env?: Record<string, string>): Program =>
  start(process.execPath, ["--import", "tsx", "scripts/run.ts", ...args], env);

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(20);
}
