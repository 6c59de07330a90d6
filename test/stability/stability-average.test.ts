/** The edge of stability under schedule-free averaging: closed forms, the step's matrix, and running into it. */
import { describe, expect, test } from "vitest";
import {
  adam,
  createOptimizer,
  lion,
  mechanic,
  rmsprop,
  scheduleFree,
  sgd,
  superlevel,
  type GradientSource,
  type Optimizer,
  type OptimizerOptions,
} from "../../src/index.js";
import { resolveBase } from "../../src/bases/index.js";
import { rows } from "../support/bases.js";
import {
  fromSource,
  edgeRatio,
  optimizerResponse,
  stabilityProfile,
  type LossGrad,
} from "../../src/stability/index.js";

/** What a step makes of y and e on a quadratic, with a = η S λ(P⁻¹H). */
const matrixOf = (a: number, beta: number, c: number) => [
  [1 - (1 - beta * (1 - c)) * a, c],
  [-(1 - c) * beta * a, 1 - c],
];

/** The larger modulus of its eigenvalues. */
function radiusOf([[p, q], [r, s]]: number[][]): number {
  const [half, determinant] = [(p + s) / 2, p * s - q * r];
  const root = half * half - determinant;
  return root < 0 ? Math.sqrt(determinant) : Math.abs(half) + Math.sqrt(root);
}

const factorOf = (beta: number, c: number) => 1 - beta + (beta * c) / (2 - c);

const bowlOf =
  (curvature: number): LossGrad =>
  ([x, y]) => ({ loss: (curvature * (x * x + y * y)) / 2, grads: [curvature * x, curvature * y] });

const ratioAt = async (optimizer: Optimizer, curvature: number) =>
  (await edgeRatio(optimizer, bowlOf(curvature), { tolerance: 1e-6 })).ratio!;

describe("the step of an averaged rule on a quadratic", () => {
  test("is a matrix, which is stable exactly where a (1 − β + β c / (2 − c)) < 2", () => {
    for (let beta = 0.05; beta < 1; beta += 0.05) {
      for (let c = 0.01; c <= 1; c += 0.03) {
        const edge = 2 / factorOf(beta, c);
        for (let share = 0.02; share < 1; share += 0.02)
          expect(radiusOf(matrixOf(share * edge, beta, c))).toBeLessThan(1);
        expect(radiusOf(matrixOf(edge, beta, c))).toBeCloseTo(1, 12);
        for (const beyond of [1.001, 1.1, 2])
          expect(radiusOf(matrixOf(beyond * edge, beta, c))).toBeGreaterThan(1);
      }
    }
    // The base alone, and an average of very many.
    expect(factorOf(0.9, 1)).toBeCloseTo(1, 15);
    expect(1 / factorOf(0.9, 0)).toBeCloseTo(10, 12);
  });

  test.each([{}, { interpolation: 0.5, power: 2 }])("is what the optimizer does: %o", (options) => {
    const [rate, curvature] = [0.5, 7];
    const optimizer = createOptimizer([1], {
      base: scheduleFree(sgd({ learningRate: rate }), options),
      tuner: null,
    });
    const { interpolation: beta } = optimizer.averaging!;
    let [y, e] = [1, 0];
    for (let step = 1; step <= 40; step++) {
      const { weight: c } = optimizer.averaging!;
      optimizer.step([curvature * optimizer.params[0]]);
      const [[p, q], [r, s]] = matrixOf(rate * curvature, beta, c);
      [y, e] = [p * y + q * e, r * y + s * e];
      expect(optimizer.params[0]).toBeCloseTo(y, 4);
      expect(optimizer.moments[0][0]).toBeCloseTo(e, 4);
    }
  });

  /** Rates that grow like 2^(k t) give every z the same weight c = 1 − 4^−k in the end; the curvature falls with them. */
  async function run(beta: number, c: number, target: number) {
    const k = -Math.log2(1 - c) / 2;
    const learningRate = (t: number) => 2 ** (k * (t - 100));
    const base = scheduleFree(sgd({ learningRate }), { interpolation: beta });
    const optimizer = createOptimizer([1, 1], { base, tuner: null });
    const grows = (a: number) => {
      const t = optimizer.iterations + 1;
      optimizer.step(Array.from(optimizer.params, (x) => (a / learningRate(t)) * x));
    };
    for (let t = 1; t <= 40; t++) grows(0);
    const a = (2 * target) / factorOf(beta, c);
    // The ratio is that of a rate that stays.
    const { weight } = optimizer.averaging!;
    const expected = (a * factorOf(beta, weight)) / 2;
    expect(await ratioAt(optimizer, a / optimizer.learningRate)).toBeCloseTo(expected, 3);
    const largest: number[] = [];
    for (let t = 1; t <= 160; t++) {
      grows(a);
      largest.push(Math.abs(optimizer.params[0]));
    }
    return Math.max(...largest.slice(-10)) / Math.max(...largest.slice(10, 20));
  }

  test.each([
    [0.9, 0.05],
    [0.9, 0.2],
    [0.9, 0.5],
    [0.5, 0.2],
    [0.3, 0.6],
  ])("fades below the edge and grows above it: β = %f, c = %f", async (beta, c) => {
    expect(await run(beta, c, 0.95)).toBeLessThan(0.5);
    expect(await run(beta, c, 1.05)).toBeGreaterThan(2);
  });
});

const slow = { beta2: 1 - 2 ** -22, eps: 1e-12 };
const edges = Object.values(rows).flatMap(({ edges }) =>
  edges === "none" ? [] : Object.entries(edges).flatMap(([name, [, base]]) => (base ? [{ name, base }] : [])),
);

describe("the edge of every averaged base", () => {
  /** Feeds second moments with large gradients, then lets a tiny x swing on a quadratic. */
  async function swing(options: OptimizerOptions, lead: number, target: number) {
    const optimizer = createOptimizer(2, options);
    for (let k = 0; k < 20_000; k++) optimizer.step(k % 2 ? [1, 3] : [-1, -3]);
    const [zero, one] = [await ratioAt(optimizer, 0), await ratioAt(optimizer, 1)];
    const curvature = (target - zero) / (one - zero);
    expect(await ratioAt(optimizer, curvature)).toBeCloseTo(target, 3);
    optimizer.setParams([1e-10, 1e-10]);
    optimizer.moments[lead].fill(0);
    const size = () => Math.max(...optimizer.params.map(Math.abs));
    for (let k = 0; k < 600 && size() < 1e-7; k++)
      optimizer.step(Array.from(optimizer.params, (x) => curvature * x));
    return size();
  }

  test.each(edges)("$name: below it swings fade, above they grow", async ({ base }) => {
    const options = { base: scheduleFree(base, { power: 2 }), tuner: null };
    const lead = resolveBase(options.base).rule.slots.indexOf("lead");
    expect(await swing(options, lead, 0.95)).toBeLessThan(1e-11);
    expect(await swing(options, lead, 1.05)).toBeGreaterThan(1e-7);
  });

  test.each(["global", "tensor", "parameter"] as const)(
    "and what the tuner makes of Adam under noise, while S stays: %s",
    async (granularity) => {
      const tuner = superlevel({ granularity, sInit: 0.01, growthLimit: { first: 1, later: 1 } });
      const options = { base: adam(slow), tuner, gradients: "noisy" } as const;
      expect(await swing(options, 0, 0.95)).toBeLessThan(1e-11);
      expect(await swing(options, 0, 1.05)).toBeGreaterThan(1e-7);
    },
  );

  test("Lion has none", async () => {
    const optimizer = createOptimizer(2, { base: scheduleFree(lion({ learningRate: 0.1 })), tuner: null });
    optimizer.step([1, 2]);
    const { ratio, verdict } = await edgeRatio(optimizer, bowlOf(1));
    expect(ratio).toBeUndefined();
    expect(verdict).toContain("Lion");
  });
});

describe("noisy gradients", () => {
  const curvatures = [1, 40];
  const bowl: GradientSource = (x, g) => (g.set(curvatures.map((k, i) => k * x[i])), 0);
  const noisy: GradientSource = (x, g, step) => {
    g.set(curvatures.map((k, i) => k * x[i] + Math.sin(1e4 * Math.sin(7 * step + i))));
    return 0;
  };

  test.each<[string, OptimizerOptions]>([
    ["defaults", {}],
    ["no momentum is left", { base: adam({ beta1: 0.5 }) }],
    ["nor Nesterov's", { base: adam({ nesterov: true }) }],
    ["each tensor", { tuner: superlevel({ granularity: "tensor" }) }],
    ["each coordinate", { tuner: superlevel({ granularity: "parameter" }) }],
  ])("have the ratio ½ η S λ_max(P⁻¹H) (1 − β + β c / (2 − c)): %s", async (_name, options) => {
    const specs = curvatures.map((_, k) => ({ shape: [1], values: [1 - 0.9 * k] }));
    const optimizer = createOptimizer(specs, options);
    for (const t of [3, 10, 200]) {
      optimizer.minimize(noisy, { steps: t - optimizer.iterations });
      expect(optimizer.gradients).toBe("noisy");
      const { scale, learningRate, averaging, moments } = optimizer;
      const { weight: c, interpolation: beta } = averaging!;
      const parts = curvatures.map((k, i) => {
        const root = Math.sqrt(moments[1][i]) + 1e-8;
        return (learningRate * (typeof scale === "number" ? scale : scale[i]) * k) / root;
      });
      const exact = (Math.max(...parts) * factorOf(beta, c)) / 2;
      const { ratio } = await edgeRatio(optimizer, fromSource(bowl), { tolerance: 1e-6 });
      expect(ratio! / exact).toBeCloseTo(1, 3);
    }
  });

  test("are not taken for exact ones, whose momentum counts", async () => {
    const ratios = await Promise.all(
      (["exact", "noisy"] as const).map(async (gradients) => {
        const optimizer = createOptimizer([1, 0.1], { gradients });
        optimizer.minimize(noisy, { steps: 20 });
        const { ratio } = await edgeRatio(optimizer, fromSource(bowl));
        return ratio! / (optimizer.learningRate * (optimizer.scale as number));
      }),
    );
    expect(ratios[0]).not.toBeCloseTo(ratios[1], 1);
  });

  test("before the second step nobody knows, but where nothing depends on it", async () => {
    const first = async (options: OptimizerOptions) => {
      const optimizer = createOptimizer([1, 0.1], options);
      optimizer.minimize(bowl, { steps: 1 });
      return edgeRatio(optimizer, fromSource(bowl));
    };
    const { ratio, verdict, lambdaMax } = await first({});
    expect(ratio).toBeUndefined();
    expect(verdict).toContain("not known yet");
    expect(lambdaMax).toBeCloseTo(40, 2);
    expect((await first({ gradients: "exact" })).ratio).toBeUndefined();
    for (const options of [
      { gradients: "noisy" },
      { gradients: "exact", tuner: superlevel({ sInit: 0.1 }) },
      { tuner: mechanic() },
      { tuner: null },
    ] as const)
      expect((await first(options)).ratio).toBeGreaterThan(0);
    const [profile] = await Promise.all([
      stabilityProfile(createOptimizer([1, 0.1]).anchor(), fromSource(bowl)).catch((error: Error) => error),
    ]);
    expect(profile).toBeInstanceOf(RangeError);
  });
});

describe("the response", () => {
  const curvatures = [1, 4];
  const bowl: GradientSource = (x, g) => (g.set(curvatures.map((k, i) => k * x[i])), 0);

  test("part and meet as the matrices say", async () => {
    const [rate, steps] = [0.2, 60];
    const base = scheduleFree(sgd({ learningRate: rate }));
    const optimizer = createOptimizer([1, 1], { base, tuner: null });
    optimizer.minimize(bowl, { steps: 30 });
    for (const [axis, curvature] of curvatures.entries()) {
      const direction = [1 - axis, axis];
      const { response } = await optimizerResponse(optimizer, fromSource(bowl), { steps, direction });
      // Both move, so that the lead stays as it is.
      let [y, e] = [1, 0];
      for (let t = 31; t <= 30 + steps; t++) {
        const [[p, q], [r, s]] = matrixOf(rate * curvature, 0.9, 1 / t);
        [y, e] = [p * y + q * e, r * y + s * e];
      }
      expect(response / Math.abs(y)).toBeCloseTo(1, 1);
    }
  });

  test("leave a noisy optimizer as it is, and share second moments, not the lead", async () => {
    for (const options of [{}, { base: adam({ amsgrad: true }) }, { base: rmsprop() }]) {
      const optimizer = createOptimizer([1, 0.1], { ...options, gradients: "noisy" });
      optimizer.minimize(bowl, { steps: 40 });
      const before = optimizer.save();
      const { response, boundedness } = await optimizerResponse(optimizer, fromSource(bowl), { steps: 40 });
      expect(Number.isFinite(response)).toBe(true);
      expect(boundedness.verdict).toBe("bounded");
      expect(optimizer.save()).toEqual(before);
      const { edge, alerts } = await stabilityProfile(optimizer, fromSource(bowl));
      expect(edge.ratio).toBeGreaterThan(0);
      expect(alerts.length).toBe(edge.ratio! > 1.1 ? 1 : 0);
    }
  });
});
