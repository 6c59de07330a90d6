/** The dynamic cost: every formula against finite differences and its closed form. */
import { describe, expect, test } from "vitest";
import {
  adam,
  constant,
  createOptimizer,
  scheduleFree,
  sgd,
  warmup,
  type GradientSource,
  type Guard,
  type RunMonitor,
} from "../../src/index.js";
import {
  classWeights,
  confidence,
  dynamicCost,
  earlyLearning,
  fixedTrust,
  focal,
  gammaDecay,
  gce,
  huber,
  none,
  proximal,
  softmaxCrossEntropy,
  softThreshold,
  trimmed,
  type DynamicCostOptions,
  type PerSampleSource,
  type Robust,
} from "../../src/objective/index.js";
import { normals } from "../../src/stability/vectors.js";

const slope = (f: (x: number) => number, x: number, step = 1e-6) => (f(x + step) - f(x - step)) / (2 * step);

const menu: Record<string, Robust> = {
  none: none(),
  fixedTrust: fixedTrust([0.5, 0.25, 2, 1]),
  gce: gce({ q: 0.7 }),
  "gce, q = 1": gce({ q: 1 }),
  "confidence, differentiated": confidence({ q: 0.7, detached: false }),
  huber: huber({ delta: 0.8 }),
  focal: focal(),
  "focal, γ = 1": focal({ gamma: 1 }),
};

describe("ρ", () => {
  test.each(Object.entries(menu))("%s: its factor is the slope of its cost", (_name, robust) => {
    for (const loss of [0.05, 0.2, 0.31, 0.33, 1, 2.5, 6])
      expect(Math.abs(robust.factor(loss, 1) - slope((x) => robust.cost(x, 1), loss))).toBeLessThan(2e-9);
  });

  test("GCE has the gradient of the detached ρ = p^q; differentiated it changes its sign at p = e^{−1/q}", () => {
    for (const q of [0.1, 0.7, 1]) {
      for (const loss of [0.1, 1, 3]) {
        expect(gce({ q }).factor(loss, 0)).toBe(confidence({ q }).factor(loss, 0));
        const p = Math.exp(-loss);
        expect(gce({ q }).cost(loss, 0)).toBeCloseTo((1 - p ** q) / q, 12);
        const whole = confidence({ q, detached: false }).factor(loss, 0);
        expect(whole).toBeCloseTo(p ** q * (1 + q * Math.log(p)), 12);
        expect(Math.sign(whole)).toBe(Math.sign(p - Math.exp(-1 / q)));
      }
    }
    expect(Math.exp(-1 / 0.7)).toBeCloseTo(0.2397, 4);
    expect(gce({ q: 1e-6 }).cost(2, 0)).toBeCloseTo(2, 5);
  });

  test("trimming keeps the smallest losses, ties included", () => {
    const robust = trimmed({ keep: 0.6 });
    robust.prepare!(Float64Array.of(5, 1, 4, 2, 3));
    expect([5, 1, 4, 2, 3].map((loss) => robust.factor(loss, 0))).toEqual([0, 1, 0, 1, 1]);
    expect(robust.cost(4, 0)).toBe(0);
  });

  test("focal goes the other way: it counts hard examples more than easy ones", () => {
    expect(focal().factor(3, 0) / focal().factor(0.1, 0)).toBeGreaterThan(10);
    expect(gce().factor(3, 0) / gce().factor(0.1, 0)).toBeLessThan(0.2);
  });
});

describe("ρ in closed form", () => {
  test("Huber is min(1, δ / |r|), focal (1 − p)^γ, GCE p^q, and C^{−q} at the start", () => {
    for (const r of [0, 0.1, 0.8, 0.9, 5]) {
      const weight = r === 0 ? 1 : Math.min(1, 0.8 / r);
      expect(huber({ delta: 0.8 }).factor((r * r) / 2, 0)).toBeCloseTo(weight, 12);
    }
    for (const p of [0.01, 0.3, 0.9])
      expect(focal({ gamma: 2 }).cost(-Math.log(p), 0)).toBeCloseTo((1 - p) ** 2 * -Math.log(p), 12);
    for (const [classes, q] of [
      [2, 0.7],
      [10, 0.7],
      [1000, 0.3],
    ]) {
      const { grads } = softmaxCrossEntropy(new Float64Array(classes), [0], classes, { robust: gce({ q }) });
      // p = 1 / C for each class: f (p − 1) at the label.
      expect(grads[0] / (1 / classes - 1)).toBeCloseTo(classes ** -q, 12);
    }
  });

  test("an example learnt to the last digit has a factor, whatever the exponent", () => {
    for (const gamma of [0, 0.5, 1, 2]) expect(focal({ gamma }).factor(0, 0)).toBe(gamma === 0 ? 1 : 0);
    for (const robust of [gce(), confidence({ detached: false }), huber({ delta: 1 })])
      expect(robust.factor(0, 0)).toBe(1);
  });
});

describe("class weights", () => {
  test.each([[[30, 10]], [[5, 5, 5]], [[1, 1000, 10]]])(
    "of %j have a mean of 1 over the examples",
    (counts) => {
      const total = counts.reduce((a, b) => a + b);
      for (const scheme of ["inverse", "effective"] as const) {
        const weights = classWeights(counts, { scheme });
        expect(counts.reduce((sum, n, c) => sum + n * weights[c], 0) / total).toBeCloseTo(1, 12);
      }
      Array.from(classWeights(counts)).forEach((w, c) =>
        expect(w).toBeCloseTo(total / (counts.length * counts[c]), 12),
      );
      const [a, b] = classWeights(counts, { scheme: "effective", beta: 0.9 });
      expect(a / b).toBeCloseTo((1 - 0.9 ** counts[1]) / (1 - 0.9 ** counts[0]), 9);
    },
  );

  test("b → 0 weighs nothing, b → 1 is the inverse", () => {
    const counts = [20, 60];
    expect(Array.from(classWeights(counts, { scheme: "effective", beta: 0 }))).toEqual([1, 1]);
    const near = classWeights(counts, { scheme: "effective", beta: 1 - 1e-9 });
    expect(near[0]).toBeCloseTo(classWeights(counts)[0], 6);
    expect(() => classWeights([3, 0])).toThrow("classWeights(counts)[1]");
  });
});

describe("softmax cross-entropy", () => {
  const [count, classes] = [6, 4];
  const normal = normals(2);
  const logits = Float64Array.from({ length: count * classes }, () => 3 * normal());
  const labels = [0, 3, 1, 1, 2, 0];

  test.each(Object.entries(menu))("%s: ∂J/∂z against differences", (_name, robust) => {
    const options = { robust, classWeights: [0.5, 2, 1, 0.7], gamma: 1.7, indices: [3, 2, 1, 0, 3, 2] };
    const { grads } = softmaxCrossEntropy(logits, labels, classes, options);
    grads.forEach((g, k) => {
      const at = (z: number) => {
        const moved = logits.slice();
        moved[k] = z;
        return softmaxCrossEntropy(moved, labels, classes, options).loss;
      };
      expect(Math.abs(g - slope(at, logits[k], 1e-5))).toBeLessThan(1e-9);
    });
  });

  test("the cost is divided by N, not by the sum of the weights", () => {
    const weights = [0.5, 2, 1, 0.7];
    const at = (k: number) =>
      softmaxCrossEntropy(logits.subarray(k * classes, (k + 1) * classes), [labels[k]], classes).loss;
    const sum = labels.reduce((total, y, k) => total + weights[y] * at(k), 0);
    const { loss } = softmaxCrossEntropy(logits, labels, classes, { classWeights: weights });
    expect(loss).toBeCloseTo(sum / count, 12);
    expect(Math.abs(loss - sum / labels.reduce((total, y) => total + weights[y], 0))).toBeGreaterThan(0.01);
  });

  test("logits of a thousand do not overflow", () => {
    const { loss, grads } = softmaxCrossEntropy([1000, 0, 0, -1000], [1, 1], 2);
    expect(loss).toBe(1000);
    expect(Array.from(grads)).toEqual([0.5, -0.5, 0.5, -0.5]);
    expect(() => softmaxCrossEntropy([0, 0], [2], 2)).toThrow("softmaxCrossEntropy(labels)[0]");
  });

  test("early-learning regularisation against differences, its target held still", () => {
    const softmax = (z: ArrayLike<number>) => {
      const powers = Array.from(z, Math.exp);
      const sum = powers.reduce((a, b) => a + b);
      return powers.map((p) => p / sum);
    };
    const z = [0.3, -0.2, 0.9];
    const target = [0.2, 0.5, 0.3];
    const elr = earlyLearning({ examples: 2, classes: 3, lambda: 2, beta: 0 });
    // With β = 0 the target is p itself; its gradient still leaves it alone.
    const grads = new Float64Array(3);
    const p = softmax(z);
    expect(elr.add([1], p, grads)).toBeCloseTo(2 * Math.log(1 - p.reduce((sum, v) => sum + v * v, 0)), 12);
    const cost = (logits: readonly number[], t: readonly number[]) =>
      2 * Math.log(1 - softmax(logits).reduce((sum, v, c) => sum + v * t[c], 0));
    grads.forEach((g, k) => {
      const at = (value: number) =>
        cost(
          z.map((v, c) => (c === k ? value : v)),
          p,
        );
      expect(g).toBeCloseTo(slope(at, z[k]), 7);
    });
    expect(cost(z, target)).toBeLessThan(0);
  });

  test.each([0.3, 0.7, 0.9])("early-learning targets fade with β = %f, each example its own", (beta) => {
    const [lambda, examples] = [3, 3];
    const elr = earlyLearning({ examples, classes, lambda, beta });
    const targets = Array.from({ length: examples }, () => new Array<number>(classes).fill(0));
    const softmax = (z: readonly number[]) => {
      const powers = z.map(Math.exp);
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    };
    const cost = (z: readonly number[], t: readonly number[]) =>
      lambda * Math.log(1 - softmax(z).reduce((sum, p, c) => sum + p * t[c], 0));
    // Examples come in another order each time, and not all of them.
    for (const indices of [
      [0, 1],
      [2, 0],
      [1, 2],
      [0, 1],
      [0, 2],
    ]) {
      // prettier-ignore
      const z = indices.map(() => Array.from({ length: classes }, normal));
      const grads = new Float64Array(indices.length * classes);
      const value = elr.add(indices, z.flatMap(softmax), grads);
      let sum = 0;
      indices.forEach((index, i) => {
        targets[index] = targets[index].map((t, c) => beta * t + (1 - beta) * softmax(z[i])[c]);
        sum += cost(z[i], targets[index]) / indices.length;
        for (let c = 0; c < classes; c++) {
          const at = (v: number) =>
            cost(
              z[i].map((value, k) => (k === c ? v : value)),
              targets[index],
            ) / indices.length;
          expect(grads[i * classes + c]).toBeCloseTo(slope(at, z[i][c]), 7);
        }
      });
      expect(value).toBeCloseTo(sum, 12);
    }
  });

  test("for chances that stay, t = (1 − βᵏ) p after k times", () => {
    const [p, lambda, beta] = [[0.7, 0.2, 0.1], 2, 0.8];
    const elr = earlyLearning({ examples: 1, classes: 3, lambda, beta });
    const square = p.reduce((sum, v) => sum + v * v, 0);
    for (let k = 1; k <= 40; k++) {
      const value = elr.add([0], p, new Float64Array(3));
      expect(value).toBeCloseTo(lambda * Math.log(1 - (1 - beta ** k) * square), 12);
    }
  });
});

/** Per-example least squares: ℓ_i = ½ (a_i·x − b_i)². */
function leastSquares(seed: number, count = 12, size = 3) {
  const normal = normals(seed);
  const a = Array.from({ length: count }, () => Array.from({ length: size }, normal));
  const b = Array.from({ length: count }, normal);
  const residual = (x: ArrayLike<number>, i: number) => a[i].reduce((sum, v, k) => sum + v * x[k], 0) - b[i];
  const model: PerSampleSource = {
    losses: (x) => b.map((_, i) => residual(x, i) ** 2 / 2),
    backward(x, grads, factors) {
      grads.fill(0);
      factors.forEach((f, i) => a[i].forEach((v, k) => (grads[k] += f * residual(x, i) * v)));
    },
  };
  return { model, labels: b.map((_, i) => i % 3), size };
}

describe("the dynamic cost", () => {
  const { model, labels } = leastSquares(1);
  const weighted = { classWeights: [0.5, 1, 1.5], labels };
  const cases: Record<string, DynamicCostOptions> = {
    plain: {},
    weighted,
    "weighted, GCE, L1 and L2": { ...weighted, robust: gce(), l1: 0.1, l2: 0.3 },
    "γ on the data": { gamma: gammaDecay({ kappa: 1, delta: 0.1 }), gammaScope: "data", l2: 0.2, l1: 0.05 },
    differentiated: { robust: confidence({ detached: false }) },
    huber: { robust: huber({ delta: 0.5 }), l2: 0.1 },
  };
  const at = [0.7, -0.4, 0.2];

  test.each(Object.entries(cases))("%s: its gradient against differences", (_name, options) => {
    const source = dynamicCost(model, options);
    // Float64 arrays show more digits than the types allow.
    const loss = (x: number[]) => source(Float64Array.from(x) as never, new Float64Array(3) as never, 4);
    const grads = new Float64Array(3);
    source(Float64Array.from(at) as never, grads as never, 4);
    grads.forEach((g, k) => {
      const along = (value: number) => loss(at.map((v, i) => (i === k ? value : v)));
      expect(Math.abs(g - slope(along, at[k], 1e-5))).toBeLessThan(1e-8);
    });
  });

  test("γ over all scales the gradient, and not the loss that is returned", () => {
    const [plain, scaled] = [{ l2: 0.1 }, { l2: 0.1, gamma: gammaDecay({ kappa: 1, delta: 0.1 }) }].map(
      (options) => {
        const grads = new Float32Array(3);
        return { loss: dynamicCost(model, options)(Float32Array.from(at), grads, 5), grads };
      },
    );
    expect(scaled.loss).toBe(plain.loss);
    scaled.grads.forEach((g, k) => expect(g / plain.grads[k]).toBeCloseTo(1 + Math.exp(-0.5), 6));
    const gamma = gammaDecay({ kappa: 1, delta: 0.1 });
    expect([0, 5, 10, 50].map((t) => Number(gamma(t).toFixed(3)))).toEqual([2, 1.607, 1.368, 1.007]);
  });

  test("γ over all is a rate γ times as large; Adam hardly sees a constant one", () => {
    const gamma = gammaDecay({ kappa: 1, delta: 0.05 });
    const plain = dynamicCost(model, { l2: 0.1 });
    const run = (source: GradientSource, learningRate: (step: number) => number) => {
      const optimizer = createOptimizer(at, { base: sgd({ learningRate }), tuner: null });
      optimizer.minimize(source, { steps: 50 });
      return optimizer.params;
    };
    const [one, other] = [
      run(dynamicCost(model, { l2: 0.1, gamma }), () => 0.1),
      run(plain, (step) => 0.1 * gamma(step)),
    ];
    one.forEach((x, i) => expect(x).toBeCloseTo(other[i], 5));
    const withAdam = (source: GradientSource) => {
      const optimizer = createOptimizer(at, { base: adam({ learningRate: 0.01 }), tuner: null });
      optimizer.minimize(source, { steps: 50 });
      return optimizer.params;
    };
    const [a, b] = [withAdam(plain), withAdam(dynamicCost(model, { l2: 0.1, gamma: () => 3 }))];
    a.forEach((x, i) => expect(x).toBeCloseTo(b[i], 5));
  });

  test("norm-adaptive descent undoes γ in part: its step is γ (1 + n) / (1 + γ n) as long, and less than α", () => {
    const gamma = 5;
    const [learningRate, grads] = [0.3, new Float32Array(3)];
    dynamicCost(model)(Float32Array.from(at), grads, 1);
    const n = Math.hypot(...grads);
    const lengthOf = (normAdaptive: boolean, factor: number) => {
      const base = sgd({ learningRate: warmup(constant(learningRate), 4) });
      const optimizer = createOptimizer(at, { base, tuner: null, normAdaptive });
      optimizer.minimize(dynamicCost(model, { gamma: () => factor }), { steps: 1 });
      return Math.hypot(...optimizer.params.map((x, i) => x - Math.fround(at[i])));
    };
    // γ · warm-up · schedule · 1 / (1 + γ n), times n
    const alpha = learningRate / 4;
    expect(lengthOf(false, gamma)).toBeCloseTo(gamma * alpha * n, 6);
    expect(lengthOf(true, gamma)).toBeCloseTo((gamma * alpha * n) / (1 + gamma * n), 6);
    expect(lengthOf(true, gamma) / lengthOf(true, 1)).toBeCloseTo((gamma * (1 + n)) / (1 + gamma * n), 5);
    expect(lengthOf(true, gamma)).toBeLessThan(alpha);
  });

  test("J = γ J_reg changes by γ′ J_reg − α ‖∇J‖² along the flow, and falls where nothing is learnt", () => {
    const [kappa, delta, alpha, dt] = [1, 0.1, 0.2, 1e-5];
    const gammaAt = (t: number) => 1 + kappa * Math.exp(-delta * t);
    const x = Float64Array.from(at);
    const grads = new Float64Array(3);
    const source = (t: number) => dynamicCost(model, { l2: 0.1, gamma: () => gammaAt(t) });
    const ask = (point: Float64Array, t: number, g = new Float64Array(3)) =>
      source(t)(point as never, g as never, 1);
    for (const t of [1, 5, 20]) {
      const inner = ask(x, t, grads);
      const square = grads.reduce((sum, g) => sum + g * g, 0);
      const ahead = x.map((value, i) => value - dt * alpha * grads[i]);
      const change = (gammaAt(t + dt) * ask(ahead, t) - gammaAt(t) * inner) / dt;
      const slopeOfGamma = -delta * kappa * Math.exp(-delta * t);
      expect(change / (slopeOfGamma * inner - alpha * square)).toBeCloseTo(1, 4);
    }
  });

  test("γ on the data alone raises the relative weight of regularisation from λ / (1 + κ) to λ", () => {
    const gamma = gammaDecay({ kappa: 1, delta: 1 });
    const minimum = (step: number, l2: number, scope: "all" | "data") => {
      const source = dynamicCost(model, { l2, gamma: () => gamma(step), gammaScope: scope });
      const optimizer = createOptimizer(at);
      optimizer.minimize(source, { steps: 600, deterministic: true });
      return optimizer.params;
    };
    const close = (a: Float32Array, b: Float32Array) => a.forEach((x, i) => expect(x).toBeCloseTo(b[i], 3));
    close(minimum(0, 0.4, "data"), minimum(1e3, 0.2, "data"));
    close(minimum(0, 0.4, "all"), minimum(1e3, 0.4, "all"));
  });

  test("ρ ≡ 1 up to `from`", () => {
    const source = dynamicCost(model, { robust: gce(), from: 10 });
    const loss = (step: number, f: GradientSource) => f(Float32Array.from(at), new Float32Array(3), step);
    expect(loss(10, source)).toBe(loss(10, dynamicCost(model)));
    expect(loss(11, source)).toBe(loss(11, dynamicCost(model, { robust: gce() })));
  });

  test("proximal steps reach the lasso's minimum, with zeros that are zeros", () => {
    const target = [2, -0.3, 0.05, -4];
    const near: GradientSource = (x, g) => {
      x.forEach((v, i) => (g[i] = v - target[i]));
      return g.reduce((sum, v) => sum + v * v, 0) / 2;
    };
    const optimizer = createOptimizer(4, { base: sgd({ learningRate: 0.5 }), tuner: null });
    optimizer.minimize(near, { steps: 100, monitors: [proximal(optimizer, { l1: 0.5 })] });
    expect(Array.from(optimizer.params, (x) => Number(x.toFixed(5)))).toEqual(
      softThreshold([...target], 0.5),
    );
    expect(() => proximal(createOptimizer(2), { l1: 1 })).toThrow("tuner: null");
    expect(() => proximal(createOptimizer(2, { base: adam(), tuner: null }), { l1: 1 })).toThrow("sgd");
  });

  describe("a guard judges a proximal step as a whole", () => {
    const [n, l1, normal] = [10, 0.4, normals(1)];
    const rows = Array.from({ length: 30 }, () => Array.from({ length: n }, () => normal()));
    const values = rows.map(([a, b, c]) => 2 * a - b + 0.5 * c + 0.3 * normal());
    const data = (x: ArrayLike<number>) =>
      rows.map((row, k) => row.reduce((sum, a, i) => sum + a * x[i], 0) - values[k]);
    const size = (x: Float32Array) => l1 * x.reduce((sum, v) => sum + Math.abs(v), 0);
    /** ½ mean of squares, with λ ‖x‖₁ counted in its loss or not; its gradient never knows of it. */
    const source =
      (counts: boolean): GradientSource =>
      (x, g) => {
        const errors = data(x);
        g.forEach((_, i) => (g[i] = errors.reduce((sum, e, k) => sum + e * rows[k][i], 0) / rows.length));
        const half = errors.reduce((sum, e) => sum + e * e, 0) / 2 / rows.length;
        return counts ? half + size(x) : half;
      };
    const run = (
      counts: boolean,
      rate: number,
      options: { guard?: Guard | null; alone?: boolean; start?: number[] } = {},
    ) => {
      const { alone = false, start = Array<number>(n).fill(0), ...guard } = options;
      const optimizer = createOptimizer(start, { base: sgd({ learningRate: rate }), tuner: null });
      const both = proximal(optimizer, { l1 }) as RunMonitor;
      // Without what the guard is told of ‖x‖₁ it judges the loss alone.
      const loss: RunMonitor = { complete: (info) => both.complete?.(info) };
      const monitors = [alone ? loss : both];
      const steps = { steps: 300, deterministic: true, monitors, ...guard };
      const { reason, evaluations, rejections } = optimizer.minimize(source(counts), steps);
      const cost = source(false)(optimizer.params, new Float32Array(n), 1) + size(optimizer.params);
      return { cost, reason, evaluations, rejections };
    };

    test.each([true, false])("whether its loss counts ‖x‖₁ (%s) or not", (counts) => {
      const free = run(counts, 0.3, { guard: null });
      const guarded = run(counts, 0.3);
      expect(guarded.cost).toBeCloseTo(free.cost, 5);
      expect(guarded).toMatchObject({ rejections: 0, evaluations: 301 });
    });

    test("and reaches what it does without a guard, where one that judges the loss alone stalls above", () => {
      // From where data alone would lead every step towards less ‖x‖₁ makes the loss rise.
      const start = [2, -1, 0.5, ...Array<number>(n - 3).fill(0)];
      const free = run(false, 0.3, { guard: null, start });
      const guard: Guard = { policy: "reject", tries: 10 };
      const alone = run(false, 0.3, { guard, alone: true, start });
      const whole = run(false, 0.3, { guard, start });
      expect(alone.reason).toBe("stalled");
      expect(alone.cost).toBeGreaterThan(1.2 * free.cost);
      expect(whole.reason).toBe("steps");
      expect(whole.cost).toBeCloseTo(free.cost, 6);
    });

    test("and still takes back steps that are too long", () => {
      const least = run(true, 0.3, { guard: null }).cost;
      for (const counts of [true, false]) {
        const { cost, rejections } = run(counts, 3);
        expect(rejections).toBeGreaterThan(0);
        expect(cost).toBeLessThan(least + 1e-3);
      }
    });
  });

  describe("with both kinds of gradients", () => {
    /** Four of many examples in each step, some of them wrong; the right ones are met by x = (1, −2, 0.5). */
    const [count, batch, truth] = [400, 4, [1, -2, 0.5]];
    const normal = normals(7);
    const rows = Array.from({ length: count }, () => truth.map(() => normal()));
    const exact = (row: number[], x: ArrayLike<number>) => row.reduce((sum, v, k) => sum + v * x[k], 0);
    const values = rows.map((row, i) => exact(row, truth) + (i % 10 ? 0.01 * normal() : 30));
    const drawn = (step: number, size: number) =>
      Array.from({ length: size }, (_, k) => (size === count ? k : (k * 97 + step * 41) % count));
    const batches = (size: number): PerSampleSource => ({
      losses: (x, step) => drawn(step, size).map((i) => (exact(rows[i], x) - values[i]) ** 2 / 2),
      backward(x, grads, factors, step) {
        grads.fill(0);
        drawn(step, size).forEach((i, k) =>
          rows[i].forEach((v, j) => (grads[j] += factors[k] * v * (exact(rows[i], x) - values[i]))),
        );
      },
      indices: (step) => drawn(step, size),
    });
    const errorOf = (optimizer: { params: Float32Array }) =>
      Math.hypot(...truth.map((value, k) => value - optimizer.params[k]));

    test("robust weights find what is right among what is wrong", () => {
      for (const [size, kind] of [
        [batch, "noisy"],
        [count, "exact"],
      ] as const) {
        const run = (options: DynamicCostOptions) => {
          const optimizer = createOptimizer(3);
          optimizer.minimize(dynamicCost(batches(size), options), { steps: 1500 });
          expect(optimizer.gradients).toBe(kind);
          return errorOf(optimizer);
        };
        expect(run({ robust: huber({ delta: 0.1 }) })).toBeLessThan(0.1);
        expect(run({})).toBeGreaterThan(0.1);
      }
    });

    test("a γ that begins with a jump looks like noise, unless a run says that there is none", () => {
      const source = dynamicCost(model, { gamma: (step) => step / 10 });
      const kindOf = (options: object, run: object) => {
        const optimizer = createOptimizer(at, options);
        optimizer.minimize(source, { steps: 3, ...run });
        return optimizer.gradients;
      };
      expect(kindOf({}, {})).toBe("noisy");
      expect(kindOf({}, { deterministic: true })).toBe("exact");
      expect(kindOf({ gradients: "exact" }, {})).toBe("exact");
      const slow = dynamicCost(model, { gamma: gammaDecay({ kappa: 1, delta: 0.1 }) });
      const optimizer = createOptimizer(at);
      optimizer.minimize(slow, { steps: 3 });
      expect(optimizer.gradients).toBe("exact");
    });

    test("proximal steps are the same, as nothing else is known without a tuner", () => {
      const ends = (["auto", "exact", "noisy"] as const).map((gradients) => {
        const base = sgd({ learningRate: 0.1 });
        const optimizer = createOptimizer(3, { base, tuner: null, gradients });
        const source = dynamicCost(batches(batch), { robust: huber({ delta: 0.1 }) });
        optimizer.minimize(source, { steps: 400, monitors: [proximal(optimizer, { l1: 0.01 })] });
        return Array.from(optimizer.params);
      });
      expect(ends[1]).toEqual(ends[0]);
      expect(ends[2]).toEqual(ends[0]);
      expect(() =>
        proximal(createOptimizer(3, { base: scheduleFree(sgd()), tuner: null }), { l1: 1 }),
      ).toThrow("expected sgd without momentum");
    });

    test("setParams between steps moves the average along", () => {
      const optimizer = createOptimizer(3, { gradients: "noisy" });
      const source = dynamicCost(batches(batch), { robust: huber({ delta: 0.1 }) });
      optimizer.minimize(source, { steps: 30 });
      const [before, average] = [optimizer.params.slice(), optimizer.average()!];
      optimizer.setParams([5, 6, 7]);
      optimizer
        .average()!
        .forEach((x, k) => expect(x - optimizer.params[k]).toBeCloseTo(average[k] - before[k], 5));
      optimizer.minimize(source, { steps: 1500 });
      expect(errorOf(optimizer)).toBeLessThan(0.1);
    });
  });

  test("bad options name themselves", () => {
    expect(() => dynamicCost(model, { l1: -1 })).toThrow("dynamicCost.l1");
    expect(() => dynamicCost(model, { labels })).toThrow("dynamicCost.classWeights");
    expect(() => dynamicCost({} as never)).toThrow("model.losses");
    const source = dynamicCost(model, { gamma: () => NaN });
    expect(() => source(Float32Array.from(at), new Float32Array(3), 7)).toThrow("gamma at step 7");
  });
});
