/** Searches over superlevel's options. */
import { describe, expect, it } from "vitest";

import { candidates, study } from "../../studies/tuning/study.js";

const context = { kept: undefined, keep: () => Promise.resolve() };
const jobs = study
  .jobs({ quick: true, seeds: 2 })
  .map((job) => ({ ...job, steps: 10, trials: job.search === "grid" ? 16 : 2 }))
  .filter(({ problem }) => problem === "waves");

describe("trials", () => {
  it("of the grid are all its points, in an order of the seed's", () => {
    const [first, second] = [1, 2].map((seed) => candidates({ search: "grid", trials: 16, seed }));
    const texts = first.map((values) => JSON.stringify(values));
    expect(new Set(texts).size).toBe(16);
    expect(texts).toContain(JSON.stringify({ alpha: 1, beta: 0, lambda: 0.01, weightDecay: 0 }));
    expect(second.map((values) => JSON.stringify(values)).sort()).toEqual(texts.sort());
    expect(second).not.toEqual(first);
  });

  it("at random begin the same, however many there are", () => {
    const few = candidates({ search: "random", trials: 3, seed: 1 });
    expect(candidates({ search: "random", trials: 9, seed: 1 }).slice(0, 3)).toEqual(few);
    for (const { alpha } of few) expect(alpha >= 0.1 && alpha <= 10).toBe(true);
  });
});

describe("the study", () => {
  it("gives the same again and reports every setting", async () => {
    const runs = [];
    for (const job of jobs) runs.push({ job, outcome: await study.run(job, context) });
    expect(await study.run(jobs[1], context)).toEqual(runs[1].outcome);
    const grid = runs[0].outcome;
    expect(grid.tuned).toHaveLength(5);
    expect(grid.untuned).toBeGreaterThan(0);
    const { markdown, pictures } = study.report(runs);
    expect(markdown.match(/^\| waves +\| grid/gm)).toHaveLength(2);
    expect(markdown.match(/^\| waves +\| random/gm)).toHaveLength(2);
    expect(pictures["tuning.svg"]).toContain("trials");
    expect(study.report([]).markdown).not.toBe("");
  });
});
