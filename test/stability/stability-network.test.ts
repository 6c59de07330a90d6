/** A network of 891 parameters: which rates part trajectories, where the edge ratio ends, and when a schedule freezes. */
import { describe, expect, test } from "vitest";

import {
  adam,
  createOptimizer,
  exponentialDecay,
  sgd,
  type GradientSource,
  type OptimizerOptions,
} from "../../src/index.js";
import {
  fromSource,
  edgeRatio,
  lyapunovExponent,
  lyapunovMonitor,
  type TrainingMap,
} from "../../src/stability/index.js";
import { SIZE, tanhLoss, tanhStart } from "../support/tanh-network.js";

// A network and a shared machine.

const loss = tanhLoss(150, 11);
const start = tanhStart(1);
const grads = new Float64Array(SIZE);

/** x ← x − η(t, ‖g‖) g. */
const descent =
  (rate: (t: number, n: number) => number): TrainingMap =>
  (x, t) => {
    loss(x, grads);
    const eta = rate(t, Math.hypot(...grads));
    for (let i = 0; i < SIZE; i++) x[i] -= eta * grads[i];
  };

/** Adam, whose second moments both trajectories share. */
function adamMap(eta: number): TrainingMap {
  const means = { reference: new Float64Array(SIZE), perturbed: new Float64Array(SIZE) };
  const squares = new Float64Array(SIZE);
  return (x, t, trajectory) => {
    loss(x, grads);
    const mean = means[trajectory];
    for (let i = 0; i < SIZE; i++) {
      mean[i] = 0.9 * mean[i] + 0.1 * grads[i];
      if (trajectory === "reference") squares[i] = 0.999 * squares[i] + 0.001 * grads[i] ** 2;
      const root = Math.sqrt(squares[i] / (1 - 0.999 ** t)) + 1e-8;
      x[i] -= (eta * mean[i]) / (1 - 0.9 ** t) / root;
    }
  };
}

describe("trajectories of a network", () => {
  test.each([
    ["descent at 0.1", descent(() => 0.1), "bounded"],
    ["descent at 0.4, past what its curvature bears", descent(() => 0.4), "unbounded"],
    ["Adam at 0.01", adamMap(0.01), "unbounded"],
    ["e^(−0.01 t) / (1 + ‖g‖)", descent((t, n) => Math.exp(-0.01 * t) / (1 + n)), "bounded"],
  ])("%s", async (_name, map, verdict) => {
    const { boundedness, logs } = await lyapunovExponent(map, start, { steps: 700, seed: 1 });
    expect(boundedness.verdict, `ln of the response: ${logs.at(-1)}`).toBe(verdict);
  });
});

const source: GradientSource = (params, g) => loss(params, g);

/** Edge ratios along a full-batch run, and what the monitor makes of it. */
async function train(options: OptimizerOptions, parts: number, steps = 250) {
  const optimizer = createOptimizer(Float32Array.from(start), options);
  const monitor = lyapunovMonitor();
  const ratios: number[] = [];
  for (let k = 0; k < parts; k++) {
    optimizer.minimize(source, { steps, deterministic: true, guard: null, monitors: [monitor] });
    ratios.push((await edgeRatio(optimizer, fromSource(source), { products: 12 })).ratio!);
  }
  return { ratios, report: monitor.summary() };
}

describe("the edge of a network", () => {
  test("descent at 0.4 goes there and stays: the loss falls on", async () => {
    const { ratios, report } = await train({ base: sgd({ learningRate: 0.4 }), tuner: null }, 3);
    for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
    expect(Math.abs(ratios.at(-1) - 1)).toBeLessThan(0.05);
    expect(Math.abs(report.edge! - 1)).toBeLessThan(0.05);
    expect(report.findings.map(({ code }) => code)).toContain("edge");
    expect(report.verdict, JSON.stringify(report.findings)).toBe("healthy");
  });

  test("norm-adaptive descent without decay is pinned near it, where V rises every other step or so", async () => {
    const options = { base: sgd({ learningRate: 1 }), tuner: null, normAdaptive: true };
    const { ratios, report } = await train(options, 3);
    for (const ratio of ratios) expect(ratio).toBeGreaterThan(0.9);
    expect(Math.abs(ratios.at(-1) - 1)).toBeLessThan(0.15);
    expect(report.counts.violation / report.steps).toBeGreaterThan(0.2);
    expect(["edge", "past-edge"]).toContain(report.findings[0].code);
  });

  test("with decay it leaves the edge behind and is frozen, far from a minimum", async () => {
    const learningRate = exponentialDecay({ initial: 1, rate: 0.01 });
    const { ratios, report } = await train(
      { base: sgd({ learningRate }), tuner: null, normAdaptive: true },
      3,
    );
    expect(ratios.at(-1)).toBeLessThan(0.05);
    expect(report.loss.now).toBeGreaterThan(0.01);
    expect(report.verdict, JSON.stringify(report.findings)).toBe("frozen");
    const slow = await train({ base: adam({ learningRate: 1e-4 }), tuner: null }, 1);
    expect(slow.report.verdict).toBe("healthy");
  });
});
