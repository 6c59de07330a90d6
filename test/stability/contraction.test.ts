/** How fast two runs of a training map approach each other, against closed forms. */
import { describe, expect, test } from "vitest";

import { adam, createOptimizer, sgd, type Base, type GradientSource } from "../../src/index.js";
import { contractionRate, fromSource, type TrainingMap } from "../../src/stability/index.js";

const spectrum = [1, 4, 9];
const descent =
  (eta: number): TrainingMap =>
  (x) =>
    x.forEach((value, i) => (x[i] = value - eta * spectrum[i] * value));
const starts = [
  [1, 2, -1],
  [-2, 1, 3],
] as const;

describe("two runs of a map", () => {
  test.each([0.01, 0.05, 0.1, 0.15, 0.2, 2 / 9, 0.23])("descent with η = %f: max |1 − η λ|", async (eta) => {
    const exact = Math.max(...spectrum.map((lambda) => Math.abs(1 - eta * lambda)));
    const options = { steps: 2000, skip: 200 };
    const found = await contractionRate(descent(eta), starts, options);
    expect(Math.abs(found.rate / exact - 1)).toBeLessThan(1e-3);
    expect(Math.abs(found.rate - exact)).toBeLessThan(Math.max(4 * found.error, 1e-9));
    expect(found.largest).toBeLessThan(exact + 1e-9);
    expect(found.from).toBe(200);
  });

  test("by itself it looks at the later half, before rounding", async () => {
    for (const [eta, exact] of [
      [0.1, 0.9],
      [0.2, 0.8],
    ]) {
      // Around a minimum that is not 0 the distances end at rounding.
      const far: TrainingMap = (x) => x.forEach((v, i) => (x[i] = v - eta * spectrum[i] * (v - 100)));
      const { rate, spread, from, to, distances } = await contractionRate(far, starts, { steps: 600 });
      expect(rate).toBeCloseTo(exact, 5);
      expect(spread).toBeLessThan(0.01);
      expect(from).toBe(to >> 1);
      expect(to).toBeLessThan(400);
      expect(distances[600]).toBeLessThan(1e-12);
    }
  });

  test("the heavy ball where it swings: √β, with distances that swing too", async () => {
    const [eta, beta] = [0.1, 0.81];
    const ball: TrainingMap = (state) => {
      const [x, m] = state;
      state[1] = beta * m + 4 * x;
      state[0] -= eta * state[1];
    };
    const { rate, error, spread, largest } = await contractionRate(ball, [[1, 0], [0, 1]], { steps: 2000 }); // prettier-ignore
    expect(rate).toBeCloseTo(0.9, 3);
    expect(error).toBeLessThan(1e-3);
    expect(spread).toBeGreaterThan(0.05);
    expect(largest).toBeGreaterThan(1);
  });

  test("1 where nothing moves, above 1 where runs part, and 0 where they meet at once", async () => {
    const run = (factor: number) => contractionRate((x) => void (x[0] *= factor), [[1], [2]], { steps: 50 });
    expect(await run(1)).toMatchObject({ rate: 1, error: 0, spread: 0, largest: 1 });
    expect((await run(1.25)).rate).toBeCloseTo(1.25, 12);
    expect(await run(0)).toMatchObject({ rate: 0, error: 0, from: 0, to: 1 });
    expect((await contractionRate((x) => void (x[0] *= 0.3), [[1], [2]], { steps: 1 })).rate).toBeCloseTo(0.3, 12); // prettier-ignore
  });

  test("what is wrong is named", async () => {
    const map = descent(0.1);
    const call = (...given: unknown[]) => contractionRate(...(given as Parameters<typeof contractionRate>));
    await expect(call(map, starts, {})).rejects.toThrow("contractionRate.steps: expected a number");
    await expect(call(map, starts, { steps: 5, skip: 5 })).rejects.toThrow("contractionRate.skip");
    await expect(call(map, starts, { steps: 5, floor: 0 })).rejects.toThrow("contractionRate.floor");
    await expect(call(3, starts, { steps: 5 })).rejects.toThrow("map: expected a function, got 3");
    await expect(call(map, [[1]], { steps: 5 })).rejects.toThrow("starts: expected two states");
    await expect(call(map, [[1], [1, 2]], { steps: 5 })).rejects.toThrow("starts[1]: expected 1 numbers");
    await expect(call(map, [[1], [1]], { steps: 5 })).rejects.toThrow("begin at different points");
    await expect(call(() => {}, [[1], [NaN]], { steps: 5 })).rejects.toThrow("starts[1][0]");
    const spoil: TrainingMap = (x) => void (x[0] = NaN);
    await expect(call(spoil, [[1], [2]], { steps: 5 })).rejects.toThrow("step 1 made state[0] NaN");
  });
});

describe("two optimizers", () => {
  const bowl: GradientSource = ([x, y], g) => (
    g.set([x - 1, 4 * (y - 1)]),
    ((x - 1) ** 2 + 4 * (y - 1) ** 2) / 2
  );
  const of = (x: number[], base: Base = sgd({ learningRate: 0.1 })) =>
    createOptimizer(x, { base, tuner: null });

  test("descent: max |1 − η λ|, and they stay as they are", async () => {
    const pair = [of([1, 2]), of([5, -3])] as const;
    const before = pair.map((one) => one.save());
    const { rate, to, distances } = await contractionRate(pair, fromSource(bowl), { steps: 200 });
    expect(rate).toBeCloseTo(0.9, 3);
    expect(distances[0]).toBeCloseTo(Math.hypot(4, 5), 6);
    expect(to).toBeLessThan(200);
    expect(pair.map((one) => one.save())).toEqual(before);
  });

  test("Adam's runs approach, too", async () => {
    const pair = [
      of([1, 2], adam({ learningRate: 0.05 })),
      of([5, -3], adam({ learningRate: 0.05 })),
    ] as const;
    const { rate } = await contractionRate(pair, fromSource(bowl), { steps: 300 });
    expect(rate).toBeLessThan(0.99);
  });

  test("have to fit each other", async () => {
    const call = (pair: unknown) => contractionRate(pair as never, fromSource(bowl) as never, { steps: 5 });
    await expect(call([of([1, 2])])).rejects.toThrow("optimizers: expected two of them, got 1");
    await expect(call([of([1, 2]), {}])).rejects.toThrow("optimizer: expected what createOptimizer returned");
    await expect(call([of([1, 2]), of([1])])).rejects.toThrow("two of the same size, got 2 and 1");
    const moved = of([1, 2]);
    moved.step([1, 1]);
    await expect(call([of([1, 2]), moved])).rejects.toThrow("two of the same iterations, got 0 and 1");
  });
});
