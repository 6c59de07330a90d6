/** save and restore: the next step is the same to the last bit. */
import { describe, expect, test } from "vitest";
import { adam, createOptimizer, exponentialDecay, superlevel } from "../../src/index.js";
import type { Config, Optimizer, OptimizerOptions, Tuner } from "../../src/index.js";
import { bases, gradientAt, noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { forms, scalesOf } from "../support/forms.js";
import { mustMatch, sameBytes } from "../support/state.js";

const size = 21;
const x0 = startAt(size, noise(3));
const tensors = [
  { name: "a", shape: [2, 3], values: x0.subarray(0, 6), learningRate: 0.5 },
  { name: "b", shape: [5], values: x0.subarray(6, 11), frozen: true },
  { name: "c", shape: [10], values: x0.subarray(11), weightDecay: 0.25 },
];

/** Anchors every seven steps: saves fall right before one, right behind it, and in between. */
const often = (tuner: Tuner | null) => tuner && { ...tuner, anchor: { every: 7, carry: 0.7 } };
const savedAt = [0, 1, 3, 6, 7, 8, 13, 14, 17, 29];

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions) => createOptimizer(tensors, { engine, ...options });

  /** What was saved after a step, the gradient of the next, and what was saved after that. */
  interface Saved {
    step: number;
    state: Uint8Array;
    seen: unknown[];
    g: Float32Array;
    next: Uint8Array;
  }

  const seen = (optimizer: Optimizer) => {
    const { iterations, learningRate, params } = optimizer;
    return [iterations, learningRate, ...scalesOf(optimizer), ...params];
  };

  function record(optimizer: Optimizer): Saved[] {
    const random = noise(5);
    const records: Saved[] = [];
    for (let step = 0; step < 30; step++) {
      const g = gradientAt(step, size, random);
      const state = optimizer.save();
      const before = seen(optimizer);
      optimizer.step(g);
      if (savedAt.includes(step)) records.push({ step, state, seen: before, g, next: optimizer.save() });
    }
    return records;
  }

  function mustContinue(optimizer: Optimizer, { step, state, seen: before, g, next }: Saved): void {
    optimizer.restore(state);
    const after = seen(optimizer);
    const at = after.findIndex((value, k) => value !== before[k]);
    if (at >= 0)
      throw new Error(`step ${step}: ${String(after[at])} is restored for ${String(before[at])} (${at})`);
    if (!sameBytes(optimizer.save(), state)) throw new Error(`step ${step}: saved again, it differs`);
    optimizer.step(g);
    if (!sameBytes(optimizer.save(), next)) throw new Error(`step ${step}: the next step differs`);
  }

  describe.each(Object.entries(forms))("%s", (_form, tuner) => {
    test.each(Object.entries(bases))("%s: restored, and one more step", (_base, base) => {
      const options = { base, tuner: often(tuner) };
      const records = record(create(options));
      // One that has been elsewhere, and knows other windows: none of it may show.
      const used = createOptimizer(
        tensors.map((tensor) => ({ ...tensor, values: undefined })),
        { engine, ...options },
      );
      used.setParams(startAt(size, noise(9)));
      for (const saved of records) {
        mustContinue(used, saved);
        mustContinue(create(options), saved);
      }
      used.anchor();
      for (const saved of records.reverse()) mustContinue(used, saved);
    });
  });

  test("windows that grow, and the default rate inside them", () => {
    const random = noise(1);
    const optimizer = createOptimizer(x0, { engine });
    for (let step = 1; step <= 600; step++) {
      const g = gradientAt(step, size, random);
      const watched = step % 97 === 0 || [64, 128, 256, 512].some((anchor) => Math.abs(step - anchor) <= 2);
      const restored = watched ? createOptimizer(size, { engine }).restore(optimizer.save()) : undefined;
      const info = optimizer.step(g);
      if (restored) {
        expect(restored.step(g)).toEqual(info);
        expect(sameBytes(restored.save(), optimizer.save())).toBe(true);
      }
    }
  });

  test("a manual anchor in a window, and clipping, and normAdaptive", () => {
    const options = { clip: { norm: 0.5, value: 0.4 }, normAdaptive: true };
    const [optimizer, restored] = [create(options), create(options)];
    const random = noise(2);
    for (let step = 1; step <= 40; step++) {
      if (step === 20) optimizer.anchor();
      optimizer.step(gradientAt(step, size, random));
    }
    restored.restore(optimizer.save());
    for (let step = 41; step <= 70; step++) {
      const g = gradientAt(step, size, random);
      expect(restored.step(g)).toEqual(optimizer.step(g));
    }
    mustMatch(restored, optimizer);
  });

  test("saving does not disturb: before the first step params may still be written to", () => {
    const [optimizer, untouched] = [create({}), create({})];
    for (const each of [optimizer, untouched]) {
      if (each === optimizer) each.save();
      each.params.fill(0.5);
      each.step(gradientAt(1, size, noise(1)));
    }
    for (let k = 0; k < 9; k++) optimizer.save();
    mustMatch(optimizer, untouched);
  });

  test("a state is a copy", () => {
    const optimizer = create({});
    optimizer.step(gradientAt(1, size, noise(1)));
    const state = optimizer.save();
    const kept = state.slice();
    optimizer.step(gradientAt(2, size, noise(2)));
    expect(state).toEqual(kept);
    create({})
      .restore(state)
      .step(gradientAt(2, size, noise(2)));
    expect(state).toEqual(kept);
  });

  test("states lie anywhere in a buffer, also in a Buffer or in shared memory", () => {
    const optimizer = create({});
    optimizer.step(gradientAt(1, size, noise(1)));
    const state = optimizer.save();
    for (let offset = 0; offset < 8; offset++) {
      for (const buffer of [new ArrayBuffer(state.length + 16), new SharedArrayBuffer(state.length + 16)]) {
        const view = new Uint8Array(buffer, offset, state.length);
        view.set(state);
        expect(sameBytes(create({}).restore(view).save(), state)).toBe(true);
      }
    }
    expect(sameBytes(create({}).restore(Buffer.from(state)).save(), state)).toBe(true);
  });

  describe("config and state make a checkpoint", () => {
    const learningRate = exponentialDecay({ initial: 0.3, rate: 0.01 });

    function again(config: Config, base?: object): Optimizer {
      const { tensors: specs, ...options } = JSON.parse(JSON.stringify(config)) as Config;
      return createOptimizer(specs, { ...options, base: { ...options.base, ...base } });
    }

    test.each(Object.entries(forms))("%s: through JSON, with the schedule passed again", (_form, tuner) => {
      for (const base of Object.values(bases)) {
        const more = { normAdaptive: true, clip: { norm: 2, value: 0.5 }, nonFinite: "skip" as const };
        const optimizer = create({ base: { ...base, learningRate }, tuner, ...more });
        for (let step = 1; step <= 12; step++) optimizer.step(gradientAt(step, size, noise(step)));
        const restored = again(optimizer.config, { learningRate }).restore(optimizer.save());
        expect(JSON.stringify(restored.config)).toBe(JSON.stringify(optimizer.config));
        mustMatch(restored, optimizer);
      }
    });

    test("a rate that is a number, or left out, is in the config, or follows from it", () => {
      for (const base of [adam({ learningRate: 0.25 }), adam()]) {
        const optimizer = create({ base });
        for (let step = 1; step <= 70; step++) optimizer.step(gradientAt(step, size, noise(step)));
        mustMatch(again(optimizer.config).restore(optimizer.save()), optimizer);
      }
    });

    test("every default is spelt out", () => {
      const { base, tuner, tensors: specs, ...rest } = createOptimizer(4).config;
      expect(base).toEqual({ ...adam(), learningRate: expect.any(Function) as unknown });
      expect(tuner).toEqual(superlevel());
      expect(Object.values(rest)).not.toContain(undefined);
      expect(rest).toMatchObject({
        normAdaptive: false,
        clip: {},
        gradients: "auto",
        nonFinite: "throw",
        engine: "auto",
      });
      expect(specs).toEqual([{ name: "params", shape: [4], learningRate: 1, weightDecay: 0, frozen: false }]);
      expect(createOptimizer(4, { tuner: null }).config.base.learningRate).toBe(1e-3);
    });
  });
});
