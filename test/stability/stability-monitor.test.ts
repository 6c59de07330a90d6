/** The Lyapunov monitor: exact cases, and runs that go wrong in a known way. */
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  exponentialDecay,
  minibatches,
  sgd,
  type GradientSource,
  type OptimizerOptions,
  type RunOptions,
} from "../../src/index.js";
import {
  lyapunovMonitor,
  lyapunovStep,
  pairedTest,
  reachBudget,
  type LyapunovMonitor,
  type StepRecord,
} from "../../src/stability/index.js";
import { seededRandom } from "../../src/sources/random.js";
import { normals } from "../../src/stability/vectors.js";
import { logistic } from "../support/logistic.js";

interface Function1 {
  loss: (x: Float64Array) => number;
  grad: (x: Float64Array) => Float64Array;
}

const quadratic = (curvatures: readonly number[]): Function1 => ({
  loss: (x) => curvatures.reduce((sum, c, i) => sum + (c * x[i] ** 2) / 2, 0),
  grad: (x) => x.map((value, i) => curvatures[i] * value),
});

/** Descent in float64, η = rate(t, ‖g‖), with the monitor fed by hand. */
function descend(
  monitor: LyapunovMonitor,
  f: Function1,
  start: readonly number[],
  rate: (t: number, n: number) => number,
  steps: number,
): { x: Float64Array; losses: number[] } {
  const x = Float64Array.from(start);
  const losses: number[] = [];
  for (let t = 1; t <= steps + 1; t++) {
    const g = f.grad(x);
    losses.push(f.loss(x));
    monitor.beforeStep({ step: t, loss: f.loss(x), params: x, grads: g });
    if (t > steps) break;
    const eta = rate(t, Math.hypot(...g));
    for (let i = 0; i < x.length; i++) x[i] -= eta * g[i];
  }
  return { x, losses };
}

const adaptive = (alpha: number) => (_t: number, n: number) => alpha / (1 + n);

describe("a step", () => {
  test("on a quadratic: ΔV = −η n² + ½ η² g'Hg, and β̂ is g'Hg / n²", () => {
    const random = seededRandom(3);
    for (let trial = 0; trial < 50; trial++) {
      const curvatures = Array.from({ length: 7 }, () => 10 * random());
      const f = quadratic(curvatures);
      const x = Float64Array.from(curvatures, () => 4 * random() - 2);
      const g = f.grad(x);
      const eta = random();
      const after = x.map((value, i) => value - eta * g[i]);
      const n2 = g.reduce((sum, v) => sum + v * v, 0);
      const gHg = g.reduce((sum, v, i) => sum + curvatures[i] * v * v, 0);
      const step = lyapunovStep(
        { loss: f.loss(x), params: x, grads: g },
        { loss: f.loss(after), params: after },
      );
      const change = -eta * n2 + (eta * eta * gHg) / 2;
      expect(Math.abs(step.change - change)).toBeLessThan(1e-14 * Math.max(eta * n2, eta * eta * gHg));
      expect(step.smoothness / (gHg / n2)).toBeCloseTo(1, 12);
      expect(step.ratio).toBeCloseTo(1 - (eta * gHg) / (2 * n2), 12);
    }
  });

  test("exact line search has ratio ½, a step to the other side 0, the flow 1", () => {
    const at = (x: number) => ({ loss: 2 * x * x, params: [x], grads: [4 * x] });
    expect(lyapunovStep(at(1), at(0)).ratio).toBe(0.5);
    expect(lyapunovStep(at(1), at(-1)).ratio).toBeCloseTo(0, 15);
    expect(lyapunovStep(at(1), at(-1)).status).toBe("stall");
    expect(lyapunovStep(at(1), at(-1)).overshoot).toBe(1);
    expect(lyapunovStep(at(1), at(1 - 1e-6)).ratio).toBeCloseTo(1, 5);
    expect(lyapunovStep(at(1), at(-1.1)).status).toBe("violation");
    expect(lyapunovStep(at(1e-9), at(0)).status).toBe("converged");
  });

  test("V along the flow: V0 exp(−2 μ α0 (1 − e^{−λt}) / λ)", () => {
    const [mu, alpha0, lambda, fine] = [0.3, 1, 0.01, 200];
    const { losses } = descend(
      lyapunovMonitor(),
      quadratic([mu]),
      [1],
      (k) => (alpha0 * Math.exp((-lambda * (k - 0.5)) / fine)) / fine,
      100 * fine,
    );
    for (const t of [1, 10, 100]) {
      const exact = (mu / 2) * Math.exp((-2 * mu * alpha0 * (1 - Math.exp(-lambda * t))) / lambda);
      expect(losses[t * fine] / exact).toBeCloseTo(1, 1);
    }
  });

  test("kinks: |x| from the left to the right of 0", () => {
    const at = (x: number) => ({ loss: Math.abs(x), params: [x], grads: [Math.sign(x)] });
    expect(lyapunovStep(at(0.05), at(-0.15)).kink).toBe(true);
    expect(lyapunovStep(at(0.25), at(0.05)).kink).toBe(false);
    expect(lyapunovStep(at(0.25), { loss: 0.05, params: [0.05] }).kink).toBeUndefined();
  });
});

describe("the two-cycle of norm-adaptive descent", () => {
  test.each([
    [1, 4],
    [1, 6],
    [0.5, 5],
    [2, 1.5],
    [1, 10],
    [1, 3],
  ])("a = %f, b = %f", (a, b) => {
    const monitor = lyapunovMonitor();
    const { x } = descend(monitor, quadratic([b]), [0.83], adaptive(a), 3000);
    const amplitude = a / 2 - 1 / b;
    expect(Math.abs(x[0])).toBeCloseTo(amplitude, 9);
    const { verdict, loss, gradNorm, counts, edge } = monitor.summary();
    expect(loss.now).toBeCloseTo((a * b - 2) ** 2 / (8 * b), 9);
    expect(gradNorm).toBeCloseTo((a * b) / 2 - 1, 9);
    expect(edge).toBeCloseTo(1, 6);
    // V does not rise, yet it is named.
    expect(counts.violation).toBeLessThan(150);
    expect(verdict).toBe("past-edge");
  });

  test("ΔV > 0 only inside it", () => {
    const [a, b] = [1, 4];
    for (const x of [0.01, 0.1, 0.24, 0.26, 0.5, 2]) {
      const f = quadratic([b]);
      const at = (y: number) => ({ loss: f.loss(Float64Array.of(y)), params: [y], grads: [b * y] });
      const next = x - (a * b * x) / (1 + b * x);
      expect(lyapunovStep(at(x), at(next)).change > 0).toBe(x < a / 2 - 1 / b);
    }
  });

  test("stiff: V stays at 28² / 240 and hardly ever rises", () => {
    const monitor = lyapunovMonitor({ window: 100 });
    const { losses } = descend(monitor, quadratic([1, 30]), [1, 1], adaptive(1), 2000);
    expect(losses.at(-1)).toBeCloseTo(28 ** 2 / 240, 3);
    const { counts, verdict, gradNorm } = monitor.summary();
    expect(counts.violation / 2000).toBeLessThan(0.1);
    expect((counts.violation + counts.stall) / 2000).toBeGreaterThan(0.95);
    expect(gradNorm).toBeCloseTo(14, 2);
    expect(verdict).toBe("past-edge");
  });

  test("a decaying rate leaves it at ln(α0 b / 2) / λ", () => {
    const [alpha0, b, lambda] = [1, 4, 0.01];
    const monitor = lyapunovMonitor();
    const { losses } = descend(
      monitor,
      quadratic([b]),
      [1],
      (t, n) => (alpha0 * Math.exp(-lambda * t)) / (1 + n),
      98,
    );
    const end = Math.log((alpha0 * b) / 2) / lambda;
    expect(end).toBeCloseTo(69.3, 1);
    expect(losses[60]).toBeGreaterThan(1e-4);
    expect(losses[98]).toBeLessThan(2e-12);
    expect(monitor.summary().verdict).toBe("healthy");
  });
});

describe("kinks", () => {
  const absolute: Function1 = { loss: (x) => Math.abs(x[0]), grad: (x) => x.map(Math.sign) };

  test("a fixed rate goes to and fro between r and η − r", () => {
    const records: StepRecord[] = [];
    const monitor = lyapunovMonitor({ onStep: (record) => records.push(record) });
    descend(monitor, absolute, [0.25], () => 0.2, 40);
    expect(records.slice(1, 5).map(({ after }) => Number(after.toFixed(9)))).toEqual([
      0.15, 0.05, 0.15, 0.05,
    ]);
    expect(records.slice(1).every(({ kink }) => kink)).toBe(true);
    expect(records.slice(1).map(({ change }) => Math.sign(change))).toEqual(
      records.slice(1).map((_, k) => (k % 2 ? -1 : 1)),
    );
    expect(monitor.summary().findings.map(({ code }) => code)).toContain("kinks");
    expect(monitor.summary().verdict).toBe("past-edge");
  });

  test("norm-adaptive descent on |x| gets S / 2 far, and is then frozen", () => {
    const schedule = { initial: 0.05, rate: 0.01 };
    const total = 0.05 / (Math.exp(0.01) - 1);
    const rate = (t: number, n: number) => (0.05 * Math.exp(-0.01 * t)) / (1 + n);
    const monitor = lyapunovMonitor({ budget: { schedule, normAdaptive: true } });
    const { x } = descend(monitor, absolute, [2.6], rate, 3000);
    expect(x[0]).toBeCloseTo(2.6 - total / 2, 9);
    expect(monitor.summary().verdict).toBe("frozen");
    const near = lyapunovMonitor({ budget: { schedule, normAdaptive: true } });
    expect(descend(near, absolute, [2.4], rate, 1500).losses.at(-1)).toBeLessThan(1e-5);
    expect(near.summary().findings.map(({ code }) => code)).not.toContain("frozen");
  });
});

describe("the reach of a schedule", () => {
  test.each([
    [1, 0.01, 0],
    [0.05, 0.01, 500],
    [2, 0.5, 3],
  ])("α0 = %f, λ = %f after %i steps", (initial, rate, step) => {
    const common = { step, gradNorm: 3, loss: 1 };
    const exact = reachBudget({ schedule: { initial, rate }, ...common, normAdaptive: true });
    expect((exact.total * (Math.exp(rate) - 1)) / initial).toBeCloseTo(1, 12);
    const next = initial * Math.exp(-rate * (step + 1));
    expect((exact.remaining * (1 - Math.exp(-rate))) / next).toBeCloseTo(1, 12);
    expect(exact.reach).toBeCloseTo((exact.remaining * 3) / 4, 12);
    expect(exact.predictedDrop).toBeCloseTo((exact.remaining * 9) / 4, 12);
    const summed = reachBudget({ schedule: exponentialDecay({ initial, rate }), steps: 5000, ...common });
    expect(summed.remaining).toBeCloseTo(exact.remaining, 9);
    expect(summed.predictedDrop).toBeCloseTo(summed.remaining * 9, 9);
  });

  test("bad options name themselves", () => {
    const fine = { schedule: { initial: 1, rate: 0.1 }, step: 0, gradNorm: 1, loss: 1 };
    expect(() => reachBudget({ ...fine, schedule: () => 1 })).toThrow("reachBudget.steps");
    expect(() => reachBudget({ ...fine, gradNorm: NaN })).toThrow("reachBudget.gradNorm");
    expect(() => lyapunovMonitor({ window: 1 })).toThrow("lyapunovMonitor.window");
    expect(() => lyapunovMonitor({ widow: 1 } as object)).toThrow("lyapunovMonitor: unknown option");
    const schedule = { initial: 1, rate: 0.1 };
    const budget = (changes: object) => ({ budget: { schedule, ...changes } });
    expect(() => lyapunovMonitor(budget({ floor: NaN }))).toThrow("lyapunovMonitor.budget.floor");
    expect(() => lyapunovMonitor(budget({ normAdaptive: 1 }))).toThrow("lyapunovMonitor.budget.normAdaptive");
    const options = { window: 10 };
    const monitor = lyapunovMonitor(options);
    options.window = -1;
    expect(() => monitor.reset()).not.toThrow();
  });
});

/** A run of an optimizer, as its user writes it. */
function verdictOf(
  source: GradientSource,
  start: readonly number[],
  options: OptimizerOptions,
  run: RunOptions,
  monitor = lyapunovMonitor(),
) {
  try {
    createOptimizer(start, options).minimize(source, { monitors: [monitor], ...run });
  } catch {
    // The report says why.
  }
  return monitor.summary();
}

const bowl: GradientSource = ([x, y], g) => {
  g.set([x, 10 * y]);
  return (x * x + 10 * y * y) / 2;
};
const rosenbrock: GradientSource = ([x, y], g) => {
  g.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]);
  return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
};
const plain = (learningRate: OptimizerOptions["base"]) => ({ base: learningRate, tuner: null });
const free: RunOptions = { steps: 300, deterministic: true, guard: null };

describe("runs that go well", () => {
  const runs: [string, GradientSource, readonly number[], OptimizerOptions, RunOptions][] = [
    ["descent", bowl, [1, 1], plain(sgd({ learningRate: 0.1 })), free],
    ["slow descent", bowl, [1, 1], plain(sgd({ learningRate: 0.001 })), free],
    ["momentum", bowl, [1, 1], plain(sgd({ learningRate: 0.02, momentum: 0.9 })), free],
    ["Adam", bowl, [1, 1], plain(adam({ learningRate: 0.01 })), free],
    ["the default", bowl, [1, 1], {}, { steps: 300, deterministic: true }],
    ["the default, unguarded", bowl, [1, 1], {}, free],
    ["the default on Rosenbrock", rosenbrock, [-1.2, 1], {}, { steps: 600, deterministic: true }],
    [
      "a decaying rate that suffices",
      bowl,
      [1, 1],
      plain(sgd({ learningRate: exponentialDecay({ initial: 0.1, rate: 0.01 }) })),
      { ...free, steps: 1000 },
    ],
  ];
  test.each(runs)("%s", (_name, source, start, options, run) => {
    const { verdict, findings } = verdictOf(source, start, options, run);
    expect(verdict, JSON.stringify(findings)).toBe("healthy");
  });
});

describe("runs that go wrong", () => {
  test.each([0.205, 0.25, 0.5, 10, 1e6])("past the edge: η = %f where 0.2 is the edge", (learningRate) => {
    const report = verdictOf(bowl, [1, 1], plain(sgd({ learningRate })), free);
    expect(report.verdict, JSON.stringify(report.findings)).toBe("past-edge");
    expect(report.findings.map(({ code }) => code)).toContain("diverging");
  });

  test("past the edge in a ravine", () => {
    const report = verdictOf(rosenbrock, [-1.2, 1], plain(sgd({ learningRate: 0.01 })), free);
    expect(report.verdict, JSON.stringify(report.findings)).toBe("past-edge");
  });

  test("NaN in the midst of a good run", () => {
    const source: GradientSource = (x, g, step) => (step === 57 ? NaN : bowl(x, g, step));
    const report = verdictOf(source, [1, 1], plain(sgd({ learningRate: 0.1 })), free);
    expect(report.verdict).toBe("non-finite");
    expect(report.findings[0]).toMatchObject({ step: 57, severity: "problem" });
    const spoilt: GradientSource = (x, g, step) => {
      const loss = bowl(x, g, step);
      if (step === 20) g[1] = Infinity;
      return loss;
    };
    expect(verdictOf(spoilt, [1, 1], {}, { steps: 100 }).findings[0]).toMatchObject({
      code: "non-finite",
      step: 20,
    });
    const skipping = verdictOf(spoilt, [1, 1], { nonFinite: "skip" }, { steps: 100 });
    expect(skipping.findings[0]).toMatchObject({ code: "non-finite", step: 20 });
  });

  test.each([false, true])(
    "a schedule that froze, norm-adaptive %s, known from the rates alone",
    (normAdaptive) => {
      const learningRate = exponentialDecay({ initial: 0.02, rate: 0.05 });
      const options = { ...plain(sgd({ learningRate })), normAdaptive };
      const report = verdictOf(bowl, [3, 1], options, { ...free, steps: 200 });
      expect(report.verdict, JSON.stringify(report.findings)).toBe("frozen");
      expect(report.findings[0].message).toMatch(/^schedule frozen: Σα left is /);
    },
  );

  test.each([0.9, 0.95, 0.99])("momentum %f swings, and is not past the edge below it", (momentum) => {
    const hill: GradientSource = ([x], g) => {
      g[0] = x;
      return (x * x) / 2;
    };
    // The edge of ½ x² is a rate of 2 (1 + β).
    for (const share of [0.001, 0.01, 0.026, 0.1, 0.3, 0.6, 0.9]) {
      const learningRate = 2 * (1 + momentum) * share;
      for (const steps of [30, 100, 300]) {
        const options = plain(sgd({ learningRate, momentum }));
        const { verdict, findings } = verdictOf(hill, [1], options, { ...free, steps });
        expect(verdict, JSON.stringify({ share, steps, findings })).toBe("healthy");
      }
    }
    const beyond = plain(sgd({ learningRate: 2.1 * (1 + momentum), momentum }));
    expect(verdictOf(hill, [1], beyond, free).verdict).toBe("past-edge");
  });

  test("a rate of 0 is named, and so is one far too small", () => {
    for (const base of [sgd({ learningRate: 0 }), adam({ learningRate: 0 }), sgd({ learningRate: 1e-7 })]) {
      for (const deterministic of [true, false]) {
        const report = verdictOf(bowl, [3, 1], plain(base), { ...free, deterministic });
        expect(report.verdict, JSON.stringify(report.findings)).toBe("rate-too-small");
      }
    }
    const stays = verdictOf(bowl, [3, 1], { base: adam({ learningRate: 0 }) }, free);
    expect(stays.findings[0].message).toContain("x does not move: the learning rate is 0");
  });

  test("fine-tuning from a minimum in minibatches does not diverge", () => {
    for (let seed = 0; seed < 60; seed++) {
      const noise = normals(seed);
      const source: GradientSource = (x, g) => {
        for (let i = 0; i < g.length; i++) g[i] = x[i] + noise();
        return 1 + x.reduce((sum, v) => sum + v * v, 0) / 2 + 0.3 * Math.abs(noise()) ** 3;
      };
      for (const base of [sgd({ learningRate: 0.01 }), adam({ learningRate: 0.001 })]) {
        const report = verdictOf(source, Array<number>(20).fill(0), plain(base), { steps: 400 });
        expect(report.verdict, JSON.stringify(report.findings)).toBe("healthy");
      }
    }
  });

  test("a constant rate freezes nothing", () => {
    expect(verdictOf(bowl, [3, 1], plain(sgd({ learningRate: 1e-4 })), free).verdict).toBe("healthy");
  });
});

describe("policies", () => {
  const steep = plain(sgd({ learningRate: 1 }));
  const cyclic: OptimizerOptions = { ...steep, normAdaptive: true };
  const stiff: GradientSource = ([x, y], g) => {
    g.set([x, 30 * y]);
    return (x * x + 30 * y * y) / 2;
  };
  const solve = (policy: Parameters<LyapunovMonitor["policy"]>[0], options = cyclic, level?: number) => {
    const monitor = lyapunovMonitor();
    const run = { steps: 500, deterministic: true, ...monitor.policy(policy, { level }) };
    const solution = createOptimizer([1, 1], options).minimize(stiff, run);
    return { solution, report: monitor.summary() };
  };

  test("warn leaves the cycle as it is; shrink and reject leave it behind", () => {
    expect(solve("warn").solution.loss).toBeCloseTo(28 ** 2 / 240, 2);
    expect(solve("shrink").solution.loss).toBeLessThan(solve("warn").solution.loss);
    const { solution, report } = solve("reject");
    expect(solution.loss).toBeLessThan(1e-6);
    expect(solution.rejections).toBe(report.rejections);
    expect(report.rejections).toBeGreaterThan(0);
  });

  test("a policy asked for before a reset judges by what is seen after it", () => {
    const monitor = lyapunovMonitor();
    const run = { steps: 500, deterministic: true, ...monitor.policy("reject") };
    monitor.reset();
    // On the cycle V does not rise: only the gradient of the step's start tells that it stalls.
    expect(createOptimizer([1, 1], cyclic).minimize(stiff, run).loss).toBeLessThan(1e-6);
    expect(monitor.summary().rejections).toBeGreaterThan(0);
  });

  test("guard lets V rise, but not above the largest of the last ten", () => {
    const losses: number[] = [];
    const monitor = lyapunovMonitor({ memory: 10 });
    createOptimizer([-1.2, 1], { base: sgd({ learningRate: 0.01 }), tuner: null }).minimize(rosenbrock, {
      steps: 400,
      deterministic: true,
      guard: monitor.policy("guard").guard,
      monitors: [monitor, ({ loss }) => losses.push(loss)],
    });
    const rises = losses.filter((loss, k) => k > 0 && loss > losses[k - 1]);
    expect(rises.length).toBeGreaterThan(0);
    losses.forEach((loss, k) => {
      if (k > 0)
        expect(loss).toBeLessThanOrEqual(Math.max(...losses.slice(Math.max(0, k - 10), k)) * (1 + 1e-5));
    });
  });

  test("flood keeps the loss above its level", () => {
    const { solution } = solve("flood", plain(sgd({ learningRate: 0.01 })), 0.01);
    expect(solution.loss).toBeCloseTo(0.01, 4);
    expect(() => lyapunovMonitor().policy("flood")).toThrow("policy.level");
  });

  test("reject takes NaN back and goes on with a shorter step", () => {
    const cliff: GradientSource = ([x], g) => {
      g[0] = 1 - 1 / x;
      return x - Math.log(x);
    };
    const run = { steps: 200, deterministic: true, ...lyapunovMonitor().policy("reject") };
    const optimizer = createOptimizer([3], plain(sgd({ learningRate: 5 })));
    expect(optimizer.minimize(cliff, run).loss).toBeCloseTo(1, 6);
  });
});

/** Softmax regression on five clusters that do not overlap, some of the labels drawn at random. */
function clusters(seed: number, wrong: number, classes = 5, width = 20, examples = 600) {
  const [normal, random] = [normals(seed), seededRandom(seed + 99)];
  const centres = Array.from({ length: classes * width }, () => 1.2 * normal());
  const labels = Array.from({ length: examples }, (_, k) =>
    random() < wrong ? Math.floor(classes * random()) : k % classes,
  );
  const xs = labels.map((_, k) =>
    Array.from({ length: width }, (_, i) => centres[(k % classes) * width + i] + normal()),
  );
  const chances = (w: Float32Array, x: number[]) => {
    const logits = Array.from({ length: classes }, (_, c) =>
      x.reduce((sum, v, i) => sum + v * w[c * width + i], 0),
    );
    const shift = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - shift));
    const total = powers.reduce((a, b) => a + b);
    return powers.map((p) => p / total);
  };
  const loss = (w: Float32Array, k: number) => -Math.log(chances(w, xs[k])[labels[k]]);
  const batch = minibatches({ examples, batchSize: 32, seed }, (w, g, indices) => {
    g.fill(0);
    let sum = 0;
    for (const k of indices) {
      sum += loss(w, k) / indices.length;
      chances(w, xs[k]).forEach((p, c) => {
        const slope = (p - Number(c === labels[k])) / indices.length;
        xs[k].forEach((x, i) => (g[c * width + i] += slope * x));
      });
    }
    return sum;
  });
  const losses = (w: Float32Array) => Array.from({ length: 300 }, (_, k) => loss(w, k));
  return { batch, losses, size: classes * width };
}

describe("minibatches", () => {
  test("a fixed probe hardly ever gives a false alarm, where the next batch's loss gives one in every second step", () => {
    let tests = 0;
    let alarms = 0;
    let naive = 0;
    for (let seed = 0; seed < 25; seed++) {
      const { batch, losses, size } = logistic(seed);
      const monitor = lyapunovMonitor({ probe: { losses } });
      const seen: number[] = [];
      createOptimizer(size, plain(sgd({ learningRate: 0.05 }))).minimize(batch, {
        steps: 300,
        monitors: [monitor, ({ loss }) => seen.push(loss)],
      });
      const { probe, findings } = monitor.summary();
      tests += probe!.tests;
      alarms += probe!.alarms;
      naive += seen.filter((loss, k) => k > 0 && loss > seen[k - 1]).length / 299;
      // These classes overlap, which looks like label noise.
      expect(
        findings.map(({ code }) => code).filter((code) => !["label-noise", "noise"].includes(code)),
      ).toEqual([]);
    }
    expect(tests).toBe(25 * 30);
    expect(alarms / tests).toBeLessThan(0.01);
    expect(naive / 25).toBeGreaterThan(0.4);
  });

  test("shrink by the probe brings back a rate that is too high", () => {
    for (let seed = 0; seed < 5; seed++) {
      const { batch, losses, size } = logistic(seed);
      const monitor = lyapunovMonitor({ probe: { losses, every: 2 } });
      const optimizer = createOptimizer(size, plain(sgd({ learningRate: 30 })));
      const { violations } = optimizer.minimize(batch, { steps: 400, ...monitor.policy("shrink") });
      expect(violations).toBe(monitor.summary().probe!.alarms);
      expect(optimizer.learningRate).toBeLessThan(30);
    }
  });

  test.each([0, 0.25, 0.35, 0.5])("wrong labels, a share of %f", (wrong) => {
    const named = Array.from({ length: 5 }, (_, seed) => {
      const { batch, losses, size } = clusters(seed, wrong);
      const monitor = lyapunovMonitor({ probe: { losses } });
      createOptimizer(size, plain(sgd({ learningRate: 0.1 }))).minimize(batch, {
        steps: 400,
        monitors: [monitor],
      });
      return monitor.summary().verdict;
    });
    expect(named).toEqual(Array(5).fill(wrong === 0 ? "healthy" : "label-noise"));
  });

  test("same-batch measurements, where a guard asks for them", () => {
    const { batch, size } = logistic(2);
    const monitor = lyapunovMonitor();
    createOptimizer(size, plain(sgd({ learningRate: 0.05 }))).minimize(batch, {
      steps: 100,
      ...monitor.policy("warn"),
    });
    const { objective, counts, edge, verdict } = monitor.summary();
    expect(objective).toBe("sameBatch");
    expect(counts.ok).toBe(100);
    expect(edge).toBeLessThan(0.2);
    expect(verdict).toBe("healthy");
  });

  test("divergence without a guard or a probe", () => {
    const noise = normals(5);
    const source: GradientSource = ([x, y], g) => {
      g.set([x + 0.3 * noise(), 10 * y + 0.3 * noise()]);
      return (x * x + 10 * y * y) / 2 + 0.1 * noise();
    };
    const bad = verdictOf(source, [1, 1], plain(sgd({ learningRate: 0.22 })), { steps: 60 });
    expect(bad.verdict, JSON.stringify(bad.findings)).toBe("past-edge");
    const good = verdictOf(source, [1, 1], plain(sgd({ learningRate: 0.05 })), { steps: 60 });
    expect(good.verdict, JSON.stringify(good.findings)).toBe("healthy");
  });

  test("noise that dominates, and the share of signal", () => {
    const noise = normals(7);
    const source: GradientSource = (x, g) => {
      for (let i = 0; i < g.length; i++) g[i] = x[i] + noise();
      return x.reduce((sum, v) => sum + v * v, 0) / 2 + noise();
    };
    const start = Array.from({ length: 20 }, () => 1);
    const report = verdictOf(source, start, plain(sgd({ learningRate: 0.1 })), { steps: 400 });
    expect(
      report.findings.map(({ code }) => code),
      JSON.stringify(report),
    ).toContain("noise");
    expect(report.signalShare).toBeLessThan(0.06);
    expect(report.verdict).toBe("healthy");
    const still = lyapunovMonitor({ objective: "batch" });
    for (let step = 1; step <= 300; step++) {
      const grads = Float64Array.from({ length: 50 }, () => 1 + noise());
      still.beforeStep({ step, loss: 1, params: new Float64Array(50), grads });
    }
    // ‖ḡ‖² = 50, tr Σ = 50
    expect(still.summary().signalShare).toBeCloseTo(0.5, 1);
  });
});

describe("the paired test", () => {
  test("sees a rise that the spread between examples hides", () => {
    const normal = normals(3);
    const before = Array.from({ length: 256 }, () => 5 * Math.abs(normal()));
    const after = before.map((loss) => loss + 0.05 + 0.1 * normal());
    const { mean, error, risen } = pairedTest(before, after);
    expect(mean).toBeCloseTo(0.05, 1);
    expect(error).toBeCloseTo(0.1 / 16, 2);
    expect(risen).toBe(true);
    expect(pairedTest(before, before).risen).toBe(false);
    expect(pairedTest([1, 2], [NaN, 2]).risen).toBe(true);
    expect(() => pairedTest([1, 2], [1])).toThrow("pairedTest(after)");
  });
});
