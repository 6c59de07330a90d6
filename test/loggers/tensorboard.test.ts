/** Event files of a run, read back by TensorBoard itself. */
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { createOptimizer, sgd, type GradientSource } from "../../src/index.js";
import { eventFile, logTo, lyapunovMonitor } from "../../src/stability/index.js";
import { readFolder, reason } from "../support/tensorboard.js";

const folder = () => mkdtempSync(join(tmpdir(), "superlevel-events-"));
const appender = (file: string) => (bytes: Uint8Array) => appendFileSync(file, bytes);

describe.skipIf(reason)(`TensorBoard${reason ? ` (skipped: ${reason})` : ""}`, () => {
  test("finds the numbers of a run at their steps, and what the monitor says as text", () => {
    const source: GradientSource = ([x, y], g) => (g.set([x, 10 * y]), (x * x + 10 * y * y) / 2);
    const tensors = [
      { name: "a", shape: [1], values: [1] },
      { name: "b", shape: [1], values: [1] },
    ];
    const logs = folder();
    const monitor = lyapunovMonitor();
    const file = eventFile(appender(join(logs, "events.out.tfevents.1")), () => 1234.5);
    const told: Record<string, [number, number | string][]> = {};
    const both = {
      log(values: Record<string, number | string>, at: { step: number }) {
        file.log(values, at);
        for (const [tag, value] of Object.entries(values)) (told[tag] ??= []).push([at.step, value]);
      },
    };
    const optimizer = createOptimizer(tensors, { base: sgd({ learningRate: 0.25 }), tuner: null });
    const monitors = [monitor, logTo(both, { monitor, every: 5 })];
    optimizer.minimize(source, { steps: 30, deterministic: true, guard: null, monitors });

    const { numbers, texts, plugins, versions, times } = readFolder(logs);
    const { "superlevel/findings": findings, ...rest } = told;
    const rounded = Object.entries(rest).map(([tag, pairs]) => [
      tag,
      pairs.map(([step, value]) => [step, Math.fround(value as number)]),
    ]);
    expect(numbers).toEqual(Object.fromEntries(rounded));
    expect(Object.keys(numbers)).toHaveLength(9);
    expect(findings[0][1]).toContain("past the edge of stability");
    expect(texts).toEqual({ "superlevel/findings": findings });
    expect(plugins).toEqual({ "superlevel/findings": "text" });
    expect(versions).toEqual(["brain.Event:2"]);
    expect(new Set(times)).toEqual(new Set([1234.5]));
  });

  test("finds infinities, NaN, letters beyond ASCII, and steps beyond 2³¹", () => {
    const logs = folder();
    const target = eventFile(appender(join(logs, "events.out.tfevents.2")));
    const long = "ä€".repeat(300);
    target.log({ loss: -Infinity, note: long }, { step: 1 });
    target.log({ loss: NaN }, { step: 3_000_000_000 });
    target.log({ loss: 1e-30 }, { step: 3_000_000_001 });
    const { numbers, texts } = readFolder(logs);
    const { loss } = numbers;
    expect(loss).toEqual([
      [1, "-inf"],
      [3_000_000_000, "nan"],
      [3_000_000_001, Math.fround(1e-30)],
    ]);
    expect(texts).toEqual({ note: [[1, long]] });
  });

  test("reads no further than where a byte was changed, so it does check what we wrote", () => {
    const logs = folder();
    const file = join(logs, "events.out.tfevents.3");
    const target = eventFile(appender(file));
    for (let step = 1; step <= 3; step++) target.log({ loss: step }, { step });
    expect(readFolder(logs).numbers.loss).toHaveLength(3);
    const bytes = readFileSync(file);
    bytes[bytes.length - 8] ^= 1;
    writeFileSync(file, bytes);
    expect(readFolder(logs).numbers.loss).toHaveLength(2);
  });
});
