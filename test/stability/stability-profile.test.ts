/** The stability profile: exponents, responses, curvature, edges, operators, against closed forms. */
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  exponentialDecay,
  sgd,
  superlevel,
  type Base,
  type GradientSource,
  type Optimizer,
} from "../../src/index.js";
import { rows } from "../support/bases.js";
import { seededRandom } from "../../src/sources/random.js";
import {
  fromSource,
  cflLimit,
  cflNumber,
  convolutionOperator,
  denseOperator,
  depthBound,
  edgeRatio,
  gradientSampling,
  hessianVector,
  impulseResponse,
  layerGain,
  lyapunovExponent,
  operatorNorm,
  optimizerResponse,
  sharpness,
  stabilityProfile,
  swapBound,
  swapResponse,
  type LossAndGrads,
  type LossGrad,
  type TrainingMap,
} from "../../src/stability/index.js";
import { eigenvalue, eigenvector } from "../../src/stability/curvature/tridiagonal.js";
import { minimumNormPoint } from "../../src/stability/curvature/gradient-sampling.js";
import { normals } from "../../src/stability/vectors.js";

const spectrum = [1, 4, 9];
const descent =
  (eta: (t: number) => number, curvatures = spectrum): TrainingMap =>
  (x, t) =>
    x.forEach((value, i) => (x[i] = value - eta(t) * curvatures[i] * value));

/** Spectral radius of [[1 − ηλ + β, −β], [1, 0]]. */
function heavyBallRadius(eta: number, lambda: number, beta: number): number {
  const b = 1 + beta - eta * lambda;
  const d = b * b - 4 * beta;
  return d < 0 ? Math.sqrt(beta) : Math.max(Math.abs(b + Math.sqrt(d)), Math.abs(b - Math.sqrt(d))) / 2;
}

describe("the exponent of a training map", () => {
  test.each([0.05, 0.1, 0.2, 2 / 9, 0.25])("descent with η = %f: ln max |1 − η λ|", async (eta) => {
    const { exponent, growth } = await lyapunovExponent(
      descent(() => eta),
      [1, 1, 1],
      {
        steps: 800,
        skip: 500,
      },
    );
    const exact = Math.log(Math.max(...spectrum.map((lambda) => Math.abs(1 - eta * lambda))));
    expect(exponent).toBeCloseTo(exact, 6);
    expect(growth.verdict).toBe(eta === 0.25 ? "exponential" : "none");
  });

  test.each([0.05, 0.2, 0.45])("heavy ball with η = %f", async (eta) => {
    const beta = 0.9;
    const ball: TrainingMap = (state) => {
      spectrum.forEach((lambda, i) => {
        state[3 + i] = beta * state[3 + i] + lambda * state[i];
        state[i] -= eta * state[3 + i];
      });
    };
    const { exponent } = await lyapunovExponent(ball, [1, 1, 1, 0, 0, 0], { steps: 600, skip: 100 });
    const exact = Math.log(Math.max(...spectrum.map((lambda) => heavyBallRadius(eta, lambda, beta))));
    expect(exponent).toBeCloseTo(exact, 2);
  });

  test.each([
    [1, 3],
    [1, 6],
    [1, 2.5],
  ])("the two-cycle of norm-adaptive descent, a = %f, b = %f: ln |1 − 4 / ab|", async (a, b) => {
    const map: TrainingMap = (x) => void (x[0] -= (a * b * x[0]) / (1 + Math.abs(b * x[0])));
    const { exponent } = await lyapunovExponent(map, [0.83], { steps: 500, skip: 500 });
    expect(exponent).toBeCloseTo(Math.log(Math.abs(1 - 4 / (a * b))), 5);
  });

  test("the logistic map: ln 2", async () => {
    const { exponent } = await lyapunovExponent((x) => void (x[0] = 4 * x[0] * (1 - x[0])), [0.3], {
      steps: 20_000,
    });
    expect(exponent).toBeCloseTo(Math.LN2, 2);
  });

  test("Adam near a minimum: ½ ln β1 with shared second moments, ln β2 with its own", async () => {
    const [beta1, beta2, eta, eps] = [0.9, 0.999, 1e-3, 1e-2];
    const adamMap = (shares: boolean): TrainingMap => {
      let v = 0;
      return (state, _t, trajectory) => {
        const g = state[0];
        state[1] = beta1 * state[1] + (1 - beta1) * g;
        state[2] = beta2 * state[2] + (1 - beta2) * g * g;
        if (trajectory === "reference") v = state[2];
        else if (shares) state[2] = v;
        state[0] -= (eta * state[1]) / (Math.sqrt(state[2]) + eps);
      };
    };
    const start = [1e-6, 0, 1e-30];
    const direction = [1, 0, 0];
    const shared = await lyapunovExponent(adamMap(true), start, {
      steps: 3000,
      skip: 200,
      direction,
      size: 1e-9,
    });
    // The roots of z² − (1 + β1 − η (1 − β1) λ / ε) z + β1 have the modulus √β1.
    expect(shared.exponent).toBeCloseTo(Math.log(beta1) / 2, 2);
    const own = await lyapunovExponent(adamMap(false), [0, 0, 0.01], {
      steps: 500,
      direction: [0, 0, 1],
      size: 1e-9,
    });
    expect(own.exponent).toBeCloseTo(Math.log(beta2), 5);
  });

  test("exponential decay: bounded, never forgotten, an exponent that tends to 0", async () => {
    const [alpha0, lambda, rate] = [0.5, 1, 0.1];
    const eta = (t: number) => alpha0 * Math.exp(-rate * t);
    const run = await lyapunovExponent(descent(eta, [lambda]), [1], { steps: 1500 });
    let product = 1;
    for (let t = 1; t <= 1500; t++) product *= 1 - eta(t) * lambda;
    expect(run.response / product).toBeCloseTo(1, 5);
    expect(run.exponent).toBeLessThan(0);
    expect(run.exponent).toBeGreaterThan(-0.01);
    expect(run.terminalDecay.verdict).toBe("remains");
    expect(run.boundedness.verdict).toBe("bounded");
    expect(run.growth.verdict).toBe("none");
    const small = await lyapunovExponent(
      descent((t) => 0.5 * Math.exp(-0.01 * t), [0.1]),
      [1],
      { steps: 1500 },
    );
    // (α0 λ q; q)_∞ with q = e^{−rate}
    let pochhammer = 1;
    for (let k = 1; k <= 4000; k++) pochhammer *= 1 - 0.05 * Math.exp(-0.01 * k);
    expect(small.response / pochhammer).toBeCloseTo(1, 5);
    expect(small.terminalDecay.verdict).toBe("remains");
  });

  test("growth like a power of t is not exponential", async () => {
    const shear: TrainingMap = (x) => void (x[0] += x[1]);
    const { growth, boundedness } = await lyapunovExponent(shear, [0, 0], { steps: 500, direction: [0, 1] });
    expect(growth.verdict).toBe("subexponential");
    expect(boundedness.value).toBeCloseTo(500, 0);
    expect(boundedness.verdict).toBe("bounded");
  });

  test("it can be aborted, and says how far it is", async () => {
    const controller = new AbortController();
    let seen = 0;
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      seen = done;
      expect(total).toBe(100_000);
      if (done === 50) controller.abort();
    };
    const run = lyapunovExponent(
      descent(() => 0.1),
      [1, 1, 1],
      { steps: 100_000, signal: controller.signal, onProgress },
    );
    await expect(run).rejects.toThrow("abort");
    expect(seen).toBe(50);
  });

  test("a page gets its turns", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await lyapunovExponent(
      descent(() => 0.1),
      [1, 1, 1],
      { steps: 60_000 },
    );
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  test("bad arguments name themselves", async () => {
    const map = descent(() => 0.1);
    await expect(lyapunovExponent(map, [1, 1, 1], { steps: 0 })).rejects.toThrow("lyapunovExponent.steps");
    await expect(lyapunovExponent(map, [1, NaN, 1], { steps: 5 })).rejects.toThrow("start[1]");
    await expect(lyapunovExponent(1 as never, [1], { steps: 5 })).rejects.toThrow("map: expected a function");
    await expect(lyapunovExponent((x) => void (x[0] = NaN), [1], { steps: 5 })).rejects.toThrow("step 1");
    await expect(lyapunovExponent(map, [1, 1, 1], { steps: 5, direction: [0, 0, 0] })).rejects.toThrow(
      "direction",
    );
  });
});

describe("impulses and swaps", () => {
  test.each([0, 150, 300])("a kick behind step %i: Π |1 − α_t λ|", async (at) => {
    for (const lambda of [0.1, 0.5, 1.5]) {
      const eta = (t: number) => 0.9 * Math.exp(-0.01 * t);
      const { response } = await impulseResponse(descent(eta, [lambda]), [1], { steps: 800, at });
      let product = 1;
      for (let t = at + 1; t <= 800; t++) product *= Math.abs(1 - eta(t) * lambda);
      expect(response / product).toBeCloseTo(1, 4);
    }
  });

  const quadratic: GradientSource = ([x, y], g) => (g.set([x, 4 * y]), (x * x + 4 * y * y) / 2);

  test.each([0, 7, 25])("of an optimizer, behind step %i: Π |1 − α_t λ|", async (at) => {
    const learningRate = exponentialDecay({ initial: 0.4, rate: 0.05 });
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate }), tuner: null });
    optimizer.minimize(quadratic, { steps: 3 });
    const before = optimizer.save();
    for (const [direction, lambda] of [
      [[1, 0], 1],
      [[0, 1], 4],
    ] as const) {
      const { response, logs, steps } = await impulseResponse(optimizer, fromSource(quadratic), {
        steps: 40,
        at,
        direction,
      });
      let product = 1;
      for (let t = at + 1; t <= 40; t++) product *= Math.abs(1 - 0.4 * Math.exp(-0.05 * (t + 3)) * lambda);
      expect(response / product).toBeCloseTo(1, 2);
      expect([logs.length, steps]).toEqual([41 - at, 40]);
    }
    expect(optimizer.save()).toEqual(before);
  });

  test("of an optimizer at once, it is the response to a change of its parameters", async () => {
    for (const options of [{}, { base: adam({ learningRate: 0.01 }), tuner: null }]) {
      const optimizer = createOptimizer([1, 1], options);
      optimizer.minimize(quadratic, { steps: 10 });
      const before = optimizer.save();
      const impulse = await impulseResponse(optimizer, fromSource(quadratic), { steps: 20, at: 0 });
      expect(impulse).toEqual(await optimizerResponse(optimizer, fromSource(quadratic), { steps: 20 }));
      const ahead = createOptimizer([1, 1], options).restore(before);
      ahead.minimize(quadratic, { steps: 5 });
      const late = await impulseResponse(optimizer, fromSource(quadratic), { steps: 25, at: 5 });
      const direct = await optimizerResponse(ahead, fromSource(quadratic), { steps: 20 });
      expect(late.logs).toEqual(direct.logs);
      expect(optimizer.save()).toEqual(before);
    }
  });

  test("impulses name what they do not understand", async () => {
    const optimizer = createOptimizer([1, 1]);
    const at = (options: object) => impulseResponse(optimizer, fromSource(quadratic), options as never);
    await expect(at({ steps: 5, at: 5 })).rejects.toThrow("impulseResponse.at: expected a finite whole number >= 0 and <= 4"); // prettier-ignore
    await expect(at({ steps: 5, at: 1, skip: 1 })).rejects.toThrow('impulseResponse: unknown option "skip"');
    await expect(at({ at: 1, direction: [0, 0] })).rejects.toThrow("impulseResponse.direction");
    await expect(impulseResponse({} as never, quadratic as never, { at: 1 })).rejects.toThrow("optimizer: expected what"); // prettier-ignore
    await expect(impulseResponse(3 as never, [1], { steps: 5, at: 1 })).rejects.toThrow("map: expected a function"); // prettier-ignore
    expect(optimizer.iterations).toBe(0);
  });

  test("one example swapped: below 2 G S / n for all times", async () => {
    const [examples, size] = [200, 5];
    const normal = normals(4);
    const xs = Array.from({ length: examples }, () => Float64Array.from({ length: size }, normal));
    const ys = xs.map((x) => (x[0] + 0.5 * normal() > 0 ? 1 : -1));
    const gradientBound = Math.max(...xs.map((x) => Math.hypot(...x))) * 1.5;
    const beta = gradientBound ** 2 / 4;
    const initial = 2 / beta;
    const step =
      (swapped: boolean): TrainingMap =>
      (w, t) => {
        const g = new Float64Array(size);
        xs.forEach((x, k) => {
          const y = swapped && k === 0 ? -ys[0] : ys[k];
          const margin = y * x.reduce((sum, v, i) => sum + v * w[i], 0);
          x.forEach((v, i) => (g[i] -= (y * v) / (1 + Math.exp(margin)) / examples));
        });
        const alpha = initial * Math.exp(-0.01 * t);
        g.forEach((v, i) => (w[i] -= alpha * v));
      };
    const { last, largest, distances } = await swapResponse(
      step(false),
      step(true),
      new Array<number>(size).fill(0),
      {
        steps: 1500,
      },
    );
    const bound = swapBound({ gradientBound, examples, totalRate: initial / Math.expm1(0.01) });
    expect(last).toBeGreaterThan(0);
    expect(largest).toBeLessThan(bound);
    expect(distances[1500] - distances[1400]).toBeLessThan(1e-6);
  });
});

/** A quadratic with a dense Hessian of known spectrum: two reflections of a diagonal. */
function rotated(curvatures: readonly number[], seed = 1): LossGrad {
  const normal = normals(seed);
  const mirrors = [0, 1].map(() => {
    const v = curvatures.map(normal);
    const length = Math.hypot(...v);
    return v.map((value) => value / length);
  });
  const reflect = (x: number[], v: number[]) => {
    const along = 2 * x.reduce((sum, value, i) => sum + value * v[i], 0);
    return x.map((value, i) => value - along * v[i]);
  };
  return (params) => {
    const y = mirrors.reduce(reflect, Array.from(params));
    const loss = y.reduce((sum, value, i) => sum + (curvatures[i] * value ** 2) / 2, 0);
    const grads = [...mirrors].reverse().reduce(
      reflect,
      y.map((value, i) => curvatures[i] * value),
    );
    return { loss, grads };
  };
}

describe("curvature", () => {
  test("small tridiagonal matrices: 2 − 2 cos(kπ / (n + 1))", () => {
    for (const n of [1, 2, 3, 10, 31]) {
      const diagonal = new Array<number>(n).fill(2);
      const off = new Array<number>(n - 1).fill(-1);
      for (const k of [0, n >> 1, n - 1]) {
        const exact = 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1));
        const value = eigenvalue(diagonal, off, k);
        expect(value).toBeCloseTo(exact, 12);
        const v = eigenvector(diagonal, off, value);
        v.forEach((entry, i) => {
          const image = 2 * entry - (v[i - 1] ?? 0) - (v[i + 1] ?? 0);
          expect(image).toBeCloseTo(value * entry, 9);
        });
      }
    }
  });

  test("Hessian products: 1e-9 in float64, 1e-3 in float32", async () => {
    const f: LossGrad = ([x, y, z]) => ({
      loss: Math.sin(x) * y ** 2 + Math.exp(z * x),
      grads: [Math.cos(x) * y ** 2 + z * Math.exp(z * x), 2 * Math.sin(x) * y, x * Math.exp(z * x)],
    });
    const [x, y, z] = [0.3, -0.7, 0.5];
    const e = Math.exp(z * x);
    const exact = [
      -Math.sin(x) * y ** 2 + z * z * e + 2 * Math.cos(x) * y * 2 + (e + x * z * e) * -1,
      2 * Math.cos(x) * y + 2 * Math.sin(x) * 2,
      e + x * z * e + x * x * e * -1,
    ];
    const double = await hessianVector(f, [x, y, z], [1, 2, -1]);
    exact.forEach((value, i) => expect(Math.abs(double[i] - value)).toBeLessThan(1e-9));
    const source: GradientSource = (params, grads) => {
      const { loss, grads: g } = f(Float64Array.from(params), 1) as LossAndGrads;
      grads.set(g);
      return loss;
    };
    const single = await hessianVector(fromSource(source), [x, y, z], [1, 2, -1]);
    exact.forEach((value, i) => expect(Math.abs(single[i] - value)).toBeLessThan(1e-3));
  });

  test.each([1, 2, 5, 40])("both ends of a spectrum of %i", async (n) => {
    const random = seededRandom(n);
    const curvatures = Array.from({ length: n }, () => 10 * random() - 3);
    const found = await sharpness(rotated(curvatures), new Float64Array(n).fill(0.1), {
      products: 60,
      tolerance: 1e-8,
    });
    expect(found.lambdaMax).toBeCloseTo(Math.max(...curvatures), 5);
    if (n <= 5) expect(found.lambdaMin).toBeCloseTo(Math.min(...curvatures), 5);
    expect(found.products).toBeLessThanOrEqual(n);
  });

  test("to 1 % in ten products or so, and in three from a vector of before", async () => {
    const random = seededRandom(9);
    const curvatures = Array.from({ length: 300 }, (_, k) => (k < 5 ? 20 - 2 * k : random()));
    const f = rotated(curvatures);
    const point = new Float64Array(300).fill(0.01);
    const first = await sharpness(f, point);
    expect(Math.abs(first.lambdaMax / 20 - 1)).toBeLessThan(0.01);
    expect(first.products).toBeLessThan(20);
    const start = first.vector.map((value, i) => value + 0.001 * Math.sin(i));
    const warm = await sharpness(f, point, { method: "power", start });
    expect(Math.abs(warm.lambdaMax / 20 - 1)).toBeLessThan(0.01);
    expect(warm.products).toBeLessThanOrEqual(3);
    expect(warm.lambdaMin).toBeUndefined();
  });

  test("across a kink differences are wrong, and it says so", async () => {
    const f: LossGrad = ([w]) => ({ loss: Math.max(0, w) ** 2 / 2, grads: [Math.max(0, w)] });
    const preactivations = (w: Float64Array) => w;
    const crossing = await sharpness(f, [1e-3], { epsilon: 1e-2, preactivations });
    // (0.011 − 0) / 0.02
    expect(crossing.lambdaMax).toBeCloseTo(0.55, 9);
    expect(crossing.kinkFraction).toBe(1);
    const clear = await sharpness(f, [1e-3], { epsilon: 1e-4, preactivations });
    expect(clear.lambdaMax).toBeCloseTo(1, 9);
    expect(clear.kinkFraction).toBe(0);
  });

  test("gradient sampling: |x| + 2 |y|", async () => {
    const f: LossGrad = ([x, y]) => ({
      loss: Math.abs(x) + 2 * Math.abs(y),
      grads: [Math.sign(x), 2 * Math.sign(y)],
    });
    const at = async (point: number[]) => (await gradientSampling(f, point, { samples: 24 })).stationarity;
    expect(await at([0, 1])).toBeCloseTo(2, 6);
    expect(await at([1, 0])).toBeCloseTo(1, 6);
    expect(await at([1, 1])).toBeCloseTo(Math.sqrt(5), 9);
    expect(await at([0, 0])).toBe(0);
    const { direction } = await gradientSampling(f, [0, 1], { samples: 24 });
    expect(direction![1]).toBeCloseTo(-1, 6);
  });

  test("the least norm in a hull", () => {
    const points = (...list: number[][]) => list.map((v) => Float64Array.from(v));
    expect([...minimumNormPoint(points([1, 1], [1, -1]))]).toEqual([1, 0]);
    const triangle = minimumNormPoint(points([2, 0], [0, 1], [3, 3]));
    // The foot on the line from (2, 0) to (0, 1).
    expect(triangle[0]).toBeCloseTo(0.4, 9);
    expect(triangle[1]).toBeCloseTo(0.8, 9);
    expect(Math.hypot(...minimumNormPoint(points([1, 0], [-1, 1], [-1, -1])))).toBeLessThan(1e-6);
  });

  test("errors say which argument, and NaN does not pass", async () => {
    const f: LossGrad = ([x]) => ({ loss: x * x, grads: [2 * x] });
    await expect(sharpness(f, [1], { products: 0 })).rejects.toThrow("sharpness.products");
    await expect(sharpness(f, [])).rejects.toThrow("params");
    await expect(sharpness(() => ({ loss: 1, grads: [NaN] }), [1])).rejects.toThrow("grads[0] is NaN");
    await expect(sharpness(() => ({ loss: 1, grads: [1, 2] }), [1])).rejects.toThrow(
      "lossGrad: grads: expected 1 numbers, got 2",
    );
    await expect(sharpness((() => "1") as never, [1])).rejects.toThrow("{ loss, grads }");
    await expect(hessianVector(f, [1], [1, 2])).rejects.toThrow("vector");
  });
});

const edges = Object.values(rows).flatMap(({ edges }) =>
  edges === "none" ? [] : Object.entries(edges).flatMap(([name, [base]]) => (base ? [{ name, base }] : [])),
);

describe("the edge of every base", () => {
  /** Feeds second moments with large gradients, then lets a tiny x swing on a quadratic. */
  async function swing(base: Base, target: number) {
    const optimizer = createOptimizer(2, { base, tuner: null });
    for (let k = 0; k < 20_000; k++) optimizer.step(k % 2 ? [1, 3] : [-1, -3]);
    for (let k = 0; k < 400; k++) optimizer.step([0, 0]);
    const quadratic =
      (curvature: number): LossGrad =>
      ([x, y]) => ({ loss: (curvature * (x * x + y * y)) / 2, grads: [curvature * x, curvature * y] });
    const at = async (curvature: number) =>
      (await edgeRatio(optimizer, quadratic(curvature), { tolerance: 1e-6 })).ratio!;
    // The ratio is linear in the curvature.
    const [zero, one] = [await at(0), await at(1)];
    const curvature = (target - zero) / (one - zero);
    expect(await at(curvature)).toBeCloseTo(target, 3);
    optimizer.setParams([1e-10, 1e-10]);
    const size = () => Math.max(...optimizer.params.map(Math.abs));
    // Larger swings would change the second moments.
    for (let k = 0; k < 600 && size() < 1e-7; k++)
      optimizer.step(Array.from(optimizer.params, (x) => curvature * x));
    return size();
  }

  test.each(edges)("$name: below it swings fade, above they grow", async ({ base }) => {
    expect(await swing(base, 0.95)).toBeLessThan(1e-11);
    expect(await swing(base, 1.05)).toBeGreaterThan(1e-7);
  });

  test.each([
    ["descent", sgd({ learningRate: 0.1 }), 0.1 / 2],
    ["heavy ball", sgd({ learningRate: 0.1, momentum: 0.9 }), 0.1 / 3.8],
    ["Nesterov", sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }), (0.1 * 2.8) / 3.8],
  ])("%s has its closed form", async (_name, base, perCurvature) => {
    const optimizer = createOptimizer([1, 1], { base, tuner: null });
    const bowl: GradientSource = ([x, y], g) => (g.set([x, 7 * y]), (x * x + 7 * y * y) / 2);
    optimizer.minimize(bowl, { steps: 3 });
    expect((await edgeRatio(optimizer, fromSource(bowl))).ratio).toBeCloseTo(7 * perCurvature, 3);
  });

  test("the rate that counts is norm-adaptive, times the scale, times the tensor's factor, and 0 where frozen", async () => {
    const bowl: GradientSource = ([x, y, z], g) => (
      g.set([x, 7 * y, 50 * z]),
      (x * x + 7 * y * y + 50 * z * z) / 2
    );
    const one = { shape: [1], values: [1] };
    const specs = [one, { ...one, learningRate: 2 }, { ...one, frozen: true }];
    const adaptive = createOptimizer(specs, {
      base: sgd({ learningRate: 0.1 }),
      tuner: null,
      normAdaptive: true,
    });
    adaptive.minimize(bowl, { steps: 3 });
    expect((await edgeRatio(adaptive, fromSource(bowl))).ratio).toBeCloseTo(
      (2 * 7 * adaptive.learningRate) / 2,
      3,
    );
    const tuned = createOptimizer(specs, { base: sgd() });
    tuned.minimize(bowl, { steps: 50 });
    const eta = tuned.learningRate * (tuned.scale as number);
    expect((await edgeRatio(tuned, fromSource(bowl))).ratio! / ((2 * 7 * eta) / 2)).toBeCloseTo(1, 3);
    for (const granularity of ["tensor", "parameter"] as const) {
      const each = createOptimizer(specs, { base: sgd(), tuner: superlevel({ granularity }) });
      each.minimize(bowl, { steps: 50 });
      const [a, b] = each.scale as Float32Array;
      const exact = (each.learningRate * Math.max(a, 2 * 7 * b)) / 2;
      expect((await edgeRatio(each, fromSource(bowl))).ratio! / exact).toBeCloseTo(1, 3);
    }
  });

  describe("bias corrections count the updates of the moments, not the steps", () => {
    const curved: LossGrad = ([x]) => ({ loss: (3 * x * x) / 2, grads: [3 * x] });
    const ratioOf = async (optimizer: Optimizer) => (await edgeRatio(optimizer, curved)).ratio!;
    const betas = { beta1: 0.9, beta2: 0.999, learningRate: 0.1 };
    const linear = Object.values(rows).filter(({ edges: has }) => has !== "none");

    test.each(linear.flatMap(({ variants }) => Object.entries(variants)))(
      "%s: skipped steps do not count",
      async (_name, base) => {
        const make = () => createOptimizer([1], { base, tuner: null, nonFinite: "skip" });
        const [straight, skipping] = [make(), make()];
        for (const g of [3, 2]) straight.step([g]);
        for (const g of [NaN, 3, Infinity, NaN, NaN, 2, NaN, NaN]) skipping.step([g]);
        expect(skipping.updates).toEqual({ total: 2, momentum: 2 });
        expect(skipping.iterations).toBe(8);
        expect(await ratioOf(skipping)).toBe(await ratioOf(straight));
      },
    );

    test("momentum that started again counts from there", async () => {
      const optimizer = createOptimizer([1], { base: adam(betas), tuner: null });
      const steep: GradientSource = ([x], g) => ((g[0] = 3 * x), (3 * x * x) / 2);
      const { rejections } = optimizer.minimize(steep, { steps: 40, deterministic: true });
      expect(rejections).toBeGreaterThan(0);
      const { total, momentum } = optimizer.updates;
      expect(total).toBe(40);
      expect(momentum).toBeLessThan(40);
      const root = Math.sqrt(optimizer.moments[1][0] / (1 - 0.999 ** total)) + 1e-8;
      const exact =
        ((optimizer.learningRate * 3) / root) * ((1 - 0.9) / (2 + 2 * 0.9) / (1 - 0.9 ** momentum));
      expect((await ratioOf(optimizer)) / exact).toBeCloseTo(1, 5);
    });

    test("before any update there is no ratio", async () => {
      const optimizer = createOptimizer([1], { nonFinite: "skip" });
      optimizer.step([NaN]);
      await expect(ratioOf(optimizer)).rejects.toThrow("taken a step");
    });
  });

  test.each(Object.values(rows).filter(({ edges }) => edges === "none"))(
    "$variants has none; before the first step there is no rate",
    async ({ factory }) => {
      const bowl: GradientSource = ([x], g) => ((g[0] = x), (x * x) / 2);
      const base = factory({ learningRate: 0.1 });
      const optimizer = createOptimizer([1], { base, tuner: null });
      await expect(edgeRatio(optimizer, fromSource(bowl))).rejects.toThrow("taken a step");
      optimizer.minimize(bowl, { steps: 3 });
      const { ratio, lambdaMax, verdict } = await edgeRatio(optimizer, fromSource(bowl));
      expect(ratio).toBeUndefined();
      expect(lambdaMax).toBeCloseTo(1, 3);
      expect(verdict.toLowerCase()).toContain(`no edge: ${base.name}`);
    },
  );
});

describe("the response of an optimizer", () => {
  const bowl: GradientSource = ([x, y], g) => (g.set([x, 4 * y]), (x * x + 4 * y * y) / 2);

  test("descent has the exponents of its curvatures", async () => {
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.1 }), tuner: null });
    const along = async (direction: number[]) =>
      (await optimizerResponse(optimizer, fromSource(bowl), { steps: 40, direction })).exponent;
    expect(await along([1, 0])).toBeCloseTo(Math.log(0.9), 2);
    expect(await along([0, 1])).toBeCloseTo(Math.log(0.6), 2);
  });

  test("the optimizer is not touched, and copies that do not differ stay together", async () => {
    for (const options of [{}, { base: adam({ learningRate: 0.01 }), tuner: null }]) {
      const optimizer = createOptimizer([1, 1], options);
      optimizer.minimize(bowl, { steps: 20 });
      const before = optimizer.save();
      const { response } = await optimizerResponse(optimizer, fromSource(bowl), { steps: 30 });
      expect(Number.isFinite(response)).toBe(true);
      expect(optimizer.save()).toEqual(before);
    }
  });

  test("a decaying rate never forgets", async () => {
    const learningRate = exponentialDecay({ initial: 0.5, rate: 0.05 });
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate }), tuner: null });
    const run = await optimizerResponse(optimizer, fromSource(bowl), { steps: 300, direction: [1, 0] });
    let product = 1;
    for (let t = 1; t <= 300; t++) product *= 1 - 0.5 * Math.exp(-0.05 * t);
    expect(run.response / product).toBeCloseTo(1, 1);
    expect(run.boundedness.verdict).toBe("bounded");
  });

  test("a profile of a good run and of one past the edge", async () => {
    const steps: number[] = [];
    const profile = async (learningRate: number) => {
      const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate }), tuner: null });
      optimizer.minimize(bowl, { steps: 5 });
      return stabilityProfile(optimizer, fromSource(bowl), { onProgress: ({ done }) => steps.push(done) });
    };
    const good = await profile(0.1);
    expect(good.alerts).toEqual([]);
    expect(good.edge.ratio).toBeCloseTo(0.2, 3);
    expect([good.terminalDecay.verdict, good.boundedness.verdict, good.growth.verdict]).toEqual([
      "decays",
      "bounded",
      "none",
    ]);
    expect(steps.every((done, k) => k === 0 || done > steps[k - 1])).toBe(true);
    const bad = await profile(0.6);
    expect(bad.edge.ratio).toBeCloseTo(1.2, 3);
    expect(bad.alerts).toHaveLength(2);
    expect(JSON.parse(JSON.stringify(bad))).toMatchObject({ step: 5 });
  });
});

describe("layers", () => {
  test("dense: linspace(0.1, 3) on the diagonal", () => {
    const values = Array.from({ length: 30 }, (_, k) => 0.1 + (2.9 * k) / 29);
    const matrix = values.flatMap((value, r) => values.map((_, c) => (r === c ? value : 0)));
    const { value } = operatorNorm(denseOperator(matrix, 30, 30), { iterations: 300, tolerance: 1e-12 });
    expect(value).toBeCloseTo(3, 4);
    const few = operatorNorm(denseOperator(matrix, 30, 30), { iterations: 5, tolerance: 0 });
    expect(few.iterations).toBe(5);
    expect(few.value).toBeLessThan(value);
  });

  test("a convolution is not its kernel: 2 + 2 cos(π / 65)", () => {
    const smooth = convolutionOperator({
      kernel: [1, 2, 1],
      kernelShape: [1, 3, 1, 1],
      inputShape: [1, 64, 1],
    });
    const { value } = operatorNorm(smooth, { iterations: 20_000, tolerance: 0 });
    expect(value).toBeCloseTo(2 + 2 * Math.cos(Math.PI / 65), 6);
    expect(Math.hypot(1, 2, 1)).toBeCloseTo(2.449, 3);
  });

  test.each([1, 2, 3])("a convolution with stride %i: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩", (stride) => {
    const normal = normals(stride);
    const kernel = Array.from({ length: 3 * 2 * 2 * 4 }, normal);
    const operator = convolutionOperator({
      kernel,
      kernelShape: [3, 2, 2, 4],
      inputShape: [5, 7, 2],
      stride,
    });
    const x = Float64Array.from({ length: operator.columns }, normal);
    const y = Float64Array.from({ length: operator.rows }, normal);
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);
    expect(operator.rows).toBe(Math.ceil(5 / stride) * Math.ceil(7 / stride) * 4);
    expect(dot(operator.apply(x), y)).toBeCloseTo(dot(x, operator.transpose(y)), 9);
  });

  test("products of norms are loose: both bounds are shown", () => {
    const forward = (x: Float64Array) => x.map((v) => Math.max(0, Math.max(0, v) - 1));
    const { lower, upper } = layerGain(
      forward,
      [
        [2, 2],
        [0.5, 0.5],
      ],
      { norms: [1, 1] },
    );
    expect(upper).toBe(1);
    expect(lower).toBeCloseTo(1, 6);
    expect(layerGain(forward, [[0.5, 0.5]], { norms: [1, 1] }).lower).toBe(0);
  });

  test.each([0, 1, 3, 10])("‖I + hJ‖ ≤ 1 up to h = 2 / (1 + k²), k = %f", (k) => {
    const limit = cflLimit({ dissipation: 1, lipschitz: Math.sqrt(1 + k * k) });
    expect(limit).toBeCloseTo(2 / (1 + k * k), 12);
    const normOf = (h: number) => operatorNorm(denseOperator([1 - h, h * k, -h * k, 1 - h], 2, 2)).value;
    expect(normOf(limit)).toBeCloseTo(1, 9);
    expect(normOf(1.01 * limit)).toBeGreaterThan(1);
    // No dissipation: a rotation expands for every h.
    expect(cflLimit({ dissipation: 0, lipschitz: 1 })).toBe(0);
    expect(operatorNorm(denseOperator([1, 0.3, -0.3, 1], 2, 2)).value).toBeCloseTo(Math.sqrt(1.09), 9);
  });

  test("a gradient block: I − h Wᵀ D W for every D in {0, 1}", () => {
    const w = 3;
    for (const [factor, largest] of [
      [1, 1],
      [1.2, 1.4],
    ]) {
      const h = (factor * 2) / w ** 2;
      expect(cflNumber({ step: h, norm: w })).toBeCloseTo(factor, 12);
      expect(Math.max(...[0, 1].map((on) => Math.abs(1 - h * w * w * on)))).toBeCloseTo(largest, 12);
    }
    expect(depthBound([])).toBe(1);
    expect(
      depthBound([
        { step: 0.1, lipschitz: 3 },
        { step: 0.2, lipschitz: 1 },
      ]),
    ).toBeCloseTo(Math.exp(0.5), 12);
  });
});
