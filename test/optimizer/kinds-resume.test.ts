/** Saved and restored at every step of a run, whatever it has been through, it goes on to the bit: in every kind. */
import { describe, expect, test } from "vitest";
import { createOptimizer, superlevel, type Optimizer, type OptimizerOptions } from "../../src/index.js";
import { averagedBases, bases, kinds, noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { forms } from "../support/forms.js";
import { descriptionOf, sameBytes } from "../support/state.js";

const SIZE = 21;
const x0 = startAt(SIZE, noise(3));
const tensors = [
  { shape: [2, 3], values: x0.subarray(0, 6), learningRate: 0.5 },
  { shape: [5], values: x0.subarray(6, 11), frozen: true },
  { shape: [10], values: x0.subarray(11), weightDecay: 0.25 },
];

type Deed = (optimizer: Optimizer, random: () => number) => unknown;

const towards = (optimizer: Optimizer, random: () => number, noisy: number): Float32Array =>
  optimizer.params.map((x, i) => 0.5 * (x - Math.cos(i)) + noisy * random());

/** A step of the run's own kind, to be told of its loss or not. */
const stepOf =
  (noisy: number, loss?: number): Deed =>
  (optimizer, random) =>
    optimizer.step(towards(optimizer, random, noisy), { loss });

/** What may happen to an optimizer besides. Losses are made up: a rise is rejected, and a fall too low is cut short. */
const events: Record<string, Deed> = {
  "a gradient of 0": (optimizer) => optimizer.step(new Float32Array(SIZE)),
  "one of NaN": (optimizer) => optimizer.step(new Float32Array(SIZE).fill(NaN)),
  "one too large": (optimizer) => optimizer.step(new Float32Array(SIZE).fill(1e20)),
  "a rejected step": (optimizer) => {
    const losses = [5, 6, 7, 4];
    optimizer.grads.fill(0.1);
    optimizer.minimize(() => losses.shift() ?? 3, { steps: 1, guard: { policy: "reject" } });
  },
  "a level": (optimizer) => {
    let calls = 0;
    optimizer.grads.fill(0.1);
    const level = { value: 4, action: "shrink" as const };
    optimizer.minimize(() => (calls++ === 1 ? 3 : 5), { steps: 1, level });
  },
  "a shrunk rate": (optimizer) => {
    const losses = [5, 6, 4];
    optimizer.grads.fill(0.1);
    optimizer.minimize(() => losses.shift() ?? 3, { steps: 1, guard: { policy: "shrink" } });
  },
  "another point": (optimizer) => optimizer.setParams(optimizer.params.map((x) => x + 0.25)),
  "a translation": (optimizer) => optimizer.translate(optimizer.params.map((_, i) => Math.sin(i))),
  "an anchor": (optimizer) => optimizer.anchor(),
};

/** Each event once, at a place of its own, between steps that come to anchors after 6 and 12 steps and later. */
function runOf(noisy: number): Deed[] {
  const run: Deed[] = [
    events["a gradient of 0"],
    events["one of NaN"],
    stepOf(noisy),
    events["one too large"],
  ];
  run.push(events["a gradient of 0"], stepOf(noisy), stepOf(noisy));
  for (const event of Object.values(events))
    run.push(event, stepOf(noisy), stepOf(noisy, 1e-3), stepOf(noisy, 20));
  return run;
}

/** Does each deed to the optimizer, and to one that was restored right before it. */
function follow(optimizer: Optimizer, deeds: readonly Deed[], restored: () => Optimizer): void {
  const used = restored();
  deeds.forEach((deed, k) => {
    const state = optimizer.save();
    const [own, other] = [noise(k), noise(k)];
    const others = k % 3 ? used : restored();
    others.restore(state);
    if (!sameBytes(others.save(), state)) throw new Error(`before ${k}: saved again, it differs`);
    deed(optimizer, own);
    deed(others, other);
    if (!sameBytes(others.save(), optimizer.save()))
      throw new Error(`deed ${k} ends elsewhere where it was preceded by a restoration`);
  });
}

const everyBase = Object.entries({ ...bases, ...averagedBases });
const granularities = ["global", "tensor", "parameter"] as const;

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions) =>
    createOptimizer(tensors, { engine, nonFinite: "skip", ...options });

  describe.each(Object.entries(kinds))("gradients %s", (_kind, { more, kind, second }) => {
    // What is found out follows from the second gradient.
    const noisy = (second ?? (kind === "noisy" ? "turned" : "again")) === "turned" ? 1 : 1e-3;

    describe.each(granularities)("a tuner for each: %s", (granularity) => {
      test.each(everyBase)("%s", (_base, base) => {
        const options = { ...more, base, tuner: superlevel({ granularity, anchor: { first: 6 } }) };
        const optimizer = create(options);
        follow(optimizer, runOf(noisy), () => create(options));
        expect(optimizer.gradients).toBe(kind);
        expect(optimizer.iterations).toBeGreaterThan(30);
      });
    });
  });

  test.each(Object.entries(forms))("%s: events at every step", (_form, tuner) => {
    for (const first of Object.values(events)) {
      for (const noisy of [1e-3, 1]) {
        const deeds = Array.from({ length: 12 }, (_, k) => (k % 3 === 2 ? first : stepOf(noisy)));
        const options = { tuner };
        // A run that is guarded by whether its loss is known to rise is not deterministic.
        follow(create(options), [first, ...deeds], () => create(options));
      }
    }
  });

  test("when the average forgets, too", () => {
    const options: OptimizerOptions = { gradients: "noisy" };
    const [optimizer, other] = [create(options), create(options)];
    const random = noise(6);
    const ageOf = () => (descriptionOf(optimizer.save()).clock as { age: number }).age;
    let [age, forgot] = [0, 0];
    for (let step = 1; step <= 1500; step++) {
      // What was best is best no longer.
      const target = step <= 600 ? 1 : -3;
      const g = optimizer.params.map((x) => 0.2 * (x - target) + random());
      const watched = step % 100 < 2 || forgot > 0;
      const restored = watched ? other.restore(optimizer.save()) : undefined;
      const info = optimizer.step(g);
      const next = ageOf();
      forgot = next < age ? 5 : Math.max(0, forgot - 1);
      age = next;
      if (restored) {
        expect(restored.step(g)).toEqual(info);
        expect(sameBytes(restored.save(), optimizer.save())).toBe(true);
      }
    }
    expect(age).toBeLessThan(1200);
  });
});
