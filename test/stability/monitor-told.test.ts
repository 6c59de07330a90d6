/** Large networks, of which few steps are measured: what the other steps tell of their tensors is looked at, too. */
import { describe, expect, test } from "vitest";
import { createOptimizer, sgd, type GradientSource, type RunInfo } from "../../src/index.js";
import { lyapunovMonitor, type LyapunovMonitor } from "../../src/stability/index.js";

const HALF = 10_000;
const tensors = ["w", "v"].map((name) => ({
  name,
  shape: [100, 100],
  values: new Float32Array(HALF).fill(1),
}));

/** Half a squared distance to 0; from step `from` on the gradient of w is forgotten. */
const bowl = (from: number): GradientSource => {
  return (x, grads, step) => {
    grads.set(x);
    if (step >= from) grads.fill(0, 0, HALF);
    return x.reduce((sum, value) => sum + value * value, 0) / 2 + 1;
  };
};

const make = () => createOptimizer(tensors, { base: sgd({ learningRate: 0.001 }), tuner: null });

/** Of so many parameters steps 1 to 8 are measured, and then 160 and 161. */
function runTo(steps: number, monitor: LyapunovMonitor, from: number, watches = true): string[] {
  const seen: { told: number; info: RunInfo[] } = { told: 0, info: [] };
  const counter = ({ tensors }: RunInfo) => void (seen.told += tensors ? 1 : 0);
  const mute = {
    beforeStep: monitor.beforeStep.bind(monitor),
    afterStep: monitor.afterStep.bind(monitor),
  };
  const monitors = [watches ? monitor : mute, counter];
  make().minimize(bowl(from), { steps, deterministic: true, guard: null, monitors });
  expect(seen.told).toBe(watches ? Math.floor(steps / 5) - 1 : 0);
  return monitor.summary().findings.map(({ message }) => message);
}

describe("a layer of 10 000 that is cut off at step 9", () => {
  test("is named by step 150", () => {
    const monitor = lyapunovMonitor();
    const [message] = runTo(150, monitor, 9);
    expect(monitor.summary().verdict).toBe("layer-not-learning");
    expect(message).toContain("w stays as it is");
  });

  test("is not by the measured steps alone", () => {
    const monitor = lyapunovMonitor();
    runTo(150, monitor, 9, false);
    expect(monitor.summary().verdict).toBe("healthy");
  });

  test("is named in a loop by hand as well", () => {
    const monitor = lyapunovMonitor();
    const optimizer = make();
    const source = bowl(9);
    for (let step = 1; step <= 150; step++) {
      const { params, grads, tensors, config } = optimizer;
      const loss = source(params, grads, step);
      monitor.beforeStep({ step, loss, params, grads, tensors, config });
      const info = optimizer.step(undefined, { tensors: monitor.watches(step) });
      const none = { lossAfter: undefined, violated: false, rejections: 0, projected: false };
      monitor.afterStep({ ...info, ...none, loss, evaluations: step });
    }
    expect(monitor.summary().verdict).toBe("layer-not-learning");
  });
});

test("a network that learns is healthy", () => {
  const monitor = lyapunovMonitor();
  runTo(150, monitor, Infinity);
  expect(monitor.summary().verdict).toBe("healthy");
});

test("steps that are measured, vectors without tensors and small networks are not asked", () => {
  const monitor = lyapunovMonitor();
  const start = { step: 1, loss: 1, grads: new Float32Array(2 * HALF).fill(1) };
  const asked = (optimizer: ReturnType<typeof make>, grads = start.grads) => {
    const { params, tensors, config } = optimizer;
    monitor.reset();
    monitor.beforeStep({ ...start, params, grads, tensors, config });
    monitor.beforeStep({ ...start, step: 10, params, grads, tensors, config });
    return [9, 10, 11].map((step) => monitor.watches(step));
  };
  expect(asked(make())).toEqual([false, true, false]);
  expect(asked(createOptimizer(2 * HALF))).toEqual([false, false, false]);
  const small = createOptimizer([{ shape: [1] }, { shape: [1] }]);
  expect(asked(small, new Float32Array(2).fill(1))).toEqual([false, false, false]);
});
