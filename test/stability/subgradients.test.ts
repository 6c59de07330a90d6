/** Losses with kinks under noise: where the default ends, and its average, against steps of a fixed length. */
import { describe, expect, test } from "vitest";

import { createOptimizer, minibatches, sgd, type Optimizer } from "../../src/index.js";
import { gradientSampling } from "../../src/stability/index.js";
import { median, normals } from "../../src/stability/vectors.js";

/** Σ w_i |x_i|, and its subgradient with normal noise on each coordinate. */
const weights = [1, 2, 0.5];
const loss = (x: ArrayLike<number>) => weights.reduce((sum, w, i) => sum + w * Math.abs(x[i]), 0);
const start = [3, -2, 4];

function descend(optimizer: Optimizer, sigma: number, seed: number, steps = 3000): Optimizer {
  const normal = normals(seed);
  for (let t = 0; t < steps; t++) {
    const { params, grads } = optimizer;
    weights.forEach((w, i) => (grads[i] = w * Math.sign(params[i]) + sigma * normal()));
    optimizer.step();
  }
  return optimizer;
}
const seeds = Array.from({ length: 12 }, (_, k) => k);

describe("|x| under noise", () => {
  test.each([0.3, 1, 3])("σ = %f: found to be noisy, and the average is near the kink", (sigma) => {
    const runs = seeds.map((seed) => descend(createOptimizer(start), sigma, seed));
    expect(runs.map(({ gradients }) => gradients)).toEqual(seeds.map(() => "noisy"));
    const averages = runs.map((one) => loss(one.average()!));
    const points = runs.map(({ params }) => loss(params));
    expect(median(averages)).toBeLessThan(0.01 * loss(start));
    expect(median(averages)).toBeLessThan(median(points));
    // Descent by a rate as long as the way needs: it stays about its own step from the kink.
    const fixed = seeds.map((seed) =>
      loss(
        descend(createOptimizer(start, { base: sgd({ learningRate: 0.1 }), tuner: null }), sigma, seed)
          .params,
      ),
    );
    expect(median(averages)).toBeLessThan(median(fixed) / 3);
  });

  test("more steps bring the average nearer", () => {
    const at = (steps: number) =>
      median(seeds.map((seed) => loss(descend(createOptimizer(start), 1, seed, steps).average()!)));
    const [few, many] = [at(200), at(6400)];
    expect(many).toBeLessThan(few / 4);
  });

  test("without noise they are exact, and end in the kink", () => {
    const optimizer = descend(createOptimizer(start), 0, 0, 2000);
    expect(optimizer.gradients).toBe("exact");
    expect(loss(optimizer.params)).toBeLessThan(1e-5);
  });
});

test("the median by minibatches, and that it is stationary where ‖g‖ is not 0", async () => {
  const count = 400;
  const normal = normals(3);
  const ys = Array.from({ length: count }, () => 5 + normal());
  const exact = median(ys);
  const source = minibatches({ examples: count, batchSize: 8 }, ([x], grads, batch) => {
    grads[0] = batch.reduce((sum, k) => sum + Math.sign(x - ys[k]) / batch.length, 0);
    return batch.reduce((sum, k) => sum + Math.abs(x - ys[k]) / batch.length, 0);
  });
  // Above all numbers every batch has the subgradient 1: the default cannot tell, and stops early.
  const far = createOptimizer([20]);
  far.minimize(source, { steps: 4000 });
  expect(far.gradients).toBe("exact");
  const optimizer = createOptimizer([20], { gradients: "noisy" });
  optimizer.minimize(source, { steps: 4000 });
  const average = optimizer.average()!;
  expect(Math.abs(average[0] - exact)).toBeLessThan(0.02);
  const whole = ([x]: Float64Array) => ({
    loss: ys.reduce((sum, y) => sum + Math.abs(x - y) / count, 0),
    grads: [ys.reduce((sum, y) => sum + Math.sign(x - y) / count, 0)],
  });
  const { stationarity } = await gradientSampling(whole, average, { radius: 0.05, samples: 20 });
  expect(stationarity).toBeLessThan(1e-9);
});
