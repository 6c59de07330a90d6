/** The decay constant on digits, and the classifier that studies share. */
import { describe, expect, it } from "vitest";

import { study } from "../../studies/beta/study.js";
import { createClassifier, smallDigits } from "../../studies/kit/classifier.js";
import { createRandom } from "../../studies/kit/random.js";

const context = { kept: undefined, keep: () => Promise.resolve() };
const jobs = study.jobs({ quick: true, seeds: [1] }).map((job) => ({ ...job, lengths: [5, 10] }));

describe("the classifier", () => {
  const { train, held } = smallDigits("drawn digits");
  const network = createClassifier([train.width, 5, train.classes], "tanh");
  const x = network.start(createRandom(2).normal);

  it("has digits of 14 × 14 pixels, all ten of them", () => {
    expect([train.width, train.count, held.count]).toEqual([196, 4000, 1000]);
    expect(new Set(train.labels.subarray(0, train.count)).size).toBe(10);
  });

  it("has the gradient that differences give, with factors or without", () => {
    const grads = new Float32Array(network.size);
    const loss = network.gradient(x, grads, train, [3, 4]);
    const each = network.losses(x, train, [3, 4]);
    expect(loss).toBeCloseTo((each[0] + each[1]) / 2, 12);
    const weighted = new Float32Array(network.size);
    network.gradient(x, weighted, train, [3, 4], [0.5, 0.5]);
    expect(weighted).toEqual(grads);
    // Biases of the last layer, in which the loss is smooth.
    for (let i = network.size - 10; i < network.size; i++) {
      const [moved, h] = [x.slice(), 2 ** -8];
      moved[i] = x[i] + h;
      const above = network.losses(moved, train, [3, 4]);
      moved[i] = x[i] - h;
      const below = network.losses(moved, train, [3, 4]);
      expect(grads[i]).toBeCloseTo((above[0] + above[1] - below[0] - below[1]) / (4 * h), 4);
    }
  });

  it("scores each class", () => {
    const { loss, recalls } = network.score(x, held);
    const losses = network.losses(
      x,
      held,
      Array.from({ length: held.count }, (_, k) => k),
    );
    expect(loss).toBeCloseTo(losses.reduce((sum, each) => sum + each, 0) / held.count, 9);
    expect(recalls).toHaveLength(10);
    expect(recalls.every((recall) => recall >= 0 && recall <= 1)).toBe(true);
  });
});

describe("the study", () => {
  it("does not move where the rate is 0 at once, and gives the same again", async () => {
    const job = { ...jobs[1], alpha: 0.1, beta: 50 };
    const still = await study.run(job, context);
    expect(still.losses[0]).toBe(still.losses[1]);
    expect(await study.run(job, context)).toEqual(still);
    const moving = await study.run({ ...job, beta: 0 }, context);
    expect(moving.losses[1]).toBeLessThan(still.losses[1]!);
  });

  it("reports every rate and decay", async () => {
    const runs = [];
    for (const job of jobs.slice(0, 9)) runs.push({ job, outcome: await study.run(job, context) });
    const { markdown, pictures } = study.report(runs);
    expect(markdown.match(/^\| gradient descent, α0 = 0.03 .*0\.\d\d ± 0\.00 \|$/gm)).toHaveLength(2);
    for (const beta of ["0", "0.00001", "0.1"]) expect(markdown).toContain(` β = ${beta} |`);
    expect(pictures["beta.svg"]).toContain("superlevel");
    expect(study.report([]).markdown).not.toBe("");
  });
});
