/** Anchors: when they come, what they keep, and how the default rate follows them. */
import { describe, expect, test } from "vitest";
import { adam, constant, createOptimizer, mechanic, sgd, superlevel, windowDecay } from "../../src/index.js";
import type { AnchorOptions, Optimizer, OptimizerOptions, Schedule } from "../../src/index.js";
import { bases, gradientAt, noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { forms, scalesOf } from "../support/forms.js";
import { mustMatch } from "../support/state.js";

const size = 9;
const x0 = startAt(size, noise(6));
const gradient = (step: number) => gradientAt(step, size, noise(step));

/** The anchors that each option makes within 600 steps, counted by hand: with exact gradients, and with noisy ones. */
const windows: [AnchorOptions | null | undefined, exact: number[], noisy: number[]][] = [
  [undefined, [16, 32, 51, 82, 131, 210, 336, 538], [64, 128, 256, 512]],
  [{}, [16, 32, 51, 82, 131, 210, 336, 538], [64, 128, 256, 512]],
  [{ first: 64, growth: 2 }, [64, 128, 256, 512], [64, 128, 256, 512]],
  [
    { first: 1 },
    [1, 2, 3, 5, 8, 13, 21, 34, 54, 86, 138, 221, 354, 566],
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  ],
  [
    { first: 10, growth: 1.5 },
    [10, 20, 30, 45, 68, 102, 153, 230, 345, 518],
    [10, 20, 30, 45, 68, 102, 153, 230, 345, 518],
  ],
  [{ first: 100, growth: 10 }, [100], [100]],
  [{ every: 150 }, [150, 300, 450, 600], [150, 300, 450, 600]],
  [{ every: 1 }, Array.from({ length: 600 }, (_, k) => k + 1), Array.from({ length: 600 }, (_, k) => k + 1)],
  [null, [], []],
];

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions = {}) => createOptimizer(x0, { engine, ...options });

  function walk(optimizer: Optimizer, from: number, to: number): void {
    for (let step = from; step <= to; step++) optimizer.step(gradient(step));
  }

  /** The window of a step between anchors: from after its start to its end. */
  function windowOf(step: number, ends: number[]): [start: number, end: number] {
    const start = Math.max(0, ...ends.filter((end) => end < step));
    return [start, ends.find((end) => end >= step) ?? Infinity];
  }

  test.each(windows)("%j: the rate decays by a factor e from anchor to anchor", (anchor, exact) => {
    const optimizer = create({ gradients: "exact", tuner: superlevel({ anchor }) });
    for (let step = 1; step <= 600; step++) {
      const [start, end] = windowOf(step, exact);
      const { learningRate } = optimizer.step(gradient(step));
      // The last window's end lies beyond what is counted here.
      if (end === Infinity && anchor !== null) continue;
      const expected = Math.exp(-(step - start) / (end - start));
      if (learningRate !== expected) throw new Error(`η is ${learningRate} at step ${step}, not ${expected}`);
    }
  });

  const both = windows.flatMap(([anchor, exact, noisy]) => [
    ["exact" as const, anchor, exact] as const,
    ["noisy" as const, anchor, noisy] as const,
  ]);

  test.each(both)("%s, %j: a schedule is told where anchors are", (gradients, anchor, ends) => {
    let seen: [number, number] = [0, 0];
    const learningRate: Schedule = (_step, { start, length }) => {
      seen = [start, start + length];
      return 0.1;
    };
    const optimizer = create({ gradients, base: adam({ learningRate }), tuner: superlevel({ anchor }) });
    for (let step = 1; step <= 600; step++) {
      optimizer.step(gradient(step));
      const [start, end] = windowOf(step, ends);
      if (seen[0] !== start || (end < Infinity && seen[1] !== end))
        throw new Error(`step ${step}: from ${seen[0]} to ${seen[1]}, not from ${start} to ${end}`);
    }
  });

  test("with noisy gradients the rate stays 1, as an average does what decay would", () => {
    const optimizer = create({ gradients: "noisy" });
    for (let step = 1; step <= 200; step++) expect(optimizer.step(gradient(step)).learningRate).toBe(1);
  });

  test("a schedule is told its window", () => {
    const seen: [number, number, number][] = [];
    const learningRate = (step: number, { start, length }: { start: number; length: number }) => {
      seen.push([step, start, length]);
      return 0.1;
    };
    const tuner = superlevel({ anchor: { every: 2 } });
    walk(create({ gradients: "exact", base: adam({ learningRate }), tuner }), 1, 5);
    expect(seen).toEqual([
      [1, 0, 2],
      [2, 0, 2],
      [3, 2, 2],
      [4, 2, 2],
      [5, 4, 2],
    ]);
    // Nothing is anchored before it is known what gradients are.
    seen.length = 0;
    walk(create({ base: adam({ learningRate }), tuner }), 1, 3);
    expect(seen).toEqual([
      [1, 0, Infinity],
      [2, 0, 2],
      [3, 2, 2],
    ]);
    seen.length = 0;
    walk(create({ base: adam({ learningRate }), tuner: null }), 1, 2);
    expect(seen).toEqual([
      [1, 0, Infinity],
      [2, 0, Infinity],
    ]);
  });

  test.each(Object.entries(forms))("%s: S ← carry · S, x stays, h begins again", (_form, tuner) => {
    if (tuner === null) return;
    for (const carry of [0.25, 0.6, 1]) {
      for (const every of [12, 1000]) {
        const options = { base: sgd({ learningRate: 0.1 }), tuner: { ...tuner, anchor: { every, carry } } };
        const [optimizer, free] = [
          create(options),
          create({ ...options, tuner: { ...tuner, anchor: null } }),
        ];
        walk(optimizer, 1, 12);
        walk(free, 1, 12);
        if (every === 1000) optimizer.anchor();
        if (optimizer.params.some((x, i) => x !== free.params[i])) throw new Error("an anchor moved x");
        const before = scalesOf(free);
        scalesOf(optimizer).forEach((scale, k) => {
          const error = Math.abs(scale / (carry * before[k]) - 1);
          if (error > 1e-6) throw new Error(`S[${k}] is ${scale} after ${before[k]}, with carry ${carry}`);
        });
        const still = new Float32Array(size);
        if (tuner.delta !== "additive") expect(optimizer.step(still)).toMatchObject({ h: 0, step: 13 });
      }
    }
  });

  test("by hand or by itself, an anchor is the same", () => {
    for (const base of Object.values(bases)) {
      const options = { base: { ...base, learningRate: constant(0.1) } };
      const [automatic, manual] = [
        create({ ...options, tuner: superlevel({ anchor: { every: 20 } }) }),
        create({ ...options, tuner: superlevel({ anchor: null }) }),
      ];
      for (let step = 1; step <= 70; step++) {
        automatic.step(gradient(step));
        manual.step(gradient(step));
        if (step % 20 === 0) manual.anchor();
      }
      if (automatic.params.some((x, i) => x !== manual.params[i]))
        throw new Error(`${base.name}: they differ`);
      expect(manual.scale).toBe(automatic.scale);
    }
  });

  test("one by hand opens a window as long as one that begins there", () => {
    const base = adam({ learningRate: windowDecay(2) });
    const optimizer = create({ gradients: "exact", base });
    walk(optimizer, 1, 10);
    expect(optimizer.anchor()).toBe(optimizer);
    expect(optimizer.iterations).toBe(10);
    expect(optimizer.step(gradient(11)).learningRate).toBe(2 * Math.exp(-1 / 16));
    walk(optimizer, 12, 26);
    expect(optimizer.learningRate).toBe(2 * Math.exp(-1));
    expect(optimizer.step(gradient(27)).learningRate).toBe(2 * Math.exp(-1 / 16));
    walk(optimizer, 28, 99);
    // 0.6 · 99 is 59 when rounded.
    expect(optimizer.anchor().step(gradient(100)).learningRate).toBe(2 * Math.exp(-1 / 59));
    const even = create({ gradients: "exact", tuner: superlevel({ anchor: { every: 50 } }) });
    walk(even, 1, 10);
    expect(even.anchor().step(gradient(11)).learningRate).toBe(Math.exp(-1 / 40));
    walk(even, 12, 50);
    expect(even.step(gradient(51)).learningRate).toBe(Math.exp(-1 / 50));
  });

  test("the step at whose end an anchor falls reports S before it", () => {
    const optimizer = create({ tuner: superlevel({ anchor: { every: 5, carry: 0.5 } }) });
    walk(optimizer, 1, 4);
    const { scale } = optimizer.step(gradient(5));
    expect((optimizer.scale as number) / scale).toBeCloseTo(0.5, 12);
  });

  test("the base's moments stay", () => {
    const options = { base: sgd({ momentum: 0.9, learningRate: 0.1 }), tuner: superlevel({ anchor: null }) };
    const [kept, fresh] = [create(options), create(options)];
    walk(kept, 1, 30);
    kept.anchor();
    fresh.setParams(kept.params);
    const [a, b] = [kept, fresh].map((optimizer) => {
      const before = optimizer.params.slice();
      optimizer.step(new Float32Array(size));
      return optimizer.params.some((x, i) => x !== before[i]);
    });
    expect([a, b]).toEqual([true, false]);
  });

  test("before the first step, and with S = 0, s_init stays", () => {
    expect(create({ tuner: superlevel({ sInit: 1e-6 }) }).anchor().scale).toBeCloseTo(0.6e-6, 15);
    // Where none was given, the first step finds it, and not the anchor.
    const [anchored, plain] = [create(), create()];
    expect(anchored.anchor().scale).toBe(0);
    for (const optimizer of [anchored, plain]) walk(optimizer, 1, 1);
    expect(anchored.params).toEqual(plain.params);
    expect(create({ tuner: mechanic({ sInit: 1e-5 }) }).anchor().scale).toBeCloseTo(1e-5, 15);
    const optimizer = create({ tuner: mechanic() });
    optimizer.anchor();
    walk(optimizer, 1, 50);
    expect(optimizer.scale).toBeGreaterThan(0);
  });

  test("without a tuner there is nothing to anchor", () => {
    const [optimizer, untouched] = [create({ tuner: null }), create({ tuner: null })];
    walk(optimizer, 1, 9);
    walk(untouched, 1, 9);
    expect(optimizer.anchor().scale).toBe(1);
    optimizer.step(gradient(10));
    untouched.step(gradient(10));
    expect(optimizer.params).toEqual(untouched.params);
    expect(() => mustMatch(optimizer, untouched)).toThrow(/saved states/);
  });
});
