/** `npm run study -- NAME --quick`, for every study that there is. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testFolder } from "../support/processes.js";

const study = (args: readonly string[]) =>
  spawnSync(process.execPath, ["--import", "tsx", "scripts/run.ts", "study", ...args], { encoding: "utf8" });

// A worker waits for others' jobs, and `programs` has a test of its own.
const names = [...study([]).stdout.matchAll(/^ {2}(\S+) /gm)]
  .map(([, name]) => name)
  .filter((name) => name !== "worker" && name !== "programs");

/** How each is told where to write, if it writes. */
function further(name: string): string[] {
  if (["forms", "granularity", "guard", "minimize", "objective"].includes(name)) return [];
  const out = ["--out", ["monitor", "report"].includes(name) ? join(testFolder(), "out") : testFolder()];
  // All of its problems take a minute.
  return name === "robustness" ? [...out, "--only", "small"] : out;
}

describe("in a moment", () => {
  it.each(names)("%s", (name) => {
    const { status, stdout, stderr } = study([name, "--quick", ...further(name)]);
    expect(status, stderr.slice(-2000)).toBe(0);
    expect(stdout).not.toBe("");
  });
});
