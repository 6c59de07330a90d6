/** Every engine × form × base against the reference twin, at sizes that end inside and behind a block of 1024. */
import { describe, test } from "vitest";
import { bases, tuners } from "../support/cases.js";
import { engines, stepsOf } from "../support/engines.js";
import { walk } from "../support/walk.js";

/** These gradients do not depend on x, so nothing stops a scale but that they turn: often enough for short windows. */
const pace = 4;

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(tuners))("%s", (_form, tuner) => {
    test.each(Object.entries(bases))("%s", (_base, base) => {
      walk(engine, { size: 1000, steps: stepsOf(engine, 200), base, tuner, pace });
      walk(engine, { size: 4099, steps: stepsOf(engine, 200), base, tuner, pace });
    });
  });
});
