/** Returns of policies on slices: the same job has the same outcome, and what it says fits together. */
import { describe, expect, it } from "vitest";
import { study } from "../../studies/policies/study.js";
import { returnOf, trainedPolicy } from "../../studies/reinforcement/train.js";

const here = { kept: undefined, keep: () => Promise.resolve() };
const [job] = study.jobs({ quick: true, seeds: [1] });

describe("policies", () => {
  it("have the same outcome each time, and components that fit their slice", async () => {
    const outcome = await study.run(job, here);
    expect(await study.run(job, here)).toEqual(outcome);
    const { ends, lowest, components, values, places } = outcome;
    expect(lowest).toBeLessThanOrEqual(Math.min(...ends));
    expect(values).toHaveLength(81);
    expect(Math.max(...values!)).toBeLessThanOrEqual(30);
    components.forEach((count) => expect(count).toBeGreaterThanOrEqual(1));
    for (const place of places.flat()) expect([place >= 0, place <= 8]).toEqual([true, true]);
    const page = study.report([{ job, outcome }]);
    expect(page.markdown).toContain("| all  | superlevel |");
    expect(page.pictures["policies.svg"].match(/<rect/g)!.length).toBe(82);
  });

  it("are judged by the same games, whose length grows with training", () => {
    const setting = { updates: 12, games: 10, longest: 200 };
    const { start, params } = trainedPolicy("REINFORCE", 0.03, 1, setting);
    const games = { games: 20, longest: 200, seed: 5 };
    const before = returnOf("all", start, games);
    expect(returnOf("all", start, games)).toBe(before);
    expect(returnOf("all", params, games)).toBeGreaterThan(2 * before);
  });
});
