/** The tables of docs/results/experiments.md are those of the recorded runs. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Run } from "../../studies/experiments/measure.js";
import { bestRate, tables } from "../../studies/experiments/tables.js";

const runs = JSON.parse(readFileSync("docs/results/experiments.json", "utf8")) as Run[];
/** Without the alignment of columns. */
const plain = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");

describe("experiments", () => {
  it("are in the documentation as recorded", () => {
    expect(plain(readFileSync("docs/results/experiments.md", "utf8"))).toContain(plain(tables(runs)));
  });

  it("give each problem 8 rates for SGD, 7 for AdamW, none for superlevel, and the best of each 3 seeds", () => {
    const problems = new Set(runs.map((run) => run.problem).filter((name) => !name.startsWith("GPT")));
    expect(problems.size).toBe(3);
    for (const problem of problems) {
      for (const [contender, rates] of [
        ["superlevel", 1],
        ["AdamW", 7],
        ["SGD, momentum, restarts", 8],
      ] as const) {
        const own = runs.filter((run) => run.problem === problem && run.contender === contender);
        const best = own.filter((run) => run.rate === bestRate(runs, problem, contender));
        expect([own.length, best.map(({ seed }) => seed)], `${problem}, ${contender}`).toEqual([
          rates + 2,
          [1, 2, 3],
        ]);
      }
    }
  });

  it("give the GPT one seed, and AdamW's best of three rates is none at an end", () => {
    const own = runs.filter(({ problem }) => problem.startsWith("GPT"));
    expect(new Set(own.map(({ seed }) => seed))).toEqual(new Set([1]));
    const rates = own.filter(({ contender }) => contender === "AdamW").map(({ rate }) => rate);
    expect(rates).toEqual([3e-4, 1e-3, 3e-3]);
    expect(bestRate(runs, own[0].problem, "AdamW")).toBe(1e-3);
  });

  it("take a run that diverged for the worst", () => {
    const [first] = runs;
    const run = (rate: number, trainLoss: number | null): Run => ({
      ...first,
      contender: "x",
      rate,
      trainLoss,
    });
    expect(bestRate([run(1, null), run(2, 5), run(3, 4), run(4, null)], first.problem, "x")).toBe(3);
    expect(tables([run(1, null), run(2, 5)])).toContain("| diverged | 5.00 |");
  });
});
