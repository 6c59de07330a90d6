import { describe, expect, it } from "vitest";
import { createOptimizer, type Optimizer } from "superlevel";
import { engines } from "../support/engines.js";

/** A gradient that hardly turns. */
const gradientAt = (step: number) =>
  Float32Array.from({ length: 16 }, (_, i) => 1 + 0.2 * Math.sin(step * i));

const walk = (optimizer: Optimizer, from: number, to: number, lossAt: (step: number) => number | undefined) =>
  Array.from({ length: to - from + 1 }, (_, k) => {
    const step = from + k;
    return optimizer.step(gradientAt(step), { loss: lossAt(step) }).scale;
  });

describe.each(engines)("%s: a loss so small that S may not grow", (engine) => {
  const create = () => createOptimizer(16, { engine, gradients: "noisy" });

  it("is made up for step by step, not at once", () => {
    const optimizer = create();
    const held = walk(optimizer, 1, 20, () => 1e-9);
    expect(held[19]).toBe(held[2]);
    const freed = walk(optimizer, 21, 60, () => 1e9);
    const never = walk(create(), 1, 60, () => undefined);
    // 20 steps into the window S grows by a tenth and by what the step itself says.
    expect(never[19] / held[19]).toBeGreaterThan(3);
    expect(freed[0] / held[19]).toBeGreaterThan(1.05);
    expect(freed[0] / held[19]).toBeLessThan(1.25);
    freed.forEach((scale, k) => expect(scale).toBeLessThan(1.25 * (k > 0 ? freed[k - 1] : held[19])));
    expect(freed[39]).toBe(never[59]);
  });

  it("is made up for in the same way after a loss that is not told", () => {
    const optimizer = create();
    const held = walk(optimizer, 1, 20, () => 1e-9);
    const [freed] = walk(optimizer, 21, 21, () => undefined);
    expect(freed / held[19]).toBeLessThan(1.25);
  });
});
