/** Wrong labels that a network learns by heart, and clean ones that it cannot learn, on drawn digits. */
import { describe, expect, test } from "vitest";

import { adam, createOptimizer, minibatches, type OptimizerOptions } from "../../src/index.js";
import { lyapunovMonitor } from "../../src/stability/index.js";
import { createNetwork } from "../../studies/digits/network.js";
import { drawDigits, type Digits } from "../../studies/kit/digits/draw.js";
import { createRandom } from "../../studies/kit/random.js";

/** Trains on digits of which a share is mislabelled, and watches the first of them. */
function watch(
  { share, seed, count, units, steps, every }: Record<string, number>,
  options: OptimizerOptions = {},
  classes = true,
) {
  const clean = drawDigits(count, seed);
  const random = createRandom(seed);
  const labels = clean.labels.map((label) =>
    random.uniform() < share ? (label + 1 + random.below(9)) % 10 : label,
  );
  const data = { ...clean, labels };
  const network = createNetwork([data.pixels, units, 10]);
  const watched = Array.from({ length: 200 }, (_, i): Digits => {
    const images = data.images.subarray(i * data.pixels, (i + 1) * data.pixels);
    return { ...data, count: 1, images, labels: labels.subarray(i, i + 1) };
  });
  const losses = (params: Float32Array) => watched.map((one) => network.evaluate(params, one).loss);
  const known = classes ? { labels: labels.subarray(0, watched.length) } : {};
  const monitor = lyapunovMonitor({ probe: { losses, every, ...known } });
  const source = minibatches({ examples: count, batchSize: 32, seed }, (params, grads, batch) =>
    network.gradient(params, grads, data, batch),
  );
  const optimizer = createOptimizer(network.initialTensors(seed), options);
  optimizer.minimize(source, { steps, monitors: [monitor] });
  const { findings, probe } = monitor.summary();
  return {
    codes: findings.map(({ code }) => code),
    probe: probe!,
    isWrong: (k: number) => labels[k] !== clean.labels[k],
  };
}

describe("wrong labels that are learnt by heart", () => {
  const run = { count: 1000, units: 16, steps: 400, every: 10 };

  test.each([0.2, 1 / 3, 0.5])("a share of %f is named, and suspects are among them", (share) => {
    for (const classes of [true, false]) {
      const { codes, probe, isWrong } = watch({ ...run, share, seed: 2 }, {}, classes);
      expect(codes).toContain("label-noise");
      // Nothing stands out any more: half of the examples have next to no loss.
      expect(probe.labels!.left).toBeLessThan(0.15);
      const suspects = probe.labels!.suspects;
      expect(suspects.filter(isWrong).length).toBeGreaterThan(0.7 * suspects.length);
    }
  });

  test("and none where labels are right", () => {
    for (const classes of [true, false])
      expect(watch({ ...run, share: 0, seed: 2 }, {}, classes).codes).not.toContain("label-noise");
  });
});

test("a rate that is too high is not called wrong labels", () => {
  const base = adam({ learningRate: 0.1 });
  for (const seed of [1, 2, 3]) {
    const run = { share: 0, seed, count: 2000, units: 32, steps: 600, every: 25 };
    for (const classes of [true, false])
      expect(watch(run, { base, tuner: null }, classes).codes).not.toContain("label-noise");
  }
});
