/** The cart-pole of the reinforcement study and what its runs give. */
import { describe, expect, it } from "vitest";

import { createCartPole } from "../../studies/reinforcement/cart-pole.js";
import { study } from "../../studies/reinforcement/study.js";
import { train } from "../../studies/reinforcement/train.js";

describe("cart-pole", () => {
  it("moves as Gym's from rest: the first push right", () => {
    const game = createCartPole(() => 0.5);
    expect([...game.state]).toEqual([0, 0, 0, 0]);
    expect(game.push(true)).toBe(true);
    // 10 N: the cart's acceleration is 40/41 m/s², or 9.756; the pole's is −14.634 rad/s².
    const [x, v, angle, w] = game.state;
    expect([x, angle]).toEqual([0, 0]);
    expect(v).toBeCloseTo(0.02 * 9.7561, 4);
    expect(w).toBeCloseTo(-0.02 * 14.6341, 4);
  });

  it("ends once the pole has fallen: after 8 to 11 pushes to one side", () => {
    const game = createCartPole(() => 0.5);
    let pushes = 1;
    while (game.push(true)) pushes++;
    expect(pushes).toBeGreaterThanOrEqual(8);
    expect(pushes).toBeLessThanOrEqual(11);
  });
});

describe.each(["REINFORCE", "actor-critic"] as const)("%s", (method) => {
  const setting = { updates: 15, games: 4, longest: 100 };

  it("learns, the same from the same seed", () => {
    const lengths = train(method, 0.03, 1, setting);
    expect(lengths).toHaveLength(16);
    expect(Math.max(...lengths.slice(8))).toBeGreaterThan(1.5 * lengths[0]);
    expect(train(method, 0.03, 1, setting)).toEqual(lengths);
  });

  it("runs with the package's default", () => {
    const lengths = train(method, null, 1, { updates: 2, games: 2, longest: 20 });
    expect(lengths.every((length) => length >= 1 && length <= 20)).toBe(true);
  });
});

describe("what the player sees", () => {
  const setting = { updates: 1, games: 2, longest: 30 };

  it("is all of the state by itself", () => {
    expect(train("REINFORCE", 0.03, 1, setting, "all")).toEqual(train("REINFORCE", 0.03, 1, setting));
  });

  it("decides how games go", () => {
    const [all, ...others] = (["all", "positions", "positions twice"] as const).map((view) =>
      train("actor-critic", 0.03, 2, setting, view),
    );
    for (const other of others) expect(other).not.toEqual(all);
  });
});

describe("the study", () => {
  it("gives the same again and reports every setting", async () => {
    const context = { kept: undefined, keep: () => Promise.resolve() };
    const runs = [];
    for (const job of study.jobs({ quick: true, seeds: [1] }))
      runs.push({ job, outcome: await study.run(job, context) });
    expect(await study.run(runs[3].job, context)).toEqual(runs[3].outcome);
    const { markdown, pictures } = study.report(runs);
    expect(markdown.match(/^\| (REINFORCE|actor-critic) /gm)).toHaveLength(12);
    expect(markdown).toContain("sees positions twice: longer games than Adam at none");
    expect(pictures["reinforcement.svg"]).toContain("sees positions");
    expect(study.report([]).markdown).not.toBe("");
  });
});
