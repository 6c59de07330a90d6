/** Letting go of an optimizer, and how many there may be. */
import { describe, expect, test } from "vitest";
import { createOptimizer, type Optimizer } from "../../src/index.js";
import { engines } from "../support/engines.js";
import { errorOf } from "../support/errors.js";

const disposed = { name: "OptimizerError", code: "disposed", message: "this optimizer was disposed of" };

/** How each method is used. */
const methods: Record<string, (optimizer: Optimizer) => unknown> = {
  step: (optimizer) => optimizer.step([1, 1]),
  minimize: (optimizer) => optimizer.minimize(() => 0, { steps: 1 }),
  average: (optimizer) => optimizer.average(),
  anchor: (optimizer) => optimizer.anchor(),
  setParams: (optimizer) => optimizer.setParams([1, 1]),
  translate: (optimizer) => optimizer.translate([1, 1]),
  reset: (optimizer) => optimizer.reset(),
  save: (optimizer) => optimizer.save(),
  restore: (optimizer) => optimizer.restore(new Uint8Array(9)),
};

const members = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(createOptimizer(1)) as Optimizer);
const getters = Object.keys(members).filter((name) => members[name as keyof Optimizer].get);

describe.each(engines)("%s engine", (engine) => {
  test("every later use is an error, with and without a tuner", async () => {
    const apart = ["constructor", "dispose", "minimizeAsync"];
    const known = [...Object.keys(methods), ...getters, ...apart];
    expect(known.sort()).toEqual(Object.keys(members).sort());
    expect(getters.length).toBeGreaterThan(7);
    for (const options of [{ engine }, { engine, tuner: null }]) {
      const optimizer = createOptimizer([1, 2], options);
      const read = (name: string): unknown => Reflect.get(optimizer, name);
      for (const name of getters) expect(read(name)).toBeDefined();
      optimizer.dispose();
      for (const name of getters) expect(errorOf(() => read(name))).toMatchObject(disposed);
      for (const use of Object.values(methods)) expect(errorOf(() => use(optimizer))).toMatchObject(disposed);
      expect(errorOf(() => optimizer.step())).toMatchObject(disposed);
      expect(errorOf(() => optimizer.reset([1, 2]))).toMatchObject(disposed);
      await expect(optimizer.minimizeAsync(() => 0, { steps: 1 })).rejects.toMatchObject(disposed);
    }
  });

  test("twice is as good as once", () => {
    const optimizer = createOptimizer(2, { engine });
    optimizer.dispose();
    expect(() => optimizer.dispose()).not.toThrow();
    expect(() => optimizer[Symbol.dispose]()).not.toThrow();
  });

  test("`using` disposes at the block's end, also of one that throws", () => {
    let kept: Optimizer | undefined;
    const block = (fails: boolean) => {
      using optimizer = createOptimizer(2, { engine });
      kept = optimizer;
      optimizer.step([1, 1]);
      if (fails) throw new RangeError("in the block");
    };
    block(false);
    expect(errorOf(() => kept!.params)).toMatchObject(disposed);
    expect(() => block(true)).toThrow("in the block");
    expect(errorOf(() => kept!.params)).toMatchObject(disposed);
  });

  test("in the middle of a run: the run ends with the error", async () => {
    const optimizer = createOptimizer(2, { engine });
    const run = optimizer.minimizeAsync(
      (_x, grads, step) => {
        grads.fill(1);
        if (step === 3) optimizer.dispose();
        return Promise.resolve(1);
      },
      { steps: 9 },
    );
    await expect(run).rejects.toMatchObject(disposed);
  });

  test("a thousand of them, with their memory, one after the other", () => {
    const before = process.memoryUsage();
    // 480 kB each: 480 MB in all, if none were given back.
    for (let k = 0; k < 1000; k++) {
      using optimizer = createOptimizer(2e4, { engine });
      optimizer.grads.fill(1);
      optimizer.step();
    }
    const after = process.memoryUsage();
    expect(after.rss - before.rss).toBeLessThan(3e8);
  });

  test("some hundreds at the same time, each on its own", () => {
    const many = Array.from({ length: 300 }, (_, k) => createOptimizer([k, -k, 1], { engine }));
    for (let step = 1; step <= 3; step++) many.forEach((optimizer, k) => optimizer.step([k, step, 1]));
    const [alone] = [createOptimizer([123, -123, 1], { engine })];
    for (let step = 1; step <= 3; step++) alone.step([123, step, 1]);
    expect(many[123].params).toEqual(alone.params);
    for (const optimizer of many) optimizer.dispose();
  });
});
