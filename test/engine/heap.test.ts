/**
 * No step allocates: 10⁵ of them leave nothing behind, on the heap or in the optimizer's memory. What a step lets fall
 * for the collector (its StepInfo, and what the host computes with) is bounded, too. In a process of its own, so that
 * no other test's garbage is counted.
 */
import { execFileSync } from "node:child_process";

import { beforeAll, describe, expect, it } from "vitest";
import type { HeapRow } from "../../bench/heap.js";

const STEPS = 1e5;

describe("after 100 000 steps", () => {
  let rows: HeapRow[];
  let control: HeapRow;

  beforeAll(() => {
    const flags = ["--import", "tsx", "bench/heap.ts"];
    rows = JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" })) as HeapRow[];
    control = rows.pop()!;
  });

  it("the heap has not grown by as much as a byte a step", () => {
    expect(rows.length).toBe(5);
    const grown = rows.filter(({ heldBytes }) => heldBytes >= STEPS);
    expect(grown).toEqual([]);
  });

  it("the optimizer's memory is what it was", () =>
    expect(rows.map(({ memoryBytes }) => memoryBytes)).toEqual(rows.map(() => 0)));

  it("what a step dropped is less than a kilobyte", () => {
    const wasteful = rows.filter(({ droppedPerStep }) => droppedPerStep > 1000);
    expect(wasteful).toEqual([]);
  });

  it("a loop that keeps every StepInfo is seen", () => expect(control.heldBytes).toBeGreaterThan(50 * STEPS));
});
