/** Decay and norm-adaptive rates on quadratics: what plain descent must give, and a report of every setting. */
import { describe, expect, it } from "vitest";

import { study } from "../../studies/decay/study.js";

const jobs = study.jobs({ quick: true, seeds: [1] });
const context = { kept: undefined, keep: () => Promise.resolve() };

describe("decay", () => {
  const round = jobs.find(({ base, condition }) => base === "plain descent" && condition === 1)!;

  it("solves condition 1 in one step at rate 1, and leaves it at rate 10", async () => {
    const { alone, start } = await study.run(round, context);
    expect(start).toBeGreaterThan(0);
    expect(alone["neither"][4]).toBeLessThan(-11);
    expect(alone["neither"][5]).toBeNull();
  });

  it("stops short where the rates' sum is Σ α0 e^(−λt): x shrinks by Π (1 − α_t)", async () => {
    const { alone, start } = await study.run(round, context);
    let rest = 1;
    for (let t = 1; t <= 1000; t++) rest *= 1 - 0.01 * Math.exp(-0.01 * t);
    // α0 = 0.01
    expect(alone["decay (34)"][2]).toBeCloseTo(start! + 2 * Math.log10(rest), 3);
  });

  it("gives the same again", async () => {
    expect(await study.run(jobs[7], context)).toEqual(await study.run(jobs[7], context));
  });

  it("has every base and condition in its report", async () => {
    const some = [jobs[0], jobs[6], jobs[14]];
    const runs = await Promise.all(
      some.map(async (job) => ({ job, outcome: await study.run(job, context) })),
    );
    const { markdown, pictures } = study.report(runs);
    for (const { base } of some) expect(markdown).toContain(`| ${base} `);
    expect(markdown.match(/condition \d+ /g)!.length).toBeGreaterThanOrEqual(4);
    expect(pictures["decay.svg"]).toContain("<polyline");
    expect(study.report([]).markdown).not.toBe("");
  });
});
