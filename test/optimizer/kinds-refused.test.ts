/** What refuses the second step, which would tell what gradients are, leaves everything as before. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer, lion, rmsprop, scheduleFree, sgd, superlevel } from "../../src/index.js";
import type { Optimizer, OptimizerOptions } from "../../src/index.js";
import { noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { mustMatch } from "../support/state.js";

const SIZE = 13;
const x0 = startAt(SIZE, noise(2));
const steady = Float32Array.from(x0, (_, i) => Math.sin(i + 1));
/** Nearly the same, and quite another. */
const again = steady.map((g, i) => g * (1 + 1e-3 * Math.cos(i)));
const other = steady.map((g, i) => (i % 3 ? g : -g));

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions = {}) => createOptimizer(x0, { engine, ...options });

  let rate: number | string = 1;
  const optionSets: [string, OptimizerOptions][] = [
    ["adam", { base: adam({ learningRate: () => rate as number }) }],
    ["sgd", { base: sgd({ learningRate: () => rate as number }) }],
    [
      "rmsprop, each tensor",
      {
        base: rmsprop({ learningRate: () => rate as number }),
        tuner: superlevel({ granularity: "tensor" }),
      },
    ],
    [
      "lion, each coordinate",
      {
        base: lion({ learningRate: () => rate as number }),
        tuner: superlevel({ granularity: "parameter" }),
      },
    ],
    ["schedule-free", { base: scheduleFree(sgd({ learningRate: () => rate as number })) }],
  ];
  const refused: [string, (optimizer: Optimizer, second: Float32Array) => unknown, string | RegExp][] = [
    [
      "NaN",
      (optimizer, second) => optimizer.step(second.map((g, i) => (i === 4 ? NaN : g))),
      /grads\[4\] is NaN/,
    ],
    [
      "too large",
      (optimizer, second) => optimizer.step(second.map((g) => g * 1e20)),
      /the gradient's norm is/,
    ],
    [
      "a rate that leads beyond float32",
      (optimizer, second) => {
        rate = 1e30;
        optimizer.step(second);
      },
      /parameters or Δ would pass 1e19/,
    ],
    [
      "a rate that is none",
      (optimizer, second) => {
        rate = NaN;
        optimizer.step(second);
      },
      /base.learningRate: expected a finite number >= 0 at step 2, got NaN/,
    ],
    ["a loss of NaN", (optimizer, second) => optimizer.step(second, { loss: NaN }), /the loss is NaN/],
    ["no numbers", (optimizer) => optimizer.step(["1"] as never), /grads: expected 13 numbers/],
    [
      "a loss that is no number",
      (optimizer, second) => optimizer.step(second, { loss: "1" as never }),
      /seen.loss/,
    ],
  ];

  describe.each(optionSets)("%s", (_name, options) => {
    test.each(refused)("%s", (_what, attempt, message) => {
      for (const second of [again, other]) {
        rate = 1;
        const [optimizer, untouched] = [create(options), create(options)];
        for (const each of [optimizer, untouched]) each.step(steady);
        const { scale } = optimizer;
        expect(errorOf(() => attempt(optimizer, second)).message).toMatch(message);
        rate = 1;
        expect([optimizer.gradients, optimizer.iterations, optimizer.scale]).toEqual(["undecided", 1, scale]);
        mustMatch(createOptimizer(SIZE, { engine, ...options }).restore(optimizer.save()), untouched);
        // That took a step, and was another gradient.
        const fresh = create(options);
        for (const g of [steady, second]) fresh.step(g);
        optimizer.step(second);
        expect([optimizer.gradients, ...optimizer.params]).toEqual([fresh.gradients, ...fresh.params]);
      }
    });
  });

  test("skipped, it puts the decision off", () => {
    for (const second of [again, other]) {
      const options: OptimizerOptions = { base: optionSets[0][1].base, nonFinite: "skip" };
      rate = 1;
      const [optimizer, plain] = [create(options), create(options)];
      for (const each of [optimizer, plain]) each.step(steady);
      for (const g of [second.map(() => Infinity), second.map((g) => g * 1e20)])
        expect(optimizer.step(g).skipped).toBe(true);
      rate = 1e30;
      expect(optimizer.step(second).skipped).toBe(true);
      rate = 1;
      expect(optimizer.gradients).toBe("undecided");
      for (const each of [optimizer, plain]) each.step(second);
      expect([optimizer.gradients, ...optimizer.params]).toEqual([plain.gradients, ...plain.params]);
      expect(optimizer.iterations).toBe(5);
    }
  });
});
