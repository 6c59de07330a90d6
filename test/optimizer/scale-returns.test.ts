/** S may fall at a noise floor for as long as that lasts: it stays above 0, and comes back with the signal. */
import { describe, expect, test } from "vitest";
import { createOptimizer, superlevel } from "../../src/index.js";
import type { Granularity } from "../../src/index.js";
import { noise } from "../support/cases.js";
import { engines } from "../support/engines.js";

describe.each(engines)("%s engine", (engine) => {
  const granularities: Granularity[] = ["global", "tensor", "parameter"];

  test.each(granularities)("%s", (granularity) => {
    const tuner = superlevel({ anchor: { every: 4 }, granularity });
    const optimizer = createOptimizer([1, -1, 2, 0.5], { engine, gradients: "exact", tuner });
    const random = noise(7);
    const scales = () =>
      [optimizer.scale].flatMap((scale) => (typeof scale === "number" ? scale : [...scale]));
    for (let step = 0; step < 9000; step++) {
      optimizer.step(optimizer.params.map(() => random() - 0.5));
      if (step > 0)
        for (const scale of scales()) if (!(scale > 0)) throw new Error(`S is ${scale} after step ${step}`);
    }
    expect(Math.max(...scales())).toBeLessThan(1e-6);
    const target = optimizer.params.map((x) => x + 1);
    for (let step = 0; step < 6000; step++) optimizer.step(optimizer.params.map((x, i) => x - target[i]));
    expect(Math.max(...optimizer.params.map((x, i) => Math.abs(x - target[i])))).toBeLessThan(0.01);
  });
});
