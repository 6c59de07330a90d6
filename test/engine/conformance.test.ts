/** Every engine × form × base against the reference twin, at the sizes around a vector's and a turn's end. */
import { describe, expect, test } from "vitest";
import { bases, noise, startAt, tuners } from "../support/cases.js";
import { engines, stepsOf } from "../support/engines.js";
import { walk, type StepOptions } from "../support/walk.js";

const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33];

const tensors = [
  { size: 3, learningRate: 2 },
  { size: 14, weightDecay: 0.3 },
  { size: 1, frozen: true },
  { size: 1030, learningRate: 0.5 },
  { size: 5 },
  { size: 16, weightDecay: 0 },
  { size: 2, frozen: true },
  { size: 2100, learningRate: 0.1, weightDecay: 0.2 },
  { size: 7 },
];

/** These gradients do not depend on x, so nothing stops a scale but that they turn: often enough for short windows. */
const pace = 4;

/** Cases of every option that changes a step. */
const CASES: Readonly<Record<keyof StepOptions, readonly StepOptions[]>> = {
  normAdaptive: [{ normAdaptive: true }],
  clip: [
    { clip: { norm: 0.5 } },
    { clip: { value: 0.25 } },
    { clip: { norm: 2, value: 0.75 }, normAdaptive: true },
  ],
  // Those of conformance-kinds.test.ts.
  gradients: [],
};

test.each(Object.values(CASES).flat())("%j changes what a step does", (more) => {
  const run = { size: 5, steps: 100, base: bases.adam, tuner: tuners.superlevel, coarse: true };
  const [changed, plain] = [more, {}].map((more) => walk("js", { ...run, more }).optimizer.params);
  expect(changed).not.toEqual(plain);
});

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(tuners))("%s", (_form, tuner) => {
    test.each(Object.entries(bases))("%s", (_base, base) => {
      for (const size of sizes) walk(engine, { size, steps: stepsOf(engine, 200), base, tuner, pace });
    });

    test("tensors with options of their own, at every alignment", () => {
      const size = tensors.reduce((sum, tensor) => sum + tensor.size, 0);
      for (const base of [bases.adamw, bases["momentum with dampening"]]) {
        const { optimizer } = walk(engine, { size, steps: stepsOf(engine, 60), base, tuner, tensors });
        expect(optimizer.tensors[2].params[0]).toBe(startAt(size, noise(size + 1))[17]);
      }
    });

    test.each(Object.values(CASES).flat())("%j", (more) => {
      for (const size of [5, 130]) {
        walk(engine, { size, steps: stepsOf(engine, 100), base: bases.adam, tuner, more, coarse: true });
      }
    });
  });
});
