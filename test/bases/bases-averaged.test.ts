/** Schedule-free bases against arithmetic by hand and against their definition, and their options. */
import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  constant,
  createOptimizer,
  lion,
  mechanic,
  rmsprop,
  scheduleFree,
  sgd,
  type Base,
  type LearningRate,
} from "../../src/index.js";
import { averagedBases, noise } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { sameBytes } from "../support/state.js";

const { sqrt } = Math;

/** Where x and its average are taken from x0 by the gradients, without a tuner. */
function pathOf(base: Base, gradients: readonly number[], x0 = 0): [x: number, average: number][] {
  const optimizer = createOptimizer([x0], { base: { learningRate: 1, ...base }, tuner: null });
  return gradients.map((g) => {
    optimizer.step([g]);
    return [optimizer.params[0], optimizer.average()![0]];
  });
}

const half = { interpolation: 0.5, ratePower: 0 };
// Adam's second moments of 4, 0, −4 with β2 = 3/4: 4, 3, 6.25; 1 − β2^t: 1/4, 7/16, 37/64.
const adams = { beta1: 0.5, beta2: 0.75, eps: 0.5 };
const d1 = -4 / (sqrt(4) / sqrt(1 / 4) + 0.5);
const d3 = 4 / (sqrt(6.25) / sqrt(37 / 64) + 0.5);

// The gradients are 4, 0, −4, so gradient descent takes z to −4, −4, 0. Half-way between z and its average is x.
const byHand: [name: string, base: Base, path: [x: number, average: number][]][] = [
  [
    "equal weights: c is 1, 1/2, 1/3",
    scheduleFree(sgd(), half),
    [
      [-4, -4],
      [-4, -4],
      [-4 / 3, -8 / 3],
    ],
  ],
  [
    "weights t: c is 1, 2/3, 1/2",
    scheduleFree(sgd(), { ...half, power: 1 }),
    [
      [-4, -4],
      [-4, -4],
      [-1, -2],
    ],
  ],
  [
    "x is at a fifth of the way from the average to z",
    scheduleFree(sgd(), { ratePower: 0, interpolation: 0.8 }),
    [
      [-4, -4],
      [-4, -4],
      [-0.2 * 0 - 0.8 * (8 / 3), -8 / 3],
    ],
  ],
  [
    // z: −4, −4, 4. The largest rates are 1, 2, 2, the weights 1, 4, 4.
    "rates 1, 2, 2: c is 1, 4/5, 4/9",
    { ...scheduleFree(sgd(), { interpolation: 0.5 }), learningRate: (step) => Math.min(step, 2) },
    [
      [-4, -4],
      [-4, -4],
      [0.5 * (4 + (-4 + (8 * 4) / 9)), -4 + (8 * 4) / 9],
    ],
  ],
  [
    // The largest rates are 2, 2, 2, though the rates fall: z: −8, −8, −6.
    "rates 2, 1, 0.5: c is 1, 1/2, 1/3",
    { ...scheduleFree(sgd(), { interpolation: 0.5 }), learningRate: (step) => 4 / 2 ** step },
    [
      [-8, -8],
      [-8, -8],
      [0.5 * (-6 + (-8 + 2 / 3)), -8 + 2 / 3],
    ],
  ],
  [
    // z: −2, −2, 2. The weights are 1/4, 1, 1.
    "warmed up over 2 steps: rates 1/2, 1, 1",
    scheduleFree(sgd(), { interpolation: 0.5, warmupSteps: 2 }),
    [
      [-2, -2],
      [-2, -2],
      [0.5 * (2 + (-2 + 16 / 9)), -2 + 16 / 9],
    ],
  ],
  [
    "adam without its momentum",
    scheduleFree(adam(adams), half),
    [
      [d1, d1],
      [d1, d1],
      [0.5 * (d1 + d3 + (d1 + d3 / 3)), d1 + d3 / 3],
    ],
  ],
  [
    "lion, the sign of the gradient: z is −1, −1, 0",
    scheduleFree(lion(), half),
    [
      [-1, -1],
      [-1, -1],
      [-1 / 3, -2 / 3],
    ],
  ],
];

test.each(byHand)("%s: three steps by hand", (_name, base, path) => {
  pathOf(base, [4, 0, -4]).forEach((found, k) =>
    found.forEach((value, i) => expect(Math.abs(value - path[k][i])).toBeLessThan(2e-6)),
  );
});

test.each([adamw({ weightDecay: 0.25, eps: 1e-8 }), lion({ weightDecay: 0.25 })])(
  "$name: decoupled decay at x is a part of what z does",
  (inner) => {
    // Gradients 4 and 0 from x = 8 at rate 1: z is 8 − 1 − 2 = 5, and x, too. Then z moves by −1.25.
    const [first, [x, average]] = pathOf(scheduleFree(inner, half), [4, 0], 8);
    expect(first).toEqual([5, 5]);
    expect([x, average]).toEqual([0.5 * (3.75 + 4.375), 4.375]);
  },
);

test("decay that joins the gradient is taken at x", () => {
  const [first, [x, average]] = pathOf(scheduleFree(sgd({ weightDecay: 0.25 }), half), [4, 0], 8);
  // z: 8 − 4 − 2 = 2, then 2 − 0.5 = 1.5.
  expect(first).toEqual([2, 2]);
  expect([x, average]).toEqual([0.5 * (1.5 + 1.75), 1.75]);
});

describe.each(engines)("%s engine", (engine) => {
  describe.each(Object.entries(averagedBases))("%s", (_name, base) => {
    test("a zero gradient on a zero state moves nothing", () => {
      const optimizer = createOptimizer(5, { base, tuner: null, engine });
      for (let step = 0; step < 3; step++) optimizer.step(new Float32Array(5));
      expect(optimizer.params).toEqual(new Float32Array(5));
      expect(optimizer.average()).toEqual(new Float32Array(5));
    });

    test("where gradients are 0 for long, no moment and no lead stays among float32's denormal numbers", () => {
      const still: Base = { ...base, weightDecay: 0, learningRate: 0.01 };
      const optimizer = createOptimizer([0, 0, 0], { base: still, tuner: null, engine });
      for (let step = 1; step <= 5 * 256; step++)
        optimizer.step(step < 4 ? [1, -0.5 * step, 1e-10] : [0, 0, 0]);
      for (const moment of optimizer.moments)
        expect(Array.from(moment).filter((m) => m !== 0 && Math.abs(m) < 2 ** -120)).toEqual([]);
    });

    test("resumes to the last bit under any tuner, and with none", () => {
      const random = noise(5);
      const gradients = Array.from({ length: 40 }, () => [random(), random(), random()]);
      for (const tuner of [undefined, null, mechanic({ delta: "stored" })]) {
        const first = createOptimizer([1, 2, 3], { base, tuner, engine });
        gradients.slice(0, 25).forEach((g) => first.step(g));
        const state = first.save();
        gradients.slice(25).forEach((g) => first.step(g));
        const second = createOptimizer(3, { base, tuner, engine }).restore(state);
        gradients.slice(25).forEach((g) => second.step(g));
        expect(sameBytes(second.save(), first.save())).toBe(true);
        expect(second.average()).toEqual(first.average());
      }
    });

    test("its options, read back, make the same base", () => {
      const { config } = createOptimizer(1, { base, engine });
      const again = createOptimizer(1, { base: config.base, engine });
      expect(again.config.base).toEqual(config.base);
    });
  });
});

test("rate and decay may be set on the outside, and what is set there is checked", () => {
  const base = { ...scheduleFree(adamw({ learningRate: 3 })), learningRate: 2, weightDecay: 0.5 };
  const { config } = createOptimizer(1, { base, tuner: null });
  expect(config.base).toMatchObject({ learningRate: 2, weightDecay: 0.5, base: { weightDecay: 0.5 } });
  const [[x]] = pathOf({ ...base, learningRate: 1 }, [1e-30], 8);
  expect(x).toBe(4);
  for (const wrong of [{ learningRate: -1 }, { weightDecay: -1 }])
    expect(() => createOptimizer(1, { base: { ...base, ...wrong } })).toThrow(RangeError);
});

test("other bases have no average", () => {
  for (const base of [adam(), sgd({ momentum: 0.9 })])
    expect(createOptimizer([1], { base, tuner: null }).average()).toBe(null);
});

test("warm-up multiplies whatever rate there is by min(1, t / steps), and is no part of the config's rate", () => {
  const ratesOf = (warmupSteps: number, learningRate: LearningRate) => {
    const base = scheduleFree(sgd({ learningRate }), { warmupSteps });
    const optimizer = createOptimizer([1], { base, tuner: null });
    const rates = [1, 2, 3, 4, 5].map(() => optimizer.step([1]).learningRate);
    const { config } = createOptimizer([1], { base: optimizer.config.base, tuner: null });
    expect(config.base.learningRate).toBe(learningRate);
    return rates;
  };
  expect(ratesOf(4, 2)).toEqual([0.5, 1, 1.5, 2, 2]);
  expect(ratesOf(2.5, constant(1))).toEqual([0.4, 0.8, 1, 1, 1]);
  for (const none of [0, 0.5, 1]) expect(ratesOf(none, 2)).toEqual([2, 2, 2, 2, 2]);
});

describe("options", () => {
  test.each([
    ["interpolation", [0, 1, -0.1]],
    ["power", [-1, 65]],
    ["ratePower", [-1, 65]],
    ["warmupSteps", [-1]],
  ] as const)("%s out of range", (option, values) => {
    for (const value of [...values, NaN, Infinity]) {
      const make = () => scheduleFree(adam(), { [option]: value });
      expect(make).toThrow(RangeError);
      expect(make).toThrow(`scheduleFree.${option}: `);
    }
    expect(() => scheduleFree(adam(), { [option]: "0.5" })).toThrow(TypeError);
  });

  test("momentum by name is refused, and what is no base", () => {
    const refused: [Parameters<typeof scheduleFree>[0], string][] = [
      [sgd({ momentum: 0.9 }), "sgd() without momentum"],
      [rmsprop({ momentum: 0.5 }), "rmsprop() without momentum"],
      [adam({ nesterov: true }), "adam() without nesterov"],
      [scheduleFree(adam()) as never, 'scheduleFree(base).name: expected one of "'],
    ];
    for (const [base, reason] of refused) {
      expect(() => scheduleFree(base)).toThrow(RangeError);
      expect(() => scheduleFree(base)).toThrow(reason);
    }
    for (const base of [null, undefined, "adam", 3])
      expect(() => scheduleFree(base as never)).toThrow(TypeError);
    expect(() => scheduleFree(adam(), { beta: 0.9 } as object)).toThrow(TypeError);
  });
});
