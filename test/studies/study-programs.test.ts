/** `npm run study -- programs --quick`: every program runs with both optimizers, and is not run again. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "superlevel-programs-"));
const file = join(folder, "quick.json");
afterAll(() => rmSync(folder, { recursive: true }));

function study(...args: string[]): string[] {
  const command = [
    "--import",
    "tsx",
    "scripts/run.ts",
    "study",
    "programs",
    "--quick",
    "--out",
    folder,
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  expect(status, stderr.slice(-500)).toBe(0);
  return stdout.split("\n").filter((line) => line.startsWith("| "));
}

it("runs every program with its own optimizer and with superlevel", () => {
  const rows = study().slice(2);
  expect(rows).toHaveLength(31);
  const runs = Object.values(JSON.parse(readFileSync(file, "utf8")) as Record<string, number | null>);
  expect(runs).toHaveLength(62);
  expect(runs.every((value) => value !== null && value > 0)).toBe(true);
});

it("goes on from what is there", () => {
  const known = JSON.parse(readFileSync(file, "utf8")) as Record<string, number>;
  const marked = Object.fromEntries(Object.keys(known).map((key) => [key, 12.5]));
  writeFileSync(file, JSON.stringify(marked));
  const rows = study("--only", "polynomial").slice(2);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toContain("12.5 | 12.5 | 1.00");
});
