/** A step that fails leaves a state that is saved as before, to the last byte. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer } from "../../src/index.js";
import type { Optimizer, OptimizerOptions } from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { forms } from "../support/forms.js";
import { sameBytes } from "../support/state.js";

let rate: unknown = 0.01;
const base = adam({ learningRate: () => rate as number, weightDecay: 0.1 });

const failures: [what: string, fail: (optimizer: Optimizer) => unknown][] = [
  ["a gradient that is not finite", (optimizer) => optimizer.step([0, NaN, 1])],
  ["a gradient that is too large", (optimizer) => optimizer.step([1e38, 1e38, 1])],
  ["a loss that is not finite", (optimizer) => optimizer.step([3, 4, 5], { loss: NaN })],
  [
    "a schedule without a rate",
    (optimizer) => {
      rate = NaN;
      try {
        optimizer.step([7, 8, 9]);
      } finally {
        rate = 0.01;
      }
    },
  ],
  [
    "a rate that leads out of float32",
    (optimizer) => {
      rate = 1e300;
      try {
        optimizer.step([7, 8, 9]);
      } finally {
        rate = 0.01;
      }
    },
  ],
  ["a source that returns no loss", (optimizer) => optimizer.minimize(() => "1" as never, { steps: 2 })],
  [
    "a source that throws after a step, where the loss is watched",
    (optimizer) => {
      const source = (_x: Float32Array, grads: Float32Array, step: number) => {
        grads.fill(step);
        if (step > optimizer.iterations + 1 || optimizer.iterations > before) throw new Error("lost");
        return 1;
      };
      const before = optimizer.iterations;
      optimizer.minimize(source, { steps: 2, guard: { policy: "warn" } });
    },
  ],
];

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(forms))("%s", (_form, tuner) => {
    test.each(failures)("%s", (what, fail) => {
      for (const steps of [1, 2, 5])
        for (const more of [{}, { clip: { value: 0.5, norm: 1 } }] as OptimizerOptions[]) {
          if (more.clip && what.includes("too large")) continue;
          const optimizer = createOptimizer([1, -2, 3], { base, tuner, engine, ...more });
          for (let k = 1; k <= steps; k++) optimizer.step([0.1, 0.2 * k, 0.3]);
          const state = optimizer.save();
          expect(errorOf(() => fail(optimizer))).toBeInstanceOf(Error);
          expect(sameBytes(optimizer.save(), state)).toBe(true);
        }
    });
  });
});
