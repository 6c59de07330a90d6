/** Options whose getters change between two reads, and a config that cannot be changed: what was checked is what runs. */
import { describe, expect, test } from "vitest";

import * as api from "../../src/index.js";
import {
  adam,
  createOptimizer,
  mechanic,
  scheduleFree,
  sgd,
  superlevel,
  type Optimizer,
} from "../../src/index.js";

/** An object whose numbers are NaN from the read on that uses up `reads`. */
function unsteady<T extends object>(value: T, reads: { left: number }): T {
  return new Proxy(value, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof found === "number" && key !== "length") return reads.left-- > 0 ? found : NaN;
      if (typeof found === "function") return found.bind(target) as unknown;
      return typeof found === "object" && found !== null ? unsteady(found, reads) : found;
    },
  });
}

type Wrap = <T extends object>(value: T) => T;
const anchor = { first: 4, growth: 2, carry: 0.5 };
const growthLimit = { first: 10, later: 10 };

const makers: Record<string, (wrap: Wrap) => Optimizer> = {
  "start values": (wrap) => createOptimizer(wrap([1, 2, 3])),
  tensors: (wrap) =>
    createOptimizer(
      wrap([
        { name: "w", shape: [2], values: [1, 2], learningRate: 1, weightDecay: 0 },
        { name: "b", shape: [1], values: [3] },
      ]),
    ),
  "a base's options": (wrap) =>
    createOptimizer(2, { base: adam(wrap({ beta1: 0.9, beta2: 0.99, eps: 1e-8 })) }),
  "a base": (wrap) => createOptimizer(2, { base: wrap(adam({ weightDecay: 0.1 })) }),
  "a schedule-free base": (wrap) => createOptimizer(2, { base: wrap(scheduleFree(sgd(), { power: 1 })) }),
  "a tuner's options": (wrap) =>
    createOptimizer(2, {
      tuner: superlevel(
        wrap({ betas: [0.9, 0.99], sInit: 0.1, lambda: 0.01, eps: 1e-8, anchor, growthLimit }),
      ),
    }),
  "a tuner": (wrap) => createOptimizer(2, { tuner: wrap(superlevel({ sInit: 0.1, anchor, growthLimit })) }),
  "a tuner of another form": (wrap) =>
    createOptimizer(2, { tuner: mechanic(wrap({ betas: [0.9], sInit: 0.1 })) }),
  clip: (wrap) => createOptimizer(2, wrap({ clip: { norm: 1, value: 2 } })),
  "a schedule": (wrap) => {
    const learningRate = api.cosineDecay(wrap({ initial: 1, steps: 10, final: 0.1 }));
    return createOptimizer(2, { base: adam({ learningRate }), tuner: null });
  },
};

/** All numbers in an object, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe("numbers that turn into NaN after some reads are refused, or not seen", () => {
  test.each(Object.entries(makers))("%s", (_name, make) => {
    let made = 0;
    for (let left = 0; left < 60; left++) {
      const reads = { left };
      let optimizer: Optimizer;
      try {
        optimizer = make((value) => unsteady(value, reads));
      } catch (error) {
        expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
        continue;
      }
      made++;
      expect(numbersIn(optimizer.config)).not.toContain(NaN);
      for (let step = 1; step <= 3; step++)
        optimizer.step(Float32Array.from({ length: optimizer.size }, (_, i) => Math.sin(i + step)));
      expect([...numbersIn(optimizer.params), optimizer.scale]).not.toContain(NaN);
    }
    expect(made).toBeGreaterThan(0);
  });
});

test("a gradient of plain numbers is read once", () => {
  const optimizer = createOptimizer(2);
  optimizer.step(unsteady([1, 1], { left: 2 }));
  expect(Array.from(optimizer.params)).not.toContain(NaN);
});

describe("a config is frozen to the bottom", () => {
  const thawed = (value: unknown, path: string): string[] => {
    if (typeof value !== "object" || value === null) return [];
    const below = Object.entries(value).flatMap(([key, part]) => thawed(part, `${path}.${key}`));
    return Object.isFrozen(value) ? below : [path, ...below];
  };

  test.each(Object.entries(makers))("%s", (_name, make) => {
    expect(thawed(make((value) => value).config, "config")).toEqual([]);
  });

  test("and what it was made of is not", () => {
    const betas = [0.9, 0.99];
    const shape = [2];
    const given = [{ name: "w", shape, values: [1, 2] }];
    createOptimizer(given, { tuner: superlevel({ betas, anchor, growthLimit }) });
    for (const each of [betas, shape, given, given[0], anchor, growthLimit])
      expect(Object.isFrozen(each)).toBe(false);
  });
});
