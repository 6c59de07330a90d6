/** The study of text: its quick jobs, how they go on after a kill, and what its page makes of runs. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { useTransposedProducts, useWasm } from "../../studies/kit/backend.js";
import type { Scores } from "../../studies/kit/rivals.js";
import { study, type Job } from "../../studies/text/study.js";

const quick = study.jobs({ quick: true, seeds: [1] });
const untrained = (job: Job): Job => ({ ...job, contender: "superlevel", rate: null, steps: 0 });
const alone = { kept: undefined, keep: () => Promise.resolve() };

describe("products of transposed matrices", () => {
  beforeAll(useWasm);

  it.each([
    ["matrices", [3, 4], [5, 4], false, true],
    ["the first of many", [2, 4, 3], [2, 4, 5], true, false],
    ["both of many by many", [2, 6, 4, 3], [2, 6, 5, 4], true, true],
    ["none", [2, 3, 4], [2, 4, 5], false, false],
  ] as const)("are those of the backend: %s", (_, first, second, turnFirst, turnSecond) => {
    const product = () =>
      tf.tidy(() => {
        const [a, b] = [
          tf.randomNormal([...first], 0, 1, "float32", 1),
          tf.randomNormal([...second], 0, 1, "float32", 2),
        ];
        const result = tf.matMul(a, b, turnFirst, turnSecond);
        return { shape: result.shape, values: [...result.dataSync()] };
      });
    const expected = product();
    useTransposedProducts();
    const found = product();
    expect(found.shape).toEqual(expected.shape);
    found.values.forEach((value, k) => expect(value).toBeCloseTo(expected.values[k], 4));
  });
});

describe("a job of text", () => {
  it.each(
    quick
      .filter(({ contender }) => contender === "superlevel")
      .map((job) => [`${job.model}, ${job.contender}`, job] as const),
  )("learns: %s", async (_, job) => {
    const before = tf.memory().numTensors;
    const [start, end] = [await study.run(untrained(job), alone), await study.run(job, alone)];
    expect(end.trainLoss).toBeLessThan(start.trainLoss!);
    expect(end.testAccuracy! * 64).toBeCloseTo(Math.round(end.testAccuracy! * 64), 3);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(["superlevel", "AdamW, decaying", "SGDR", "schedule-free AdamW"] as const)(
    "that is cut short goes on to the same bits: %s",
    async (contender) => {
      const job = quick.find((one) => one.model === "Transformer" && one.contender === contender)!;
      const states: Uint8Array[] = [];
      const whole = await study.run(job, {
        kept: undefined,
        keep: (state) => Promise.resolve(void states.push(state)),
      });
      expect(states).toHaveLength(job.steps);
      let after = 0;
      const resumed = await study.run(job, { kept: states[3], keep: () => Promise.resolve(void after++) });
      expect([resumed, after]).toEqual([whole, 3]);
    },
  );
});

describe("the page of text", () => {
  const run = (
    trainLoss: number | null,
    contender: Job["contender"],
    rate: number | null,
    seed: number,
    model: Job["model"] = "GRU",
  ) => {
    const outcome: Scores = { trainLoss, testLoss: trainLoss, testAccuracy: trainLoss === null ? null : 0.5 };
    return { job: { ...quick[0], model, contender, rate, seed }, outcome };
  };

  it("says who is clearly below superlevel, and who above", () => {
    const { markdown, pictures } = study.report([
      ...[1, 2, 3].map((seed) => run(2 + seed, "superlevel", null, seed)),
      ...[1, 2, 3].map((seed) => run(1 + seed, "AdamW", 0.01, seed)),
      ...[1, 2, 3].map((seed) => run(3 + seed, "SGDR", 0.3, seed)),
      run(null, "SGDR", 1, 1),
      run(5, "schedule-free AdamW", 0.1, 1),
      run(null, "schedule-free AdamW", 0.1, 2),
    ]);
    expect(markdown).toContain("superlevel is number 2 of 4.");
    expect(markdown).toContain(
      "training loss lower with AdamW, higher with SGDR; held-out loss lower with AdamW, higher with SGDR.",
    );
    expect(markdown).toContain("AdamW: 0.01; SGDR: 0.3, 1; schedule-free AdamW: 0.1.");
    expect(markdown).toContain(
      "At its best rate of the first seed schedule-free AdamW diverged with others.",
    );
    expect(pictures["text.svg"]).toContain("GRU on made-up sentences");
  });

  it("has the other seeds at the best rates, half of them for the GPT", () => {
    const runs = [
      run(1, "superlevel", null, 1),
      run(1, "superlevel", null, 1, "GPT"),
      run(2, "AdamW", 0.1, 1),
      run(3, "AdamW", 0.01, 1),
    ];
    const more = study.further!(runs, { quick: false, seeds: [1, 2, 3, 4] });
    expect(more.map(({ model, contender, rate, seed }) => [model, contender, rate, seed])).toEqual([
      ["GRU", "superlevel", null, 2],
      ["GRU", "AdamW", 0.1, 2],
      ["GPT", "superlevel", null, 2],
      ["GRU", "superlevel", null, 3],
      ["GRU", "AdamW", 0.1, 3],
      ["GRU", "superlevel", null, 4],
      ["GRU", "AdamW", 0.1, 4],
    ]);
  });
});
