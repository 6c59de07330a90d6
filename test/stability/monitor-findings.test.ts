/** Each finding of the monitor by itself: what shows it, what does not, and its row in docs/stability.md. */
import { readFileSync } from "node:fs";

import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";

import type { Evidence } from "../../src/stability/monitor/evidence.js";
import { FINDINGS, findingsOf, type FindingCode } from "../../src/stability/monitor/findings.js";
import type { StepRecord } from "../../src/stability/monitor/record.js";

/** A step that went well. */
const fine: StepRecord = {
  ...{ step: 1, before: 1, after: 0.9, change: -0.1, predicted: -0.15, ratio: 2 / 3, smoothness: 1 },
  ...{ distance: 0.1, gradNorm: 1.5, status: "ok", kink: false, overshoot: -0.3 },
  ...{ descentLemma: true, flow: -0.15 },
};
const steps = (count: number, changes: Partial<StepRecord> = {}) =>
  Array.from({ length: count }, (): StepRecord => ({ ...fine, ...changes }));
const risen: Partial<StepRecord> = { status: "violation", change: 0.1, ratio: -0.5 };

/** A run in which nothing is wrong. */
const healthy: Evidence = {
  ...{ step: 50, records: steps(50), noisy: false, first: 2, now: 1, window: 50 },
  ...{ regressed: false, spiked: false, recovered: false, progress: true, converged: false },
  ...{ shareAboveFirst: 0, stepsSinceBest: 0, rejections: 0, signalShare: 1 },
  ...{ gradNorm: 1, gradNormMax: 2, peak: { loss: 2, step: 1 } },
  overreach: { share: 0, largest: 0.1, largestStep: 3 },
  ...{ nonFinite: undefined, budget: undefined, probe: undefined },
};

const budget = { total: 1, remaining: 1e-3, reach: 1e-3, predictedDrop: 1e-3, frozen: true };
const probe = { tests: 10, alarms: 0, alarmSteps: [], first: 2, best: 1, last: 1, labels: undefined };
const alarmed = { ...probe, alarms: 4, alarmSteps: [20, 30, 40, 50] };
const labels = { examples: 400, left: 0.1, risenShare: 0.2, suspects: [7, 8] };

/** What shows a finding, and what it says; and what comes near but does not show it. */
interface Row {
  readonly shows: readonly (readonly [change: Partial<Evidence>, message: string])[];
  readonly near: readonly Partial<Evidence>[];
}

const unknown = steps(50, { status: "unknown" });

const ROWS: Record<FindingCode, Row> = {
  "past-edge": {
    shows: [
      [
        { progress: false, records: steps(50, risen) },
        "V rose in 100 % of the last 50 steps, edge ratio 1.5",
      ],
      [{ progress: false, records: steps(50, { status: "stall" }) }, "to and fro"],
      [
        { noisy: true, overreach: { share: 0.2, largest: 2, largestStep: 3 } },
        "step 3 was to lower the loss by 8",
      ],
      [{ spiked: true, peak: { loss: 9, step: 4 } }, "the loss leapt from 2 to 9 at step 4"],
      [{ records: unknown, probe: alarmed, now: 2 }, "rose at 4 of 10 tests, last after step 50"],
      [{ records: steps(50, { status: "unknown", overshoot: 2 }), regressed: true }, "2 times as steeply"],
    ],
    near: [
      { progress: false, records: [...steps(5, risen), ...steps(45)] },
      { progress: false, converged: true, records: steps(50, risen) },
      { noisy: true, overreach: { share: 0.05, largest: 2, largestStep: 3 } },
      { spiked: true, recovered: true },
      { records: unknown, probe: { ...alarmed, alarms: 2 } },
    ],
  },
  edge: {
    shows: [[{ records: [...steps(15, risen), ...steps(35)] }, "but the loss still falls: V rose in 30 %"]],
    near: [{ records: [...steps(5, risen), ...steps(45)] }, { progress: false, records: steps(50, risen) }],
  },
  "non-finite": {
    shows: [
      [{ nonFinite: { step: 7, what: "gradient" } }, "non-finite gradient at step 7; the loss had not been"],
    ],
    near: [{}],
  },
  diverging: {
    shows: [
      [{ regressed: true, now: 1.8 }, "the loss began at 2, fell, and is at 1.8"],
      [{ regressed: true, now: 3 }, "the loss began at 2 and is at 3"],
    ],
    near: [{ now: 1.8 }],
  },
  "label-noise": {
    shows: [
      [{ probe: { ...probe, labels } }, "400 fixed examples fell to 10 % of its start, the losses of 20 %"],
    ],
    near: [
      { probe },
      { probe: { ...probe, labels: { ...labels, risenShare: 0.07 } } },
      { probe: { ...probe, labels: { ...labels, left: 0.5 } } },
    ],
  },
  overfitting: {
    shows: [
      [
        { probe: alarmed, now: 0.1 },
        "rose at 4 of 10 tests, from 1 to 1, while that of the batches fell to 0.1",
      ],
    ],
    near: [
      { probe: alarmed, now: 0.9 },
      { probe: { ...alarmed, alarms: 2 }, now: 0.1 },
    ],
  },
  frozen: {
    shows: [[{ budget }, "Σα left is 0.001, which cannot move x by more than 0.001"]],
    near: [{ budget: { ...budget, frozen: false } }, { budget, gradNorm: 1e-3 }],
  },
  noise: {
    shows: [[{ noisy: true, signalShare: 0.02, stepsSinceBest: 60 }, "2 % of the gradient is signal"]],
    near: [
      { noisy: true, signalShare: 0.06, stepsSinceBest: 60 },
      { noisy: true, signalShare: 0.02, stepsSinceBest: 40 },
      { noisy: true, signalShare: 0.02, stepsSinceBest: 60, regressed: true },
    ],
  },
  stalled: {
    shows: [[{ rejections: 25 }, "took back 25 tries in 50 steps"]],
    near: [{ rejections: 24 }, { rejections: 9, step: 9 }],
  },
  kinks: {
    shows: [
      [{ records: [...steps(10, { kink: true }), ...steps(40)] }, "20 % of the last 50 steps cross kinks"],
    ],
    near: [{ records: [...steps(9, { kink: true }), ...steps(41)] }, { records: steps(4, { kink: true }) }],
  },
};

test("nothing is found in a healthy run", () => {
  expect(findingsOf(healthy)).toEqual([]);
});

describe.each(FINDINGS)("$code", ({ code, severity }) => {
  const { shows, near } = ROWS[code];
  const found = (change: Partial<Evidence>) =>
    findingsOf({ ...healthy, ...change }).find((finding) => finding.code === code);

  test.each(shows)("is shown by %o", (change, message) => {
    expect(found(change)).toEqual({
      code,
      severity,
      step: 50,
      message: expect.stringContaining(message) as string,
    });
  });

  test.each(near)("is not shown by %o", (change) => {
    expect(found(change)).toBeUndefined();
  });
});

test("problems come before notes, each in the order of FINDINGS", () => {
  const all = findingsOf({
    ...{ ...healthy, records: [...steps(10, risen), ...steps(40, { kink: true })], regressed: true },
    ...{ nonFinite: { step: 7, what: "loss" }, budget, rejections: 0 },
  });
  expect(all.map(({ code }) => code)).toEqual(["past-edge", "non-finite", "diverging", "frozen", "kinks"]);
});

test("docs/stability.md has a row for each: `npx vitest run test/stability/monitor-findings.test.ts -u` writes them", async () => {
  const file = "docs/stability.md";
  const rows = FINDINGS.map(({ code, severity, seenBy }) => `| \`${code}\` | ${severity} | ${seenBy} |`);
  const table = ["| finding | severity | seen by |", "| --- | --- | --- |", ...rows].join("\n");
  const text = readFileSync(file, "utf8");
  expect(text).toMatch(/^\| finding .*\n(\|.*\n)+/m);
  const written = text.replace(/^\| finding .*\n(\|.*\n)+/m, `${table}\n`);
  const options = { ...(await resolveConfig(file)), parser: "markdown" };
  await expect(await format(written, options)).toMatchFileSnapshot(`../../${file}`);
});
