/** Each finding of the monitor by itself: what shows it, what does not, and its row in docs/stability.md. */
import { readFileSync } from "node:fs";

import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";

import type { Evidence } from "../../src/stability/monitor/evidence.js";
import { FINDINGS, findingsOf, type FindingCode } from "../../src/stability/monitor/findings.js";
import type { StepRecord } from "../../src/stability/monitor/record.js";
import type { LayerEvidence } from "../../src/stability/monitor/step-history.js";

/** A step that went well. */
const fine: StepRecord = {
  ...{ step: 1, before: 1, after: 0.9, change: -0.1, predicted: -0.15, ratio: 2 / 3, smoothness: 1 },
  ...{ distance: 0.1, gradNorm: 1.5, status: "ok", kink: false, overshoot: -0.3 },
  ...{ descentLemma: true, flow: -0.15, energyChange: -0.1 },
};
const steps = (count: number, changes: Partial<StepRecord> = {}) =>
  Array.from({ length: count }, (): StepRecord => ({ ...fine, ...changes }));
const risen: Partial<StepRecord> = { status: "violation", change: 0.1, ratio: -0.5, energyChange: 0.1 };

const layer = (name: string, shape: number[], changes: Partial<LayerEvidence> = {}): LayerEvidence => ({
  ...{
    name,
    shape,
    frozen: false,
    size: shape.reduce((a, b) => a * b, 1),
    gradient: 0.1,
    firstGradient: 0.1,
  },
  ...{ peakGradient: 0.1, update: 0.01, ratio: 0.01, firstNorm: 4, norm: 4, decay: 0 },
  ...{ zeroShare: 0, zeroRows: 0, zeroColumns: 0 },
  ...changes,
});
/** A network of three layers, with changes to some tensors. */
const network = (changes: Record<string, Partial<LayerEvidence>> = {}) =>
  [
    layer("w1", [4, 8]),
    layer("b1", [8]),
    layer("w2", [8, 8]),
    layer("b2", [8]),
    layer("w3", [8, 3]),
    layer("b3", [3]),
  ].map((each) => ({ ...each, ...changes[each.name] }));
const seen = {
  ...{ steps: 50, rate: 0.1, scale: 1, scaleFirst: 1, scaleMax: 1, scaleMin: 1 },
  ...{ gradNormMax: 2, gradNormMedian: 1, gradNormFirst: 2 },
};

/** A run in which nothing is wrong. */
const healthy: Evidence = {
  ...{ step: 50, records: steps(50), noisy: false, first: 2, early: 2, now: 1, window: 50 },
  ...{ regressed: false, spiked: false, recovered: false, progress: true, converged: false },
  ...{ shareAboveFirst: 0, stepsSinceBest: 0, rejections: 0, signalShare: 1 },
  ...{ gradNorm: 1, gradNormMax: 2, peak: { loss: 2, step: 1 } },
  overreach: { share: 0, largest: 0.1, largestStep: 3 },
  ...{ nonFinite: undefined, budget: undefined, probe: undefined },
  ...{ best: 1, floor: 0, layers: network(), seen, steepness: { first: 5, max: 8 }, updateRatio: 0.01 },
  ...{ momentum: 0, swings: false, tuned: false, decay: undefined, wrongSign: undefined },
  deadUnits: [],
};

const budget = { total: 1, remaining: 1e-3, reach: 1e-3, predictedDrop: 1e-3, frozen: true };
const probe = {
  ...{ tests: 10, alarms: 0, alarmSteps: [], first: 2, best: 1, last: 1 },
  ...{ labels: undefined, worsened: false, classes: undefined },
};
const alarmed = { ...probe, alarms: 4, alarmSteps: [20, 30, 40, 50] };
const labels = {
  examples: 400,
  left: 0.1,
  risenShare: 0.2,
  contradiction: 0.11,
  standing: 0,
  suspects: [7, 8],
};

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
      { progress: false, momentum: 0.9, records: [...steps(20, risen), ...steps(30)] },
      { progress: false, records: steps(50, { ...risen, energyChange: -0.1, ratio: 0.5 }) },
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
  "inputs-too-large": {
    shows: [
      [{ layers: network({ w1: { firstGradient: 90 } }) }, "the gradient of w1 is 900 times that of b1"],
    ],
    near: [
      { layers: network({ w1: { firstGradient: 5 } }) },
      { layers: network({ w2: { firstGradient: 90 } }) },
    ],
  },
  "weight-decay": {
    shows: [
      [
        { progress: false, now: 1.8, decay: { lambda: 1, pull: 0.9, growth: 0.1 } },
        "λ = 1 pulls weights to 0 0.9 times as hard",
      ],
    ],
    near: [
      { progress: true, now: 1.8, decay: { lambda: 1, pull: 0.9, growth: 0.1 } },
      { progress: false, now: 0.2, decay: { lambda: 1e-4, pull: 1, growth: 0.5 } },
      { progress: false, now: 1.8, decay: { lambda: 1e-4, pull: 0.1, growth: 0.5 } },
    ],
  },
  "dead-units": {
    shows: [
      [
        { layers: network({ b1: { zeroShare: 0.75 }, w2: { zeroRows: 0.75 } }) },
        "75 % of those of b1 get no gradient at any example",
      ],
      [
        { layers: [layer("w1", [8, 4], { zeroRows: 1 }), layer("w2", [3, 8], { zeroColumns: 1 })] },
        "100 % of those of w1",
      ],
      [
        { progress: false, layers: [layer("part", [9], { shape: undefined, zeroShare: 0.9 })] },
        "of 90 % of the parameters is 0",
      ],
      [{ deadUnits: [{ name: "hidden", share: 0.7 }] }, "70 % of those of hidden return 0 at every example"],
    ],
    near: [
      { layers: network({ b1: { zeroShare: 0.5 }, w2: { zeroRows: 0.5 } }) },
      { layers: network({ b1: { zeroShare: 1 }, w1: { zeroShare: 1, zeroRows: 1, zeroColumns: 1 } }) },
      { layers: network({ w1: { zeroRows: 0.9 } }) },
      { layers: [layer("part", [9], { shape: undefined, zeroShare: 0.9 })] },
      { deadUnits: [{ name: "hidden", share: 0.5 }] },
    ],
  },
  "vanishing-gradient": {
    shows: [
      [
        { now: 1.9, layers: network({ w1: { firstGradient: 1e-6 }, w2: { firstGradient: 1e-5 } }) },
        "the loss changed with w1 by 0.0000113 of itself",
      ],
    ],
    near: [
      { now: 0.5, layers: network({ w1: { firstGradient: 1e-6 }, w2: { firstGradient: 1e-5 } }) },
      { now: 1.9, layers: network({ w1: { firstGradient: 0 }, w2: { firstGradient: 1e-5 } }) },
      { now: 1.9, layers: network({ w1: { firstGradient: 1e-6 } }) },
    ],
  },
  "exploding-gradient": {
    shows: [
      [{ progress: false, steepness: { first: 200, max: 200 } }, "‖g‖ ‖x‖ is 200 times the loss"],
      [
        { regressed: true, steepness: { first: 5, max: 90 }, layers: network({ w1: { peakGradient: 9 } }) },
        "it was 9 a coordinate at w1, and 0.1 next to the loss",
      ],
    ],
    near: [
      { steepness: { first: 40, max: 40 } },
      { regressed: true, steepness: { first: 5, max: 90 } },
      { regressed: true, steepness: { first: 5, max: 40 }, layers: network({ w1: { peakGradient: 9 } }) },
      // A step that was too long made it explode.
      {
        ...{ progress: false, records: steps(50, risen), steepness: { first: 5, max: 90 } },
        layers: network({ w1: { peakGradient: 9 } }),
      },
    ],
  },
  "wrong-sign": {
    shows: [
      [
        { wrongSign: { layers: ["w2", "b2"], all: false, left: 0.02 } },
        "fits the gradient of w2, b2 times −1",
      ],
      [{ wrongSign: { layers: ["w"], all: true, left: 0.02 } }, "fits the whole gradient times −1"],
      [
        { noisy: true, wrongSign: { layers: ["w2"], all: false, vain: { promised: 1.5, fell: 0.1 } } },
        "the gradient of w2 had its steps lower V by 150 % of its start in all, and V fell by 10 %",
      ],
    ],
    near: [{}],
  },
  "scale-ran-away": {
    shows: [
      [{ tuned: true, regressed: true, seen: { ...seen, scaleMax: 50 } }, "S began at 1, rose to 50"],
      [{ tuned: true, spiked: true, updateRatio: 3 }, "take a smaller sInit"],
    ],
    near: [
      { regressed: true, seen: { ...seen, scaleMax: 50 } },
      { tuned: true, seen: { ...seen, scaleMax: 50 } },
      { tuned: true, regressed: true, seen: { ...seen, scaleFirst: 0.01, scaleMax: 0.02 } },
    ],
  },
  "scale-collapsed": {
    shows: [
      [
        { tuned: true, progress: false, now: 1.9, seen: { ...seen, scale: 1e-6, scaleMax: 1 } },
        "S fell from 1 to 0.000001",
      ],
      [
        {
          tuned: true,
          now: 1.99,
          updateRatio: 1e-8,
          records: steps(50, { ratio: 1 }),
          seen: { ...seen, scale: 1e-9, scaleMax: 1e-9 },
        },
        "S is still 1e-9 after 50 steps",
      ],
    ],
    near: [
      { progress: false, now: 1.9, seen: { ...seen, scale: 1e-6, scaleMax: 1 } },
      { tuned: true, progress: false, now: 0.5, seen: { ...seen, scale: 1e-6, scaleMax: 1 } },
    ],
  },
  "rate-too-small": {
    shows: [
      [
        { now: 2, updateRatio: 0, records: steps(50, { distance: 0 }), seen: { ...seen, rate: 0 } },
        "the learning rate is 0",
      ],
      [
        { now: 1.99, updateRatio: 1e-6, records: steps(50, { ratio: 0.999 }) },
        "a step moves x by 0.000001 of its length",
      ],
      [
        { now: 1.99, updateRatio: 1e-6, noisy: true, signalShare: 0.5 },
        "try one ten to a thousand times as large",
      ],
      // The first batch was high by chance.
      [
        { first: 2.4, now: 1.99, updateRatio: 1e-6, noisy: true, signalShare: 0.5 },
        "the loss went from 2.4 to 1.99",
      ],
    ],
    near: [
      { now: 1, updateRatio: 1e-6, records: steps(50, { ratio: 0.999 }) },
      { now: 1.99, updateRatio: 1e-6 },
      { now: 1.99, updateRatio: 1e-3, records: steps(50, { ratio: 0.999 }) },
      { now: 1.99, updateRatio: 1e-6, records: steps(50, { ratio: 0.999 }), gradNorm: 0.1 },
      { now: 1.99, updateRatio: 1e-6, noisy: true, signalShare: 0.001 },
      { now: 1.7, updateRatio: 1e-6, noisy: true, signalShare: 0.5 },
    ],
  },
  "layer-not-learning": {
    shows: [
      [
        { layers: network({ w2: { update: 0, gradient: 0 } }) },
        "w2 stays as it is; its gradient is 0 at each step",
      ],
      [{ layers: network({ w2: { update: 1e-6 } }) }, "look at its gradient and its learningRate"],
    ],
    near: [
      { layers: network({ w2: { update: 0, frozen: true } }) },
      { layers: network({ w2: { update: 1e-3 } }) },
    ],
  },
  "class-imbalance": {
    shows: [
      [
        { probe: { ...probe, classes: { rarest: 2, share: 0.04, loss: 3, others: 0.2 } } },
        "class 2, 4 % of the fixed examples, has a mean loss of 3",
      ],
    ],
    near: [{ probe }],
  },
  "label-noise": {
    shows: [
      [{ probe: { ...probe, labels } }, "fell to 10 % of its start, the losses of 20 % stood above it"],
      [{ probe: { ...probe, labels: { ...labels, contradiction: 0, standing: 0.3 } } }, "the losses of 30 %"],
    ],
    near: [
      { probe },
      { probe: { ...probe, labels: { ...labels, contradiction: 0.09, standing: 0.09 } } },
      { probe: { ...probe, labels, last: 2 } },
      { probe: { ...probe, labels: { ...labels, examples: 60 } } },
    ],
  },
  overfitting: {
    shows: [
      [{ probe: alarmed, now: 0.1 }, "went from 1 to 1, while that of the batches fell to 0.1"],
      [{ probe: { ...probe, worsened: true, last: 1.5 }, now: 0.1 }, "went from 1 to 1.5"],
    ],
    near: [
      { probe: alarmed, now: 0.9 },
      { probe: { ...alarmed, alarms: 2 }, now: 0.1 },
      { probe: { ...probe, worsened: true, last: 1.5 }, now: 0.9 },
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

test("every message says what to do", () => {
  for (const { code } of FINDINGS) {
    const [message] = ROWS[code].shows.map(
      ([change]) => findingsOf({ ...healthy, ...change }).find((f) => f.code === code)!.message,
    );
    expect(message, code).toMatch(
      /\b(lower|let|write|look|take|try|set|start|begin|look|scale|clip|weigh|stop|go|done)\b/,
    );
  }
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
