/** The optimizer's members one by one, on every engine. */
import { describe, expect, test } from "vitest";
import { adamw, createOptimizer, lion, mechanic, OptimizerError, sgd, superlevel } from "../../src/index.js";
import type { OptimizerOptions, Tuner } from "../../src/index.js";
import { bases, gradientAt, noise, startAt } from "../support/cases.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";
import { forms, scalesOf } from "../support/forms.js";
import { mustMatch, sameBytes } from "../support/state.js";

const size = 19;
const x0 = startAt(size, noise(4));
const gradients = Array.from({ length: 200 }, (_, k) => gradientAt(k, size, noise(k)));

describe.each(engines)("%s engine", (engine) => {
  const create = (options: OptimizerOptions = {}) => createOptimizer(x0, { engine, ...options });
  const everyOption = Object.entries(forms).flatMap(([form, tuner]) =>
    Object.entries(bases).map(([name, base]): [string, OptimizerOptions] => [
      `${name}, ${form}`,
      { base, tuner },
    ]),
  );

  describe("views", () => {
    const specs = [{ name: "w", shape: [2, 3] }, { shape: [] }, { name: "b", shape: [5], frozen: true }];

    test("are the same arrays for good, also while other optimizers come and go", () => {
      const optimizer = createOptimizer(specs, { engine });
      const { params, grads, tensors } = optimizer;
      grads.fill(1);
      for (let k = 0; k < 90; k++) {
        optimizer.step();
        if (k % 30 === 0) createOptimizer(1e5, { engine }).step();
      }
      optimizer
        .anchor()
        .setParams(params)
        .reset()
        .restore(optimizer.save())
        .minimize(() => 0, { steps: 9 });
      expect(optimizer.params).toBe(params);
      expect(optimizer.grads).toBe(grads);
      expect(optimizer.tensors).toBe(tensors);
      expect([params.length, grads.length, params.buffer === grads.buffer]).toEqual([12, 12, true]);
      expect(params.buffer.byteLength).toBeGreaterThan(0);
    });

    test("of tensors lie in those of the whole, in order", () => {
      const { params, grads, tensors, size } = createOptimizer(specs, { engine });
      expect(size).toBe(12);
      expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
        ["w", [2, 3]],
        ["tensor1", []],
        ["b", [5]],
      ]);
      expect(tensors.map((tensor) => tensor.params.length)).toEqual([6, 1, 5]);
      params.forEach((_, i) => (params[i] = i));
      tensors[1].grads[0] = 7;
      expect(tensors.map((tensor) => tensor.params[0])).toEqual([0, 6, 7]);
      expect(grads[6]).toBe(7);
    });

    test("show what a step does", () => {
      const optimizer = createOptimizer([1, 2], { base: sgd({ learningRate: 0.5 }), tuner: null, engine });
      const { params } = optimizer;
      optimizer.step([1, -1]);
      expect(Array.from(params)).toEqual([0.5, 2.5]);
    });
  });

  test.each(everyOption)("%s: step(g) is grads.set(g) and step(), reset is a new start", (_name, options) => {
    const [given, filled, reset] = [create(options), create(options), create(options)];
    for (let k = 0; k < 80; k++) {
      const one = given.step(k % 2 ? gradients[k] : Array.from(gradients[k]));
      filled.grads.set(gradients[k]);
      const other = filled.step();
      if (JSON.stringify(one) !== JSON.stringify(other))
        throw new Error(`step ${k}: ${JSON.stringify([one, other])}`);
      reset.step(gradients[199 - k]);
    }
    if (!sameBytes(given.save(), filled.save())) throw new Error("copied gradients step elsewhere");
    const fresh = create(options);
    if (!sameBytes(reset.reset(x0).save(), fresh.save())) throw new Error("reset leaves something behind");
    if (reset.iterations !== 0 || reset.learningRate !== 0) throw new Error("reset leaves counters behind");
    for (let k = 0; k < 70; k++) {
      reset.step(gradients[k]);
      fresh.step(gradients[k]);
    }
    mustMatch(reset, fresh);
  });

  test("reset without values stays at the point", () => {
    const optimizer = create();
    for (let k = 0; k < 100; k++) optimizer.step(gradients[k]);
    const point = optimizer.params.slice();
    expect(optimizer.reset()).toBe(optimizer);
    expect(optimizer.params).toEqual(point);
    mustMatch(optimizer, createOptimizer(point, { engine }));
  });

  describe("setParams", () => {
    test.each(Object.entries(forms))("%s: moves the point; scale and moments stay", (_form, tuner) => {
      const optimizer = create({ tuner });
      for (let k = 0; k < 30; k++) optimizer.step(gradients[k]);
      const scales = scalesOf(optimizer);
      const there = x0.map((x) => 3 - x);
      expect(optimizer.setParams(Array.from(there))).toBe(optimizer);
      expect(optimizer.params).toEqual(there);
      expect(scalesOf(optimizer)).toEqual(scales);
      expect(optimizer.iterations).toBe(30);
      // Δ is 0 and xRef is there: against nothing, without moments or an average, x stays.
      const still = create({ gradients: "exact", tuner, base: sgd() });
      for (let k = 0; k < 30; k++) still.step(gradients[k]);
      still.setParams(there).step(new Float32Array(size));
      if (tuner?.delta !== "additive") expect(still.params).toEqual(there);
    });

    test("of the point itself changes nothing", () => {
      const options = { base: sgd(), tuner: mechanic({ delta: "stored" }) };
      const [optimizer, other] = [create(options), create(options)];
      for (let k = 0; k < 30; k++) for (const each of [optimizer, other]) each.step(gradients[k]);
      expect(optimizer.setParams(optimizer.params).step(gradients[30])).toEqual(other.step(gradients[30]));
      mustMatch(optimizer, other);
    });
  });

  describe("params written to directly", () => {
    const write = (tuner: Tuner | null, before: (optimizer: ReturnType<typeof create>) => unknown) => {
      const optimizer = create({ tuner });
      before(optimizer);
      optimizer.params.fill(0.25);
      optimizer.step(gradients[0]);
      return optimizer;
    };

    test("before the first step are the start, whatever was looked at or failed", () => {
      const expected = createOptimizer(new Float32Array(size).fill(0.25), { engine });
      expected.step(gradients[0]);
      const before: ((optimizer: ReturnType<typeof create>) => unknown)[] = [
        () => undefined,
        (optimizer) => optimizer.save(),
        (optimizer) => errorOf(() => optimizer.step(new Array<number>(size).fill(NaN))),
        (optimizer) => optimizer.setParams(x0),
        (optimizer) => optimizer.reset(),
      ];
      for (const each of before) {
        expect(sameBytes(write(superlevel(), each).save(), expected.save())).toBe(true);
      }
      expect(() => write(superlevel(), (optimizer) => optimizer.anchor())).not.toThrow();
    });

    test("between steps are an error, which names the cure; without a tuner they are fine", () => {
      const error = errorOf(() =>
        write(superlevel(), (optimizer) => optimizer.step(gradients[0])),
      ) as OptimizerError;
      expect(error).toMatchObject({ name: "OptimizerError", code: "moved" });
      expect(error.message).toMatch(/^params\[0\] was written to since the last step, .*; use setParams$/);
      expect(write(null, (optimizer) => optimizer.step(gradients[0])).iterations).toBe(2);
    });

    test("where frozen are anyone's", () => {
      const specs = [{ shape: [3], frozen: true }, { shape: [4] }, { shape: [30], frozen: true }];
      const optimizer = createOptimizer(specs, { engine });
      for (let k = 0; k < 9; k++) {
        optimizer.tensors[0].params.fill(k);
        optimizer.tensors[2].params.fill(-k);
        optimizer.grads.fill(1);
        optimizer.step();
      }
      expect(Array.from(optimizer.tensors[0].params)).toEqual([8, 8, 8]);
      optimizer.tensors[1].params[2] = 3;
      expect(errorOf(() => optimizer.step())).toMatchObject({ code: "moved" });
    });
  });

  test.each(Object.entries(forms))("%s: zero gradients move nothing", (_form, tuner) => {
    for (const [name, base] of Object.entries(bases)) {
      if (tuner?.delta === "additive" || base.weightDecay > 0) continue;
      for (const zero of [0, -0]) {
        const optimizer = create({ base, tuner });
        for (let k = 0; k < 70; k++) optimizer.step(new Float32Array(size).fill(zero));
        const moved = optimizer.params.findIndex((x, i) => x !== x0[i]);
        if (moved >= 0) throw new Error(`${name}: x[${moved}] moved`);
        if (!scalesOf(optimizer).every(Number.isFinite))
          throw new Error(`${name}: S is ${scalesOf(optimizer).join()}`);
      }
    }
  });

  describe("options of tensors", () => {
    const run = (
      specs: { learningRate?: number; weightDecay?: number; frozen?: boolean }[],
      options: OptimizerOptions,
    ) => {
      const optimizer = createOptimizer(
        specs.map((spec, k) => ({ shape: [5], values: x0.subarray(5 * k, 5 * k + 5), ...spec })),
        { engine, tuner: null, ...options },
      );
      for (let k = 0; k < 20; k++) optimizer.step(gradients[k].subarray(0, optimizer.size));
      return optimizer.tensors.map(({ params }) => Array.from(params));
    };

    test("a multiplier is another rate, a weight decay replaces the base's, and neighbours do not see them", () => {
      const base = adamw({ learningRate: 0.1, weightDecay: 0.3 });
      const mixed = run([{ learningRate: 0.5 }, {}, { weightDecay: 0 }], { base });
      expect(mixed[1]).toEqual(run([{}, {}, {}], { base })[1]);
      expect(mixed[0]).toEqual(run([{}, {}, {}], { base: { ...base, learningRate: 0.05 } })[0]);
      expect(mixed[2]).toEqual(run([{}, {}, {}], { base: { ...base, weightDecay: 0 } })[2]);
      expect(mixed[0]).not.toEqual(mixed[1]);
    });

    test("a multiplier of 0 and frozen keep a tensor where it is; frozen keeps it out of every sum", () => {
      const still = run([{}, { learningRate: 0 }, {}], { base: lion() });
      expect(still[1]).toEqual(Array.from(x0.subarray(5, 10)));
      const frozen = createOptimizer(
        [
          { shape: [2], values: [1, 2] },
          { shape: [3], values: [9, 9, 9], frozen: true },
        ],
        { engine },
      );
      const alone = createOptimizer([1, 2], { engine });
      for (let k = 0; k < 70; k++) {
        const info = frozen.step([...gradients[k].subarray(0, 2), 1e30, NaN, Infinity]);
        expect(info).toEqual(alone.step(gradients[k].subarray(0, 2)));
      }
      expect(Array.from(frozen.params)).toEqual([...alone.params, 9, 9, 9]);
    });

    test("behind the last parameter lie zeros, and they stay", () => {
      for (let n = 1; n <= 33; n++) {
        const optimizer = createOptimizer(n, { base: adamw({ weightDecay: 0.1 }), engine });
        optimizer.grads.fill(1);
        for (let k = 0; k < 70; k++) optimizer.step();
        const padded = Math.ceil(n / 16) * 16 - n;
        const { buffer, byteOffset } = optimizer.params;
        const behind = new Float32Array(buffer, byteOffset + 4 * n, padded);
        if (behind.some((value) => !Object.is(value, 0))) throw new Error(`${n}: ${behind.join()}`);
      }
    });
  });
});
