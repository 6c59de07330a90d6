/** The study of pictures: gradients of its networks, and what its page makes of runs. */
import { describe, expect, it } from "vitest";
import { load } from "../../studies/images/data.js";
import { createOf, type NetworkName } from "../../studies/images/networks.js";
import { study, type Job } from "../../studies/images/study.js";
import { rows, type Scores } from "../../studies/kit/rivals.js";

const job = (contender: Job["contender"], rate: number | null, seed: number): Job => {
  return { data: "MNIST", network: "MLP", steps: 10, batch: 4, contender, rate, seed };
};
const run = (trainLoss: number | null, ...given: Parameters<typeof job>) => {
  const outcome: Scores = { trainLoss, testLoss: trainLoss, testAccuracy: trainLoss === null ? null : 0.5 };
  return { job: job(...given), outcome };
};

describe("networks of pictures", () => {
  const data = load("drawn digits");

  it.each<NetworkName>(["MLP", "CNN", "residual network"])(
    "%s: the gradient is that of the loss",
    async (name) => {
      const network = await createOf(name, data);
      const params = network.start(1);
      expect(network.start(1)).toEqual(params);
      expect(network.start(2)).not.toEqual(params);
      const grads = new Float32Array(params.length);
      const which = Uint32Array.of(3, 14, 15, 92);
      network.gradient(params, grads, data.train, which);
      // Along the gradient the loss rises by its length.
      const length = Math.hypot(...grads);
      const lossAt = (shift: number) => {
        const moved = params.map((value, i) => value + (shift * grads[i]) / length);
        return network.gradient(moved, new Float32Array(params.length), data.train, which);
      };
      const step = 2 ** -7;
      expect((lossAt(step) - lossAt(-step)) / (2 * step) / length).toBeCloseTo(1, 1);
      const { loss, accuracy } = network.evaluate(params, data.test);
      expect(loss).toBeGreaterThan(0);
      expect(accuracy * data.test.count).toBeCloseTo(Math.round(accuracy * data.test.count), 3);
    },
  );
});

describe("the page of pictures", () => {
  const runs = [
    run(0.3, "superlevel", null, 1),
    run(0.5, "superlevel", null, 2),
    run(0.2, "Adam", 0.01, 1),
    run(null, "Adam", 0.01, 2),
    run(0.6, "Adam", 0.001, 1),
    run(0.4, "Adam", 0.001, 2),
    run(0.1, "SGDR", 0.1, 1),
  ];

  it("has each contender at the best rate of the first seed; a run that diverged is worse than any", () => {
    const found = (own: typeof runs) => rows(own).map(({ contender, rate }) => [contender, rate]);
    expect(found(runs)).toEqual([
      ["SGDR", 0.1],
      ["superlevel", null],
      ["Adam", 0.01],
    ]);
    expect(found([run(null, "Adam", 0.01, 1), ...runs.slice(4)])).toContainEqual(["Adam", 0.001]);
    // Seeds of 101 and 102.
    const others = runs.map(({ job, outcome }) => ({ job: { ...job, seed: job.seed + 100 }, outcome }));
    expect(found(others)).toEqual(found(runs));
  });

  it("says where superlevel stands", () => {
    const { markdown, pictures } = study.report(runs);
    expect(markdown).toContain("By mean training loss superlevel is number 2 of 3.");
    expect(markdown).toContain("| superlevel | none | 2 | 0.400 ± ");
    expect(pictures["images.svg"]).toContain("MLP on MNIST");
  });

  it("says which best rates are at an end of those that were tried", () => {
    const page = (own: typeof runs) => study.report(own).markdown;
    const inside = [0.001, 0.01, 0.1].map((rate) => run(rate === 0.01 ? 0.1 : 0.2, "Adam", rate, 1));
    expect(page([...runs.slice(0, 2), ...inside])).toContain(
      "No best rate is at an end of those that were tried.",
    );
    expect(page([run(0.1, "SGDR", 0.3, 1)])).toContain("At an end of the rates that were tried: SGDR's 0.3.");
  });

  it("comes from every rate with the first seed, and the best with the others, each once", () => {
    const extent = { quick: true, seeds: [1, 2, 3] };
    const others = study.jobs({ ...extent, seeds: [101, 102] });
    expect(others.every(({ seed }) => seed === 101)).toBe(true);
    const jobs = study.jobs(extent);
    expect(new Set(jobs.map((one) => JSON.stringify(one))).size).toBe(jobs.length);
    expect(jobs.every(({ seed }) => seed === 1)).toBe(true);
    const more = study.further!(runs, extent);
    expect(more.map(({ contender, rate, seed }) => [contender, rate, seed])).toEqual([
      ["SGDR", 0.1, 2],
      ["superlevel", null, 2],
      ["Adam", 0.01, 2],
      ["SGDR", 0.1, 3],
      ["superlevel", null, 3],
      ["Adam", 0.01, 3],
    ]);
  });
});
