/** Every recorded run, replayed by the reference twin. */
import { afterAll, describe, expect, test } from "vitest";
import { setupOf, UnknownBase, type Setup } from "./config.js";
import { goldenMissing, loadGoldens, type Golden } from "./load.js";
import { problems } from "./problems.js";
import { closedLoop, openLoop, spread } from "./replay.js";
import { runsOf, type Run } from "./runs.js";
import { replayTable } from "./tables.js";
import { adamOf, Reference, sgdOf } from "../reference.js";

const goldens = loadGoldens();
// The reporter does not show why a test is skipped.
if (goldenMissing) process.stdout.write(`Skipped: ${goldenMissing}\n`);
/** What became of each file. */
const report = new Map<string, string[]>();
const unknownKinds: string[] = [];

/** f32 runs, and f64 ones once they are chaotic, say nothing exact about a loop's later steps. */
function lastClosedStep(run: Run): number {
  if (run.precision === "f32" || run.mixed) return Math.min(20, run.until);
  return run.until >= 500 ? run.until : Math.min(50, run.until);
}

function replay(golden: Golden, setup: Setup, run: Run): string[] {
  const open = openLoop(setup, run);
  const lines = [
    `${run.name} open loop: ${open.steps} steps, worst error ${open.worst.toPrecision(2)} of the tolerance`,
  ];
  expect(open.steps).toBeGreaterThan(0);
  expect(open.columns).toContain("params");
  const used = new Set([...open.columns, "step", "g", "loss_before"]);
  const unused = Object.keys(run.columns).filter((name) => !used.has(name));
  if (unused.length > 0) lines.push(`not compared: ${unused.join(", ")}`);
  const problem = golden.problem!;
  if (!problems[problem.kind]) {
    return [...lines, `problem ${problem.kind} has no formula here: no closed loop`];
  }
  const last = lastClosedStep(run);
  const closed = closedLoop(setup, run, problem, last);
  lines.push(`${run.name} closed loop: ${closed.steps} steps, worst ${closed.worst.toPrecision(2)}`);
  if (last < 500) lines.push("the chaotic steps after it are not compared");
  return lines;
}

/** The printed pull divides by |x| = 0: an error, and nothing has changed, in no base's moments either. */
function refuses(setup: Setup, run: Run): string[] {
  for (const base of [setup.base, adamOf(), sgdOf({ momentum: 0.9 })]) {
    const twin = new Reference(setup.x0, { ...setup, base });
    const state = (): string =>
      JSON.stringify([twin.x, twin.delta, twin.mu, twin.nu, twin.m, twin.v, twin.r, twin.s, twin.iterations]);
    const before = state();
    const g = spread(run.columns.g[0], setup);
    expect(() => twin.step(g, setup.schedule(1))).toThrow(/\|x\| = 0/);
    expect(state()).toBe(before);
  }
  return ["|x| = 0 is refused before any state changes; the NaNs that follow in the record are not compared"];
}

/** Returns what was done with the file, or the reason why nothing was. */
function use(golden: Golden): { done: string[] } | { skipped: string } {
  const rows = replayTable(golden);
  if (rows !== undefined) return { done: [`${rows} rows`] };
  if (!/^(mechanic_torch|mechanic_optax|seed_\w+|plain_\w+)$/.test(golden.kind)) {
    unknownKinds.push(golden.file);
    return { skipped: `files of kind ${golden.kind} are not known` };
  }
  let setup: Setup;
  try {
    setup = setupOf(golden);
  } catch (error) {
    if (error instanceof UnknownBase) return { skipped: error.message };
    throw error;
  }
  const notes = setup.unread.map((key) => `config.${key} is not known and was not read`);
  const done = runsOf(golden).flatMap((run) => {
    const h = run.columns.h?.[0];
    return typeof h === "number" && !Number.isFinite(h) ? refuses(setup, run) : replay(golden, setup, run);
  });
  return { done: [...done, ...notes] };
}

describe("recorded runs", () => {
  test.skipIf(goldenMissing !== null && !process.env.CI)(goldenMissing ?? "are there", () => {
    expect(goldenMissing ?? "", "CI needs the recorded runs").toBe("");
    expect(goldens.length).toBeGreaterThan(0);
  });

  for (const golden of goldens) {
    test(golden.file, (context) => {
      const result = use(golden);
      report.set(golden.file, "done" in result ? result.done : [`not used: ${result.skipped}`]);
      if ("skipped" in result) context.skip(result.skipped);
    });
  }

  test.skipIf(goldens.length === 0)("no file is of a kind that nothing reads", () => {
    expect(unknownKinds).toEqual([]);
  });

  afterAll(() => {
    const lines = goldens.map(({ file }) => `${file}: ${(report.get(file) ?? ["failed"]).join("; ")}\n`);
    // Not the console: what was left out of a file should be seen when its test passes, too.
    process.stdout.write(lines.join(""));
  });
});
