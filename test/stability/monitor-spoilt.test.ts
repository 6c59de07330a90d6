/** A small version of `npm run study -- monitor`: networks trained well, and spoilt in a known way, each named. */
import { describe, expect, test } from "vitest";

import { casesOf, KINDS, type Trainer } from "../../studies/monitor/kinds.js";
import { interval } from "../../studies/monitor/table.js";

const problem = { data: "blobs", hidden: [16], activation: "relu", pace: 1 } as const;

/** Few of these labels stand out: what is learnt by heart looks the same. docs/results/monitor.md says how few. */
const isHard = (kind: string) => kind.startsWith("wrong labels") || kind === "overfitting";

const runs: [Trainer, boolean][] = [
  ["descent", true],
  ["momentum", false],
  ["Adam", true],
  ["superlevel", true],
  ["superlevel", false],
];

describe.each(runs)("%s, full batch: %s", (trainer, full) => {
  const seen = new Map<string, { right: number; verdicts: string[] }>();
  for (const seed of [20, 21, 22]) {
    for (const { kind, expected, reports } of casesOf({ problem, trainer, full, seed })) {
      if (isHard(kind)) continue;
      // Fixed examples that are held out may well get worse in a run that goes well.
      const verdicts = [reports["no probe"], reports.probe].flatMap((report) =>
        report ? [report.verdict] : [],
      );
      const known = seen.get(kind) ?? { right: 0, verdicts: [] };
      known.right += verdicts.filter((verdict) => expected.includes(verdict)).length;
      known.verdicts.push(...verdicts);
      seen.set(kind, known);
    }
  }

  test.each([...seen.keys()])("%s", (kind) => {
    const { right, verdicts } = seen.get(kind)!;
    if (kind.startsWith("goes well")) expect(verdicts).toEqual(Array(verdicts.length).fill("healthy"));
    else expect(right, verdicts.join()).toBeGreaterThanOrEqual(verdicts.length / 2);
  });

  test("nine in ten in all", () => {
    const all = [...seen.values()];
    const right = all.reduce((sum, each) => sum + each.right, 0);
    const total = all.reduce((sum, { verdicts }) => sum + verdicts.length, 0);
    expect(right / total, JSON.stringify([...seen])).toBeGreaterThanOrEqual(0.9);
  });
});

test("kinds and the interval of a share", () => {
  expect(Object.keys(KINDS).filter((kind) => !kind.startsWith("goes well"))).toHaveLength(19);
  const [low, high] = interval(9, 10);
  // Wilson 1927, as R's prop.test(9, 10, correct = FALSE).
  expect(low).toBeCloseTo(0.5958, 3);
  expect(high).toBeCloseTo(0.9821, 3);
});
