/** Deep networks: gradients by differences, and what depth and residual connections must do. */
import { describe, expect, it } from "vitest";

import { createNetwork } from "../../studies/activations/network.js";
import { study } from "../../studies/activations/study.js";
import { activations, type Activation } from "../../studies/kit/mlp.js";
import { createRandom } from "../../studies/kit/random.js";

const names = Object.keys(activations) as Activation[];
const context = { kept: undefined, keep: () => Promise.resolve() };

describe.each(names.flatMap((activation) => [false, true].map((residual) => ({ activation, residual }))))(
  "$activation, residual $residual",
  ({ activation, residual }) => {
    const random = createRandom(3);
    const rows = Float64Array.from({ length: 12 }, () => random.normal());
    const shape = { inputs: 2, width: 4, depth: 3, classes: 3, activation, residual };
    const network = createNetwork(shape, rows, [0, 1, 2, 0, 1, 2]);

    it("has the gradient that differences give", () => {
      const x = Float64Array.from(network.start(() => random.normal()));
      const [grads, other] = [new Float64Array(network.size), new Float64Array(network.size)];
      network.gradient(x, grads);
      for (const i of [0, 7, 11, 15, 30, 40, network.size - 1]) {
        const [kept, h] = [x[i], 1e-6];
        x[i] = kept + h;
        const above = network.gradient(x, other);
        x[i] = kept - h;
        const below = network.gradient(x, other);
        x[i] = kept;
        expect(grads[i]).toBeCloseTo((above - below) / (2 * h), 6);
      }
    });

    it("hands on its input where all weights are 0, if it is residual", () => {
      const x = new Float64Array(network.size);
      // Units of the first layer are act(1); the second and third add act(0), or are it.
      x.fill(1, 2 * 4, 3 * 4);
      network.gradient(x, new Float64Array(network.size));
      // With the last layer's weights 0 the guess is even.
      expect(network.gradient(x, new Float64Array(network.size))).toBeCloseTo(Math.log(3), 12);
      expect([...network.preactivations.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
    });
  },
);

describe("the study", () => {
  const jobs = study.jobs({ quick: true, seeds: [1] });
  const some = jobs.filter(({ depth, activation }) => depth === 2 && /tanh|^ReLU/.test(activation));

  it("gives the same again, trains, and reports every setting", async () => {
    const runs = [];
    for (const job of some) runs.push({ job, outcome: await study.run(job, context) });
    expect(await study.run(some[0], context)).toEqual(runs[0].outcome);
    for (const { job, outcome } of runs) {
      expect(outcome["superlevel"].loss).toBeLessThan(Math.log10(Math.log(3)));
      const { crossed } = outcome["superlevel"];
      expect(crossed).toBeGreaterThan(0);
      expect(crossed).toBeLessThan(0.2);
      expect(job.steps).toBe(40);
    }
    const { markdown, pictures } = study.report(runs);
    expect(markdown.match(/^\| ReLU /gm)).toHaveLength(2);
    expect(markdown.match(/^\| tanh /gm)).toHaveLength(2);
    expect(pictures["activations.svg"]).toContain("with residual connections");
    expect(study.report([]).markdown).not.toBe("");
  });
});
