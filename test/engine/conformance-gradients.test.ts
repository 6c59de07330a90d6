/** Every engine × kind of gradients × granularity × base against the reference twin, at the sizes around a vector's end. */
import { describe, expect, test } from "vitest";
import { superlevel } from "../../src/index.js";
import { averagedBases, bases, kinds, layoutOf } from "../support/cases.js";
import { engines, stepsOf } from "../support/engines.js";
import { walk } from "../support/walk.js";

const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33];
const granularities = ["global", "tensor", "parameter"] as const;
const all = Object.entries({ ...bases, ...averagedBases });

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(kinds))("gradients %s", (_kind, { kind, ...given }) => {
    describe.each(granularities)("a tuner for each: %s", (granularity) => {
      test.each(all)("%s", (_base, base) => {
        // Anchors after 6 and 12 steps, and later.
        const tuner = superlevel({ granularity, anchor: { first: 6 } });
        for (const size of sizes) {
          const tensors = granularity === "tensor" ? layoutOf(size) : undefined;
          const run = { size, steps: stepsOf(engine, 40), base, tuner, tensors, pace: 8, ...given };
          expect(walk(engine, run).twin.kind).toBe(kind);
        }
      });
    });
  });
});
