/** Closed forms of the diagnostics, recomputed: training maps, curvature, schedules, layers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  adam,
  createOptimizer,
  exponentialDecay,
  sgd,
  type GradientSource,
  type Schedule,
} from "../../src/index.js";
import {
  fromSource,
  denseOperator,
  edgeRatio,
  gradientSampling,
  hessianVector,
  layerGain,
  lyapunovExponent,
  lyapunovMonitor,
  lyapunovStep,
  operatorNorm,
  reachBudget,
  sharpness,
  swapBound,
  type LossGrad,
  type StepRecord,
  type TrainingMap,
} from "../../src/stability/index.js";
import { normals } from "../../src/stability/vectors.js";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

describe("the status of a step, at its limits", () => {
  const at = (kind: typeof Float32Array | typeof Float64Array, change: number, before = 0, g = -1) =>
    lyapunovStep(
      { loss: before, params: kind.of(0), grads: [g] },
      { loss: before + change, params: kind.of(1) },
    ).status;

  test("Armijo: ΔV ≤ −10⁻⁴ |g·d|", () => {
    expect(at(Float64Array, -1e-4)).toBe("ok");
    expect(at(Float64Array, -0.99e-4)).toBe("stall");
    expect(at(Float64Array, 0)).toBe("stall");
    expect(at(Float64Array, -3.1e-4, 0, -3)).toBe("ok");
    expect(at(Float64Array, -2.9e-4, 0, -3)).toBe("stall");
  });

  test("V rises by more than 8 eps max(1, |V|), eps of float32 or of float64", () => {
    for (const [kind, eps] of [
      [Float32Array, 2 ** -23],
      [Float64Array, 2 ** -52],
    ] as const) {
      for (const before of [0, 0.5, -0.5, 4, -64]) {
        const limit = 8 * eps * Math.max(1, Math.abs(before));
        expect(at(kind, limit, before)).toBe("stall");
        expect(at(kind, 1.5 * limit, before)).toBe("violation");
        // Nothing promised, nothing changed.
        expect(at(kind, limit, before, limit / 2)).toBe("converged");
      }
    }
  });

  test("the descent lemma holds with the largest β̂ so far where curvature falls, not where it grows; the flow is −η n²", () => {
    const recordsOf = (source: GradientSource, start: number, eta: number) => {
      const records: StepRecord[] = [];
      const monitor = lyapunovMonitor({ onStep: (record) => records.push(record) });
      const optimizer = createOptimizer([start], { base: sgd({ learningRate: eta }), tuner: null });
      optimizer.minimize(source, { steps: 12, deterministic: true, guard: null, monitors: [monitor] });
      return records;
    };
    const parabola: GradientSource = ([x], g) => ((g[0] = 3 * x), (3 * x * x) / 2);
    const falling = recordsOf(parabola, 2, 0.1);
    expect(falling.slice(1).every(({ descentLemma }) => descentLemma)).toBe(true);
    falling.forEach(({ flow, gradNorm }) => expect(flow / (-0.1 * gradNorm ** 2)).toBeCloseTo(1, 6));
    // −x³ from −1 to 0: curvature 6 to 0. cos x from 0 to π: −1 to 1.
    const cubic: GradientSource = ([x], g) => ((g[0] = -3 * x * x), -(x ** 3));
    const flattening = recordsOf(cubic, -1, 0.02);
    expect(flattening.slice(1).every(({ descentLemma }) => descentLemma)).toBe(true);
    const hill: GradientSource = ([x], g) => ((g[0] = -Math.sin(x)), Math.cos(x));
    const steepening = recordsOf(hill, 0.3, 0.2);
    expect(steepening.slice(1).some(({ descentLemma }) => descentLemma)).toBe(false);
    expect(steepening.every(({ status }) => status === "ok")).toBe(true);
  });
});

describe("norm-adaptive descent", () => {
  test("V along the flow: the error of Euler's steps halves with them, and is 0 in the limit", () => {
    const [mu, alpha0, lambda, end] = [0.3, 1, 0.01, 50];
    const at = (fine: number) => {
      let x = 1;
      for (let k = 0; k < end * fine; k++)
        x -= ((alpha0 * Math.exp((-lambda * (k + 0.5)) / fine)) / fine) * mu * x;
      return (mu * x * x) / 2;
    };
    const exact = (mu / 2) * Math.exp((-2 * mu * alpha0 * (1 - Math.exp(-lambda * end))) / lambda);
    const [coarse, middle, fine] = [100, 200, 400].map((n) => Math.log(at(n) / exact));
    expect(coarse / middle).toBeCloseTo(2, 1);
    expect(Math.abs(2 * fine - middle)).toBeLessThan(1e-4);
  });

  test("with a slow decay the two-cycle follows |x| = α/2 − 1/b, and ends where α = 2/b", () => {
    const [b, lambda] = [4, 1e-3];
    const end = Math.log(b / 2) / lambda;
    expect(end).toBeCloseTo(693.1, 1);
    let x = 0.83;
    for (let t = 1; t <= 1500; t++) {
      const alpha = Math.exp(-lambda * t);
      x -= (alpha * b * x) / (1 + Math.abs(b * x));
      const amplitude = alpha / 2 - 1 / b;
      if (t > 20 && t < 0.8 * end) expect(Math.abs(Math.abs(x) / amplitude - 1)).toBeLessThan(0.03);
    }
    expect(Math.abs(x)).toBeLessThan(1e-30);
  });

  test.each([
    [1, 10],
    [1, 6],
    [0.5, 5],
  ])("its exponent on the cycle, a = %f, b = %f, and superstable at ab = 4", async (a, b) => {
    const map =
      (slope: number): TrainingMap =>
      (x) =>
        void (x[0] -= (a * slope * x[0]) / (1 + Math.abs(slope * x[0])));
    const { exponent } = await lyapunovExponent(map(b), [0.83], { steps: 500, skip: 500 });
    expect(exponent).toBeCloseTo(Math.log(Math.abs(1 - 4 / (a * b))), 5);
    const superstable = await lyapunovExponent(map(4 / a), [0.83], { steps: 50, skip: 500 });
    expect(superstable.exponent).toBeLessThan(-8);
  });

  test("its Jacobian is I − αH / (1 + n) + α g gᵀH / (n (1 + n)²)", async () => {
    const alpha = 0.7;
    // L = ¼ Σ c x⁴ + ½ (Σ x)²: H is neither constant nor diagonal.
    const c = [1, 3, 0.5];
    const gradient = (x: ArrayLike<number>) => c.map((k, i) => k * x[i] ** 3 + dot(x, [1, 1, 1]));
    const hessian = (x: ArrayLike<number>, v: ArrayLike<number>) =>
      c.map((k, i) => 3 * k * x[i] ** 2 * v[i] + dot(v, [1, 1, 1]));
    const map: TrainingMap = (x) => {
      const g = gradient(x);
      const eta = alpha / (1 + Math.hypot(...g));
      g.forEach((value, i) => (x[i] -= eta * value));
    };
    for (const [x, u] of [
      [
        [1, -0.5, 0.3],
        [1, 0, 0],
      ],
      [
        [0.2, 0.7, -1.1],
        [0.6, 0, 0.8],
      ],
      [
        [-1, -1, 2],
        [0, -0.6, 0.8],
      ],
    ]) {
      // prettier-ignore
      const [g, hu] = [gradient(x), hessian(x, u)];
      const n = Math.hypot(...g);
      const image = u.map(
        (value, i) => value - (alpha * hu[i]) / (1 + n) + (alpha * g[i] * dot(g, hu)) / (n * (1 + n) ** 2),
      );
      const { response } = await lyapunovExponent(map, x, { steps: 1, direction: u });
      expect(response / Math.hypot(...image)).toBeCloseTo(1, 6);
    }
  });
});

describe("the edge of linear maps", () => {
  const ball =
    (eta: number, lambda: number, beta: number): TrainingMap =>
    (state) => {
      state[1] = beta * state[1] + lambda * state[0];
      state[0] -= eta * state[1];
    };

  test("heavy ball is unstable iff η λ > 2 (1 + β), and forgets by ½ ln β below", async () => {
    for (const beta of [0.5, 0.9]) {
      const exponentAt = async (share: number) =>
        (await lyapunovExponent(ball((2 * (1 + beta) * share) / 9, 9, beta), [0, 0], { steps: 4000, skip: 100 }))
          .exponent; // prettier-ignore
      expect(await exponentAt(0.98)).toBeLessThan(0);
      expect(await exponentAt(1.02)).toBeGreaterThan(0);
      expect(await exponentAt(0.5)).toBeCloseTo(Math.log(beta) / 2, 3);
    }
    // η = 0.45 with λ = 9, β = 0.9: z² − (1 + β − ηλ) z + β.
    const b = 1 + 0.9 - 0.45 * 9;
    const radius = Math.abs((b - Math.sqrt(b * b - 4 * 0.9)) / 2);
    const { exponent } = await lyapunovExponent(ball(0.45, 9, 0.9), [0, 0], { steps: 500, skip: 100 });
    expect(exponent).toBeCloseTo(Math.log(radius), 6);
  });

  test("Adam at a point where v = 0: the heavy ball with λ / ε, unstable from 38 / η on", async () => {
    const [beta1, eta] = [0.9, 1e-3];
    /** (x, m) with v held at 0, divided by ε alone. */
    const adamMap =
      (curvature: number): TrainingMap =>
      (state) => {
        state[1] = beta1 * state[1] + (1 - beta1) * curvature * state[0];
        state[0] -= eta * state[1];
      };
    const exponentAt = async (curvature: number) =>
      (await lyapunovExponent(adamMap(curvature), [0, 0], { steps: 2000, skip: 100 })).exponent;
    const radius = (curvature: number) => {
      const b = 1 + beta1 - eta * (1 - beta1) * curvature;
      const d = b * b - 4 * beta1;
      return d < 0 ? Math.sqrt(beta1) : (Math.abs(b) + Math.sqrt(d)) / 2;
    };
    // ε = 10⁻⁸, λ = 1
    expect(await exponentAt(1e8)).toBeCloseTo(Math.log(radius(1e8)), 6);
    expect(Math.log(radius(1e8))).toBeCloseTo(Math.log((eta * (1 - beta1)) / 1e-8), 3);
    const edge = (2 + 2 * beta1) / (1 - beta1) / eta;
    expect(edge * eta).toBeCloseTo(38, 9);
    expect(await exponentAt(0.99 * edge)).toBeLessThan(0);
    expect(await exponentAt(1.01 * edge)).toBeGreaterThan(0);
  });

  test("Adam's ratio is η λ_max(P⁻¹H) (1 − β1) / (2 + 2 β1), P = (√v̂ + ε) (1 − β1ᵗ)", async () => {
    const [eta, beta1, beta2, eps] = [1e-3, 0.9, 0.999, 1e-8];
    const curvatures = [1, 40];
    const bowl: GradientSource = (x, g) => (g.set(curvatures.map((c, i) => c * x[i])), 0);
    const optimizer = createOptimizer([1, 0.02], { base: adam({ learningRate: eta }), tuner: null });
    for (const t of [1, 2, 10, 300]) {
      optimizer.minimize(bowl, { steps: t - optimizer.iterations });
      const second = optimizer.moments[1];
      const preconditioned = curvatures.map(
        (c, i) => c / ((Math.sqrt(second[i] / (1 - beta2 ** t)) + eps) * (1 - beta1 ** t)),
      );
      const exact = (eta * Math.max(...preconditioned) * (1 - beta1)) / (2 + 2 * beta1);
      expect((await edgeRatio(optimizer, fromSource(bowl), { tolerance: 1e-6 })).ratio! / exact).toBeCloseTo(
        1,
        3,
      );
    }
  });
});

describe("what the rest of a schedule can do", () => {
  test("on a slope without end the loss falls by R n² / (1 + n), to the step", () => {
    for (const [initial, rate, n] of [
      [1, 0.01, 3],
      [0.2, 0.1, 0.5],
    ]) {
      const learningRate = exponentialDecay({ initial, rate });
      const slope: GradientSource = ([x], g) => ((g[0] = n), n * x);
      for (const normAdaptive of [true, false]) {
        const optimizer = createOptimizer([0], { base: sgd({ learningRate }), tuner: null, normAdaptive });
        for (const step of [1, 20, 100]) {
          optimizer.minimize(slope, { steps: step - optimizer.iterations });
          const options = { schedule: { initial, rate }, step, gradNorm: n, loss: 0, normAdaptive };
          const { predictedDrop, reach } = reachBudget(options);
          const rest = createOptimizer([0], { base: sgd({ learningRate: shifted(learningRate, step) }), tuner: null, normAdaptive }); // prettier-ignore
          const { loss } = rest.minimize(slope, { steps: 3000 });
          expect(-loss / predictedDrop).toBeCloseTo(1, 4);
          expect(-rest.params[0] / reach).toBeCloseTo(1, 4);
        }
      }
    }
  });

  const shifted =
    (schedule: Schedule, by: number): Schedule =>
    (step, window) =>
      schedule(step + by, window);

  test("no loss is steep enough to leave the ball of radius S = α0 / (e^λ − 1)", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 8, noNaN: true }),
        (initial, rate, magnitude) => {
          const { total } = reachBudget({ schedule: { initial, rate }, step: 0, gradNorm: 1, loss: 1 });
          expect(total / (initial / (Math.exp(rate) - 1))).toBeCloseTo(1, 9);
          const optimizer = createOptimizer([0, 0], {
            base: sgd({ learningRate: exponentialDecay({ initial, rate }) }),
            tuner: null,
            normAdaptive: true,
          });
          for (let k = 0; k < 400; k++) optimizer.step([10 ** magnitude, 0.3 * 10 ** magnitude]);
          const moved = Math.hypot(...optimizer.params);
          expect(moved).toBeLessThan(total * (1 + 1e-5));
          const n = Math.hypot(1, 0.3) * 10 ** magnitude;
          const taken = (total * -Math.expm1(-rate * 400) * n) / (1 + n);
          expect(moved / taken).toBeCloseTo(1, 4);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("one example moves the result by 2 G S / n at most, and by 2 G α T / n without decay", () => {
    const [examples, gradientBound] = [200, 1];
    const { total } = reachBudget({ schedule: { initial: 1, rate: 0.01 }, step: 0, gradNorm: 1, loss: 1 });
    expect(total).toBeCloseTo(99.5, 2);
    expect(swapBound({ gradientBound, examples, totalRate: total })).toBeCloseTo(0.995, 3);
    const constant = reachBudget({ schedule: () => 1, steps: 5000, step: 0, gradNorm: 1, loss: 1 }).total;
    expect(swapBound({ gradientBound, examples, totalRate: constant })).toBe(50);
  });
});

describe("curvature from gradients", () => {
  /** Σ tanh(a_k · x): bounded, smooth, and its Hessian is known. */
  const normal = normals(11);
  const rows = Array.from({ length: 12 }, () => Array.from({ length: 8 }, normal));
  const gradient = (x: ArrayLike<number>) =>
    rows[0].map((_, i) => rows.reduce((sum, a) => sum + a[i] / Math.cosh(dot(a, x)) ** 2, 0));
  const product = (x: ArrayLike<number>, v: readonly number[]) =>
    rows[0].map((_, i) =>
      rows.reduce((sum, a) => {
        const z = dot(a, x);
        return sum - (2 * a[i] * Math.tanh(z) * dot(a, v)) / Math.cosh(z) ** 2;
      }, 0),
    );
  const loss = (x: ArrayLike<number>) => rows.reduce((sum, a) => sum + Math.tanh(dot(a, x)), 0);
  const double: LossGrad = (x) => ({ loss: loss(x), grads: gradient(x) });
  const single: GradientSource = (x, g) => (g.set(gradient(x)), loss(x));
  const [x, v] = [Array.from({ length: 8 }, () => 0.2 * normal()), Array.from({ length: 8 }, normal)];

  async function errorOf(f: LossGrad, epsilon?: number): Promise<number> {
    const found = await hessianVector(f, x, v, { epsilon });
    const exact = product(x, v);
    return Math.hypot(...exact.map((value, i) => found[i] - value)) / Math.hypot(...exact);
  }

  test("the default distance loses least: 10⁻⁹ in float64, 10⁻³ in float32, and what is shorter is noise", async () => {
    expect(await errorOf(double)).toBeLessThan(1e-8);
    const usual = await errorOf(fromSource(single));
    expect(usual).toBeLessThan(1e-3);
    const [short, shorter] = [
      await errorOf(fromSource(single), 1e-4),
      await errorOf(fromSource(single), 1e-6),
    ];
    expect(short).toBeGreaterThan(usual);
    expect(shorter).toBeGreaterThan(10 * short);
    expect(shorter).toBeGreaterThan(50 * usual);
  });

  test("power iteration finds the largest eigenvalue where one that is negative is larger in size", async () => {
    const saddle: LossGrad = ([x, y]) => ({ loss: (x * x - 9 * y * y) / 2, grads: [x, -9 * y] });
    const { lambdaMax, lambdaMin } = await sharpness(saddle, [1, 1], {
      method: "power",
      tolerance: 1e-6,
      products: 200,
    });
    expect(lambdaMax).toBeCloseTo(1, 5);
    expect(lambdaMin).toBeCloseTo(-9, 5);
  });

  test("ε goes by the coordinates that move, and what the differences miss is told", async () => {
    // Along x the curvature is cos x = 1, however far y is.
    const wave: LossGrad = ([x, y]) => {
      const grads = Float32Array.of(Math.sin(x), 1e-3 * y);
      return { loss: 1 - Math.cos(x) + 5e-4 * y * y, grads };
    };
    const product = await hessianVector(wave, [0, 1000], [1, 0]);
    expect(product[0]).toBeCloseTo(1, 3);
    const { lambdaMax, error } = await sharpness(wave, [0, 1], { epsilon: 0.3, tolerance: 1e-6 });
    // sin ε / ε for ε = 0.3 is 0.985.
    expect(1 - lambdaMax).toBeGreaterThan(0.01);
    expect(error / (1 - lambdaMax)).toBeGreaterThan(0.95);
    expect(error / (1 - lambdaMax)).toBeLessThan(3);
  });

  test("norms say whether they converged, and a gain needs a point", () => {
    const close = denseOperator([1, 0, 0, 0.999], 2, 2);
    const { value, converged, residual } = operatorNorm(close, { tolerance: 1e-13 });
    expect(value).toBeCloseTo(1, 9);
    expect(converged).toBe(true);
    expect(residual).toBeLessThan(1e-4);
    const short = operatorNorm(close, { iterations: 3, tolerance: 0 });
    expect(short.converged).toBe(false);
    expect(short.residual).toBeGreaterThan(1e-5);
    expect(() => layerGain((x) => x, [], { norms: [1] })).toThrow("inputs: expected at least 1 point");
  });

  test("Lanczos needs fewer products than power iteration, and that few from a vector of before", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = normals(seed);
      const curvatures = Array.from({ length: 200 }, (_, k) => (k < 4 ? 10 - k : Math.abs(random())));
      const bowl: LossGrad = (p) => ({ loss: 0, grads: curvatures.map((c, i) => c * p[i]) });
      const origin = new Float64Array(200).fill(0.1);
      const options = { tolerance: 0.01, products: 200, seed };
      const lanczos = await sharpness(bowl, origin, options);
      const power = await sharpness(bowl, origin, { ...options, method: "power" });
      for (const { lambdaMax } of [lanczos, power]) expect(Math.abs(lambdaMax / 10 - 1)).toBeLessThan(0.01);
      expect(2 * lanczos.products).toBeLessThan(power.products);
      const warm = await sharpness(bowl, origin, { ...options, method: "power", start: power.vector });
      expect(warm.products).toBe(1);
    }
  });

  test("gradient sampling with six gradients is an upper bound of the least norm", async () => {
    const f: LossGrad = ([a, b]) => ({
      loss: Math.abs(a) + 2 * Math.abs(b),
      grads: [Math.sign(a), 2 * Math.sign(b)],
    });
    const cases = [
      { at: [0, 1], least: 2 },
      { at: [1, 0], least: 1 },
      { at: [1, 1], least: Math.sqrt(5) },
      { at: [0, 0], least: 0 },
    ];
    for (const { at, least } of cases) {
      let exact = 0;
      for (let seed = 0; seed < 40; seed++) {
        const { stationarity } = await gradientSampling(f, at, { samples: 6, seed });
        expect(stationarity).toBeGreaterThan(least - 1e-6);
        if (Math.abs(stationarity - least) < 1e-6) exact++;
      }
      // Six signs are all alike once in 32; at the corner a hull misses 0 more often.
      expect(exact / 40).toBeGreaterThan(least === 0 ? 0.5 : 0.8);
    }
  });
});

describe("a ReLU network, six layers of 32", () => {
  const [size, depth] = [32, 6];
  const inTurn = (layers: readonly Float64Array[], x: Float64Array) =>
    layers.reduce(
      (h, weights) =>
        denseOperator(weights, size, size)
          .apply(h)
          .map((z) => Math.max(0, z)),
      x,
    );

  /** ‖J‖ where the units that are on at x stay on. */
  function jacobianNorm(layers: readonly Float64Array[], x: Float64Array): number {
    const masked: ReturnType<typeof denseOperator>[] = [];
    let h = x;
    for (const weights of layers) {
      const z = denseOperator(weights, size, size).apply(h);
      masked.push(denseOperator(weights.map((w, i) => (z[Math.floor(i / size)] > 0 ? w : 0)), size, size)); // prettier-ignore
      h = z.map((value) => Math.max(0, value));
    }
    const apply = (v: Float64Array) => masked.reduce((u, layer) => layer.apply(u), v);
    const transpose = (v: Float64Array) => masked.reduceRight((u, layer) => layer.transpose(u), v);
    return operatorNorm({ rows: size, columns: size, apply, transpose }, { iterations: 200 }).value;
  }

  test.each([0, 1, 2])("the product of norms is far above every Jacobian: seed %i", (seed) => {
    const normal = normals(seed);
    const layers = Array.from({ length: depth }, () =>
      Float64Array.from({ length: size * size }, () => normal() / Math.sqrt(size)),
    );
    const inputs = Array.from({ length: 40 }, () => Float64Array.from({ length: size }, normal));
    const norms = layers.map((weights) => operatorNorm(denseOperator(weights, size, size)).value);
    const { upper, lower } = layerGain((x) => inTurn(layers, x), inputs, { norms });
    expect(upper).toBeCloseTo(
      norms.reduce((a, b) => a * b),
      9,
    );
    const largest = Math.max(...inputs.map((x) => jacobianNorm(layers, x)));
    expect(lower).toBeGreaterThan(0);
    expect(lower).toBeLessThan(1.001 * largest);
    expect(largest).toBeLessThan(upper);
    // A Gaussian matrix has norm 2 or so, and half of the units are off.
    expect(upper / largest).toBeGreaterThan(20);
  });
});
