/** What the monitor concludes from: predicted decreases, labels, best losses, overfitting, spikes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LabelTracker } from "../../src/stability/monitor/labels.js";
import { BestLosses } from "../../src/stability/monitor/best-losses.js";
import { lyapunovMonitor } from "../../src/stability/index.js";
import { Overreach } from "../../src/stability/monitor/overreach.js";

describe("predicted decreases", () => {
  const vector = (size: number) =>
    fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: size, maxLength: size });

  test("of more than 4 V raise every quadratic that is nowhere negative", () => {
    const property = fc.property(
      vector(9),
      vector(3),
      vector(3),
      fc.double({ min: 0, max: 5, noNaN: true }),
      (a, x, d, low) => {
        // V = ½ ‖A x‖² + low, H = AᵀA.
        const image = (v: readonly number[]) =>
          [0, 1, 2].map((r) => v.reduce((sum, c, k) => sum + a[3 * r + k] * c, 0));
        const value = (v: readonly number[]) => image(v).reduce((sum, c) => sum + c * c, 0) / 2 + low;
        const [ax, ad] = [image(x), image(d)];
        const slope = ax.reduce((sum, c, k) => sum + c * ad[k], 0);
        if (!(Math.abs(slope) > 1e-6)) return;
        // Downhill, and so far that the prediction is 4.01 V.
        const length = (-4.01 * value(x)) / slope;
        const moved = value(x.map((c, k) => c + length * d[k]));
        expect(moved).toBeGreaterThan(value(x));
        const overreach = new Overreach(0, 5);
        overreach.add(1, length * slope, value(x), value(x));
        expect(overreach.summary.largest).toBeCloseTo(4.01 / 4, 9);
        expect(overreach.summary.share).toBe(1);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  test("count what is left above the floor, at least what there was at first, and nothing below the floor", () => {
    const overreach = new Overreach(1, 3);
    overreach.add(1, -9, 3, 3); // 9 / 4 (3 − 1)
    expect(overreach.summary).toEqual({ share: 1, largest: 1.125, largestStep: 1 });
    overreach.add(2, -1, 1.001, 3);
    overreach.add(3, -1000, 0.5, 3);
    overreach.add(4, 8, 3, 3);
    expect(overreach.summary).toEqual({ share: 0, largest: 1.125, largestStep: 1 });
  });
});

describe("labels", () => {
  /** Losses at time t: 90 are learnt, 10 rise first, one of the 90 shoots up for a moment. */
  const losses = (t: number) =>
    Float64Array.from({ length: 100 }, (_, i) => {
      if (i % 10 === 3) return 2 + Math.min(t, 40) / 20;
      return i === 5 && t === 12 ? 500 : (1.8 + 0.004 * i) * Math.exp(-t / 20);
    });
  const watch = (times: readonly number[]) => {
    const labels = new LabelTracker(losses(0));
    for (const t of times) labels.add(losses(t));
    return labels.evidence;
  };

  test.each([1, 3, 7])("are told from how losses go, looked at every %i steps", (every) => {
    const evidence = watch(Array.from({ length: Math.ceil(60 / every) }, (_, k) => k * every))!;
    expect(evidence.examples).toBe(100);
    expect(evidence.risenShare).toBe(0.1);
    expect([...evidence.suspects].sort((a, b) => a - b)).toEqual([3, 13, 23, 33, 43, 53, 63, 73, 83, 93]);
    expect(evidence.left).toBeLessThan(0.1);
  });

  test("need something to be learnt, and the mean to fall", () => {
    expect(watch([0, 0.3])).toBeUndefined();
    const chaos = new LabelTracker(Float64Array.of(1, 1, 1, 1, 1));
    chaos.add(Float64Array.of(0.1, 0.1, 0.1, 90, 90));
    expect(chaos.evidence).toBeUndefined();
  });

  test("learnt by heart afterwards still count", () => {
    const early = watch(Array.from({ length: 60 }, (_, t) => t))!;
    const late = new LabelTracker(losses(0));
    for (let t = 0; t < 60; t++) late.add(losses(t));
    for (let t = 0; t < 60; t++) late.add(new Float64Array(100));
    expect(late.evidence).toEqual(early);
  });

  test("half of them wrong stand above where nothing more is learnt, alike in all classes", () => {
    const classes = Array.from({ length: 300 }, (_, i) => i % 3);
    const start = Float64Array.from(classes, (_, i) => Math.log(3) + 1e-4 * i);
    const stays = (isHigh: (i: number) => boolean, labels?: number[]) => {
      const tracker = new LabelTracker(start, labels);
      const now = Float64Array.from(classes, (_, i) => (isHigh(i) ? 1.4 : 0.8) + 1e-4 * i);
      for (let t = 0; t < 10; t++) tracker.add(now);
      return tracker.evidence!.standing;
    };
    const alike = (i: number) => i % 10 < 3;
    expect(stays(alike, classes)).toBe(0.3);
    expect(stays(alike)).toBe(0);
    expect(stays((i) => i % 3 === 1 && i < 270, classes)).toBeLessThan(0.02);
  });
});

test("best losses are those of half a window ago, and of three quarters of the run", () => {
  const bestLosses = new BestLosses(10);
  for (let step = 1; step <= 1000; step++) {
    bestLosses.add(1000 - step);
    if (step > 20) expect(bestLosses.recent).toBe(1000 - step + 5);
    if (step > 4)
      expect(Math.abs(bestLosses.earlier - (1000 - 0.75 * step))).toBeLessThanOrEqual(Math.max(2, step / 50));
  }
});

/** A run shown to a monitor by hand: batch losses, losses of fixed examples. */
function shown(loss: (t: number) => number, examples: (t: number) => number[], steps = 200) {
  const monitor = lyapunovMonitor({ probe: { losses: ([t]) => examples(t), every: 5 } });
  for (let step = 1; step <= steps; step++) {
    const params = Float32Array.of(step - 1);
    monitor.beforeStep({
      step,
      loss: loss(step),
      params,
      grads: Float32Array.of(-1e-3),
      deterministic: false,
    });
  }
  return monitor.summary();
}

describe("fixed examples that get worse", () => {
  const rising = (t: number) => [1, 1.1, 1.2, 1.3].map((base) => base + t / 100 + 1e-3 * base * t);

  test("while the batches' loss is far below: overfitting", () => {
    const { verdict, findings } = shown((t) => Math.exp(-t / 50), rising);
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([["overfitting", "problem"]]);
    expect(findings[0].message).toMatch(/^overfitting: the loss of fixed examples went from 1\.15 to /);
    expect(verdict).toBe("overfitting");
  });

  test("as the batches' does: past the edge", () => {
    expect(shown((t) => 1.15 + t / 100, rising).verdict).toBe("past-edge");
  });
});

describe("a spike", () => {
  const run = (loss: (t: number) => number, steps: number) => {
    const monitor = lyapunovMonitor();
    for (let step = 1; step <= steps; step++) {
      const change = loss(step + 1) - loss(step);
      monitor.beforeStep({
        step,
        loss: loss(step),
        params: Float64Array.of(step),
        grads: Float64Array.of(2 * Math.min(change, 0)),
      });
    }
    return monitor.summary();
  };
  const after = (t: number, then: number) => (t === 1 ? 2 : t < 4 ? 50 : then);

  test("that was not got over is a problem", () => {
    expect(run((t) => after(t, 1.9 - t * 1e-4), 100).verdict).toBe("past-edge");
  });

  test("that was got over is none, as long as V falls", () => {
    expect(run((t) => after(t, Math.exp(-t / 20)), 100).verdict).toBe("healthy");
    expect(run((t) => after(t, Math.exp(-t / 20) * (t % 3 ? 1 : 2)), 100).verdict).toBe("past-edge");
  });
});
