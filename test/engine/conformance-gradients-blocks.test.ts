/** Every kind of gradients × granularity × base against the reference twin, at sizes that end inside and behind a block. */
import { describe, expect, test } from "vitest";
import { superlevel } from "../../src/index.js";
import { averagedBases, bases, kinds, layoutOf } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { walk } from "../support/walk.js";

const granularities = ["global", "tensor", "parameter"] as const;
const all = Object.entries({ ...bases, ...averagedBases });
/** Those that begin in the same way, and go on in either. */
const found = Object.entries(kinds).filter(([, { second }]) => second);
/** engines-gradients.test.ts holds the slow one to the other's bytes. */
const sizesOf = { wasm: [1000, 4099], js: [1000] };

describe.each(engines)("%s engine", (engine) => {
  describe.each(found)("gradients %s", (_kind, { kind, ...given }) => {
    describe.each(granularities)("a tuner for each: %s", (granularity) => {
      test.each(all)("%s", (_base, base) => {
        const tuner = superlevel({ granularity, anchor: { every: 3 } });
        for (const size of sizesOf[engine]) {
          const tensors = granularity === "tensor" ? layoutOf(size) : undefined;
          const run = { size, steps: 5, base, tuner, tensors, pace: 8, ...given };
          expect(walk(engine, run).twin.kind).toBe(kind);
        }
      });
    });
  });
});
