/** Wrong labels, rare classes and barriers on drawn digits. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readIdx } from "../../studies/kit/digits/idx.js";
import { correlation } from "../../studies/kit/statistics.js";
import { study } from "../../studies/noise/study.js";
import { barriersOf, taughtBy, train } from "../../studies/noise/training.js";
import { smallDigits } from "../../studies/kit/classifier.js";

const context = { kept: undefined, keep: () => Promise.resolve() };
const jobs = study.jobs({ quick: true, seeds: [1] }).map((job) => ({ ...job, steps: 15 }));
const condition = { data: "drawn digits", wrong: 0.25, unbalanced: false, seed: 1 } as const;
const training = { ...condition, rate: null, cost: false, steps: 15 };

describe("labels", () => {
  const { labels, count } = smallDigits("drawn digits").train;

  it("are wrong as often as asked for, and right with the classes' shares where these are thinned", () => {
    const taught = taughtBy(condition).train.labels;
    const wrong = Array.from({ length: count }, (_, i) => Number(taught[i] !== labels[i]));
    expect(wrong.reduce((sum, each) => sum + each, 0)).toBe(count / 4);
    const { chosen } = taughtBy({ ...condition, wrong: 0, unbalanced: true });
    const share = (digit: number) =>
      chosen.filter((i) => labels[i] === digit).length /
      Array.from({ length: count }, (_, i) => labels[i]).filter((label) => label === digit).length;
    expect(share(0)).toBe(1);
    expect(share(1)).toBeCloseTo(0.6, 1);
    expect(share(9)).toBeLessThan(0.04);
    expect(taughtBy({ ...condition, wrong: 0 }).chosen).toHaveLength(count);
  });

  it("that come from a file stay what they are where a copy is spoilt", () => {
    const folder = mkdtempSync(join(tmpdir(), "superlevel-labels-"));
    try {
      const file = join(folder, "labels");
      writeFileSync(file, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3));
      const { values } = readIdx(file, 0x801);
      values.slice().fill(9);
      expect([...values]).toEqual([7, 3]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("weigh as much with the dynamic cost as without before it begins, but for the class weights", () => {
    const [plain, weighted] = [false, true].map((cost) => train({ ...training, wrong: 0, cost, steps: 1 }));
    // Classes are nearly equal, so the first step is nearly the same one.
    const apart = Math.max(...plain.params.map((value, i) => Math.abs(value - weighted.params[i])));
    expect(apart).toBeGreaterThan(0);
    expect(apart).toBeLessThan(1e-3);
  });
});

describe("barriers", () => {
  it("are not negative, bent ways no higher than straight ones by more than samples tell, and the same again", async () => {
    const found = await barriersOf(training);
    expect(found.straight).toBeGreaterThanOrEqual(0);
    expect(found.bent).toBeLessThan(found.straight! + 0.01);
    expect(await barriersOf(training)).toEqual(found);
  });
});

describe("the study", () => {
  it("gives the same again and reports every setting", async () => {
    const runs = [];
    for (const job of jobs.filter(({ kind, rate }) => kind === "barrier" || rate === null || rate === 0.01))
      runs.push({ job, outcome: await study.run(job, context) });
    expect(await study.run(jobs[1], context)).toEqual(runs[1].outcome);
    const { markdown, pictures } = study.report(runs);
    expect(markdown.match(/^\| drawn digits \| (0|25) %/gm)).toHaveLength(6);
    expect(markdown).toContain("| unbalanced |");
    expect(pictures["noise.svg"]).toContain("dynamic cost");
    expect(study.report([]).markdown).not.toBe("");
  });
});

it("correlation is 1, −1 and cos 60° where it must be", () => {
  expect(correlation([1, 2, 4], [3, 5, 9])).toBeCloseTo(1, 12);
  expect(correlation([1, 2, 4], [3, 2, 0])).toBeCloseTo(-1, 12);
  expect(correlation([1, -1, 0], [1, 0, -1])).toBeCloseTo(0.5, 12);
  expect(correlation([1, 1], [2, 3])).toBeNaN();
});
