/** Most steps know nothing of the gradient's norm before they begin. Where it has to be known, they come to the same bits. */
import { describe, expect, test } from "vitest";
import { createOptimizer, type OptimizerOptions } from "../../src/index.js";
import { averagedBases, bases, noise } from "../support/cases.js";
import { engines } from "../support/engines.js";

/** Walks beside an optimizer with a bound that nothing reaches, which asks for the norm all the same. */
function walkBeside(options: OptimizerOptions, steps: number, lengthAt: (step: number) => number): void {
  const random = noise(3);
  const [quick, slow] = [{}, { clip: { norm: 1e9 } }].map((more) =>
    createOptimizer(20, { ...options, ...more }),
  );
  for (let step = 1; step <= steps; step++) {
    const length = lengthAt(step);
    const g = Float32Array.from(
      { length: 20 },
      (_, i) => length * (Math.sin(1.7 * i + 0.05 * step) + random()),
    );
    expect(quick.step(g)).toEqual(slow.step(g));
  }
  expect(quick.params).toEqual(slow.params);
  expect(quick.moments).toEqual(slow.moments);
  expect(quick.averaging).toEqual(slow.averaging);
}

const all = { ...bases, ...averagedBases };

describe.each(engines)("%s engine", (engine) => {
  describe.each(["exact", "noisy", "auto"] as const)("gradients %s", (gradients) => {
    test.each(Object.entries(all))("%s: lengths around the longest that is taken whole", (_name, base) => {
      const random = noise(4);
      // Nothing turns these gradients, so that a scale may leave float32.
      walkBeside({ base, gradients, engine, nonFinite: "skip" }, 300, () => 3 ** random());
    });
  });

  test.each(["adam", "nadam", "adamw"])("%s: one that says whether what is remembered is stale", (name) => {
    // It is at about one step in eight.
    for (let last = 640; last < 648; last++) {
      const lengthAt = (step: number) => (step < 400 ? 1 : step === last ? 0.25 : 1 / 64);
      walkBeside({ base: all[name], gradients: "noisy", engine }, last, lengthAt);
    }
  });
});
