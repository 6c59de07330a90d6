/** What holds for all gradients: symmetries, to the last bit, and that nothing slips out of the finite numbers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adam, constant, createOptimizer, lion, OptimizerError, sgd, superlevel } from "../../src/index.js";
import type { Base, Optimizer, OptimizerOptions, Tuner } from "../../src/index.js";
import { bases } from "../support/cases.js";
import { engines, stepsOf } from "../support/engines.js";
import { forms, scalesOf } from "../support/forms.js";
import { mustMatch } from "../support/state.js";

/** Multiples of 1/16 in [−1, 1]: with Δ on a grid, too, float32 sums of their products are exact in any order. */
const grid = fc.integer({ min: -16, max: 16 }).map((k) => k / 16);

const problem = fc.integer({ min: 2, max: 70 }).chain((size) =>
  fc.record({
    // The printed forms refuse x = 0.
    x0: fc.array(grid, { minLength: size, maxLength: size }).filter((x0) => x0.some((x) => x !== 0)),
    gradients: fc.array(fc.array(grid, { minLength: size, maxLength: size }), {
      minLength: 2,
      maxLength: 12,
    }),
    order: fc.shuffledSubarray(
      Array.from({ length: size }, (_, i) => i),
      { minLength: size, maxLength: size },
    ),
  }),
);

const bend = (base: Base, learningRate: number): Base => ({ ...base, learningRate: constant(learningRate) });

/** Throws unless both lists are equal, element by element. */
function mustEqual(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) throw new Error(`${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
  }
}

describe.each(engines)("%s engine", (engine) => {
  describe("coordinates in another order end in that order", () => {
    function check(options: OptimizerOptions, numRuns: number): void {
      fc.assert(
        fc.property(problem, ({ x0, gradients, order }) => {
          const [plain, mixed] = [
            createOptimizer(x0, { engine, ...options }),
            createOptimizer(
              order.map((i) => x0[i]),
              { engine, ...options },
            ),
          ];
          for (const g of gradients) {
            plain.step(g);
            mixed.step(order.map((i) => g[i]));
          }
          mustEqual(
            mixed.params,
            order.map((i) => plain.params[i]),
            "x",
          );
        }),
        { numRuns },
      );
    }

    test.each(Object.entries(bases))("%s, no tuner: nothing is summed", (_name, base) => {
      check({ base: bend(base, 0.1), tuner: null }, 20);
    });

    // With λ = 0 nothing but ⟨Δ, g⟩ and the norms that the start goes by are summed, which is exact on the grid; but not
    // where `superlevel` clips gradients, which then leave it.
    const exact: [string, Base][] = [
      ["sgd", sgd({ learningRate: 0.125 })],
      ["momentum", sgd({ momentum: 0.5, learningRate: 0.125 })],
      ["lion", lion({ learningRate: 0.125 })],
    ];
    const summing = Object.entries(forms).filter(([, tuner]) => tuner?.delta === "stored");
    test.each(summing)("%s", (_form, tuner) => {
      for (const [, base] of exact.filter(([name]) => name === "lion" || tuner?.form !== "superlevel"))
        check({ gradients: "exact", base, tuner: { ...tuner!, lambda: 0, anchor: { every: 5 } } }, 20);
    });
  });

  describe("a loss in other units leads to the same parameters", () => {
    /** Gradients of a bowl, in units of 2^k. */
    function follow(base: Base, tuner: Tuner, power: number, start: number[]): Optimizer {
      const optimizer = createOptimizer(start, { base, tuner, engine });
      const unit = 2 ** power;
      for (let step = 1; step <= 150; step++) {
        optimizer.step(
          optimizer.params.map((x, i) => unit * Math.fround((1 + i) * (x - 1) + 0.1 * Math.sin(step))),
        );
      }
      return optimizer;
    }

    const starts = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 20 });
    const tuners: Tuner[] = [
      superlevel(),
      superlevel({ anchor: { every: 20 } }),
      superlevel({ granularity: "tensor" }),
    ];

    test.each([
      ["lion", lion()],
      ["adam, eps tiny", adam({ eps: 1e-37 })],
      ["amsgrad, eps tiny", adam({ amsgrad: true, eps: 1e-37 })],
    ] as [string, Base][])("%s", (_name, base) => {
      fc.assert(
        fc.property(
          starts,
          fc.integer({ min: -25, max: 25 }),
          fc.constantFrom(...tuners),
          (start, power, tuner) => {
            fc.pre(start.some((x) => Math.fround(x) !== 0));
            const [one, other] = [follow(base, tuner, 0, start), follow(base, tuner, power, start)];
            mustEqual(other.params, one.params, "x");
            mustEqual(scalesOf(other), scalesOf(one), "S");
            // It is no accident of standing still.
            return one.params.some((x, i) => x !== Math.fround(start[i]));
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  describe("whatever the gradients are", () => {
    const size = 7;
    const signs = Array.from({ length: size }, (_, i) => (i % 2 ? -1 : 1));
    /** A gradient for the k-th step, of a kind that has broken optimizers. */
    const kinds: Record<string, (k: number) => number[]> = {
      zero: () => signs.map(() => 0),
      "minus zero": () => signs.map(() => -0),
      denormal: () => signs.map((sign) => sign * 1e-45),
      tiny: () => signs.map((sign, i) => sign * 1e-30 * (i + 1)),
      "no square": () => signs.map((sign) => sign * 2e-23),
      ordinary: (k) => signs.map((_, i) => Math.sin(k * 1.7 + i)),
      "the other way": (k) => signs.map((sign) => sign * (k % 2 ? -3 : 3)),
      sparse: (k) => signs.map((sign, i) => (i === k % size ? sign : 0)),
      mixed: (k) => signs.map((sign, i) => sign * 10 ** ((k * (i + 3)) % 9) * (i % 3 ? 1 : 1e-20)),
      steep: () => signs.map((sign) => sign * 1e9),
      "at the end": () => signs.map((sign) => sign * 3e17),
      "past the end": () => signs.map((sign) => sign * 1e20),
      "1e38": () => signs.map((sign) => sign * 1e38),
      infinite: (k) => signs.map((sign, i) => (i === k % size ? sign * Infinity : 1)),
    };

    /** S of `superlevel` is 0 until the first step that moves finds it, and then no more; other forms begin at 0. */
    function checkScales(optimizer: Optimizer, began: boolean): void {
      const scales = scalesOf(optimizer);
      const positive = began && optimizer.config.tuner?.form === "superlevel";
      if (!scales.every((scale) => scale < Infinity && (scale > 0 || (scale === 0 && !positive))))
        throw new Error(`S is ${scales.join()}`);
    }

    /** One step: it succeeds and leaves finite numbers, or it fails and leaves everything. */
    function stepOrFail(
      optimizer: Optimizer,
      g: number[],
      options: OptimizerOptions,
      watched: boolean,
    ): boolean {
      const before = optimizer.params.slice();
      const began = scalesOf(optimizer).some((scale) => scale > 0);
      const state = watched ? optimizer.save() : undefined;
      try {
        optimizer.step(g);
      } catch (error) {
        if (!(error instanceof OptimizerError && ["diverged", "singular"].includes(error.code))) throw error;
        mustEqual(optimizer.params, before, `after "${error.message}" x`);
        if (state) {
          const [failed, kept] = [optimizer.save(), state].map((each) =>
            createOptimizer(size, options).restore(each),
          );
          mustMatch(failed, kept, error.message);
        }
        return false;
      }
      if (!optimizer.params.every(Number.isFinite)) throw new Error(`x is ${optimizer.params.join()}`);
      checkScales(optimizer, began);
      return true;
    }

    const x0 = [1, -2, 0, 0.5, 1e-20, 1e6, -3];
    const names = fc.array(fc.constantFrom(...Object.keys(kinds)), { minLength: 30, maxLength: 60 });
    const told = fc.constantFrom("auto" as const, "exact" as const, "noisy" as const);

    test.each(Object.entries(bases))(
      "%s: a step ends in finite numbers, or fails and changes nothing",
      (_name, base) => {
        fc.assert(
          fc.property(names, told, fc.constantFrom(...Object.keys(forms)), (sequence, gradients, form) => {
            const options = { gradients, base, tuner: forms[form], engine };
            const optimizer = createOptimizer(x0, options);
            sequence.forEach((kind, k) => {
              if (!stepOrFail(optimizer, kinds[kind](k), options, k % 16 === 0) && k % 5 === 0)
                optimizer.setParams(x0);
            });
          }),
          { numRuns: 100 },
        );
      },
    );

    /** A million steps in all. */
    const long = stepsOf(engine, 1e6 / 3 / Object.keys(forms).length);

    test.each(Object.entries(forms))("%s: for long", (_form, tuner) => {
      for (const base of [bases.adam, bases.momentum, bases.lion]) {
        const gradients = base === bases.adam ? "noisy" : "auto";
        const options: OptimizerOptions = { gradients, base, tuner, engine };
        const optimizer = createOptimizer(x0, options);
        const calm = Object.values(kinds).slice(0, 9);
        let failures = 0;
        for (let k = 0; k < long; k++) {
          if (stepOrFail(optimizer, calm[(k * k + (k >> 4)) % calm.length](k), options, false)) continue;
          failures++;
          optimizer.reset(x0);
        }
        expect(failures).toBeLessThan(long / 2);
      }
    });
  });
});
