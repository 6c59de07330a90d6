/** Searches over superlevel's options. */
import { describe, expect, it } from "vitest";

import { contendersFor, costOf, successiveHalving } from "../../studies/kit/halving.js";
import { halveBy, searchBy, study } from "../../studies/tuning/study.js";

const context = { kept: undefined, keep: () => Promise.resolve() };
const jobs = study
  .jobs({ quick: true, seeds: [1, 2] })
  .map((job) => ({ ...job, steps: 10, trials: job.search === "grid" ? 16 : 2 }))
  .filter(({ problem }) => problem === "waves");

/** What a search tries, where the loss is the distance of log α0 from log 3. */
const tried = (search: "grid" | "random" | "TPE", trials: number, seed: number) =>
  searchBy({ search, trials, seed }, ({ alpha }) => ({ validation: Math.abs(Math.log(alpha / 3)) }));
const valuesOf = (...given: Parameters<typeof tried>) => tried(...given).map(({ values }) => values);

describe("trials", () => {
  it("of the grid are all its points, in an order of the seed's", () => {
    const [first, second] = [1, 2].map((seed) => valuesOf("grid", 16, seed));
    const texts = first.map((values) => JSON.stringify(values));
    expect(new Set(texts).size).toBe(16);
    expect(texts).toContain(JSON.stringify({ alpha: 1, beta: 0, lambda: 0.01, weightDecay: 0 }));
    expect(second.map((values) => JSON.stringify(values)).sort()).toEqual(texts.sort());
    expect(second).not.toEqual(first);
  });

  it.each(["random", "TPE"] as const)("of %s begin the same, however many there are", (search) => {
    const few = valuesOf(search, 7, 1);
    expect(valuesOf(search, 9, 1).slice(0, 7)).toEqual(few);
    for (const { alpha } of few) expect(alpha >= 0.1 && alpha <= 10).toBe(true);
  });

  it("of TPE begin at random, and then come nearer than random ones", () => {
    expect(valuesOf("TPE", 5, 1)).toEqual(valuesOf("random", 5, 1));
    const distance = (search: "random" | "TPE") => {
      const late = [1, 2, 3, 4, 5].flatMap((seed) => tried(search, 30, seed).slice(15));
      return late.reduce((sum, { validation }) => sum + validation, 0) / late.length;
    };
    expect(distance("TPE")).toBeLessThan(0.6 * distance("random"));
  });
});

describe("successive halving", () => {
  it.each([1, 2, 4, 8, 16])("costs no more than %d whole runs, and one contender more would", (budget) => {
    const contenders = contendersFor(budget);
    expect(costOf(contenders)).toBeLessThanOrEqual(budget);
    expect(costOf(contenders + 1)).toBeGreaterThan(budget);
    const reached = new Map<number, number>();
    successiveHalving(contenders, (contender, share) => (reached.set(contender, share), contender));
    // Each goes on from where it was.
    expect([...reached.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(costOf(contenders), 12);
  });

  it("takes the best of a function whose order is that of the end from the start", () => {
    for (const best of [0, 7, 50])
      expect(successiveHalving(51, (contender, share) => Math.abs(contender - best) + 1 - share)).toBe(best);
  });

  it("drops whoever begins badly, and those without a number first", () => {
    const late = (contender: number, share: number) => (contender === 3 ? 1 - 2 * share : contender / 100);
    expect(successiveHalving(16, late)).toBe(0);
    expect(successiveHalving(4, (contender) => (contender < 3 ? NaN : 9))).toBe(3);
  });

  it("goes on with a run where it was, and makes none twice", () => {
    const shares: number[][] = [];
    const found = halveBy({ seed: 1 }, [1, 4, 16], ({ alpha }) => {
      const own: number[] = [];
      shares.push(own);
      return (share) => (own.push(share), { validation: Math.abs(Math.log(alpha / 3)) / share });
    });
    for (const own of shares) expect(own).toEqual([1 / 8, 1 / 4, 1 / 2, 1].slice(0, own.length));
    expect(shares).toHaveLength(contendersFor(16));
    // More contenders come nearer.
    const distances = found.map(({ values }) => Math.abs(Math.log(values.alpha / 3)));
    expect(distances).toEqual([...distances].sort((a, b) => b - a));
    expect(distances[2]).toBeLessThan(distances[0]);
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
    expect(markdown.match(/^\| waves +\| TPE/gm)).toHaveLength(2);
    expect(markdown.match(/^\| waves +\| successive halving/gm)).toHaveLength(2);
    expect(pictures["tuning.svg"]).toContain("trials");
    expect(study.report([]).markdown).not.toBe("");
  });
});
