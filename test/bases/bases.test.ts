/** The base optimizers against arithmetic by hand, against their published rules in closed form, and their options. */
import { describe, expect, test } from "vitest";
import { resolveBase } from "../../src/bases/index.js";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  createOptimizer,
  OptimizerError,
  rmsprop,
  scheduleFree,
} from "../../src/index.js";
import type { Base, Optimizer } from "../../src/index.js";
import { Reference } from "../reference.js";
import { rows } from "../support/bases.js";
import { averagedBases, bases, noise } from "../support/cases.js";

/** Where x0 is taken by the gradients, one step each, at rate 1 and without a tuner. */
function pathOf(base: Base, gradients: readonly number[], x0 = 0): number[] {
  const optimizer = createOptimizer([x0], { base: { learningRate: 1, ...base }, tuner: null });
  return gradients.map((g) => {
    optimizer.step([g]);
    return optimizer.params[0];
  });
}

/** The moments of at most 16 coordinates, and the padding behind them: where a saved state ends. */
function momentsOf(optimizer: Optimizer, base: Base): Float32Array {
  const bytes = 64 * resolveBase(base).rule.slots.length;
  return bytes ? new Float32Array(optimizer.save().slice(-bytes).buffer) : new Float32Array(0);
}

const { sqrt } = Math;

const rowsOf = Object.entries(rows);
const byHand = rowsOf.flatMap(([, { byHand, decoupled }]) =>
  Object.entries(byHand).map(([name, [base, updates]]) => ({ name, base, updates, decoupled })),
);

test.each(byHand)("$name: three steps by hand", ({ base, updates }) => {
  let x = 0;
  const expected = updates.map((u) => (x += u));
  pathOf(base, [4, 0, -4]).forEach((x, k) => expect(Math.abs(x - expected[k])).toBeLessThan(2e-6));
});

test.each(byHand)(
  "$name: weight decay joins the gradient, or the update where it is decoupled",
  ({ base, decoupled }) => {
    const [moved] = pathOf({ ...base, weightDecay: 0.25 }, [4], 8);
    const [plain] = pathOf({ ...base, weightDecay: 0 }, [decoupled ? 4 : 4 + 0.25 * 8], 8);
    expect(moved).toBe(decoupled ? plain - 0.25 * 8 : plain);
  },
);

test("adamw decays every variant outside of the moments", () => {
  for (const variant of [{}, { amsgrad: true }, { nesterov: true }]) {
    const [moved] = pathOf(adamw({ ...variant, weightDecay: 0.25 }), [4], 8);
    const [plain] = pathOf(adam(variant), [4], 8);
    expect(Math.abs(moved - (plain - 0.25 * 8))).toBeLessThan(1e-6);
  }
});

/** Σ decay^(t−i) value_i over i ≤ t: what a moment that starts at 0 is, but for its factor 1 − decay. */
const faded = (values: readonly number[], decay: number) =>
  values.reduce((sum, value, i) => sum + decay ** (values.length - 1 - i) * value, 0);
const squares = (values: readonly number[]) => values.map((value) => value * value);
const upTo = <T>(values: readonly number[], of: (past: number[]) => T) =>
  values.map((_, i) => of(values.slice(0, i + 1)));

/** The update of the last of the gradients g_1 … g_t at rate 1, as published, moments in closed form. */
const published: [base: Base, update: (g: number[]) => number][] = [
  [
    adam({ amsgrad: true }),
    (g) => {
      const t = g.length;
      const largest = Math.max(...upTo(g, (past) => 0.001 * faded(squares(past), 0.999)));
      return -(0.1 * faded(g, 0.9)) / (1 - 0.9 ** t) / (sqrt(largest / (1 - 0.999 ** t)) + 1e-8);
    },
  ],
  [
    adam({ nesterov: true }),
    (g) => {
      const t = g.length;
      const mu = (i: number) => 0.9 * (1 - 0.96 ** (0.004 * i) / 2);
      const product = (last: number) =>
        Array.from({ length: last }, (_, i) => mu(i + 1)).reduce((a, b) => a * b);
      const average =
        (mu(t + 1) * 0.1 * faded(g, 0.9)) / (1 - product(t + 1)) +
        ((1 - mu(t)) * g[t - 1]) / (1 - product(t));
      return -average / (sqrt((0.001 * faded(squares(g), 0.999)) / (1 - 0.999 ** t)) + 1e-8);
    },
  ],
  [
    adamax(),
    (g) => {
      const t = g.length;
      const largest = Math.max(...g.map((value, i) => 0.999 ** (t - 1 - i) * (Math.abs(value) + 1e-8)));
      return -(0.1 * faded(g, 0.9)) / (1 - 0.9 ** t) / largest;
    },
  ],
  [rmsprop({ alpha: 0.9 }), (g) => -g[g.length - 1] / (sqrt(0.1 * faded(squares(g), 0.9)) + 1e-8)],
  [
    rmsprop({ alpha: 0.9, eps: 0.01, momentum: 0.8, centered: true }),
    (g) => {
      const parts = upTo(g, (past) => {
        const variance = 0.1 * faded(squares(past), 0.9) - (0.1 * faded(past, 0.9)) ** 2;
        return past[past.length - 1] / (sqrt(variance) + 0.01);
      });
      return -faded(parts, 0.8);
    },
  ],
  [
    adagrad({ initialAccumulator: 0.5, learningRateDecay: 0.1 }),
    (g) => {
      const sum = squares(g).reduce((a, b) => a + b, 0.5);
      return -g[g.length - 1] / (sqrt(sum) + 1e-10) / (1 + 0.1 * (g.length - 1));
    },
  ],
  [
    adadelta({ rho: 0.9 }),
    (g) => {
      const moves: number[] = [];
      const rms = (values: number[]) => sqrt(0.1 * faded(squares(values), 0.9) + 1e-6);
      upTo(g, (past) => moves.push((-rms(moves) / rms(past)) * past[past.length - 1]));
      return moves[g.length - 1];
    },
  ],
];

test.each(published)("$name $amsgrad $nesterov: the published rule over 60 random steps", (base, update) => {
  const random = noise(11);
  const twin = new Reference([0, 0, 0], { base, tuner: null });
  const histories: number[][] = [[], [], []];
  for (let step = 1; step <= 60; step++) {
    // Nothing for a while, then growing and shrinking.
    const g = histories.map(() => (step < 3 ? 0 : random() * Math.exp(3 * Math.sin(step))));
    const { u } = twin.step(g, 1);
    histories.forEach((history, i) => {
      history.push(g[i]);
      expect(Math.abs(u[i] - update(history))).toBeLessThanOrEqual(1e-10 * Math.abs(u[i]));
    });
  }
});

describe("what the variants are for", () => {
  test("AMSGrad stays cautious after a large gradient, Adam forgets it", () => {
    const gradients = [100, ...Array<number>(60).fill(1)];
    const lastMove = (base: Base) => {
      const path = pathOf(base, gradients);
      return path[60] - path[59];
    };
    const adams = lastMove(adam({ beta2: 0.9 }));
    expect(lastMove(adam({ beta2: 0.9, amsgrad: true })) / adams).toBeLessThan(0.1);
  });

  test("NAdam's first step is longer than Adam's: it looks ahead", () => {
    const [plain] = pathOf(adam(), [1]);
    const [nadam] = pathOf(adam({ nesterov: true }), [1]);
    // 1 + μ_2 · 0.1 / (1 − μ_1 μ_2), μ ≈ 0.45
    expect(nadam / plain).toBeCloseTo(1 + (0.45 * 0.1) / (1 - 0.45 ** 2), 3);
  });

  test("Adagrad's rate decays", () => {
    const path = pathOf(adagrad({ initialAccumulator: 1e6, learningRateDecay: 1 }), [1, 1, 1, 1]);
    const moves = path.map((x, k) => x - (k && path[k - 1]));
    moves.forEach((move, k) => expect(move / moves[0]).toBeCloseTo(1 / (1 + k), 4));
  });

  test("centered RMSProp divides by the deviation from the mean", () => {
    const gradients = Array.from({ length: 200 }, (_, k) => 10 + (k % 2 ? 0.1 : -0.1));
    const lastMove = (base: Base) => {
      const path = pathOf(base, gradients);
      return path[199] - path[198];
    };
    expect(lastMove(rmsprop({ alpha: 0.9 }))).toBeCloseTo(-1, 1);
    expect(lastMove(rmsprop({ alpha: 0.9, centered: true }))).toBeLessThan(-50);
  });

  test("a gradient that stays the same has no variance: no NaN", () => {
    const path = pathOf(rmsprop({ alpha: 0.9, eps: 0.5, centered: true }), Array<number>(400).fill(0.7));
    // The deviation is rounding alone, far below eps.
    expect((path[399] - path[398]) / (-0.7 / 0.5)).toBeCloseTo(1, 2);
  });
});

test("a step that would leave float32's range is undone, also where no variance makes it a leap", () => {
  const base = rmsprop({ alpha: 0, centered: true });
  const optimizer = createOptimizer([1], { base, tuner: null });
  expect(() => optimizer.step([5e13])).toThrow(OptimizerError);
  expect(optimizer.params[0]).toBe(1);
  expect(momentsOf(optimizer, base)).toEqual(new Float32Array(48));
});

describe.each(Object.entries(bases))("%s", (_name, base) => {
  test("a zero gradient on a zero state moves nothing, and what lies behind the last coordinate stays 0", () => {
    const size = 5;
    const optimizer = createOptimizer(new Float32Array(size), { base, tuner: null });
    optimizer.step(new Float32Array(size));
    expect(optimizer.params).toEqual(new Float32Array(size));
    for (let step = 0; step < 5; step++) optimizer.step([1, -2, 3, 0, 1e-20]);
    const moments = momentsOf(optimizer, base);
    const behind = moments.filter((_, i) => i % 16 >= size);
    expect(behind).toEqual(new Float32Array(behind.length));
    expect(moments.every(Number.isFinite)).toBe(true);
  });

  test("where gradients are 0 for long, no moment stays among float32's denormal numbers", () => {
    const still = { ...base, weightDecay: 0, learningRate: 0.01 };
    const optimizer = createOptimizer([0, 0, 0], { base: still, tuner: null });
    const twin = new Reference([0, 0, 0], { base: still, tuner: null, round: Math.fround });
    for (let step = 1; step <= 5 * 256; step++) {
      const g = step < 4 ? [1, -0.5 * step, 1e-10] : [0, 0, 0];
      optimizer.step(g);
      twin.step(g, 0.01);
    }
    expect(Array.from(optimizer.params)).toEqual(Array.from(twin.x));
    expect(momentsOf(optimizer, still).filter((m) => m !== 0 && Math.abs(m) < 2 ** -120)).toHaveLength(0);
  });

  test("resumes to the last bit, from later and from earlier", () => {
    const random = noise(5);
    const gradients = Array.from({ length: 60 }, () => [random(), random(), random()]);
    const first = createOptimizer([1, 2, 3], { base });
    gradients.slice(0, 40).forEach((g) => first.step(g));
    const state = first.save();
    gradients.slice(40).forEach((g) => first.step(g));
    const end = Array.from(first.params);
    for (const optimizer of [createOptimizer(3, { base }), first]) {
      optimizer.restore(state);
      gradients.slice(40).forEach((g) => optimizer.step(g));
      expect(Array.from(optimizer.params)).toEqual(end);
    }
  });

  test("its options, read back, make the same base", () => {
    const { config } = createOptimizer(1, { base });
    expect(createOptimizer(1, { base: config.base }).config.base).toEqual(config.base);
  });
});

test.each(Object.entries({ ...bases, ...averagedBases }))(
  "%s: its second moments do not see the gradient's sign, its other slots take it over",
  (_name, base) => {
    const [one, other] = [1, -1].map((sign) => {
      const still = { ...base, weightDecay: 0 };
      const optimizer = createOptimizer([0, 0], { base: still, tuner: null });
      for (let step = 1; step <= 5; step++) optimizer.step([sign * step, sign * Math.cos(step)]);
      return optimizer;
    });
    resolveBase(base).rule.slots.forEach((role, slot) => {
      const sign = role === "secondMoment" ? 1 : -1;
      expect(one.moments[slot][1]).not.toBe(0);
      expect(one.moments[slot].map((value) => sign * value)).toEqual(other.moments[slot]);
    });
  },
);

test("NAdam's scalars depend on the step alone, however it was reached", () => {
  const base = adam({ nesterov: true, beta1: 0.999 });
  const [walking, jumping] = [resolveBase(base).rule, resolveBase(base).rule];
  const [walked, jumped] = [new Float64Array(7), new Float64Array(7)];
  for (let step = 1; step <= 3000; step++) walking.constants(step, 0.1, walked, step, 1e-3);
  for (const step of [5000, 1, 3000]) jumping.constants(step, 0.1, jumped, step, 1e-3);
  expect(jumped).toEqual(walked);
  // Long before, the product is so small that it stays as it is, and nothing is multiplied any more.
  jumping.constants(1e12, 0.1, jumped, 1e12, 1e-3);
  expect(jumped.every(Number.isFinite)).toBe(true);
});

describe.each(rowsOf)("%s", (_name, { factory, options, rates, averagedRate = rates[0][1] }) => {
  test("its row has every option", () => {
    const settled = Object.keys(factory()).filter((name) => name !== "name");
    expect(Object.keys(options).sort()).toEqual(settled.sort());
  });

  const rateOf = (base: Base) => createOptimizer(1, { base, tuner: null }).config.base.learningRate;

  test("its default rates without a tuner are PyTorch's, and those of scheduleFree its authors'", () => {
    for (const [options, rate] of rates) expect(rateOf(factory(options))).toBe(rate);
    expect(rateOf(scheduleFree(factory()))).toBe(averagedRate);
  });
});
