/** Landscapes with known minima and components, and descents in them. */
import { describe, expect, it } from "vitest";
import { countComponents } from "superlevel/stability";

import { landscape, landscapeNames } from "../../studies/connectivity/landscapes.js";
import { startsOf, study } from "../../studies/connectivity/study.js";

const context = { kept: undefined, keep: () => Promise.resolve() };
const job = {
  landscape: "double well",
  contender: "gradient descent",
  rate: 0.1,
  steps: 60,
  seed: 1,
} as const;

describe.each(landscapeNames)("%s", (name) => {
  const { loss, gradient, minima, tree, reach } = landscape(name);

  it("has the gradient that differences give", () => {
    for (const [x, y] of [
      [0.3, -1.2],
      [-1.7, 0.4],
    ]) {
      // prettier-ignore
      const h = 1e-6;
      const [gx, gy] = gradient(x, y);
      expect(gx).toBeCloseTo((loss(x + h, y) - loss(x - h, y)) / (2 * h), 5);
      expect(gy).toBeCloseTo((loss(x, y + h) - loss(x, y - h)) / (2 * h), 5);
    }
  });

  it("has as many minima as its merge tree has bars, all in the window", () => {
    expect(tree.bars).toHaveLength(minima.length);
    for (const [x, y] of minima) {
      expect(Math.hypot(...gradient(x, y))).toBeLessThan(1e-7);
      expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThan(reach);
    }
    expect(new Set(minima.map((minimum) => minimum.map((value) => value.toFixed(3)).join())).size).toBe(
      minima.length,
    );
  });
});

describe("components", () => {
  it("of Himmelblau's function: minima at 0, four pieces below the lowest saddle and one above the highest", () => {
    const { minima, loss, tree } = landscape("Himmelblau");
    expect(minima[0][0]).toBeCloseTo(3, 9);
    for (const minimum of minima) expect(loss(...minimum)).toBeLessThan(1e-12);
    // Saddles at 13.3, 67.7, 104.0 and 178.3.
    expect([10, 40, 80, 120].map((level) => countComponents(tree, level))).toEqual([4, 3, 2, 1]);
  });

  it("part the wells of the double well below its saddle alone", () => {
    const { apart, minima } = landscape("double well");
    const [left, right] = minima;
    expect(apart(left, right, 0.5)).toBe(true);
    expect(apart(left, right, 1.2)).toBe(false);
    expect(apart(left, [-0.9, 0.1], 0)).toBe(false);
    expect(apart(left, [5, 0], 0)).toBe(false);
  });
});

describe("the study", () => {
  it("gives the same again; descent leaves no component, leaps nowhere, and ends in one of two wells", async () => {
    const outcome = await study.run(job, context);
    expect(await study.run(job, context)).toEqual(outcome);
    expect(outcome.left).toBe(0);
    const slow = await study.run({ ...job, rate: 0.01, steps: 400 }, context);
    expect(slow.leaps).toBe(0);
    const starts = startsOf(landscape("double well"), 1);
    const away = starts.map(([x], k) => Math.abs(x) > 0.2 && slow.ends[k] !== Number(x > 0));
    expect(away).not.toContain(true);
  });

  it("tells leaps: steps of Adam are as long as its rate, and longer than the wells are wide", async () => {
    const { leaps } = await study.run({ ...job, landscape: "Rastrigin", contender: "Adam", rate: 1, steps: 5 }, context); // prettier-ignore
    expect(leaps).toBeGreaterThan(0.1);
  });

  it("reports every setting", async () => {
    const jobs = study.jobs({ quick: true, seeds: [1] }).map((each) => ({ ...each, steps: 3 }));
    const runs = [];
    for (const each of jobs.filter((_, k) => k % 3 === 0))
      runs.push({ job: each, outcome: await study.run(each, context) });
    const { markdown, pictures } = study.report(runs);
    for (const { job } of runs)
      expect(markdown).toMatch(new RegExp(`${job.landscape} +\\| ${job.contender} `));
    expect(pictures["connectivity.svg"]).toContain("Himmelblau");
    expect(study.report([]).markdown).not.toBe("");
  });
});
