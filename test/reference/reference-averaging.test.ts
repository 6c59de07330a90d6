/** The twin's two ways to average are one, in float64: the paper's definition, and what the engine computes. */
import { describe, expect, test } from "vitest";
import {
  adagradOf,
  adamOf,
  adamwOf,
  lionOf,
  norm,
  Reference,
  rmspropOf,
  scheduleFreeOf,
  sgdOf,
  tunerOf,
} from "../reference.js";
import type { BaseOptions, ReferenceOptions, TunerOptions } from "../reference.js";
import { gradientAt, noise } from "../support/cases.js";

const bases: Record<string, BaseOptions> = {
  adam: adamOf(),
  adamw: adamwOf({ weightDecay: 0.1 }),
  momentum: sgdOf({ momentum: 0.9, weightDecay: 0.1 }),
  amsgrad: adamOf({ amsgrad: true }),
  rmsprop: rmspropOf({ momentum: 0.9, centered: true, eps: 0.01 }),
  adagrad: adagradOf(),
  "schedule-free adam": scheduleFreeOf(adamOf(), { power: 2, warmupSteps: 9 }),
  "schedule-free lion": scheduleFreeOf(lionOf({ weightDecay: 0.1 }), { interpolation: 0.8 }),
};

const anchor = { every: 25, carry: 0.9 };
const tuners: Record<string, TunerOptions | null> = {
  "one tuner": tunerOf("superlevel", { anchor }),
  "each tensor": tunerOf("superlevel", { granularity: "tensor", anchor }),
  "each coordinate": tunerOf("superlevel", { granularity: "parameter", spread: 3, eps: 1e-18, anchor }),
  none: null,
};

const tensors = [{ size: 3 }, { size: 2, frozen: true }, { size: 4, learningRate: 0.5, weightDecay: 0.3 }];
const size = 9;
const x0 = Float64Array.from({ length: size }, (_, i) => Math.cos(3 * i));

describe.each(Object.entries(tuners))("%s", (_tuner, tuner) => {
  test.each(Object.entries(bases))("%s", (_base, base) => {
    if (tuner === null && base.name !== "scheduleFree") return;
    const options: ReferenceOptions = { base, tuner, tensors, gradients: "noisy" };
    const [lead, definition] = (["lead", "public"] as const).map(
      (averages) => new Reference(x0, { ...options, averages }),
    );
    const random = noise(1);
    for (let step = 1; step <= 120; step++) {
      const g = gradientAt(step, size, random);
      const seen = [lead, definition].map((twin) => twin.step(g, 0.1).effects!);
      expect(seen[0].forgot).toBe(seen[1].forgot);
      for (const [one, other] of [
        [lead.x, definition.x],
        [lead.average()!, definition.average()!],
      ])
        expect(norm(one.map((x, i) => x - other[i]))).toBeLessThan(1e-11 * norm(x0));
    }
    const apart = norm(lead.average()!.map((x, i) => x - lead.x[i]));
    expect(apart).toBeGreaterThan(1e-6);
  });
});

test("where the average forgets, β falls: z comes nearer, and neither y nor the average moves", () => {
  const options: ReferenceOptions = { base: adamOf(), tuner: tunerOf("superlevel"), gradients: "noisy" };
  const [lead, definition] = (["lead", "public"] as const).map(
    (averages) => new Reference(x0, { ...options, averages }),
  );
  const random = noise(2);
  let forgot = 0;
  for (let step = 1; step <= 400; step++) {
    // Gradients that hardly turn: z is ahead of the average.
    const g = gradientAt(0.01 * step, size, random);
    const seen = [lead, definition].map((twin) => twin.step(g, 1).effects!);
    expect(seen[0].forgot).toBe(seen[1].forgot);
    forgot += Number(seen[0].forgot);
    for (const [one, other] of [
      [lead.x, definition.x],
      [lead.average()!, definition.average()!],
    ])
      expect(norm(one.map((x, i) => x - other[i]))).toBeLessThan(1e-9 * norm(other));
  }
  expect(forgot).toBeGreaterThan(1);
});

test("the average of gradient descent with equal weights is the mean of z", () => {
  const base = scheduleFreeOf(sgdOf(), { interpolation: 0.5, ratePower: 0 });
  const twin = new Reference([8], { base, tuner: null, averages: "public" });
  // z: 8, 7, 5, 9 at rate 1; its means: 7, 6, 7; half-way between: 7, 5.5, 8.
  const path = [1, 2, -4].map((g) => {
    twin.step([g], 1);
    return [twin.average()![0], twin.x[0]];
  });
  expect(path).toEqual([
    [7, 7],
    [6, 5.5],
    [7, 8],
  ]);
});

test("found out at the second step, the first counts: z and its average begin where it led", () => {
  const options: ReferenceOptions = { base: adamOf(), tuner: tunerOf("superlevel") };
  const [auto, told] = [
    new Reference(x0, options),
    // Who is told is not cautious: the first step is ten times as long.
    new Reference(x0, { ...options, gradients: "noisy" }),
  ];
  for (let step = 1; step <= 30; step++) {
    const g = gradientAt(step, size, noise(step));
    for (const twin of [auto, told]) twin.step(g, 1);
    if (step === 1) continue;
    expect(auto.kind).toBe("noisy");
    // What h has of x, the pull, is not the same after a first step of another length.
    for (const [one, other] of [
      [auto.x, told.x],
      [auto.average()!, told.average()!],
    ])
      expect(norm(one.map((x, i) => x - other[i]))).toBeLessThan(
        1e-4 * norm(x0.map((x, i) => x - told.x[i])),
      );
  }
});
