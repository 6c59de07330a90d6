/** A small version of `npm run study -- monitor`: networks trained well, and spoilt in a known way, each named. */
import { adam, exponentialDecay, sgd, type OptimizerOptions } from "superlevel";
import type { FindingCode, LyapunovSummary } from "superlevel/stability";
import { describe, expect, test } from "vitest";

import { readData } from "../../studies/monitor/data.js";
import { train, type Setting } from "../../studies/monitor/train.js";

const raw = readData("blobs", "")!;
const problem = { data: "blobs", hidden: [16], activation: "tanh" } as const;
const SEEDS = [11, 12];

const plain = (base: OptimizerOptions["base"]): OptimizerOptions => ({ base, tuner: null });
const descent = plain(sgd({ learningRate: 0.3 }));
const bases: Record<string, OptimizerOptions> = {
  descent,
  momentum: plain(sgd({ learningRate: 0.03, momentum: 0.9 })),
  Adam: plain(adam({ learningRate: 0.01 })),
  superlevel: {},
};

type Part = Omit<Setting, "full" | "seed">;
const decaying = (rate: number) => plain(sgd({ learningRate: exponentialDecay({ initial: 0.1, rate }) }));
const at = (step: number) => (loss: number, _: Float32Array, now: number) => (now >= step ? NaN : loss);

const cases: [string, Part, FindingCode | "healthy", ("full batch" | "minibatches")[]][] = [
  ...Object.entries(bases).map(([name, options]): (typeof cases)[number] => [
    name,
    { options },
    "healthy",
    ["full batch", "minibatches"],
  ]),
  ["a rate that falls to 5 %", { options: decaying(3 / 400) }, "healthy", ["minibatches"]],
  [
    "descent, 1000",
    { options: plain(sgd({ learningRate: 1000 })) },
    "past-edge",
    ["full batch", "minibatches"],
  ],
  ["Adam, 10", { options: plain(adam({ learningRate: 10 })) }, "past-edge", ["full batch", "minibatches"]],
  ["Adam, 100", { options: plain(adam({ learningRate: 100 })) }, "past-edge", ["full batch", "minibatches"]],
  ["a frozen schedule", { options: decaying(0.3) }, "frozen", ["full batch", "minibatches"]],
  ["NaN from step 50 on", { options: descent, spoil: at(50) }, "non-finite", ["full batch", "minibatches"]],
  ["NaN at once", { options: {}, spoil: at(1) }, "non-finite", ["full batch", "minibatches"]],
  ["wrong labels, 20 %", { options: descent, wrong: 0.2 }, "label-noise", ["full batch", "minibatches"]],
  ["wrong labels, 20 %, superlevel", { options: {}, wrong: 0.2 }, "label-noise", ["minibatches"]],
];

const says = ({ verdict, findings }: LyapunovSummary) => `${verdict}: ${JSON.stringify(findings)}`;

describe.each(["full batch", "minibatches"] as const)("%s", (batch) => {
  const own = cases.filter(([, , , batches]) => batches.includes(batch));
  test.each(own)("%s", (_name, part, expected) => {
    for (const seed of SEEDS) {
      const { reports } = train(raw, problem, { ...part, full: batch === "full batch", seed });
      expect(reports.probed.verdict, says(reports.probed)).toBe(expected);
      // Wrong labels are seen by examples alone.
      if (expected !== "label-noise") expect(reports.plain.verdict, says(reports.plain)).toBe(expected);
    }
  });
});

test("suspects are the wrong labels, most of them", () => {
  const { reports, wrong } = train(raw, problem, { options: descent, wrong: 0.1, full: false, seed: 13 });
  const { suspects, risenShare } = reports.probed.probe!.labels!;
  expect(suspects.length).toBeGreaterThan(10);
  expect(suspects.filter((i) => wrong.has(i)).length / suspects.length).toBeGreaterThan(0.8);
  expect(risenShare).toBeGreaterThan(0.05);
  expect(risenShare).toBeLessThan(0.15);
});
