/** Gradient sources: accumulation, finite differences and minibatches. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  accumulate,
  createOptimizer,
  finiteDifferences,
  minibatches,
  sgd,
  type GradientSource,
} from "../../src/index.js";
import { errorOf } from "../support/errors.js";

describe("accumulate", () => {
  const at = Float32Array.of(1, 2);

  test("is the mean of loss and gradient over count calls, numbered through", () => {
    const source = vi.fn<GradientSource>((_x, grads, step) => {
      grads.set([step, -step * step]);
      return 10 * step;
    });
    const four = accumulate(source, 4);
    const grads = new Float32Array(2);
    expect(four(at, grads, 1)).toBe(25);
    expect(Array.from(grads)).toEqual([2.5, -7.5]);
    expect(four(at, grads, 3)).toBe(105);
    expect(Array.from(grads)).toEqual([10.5, -(81 + 100 + 121 + 144) / 4]);
    expect(source.mock.calls.map(([x, g, step]) => [x === at, g === grads, step])).toEqual(
      [1, 2, 3, 4, 9, 10, 11, 12].map((step) => [true, true, step]),
    );
  });

  test("one is the source itself, and sizes may change", () => {
    const one = accumulate((x, grads) => (grads.set(x), x[0]), 1);
    for (const x of [Float32Array.of(3), Float32Array.of(1, 2, 3), Float32Array.of(0.1)]) {
      const grads = new Float32Array(x.length);
      expect(one(x, grads, 7)).toBe(x[0]);
      expect(grads).toEqual(x);
    }
  });

  test("sums in float64", () => {
    const values = [1e8, 1, 1, 1, 1, 1, 1, 1];
    const source = accumulate((_x, grads, step) => ((grads[0] = values[step - 1]), 0), 8);
    const grads = new Float32Array(1);
    source(new Float32Array(1), grads, 1);
    expect(grads[0]).toBe(Math.fround((1e8 + 7) / 8));
  });

  test("equal parts of a batch are the batch, step by step", () => {
    const data = Float64Array.from({ length: 12 }, (_, k) => Math.round(64 * Math.sin(k)) / 64);
    const batch = (size: number) =>
      minibatches({ examples: 12, batchSize: size, shuffle: false }, (x, grads, examples) => {
        let loss = 0;
        grads[0] = 0;
        for (const k of examples) {
          grads[0] += (x[0] - data[k]) / size;
          loss += (0.5 * (x[0] - data[k]) ** 2) / size;
        }
        return loss;
      });
    const options = { base: sgd({ learningRate: 0.02 }), tuner: null };
    const [whole, parts] = [createOptimizer([3], options), createOptimizer([3], options)];
    const a = whole.minimize(batch(12), { steps: 100 });
    const b = parts.minimize(accumulate(batch(4), 3), { steps: 100 });
    expect(b.loss).toBeCloseTo(a.loss, 5);
    expect(parts.params[0]).toBeCloseTo(whole.params[0], 5);
  });

  test("refuses a source that returns no number", () => {
    const source = accumulate((() => Promise.resolve(1)) as never, 2);
    expect(errorOf(() => createOptimizer(1).minimize(source, { steps: 1 })).message).toMatch(
      /^accumulate\(source\): expected it to return the loss, a number, got a promise/,
    );
  });
});

describe("finiteDifferences", () => {
  test("of a loss that writes to its argument are those of one that does not", () => {
    const loss = ([x, y]: Float64Array) => x * x + 3 * y;
    const rough = (x: Float64Array) => {
      const value = loss(x);
      x.fill(NaN);
      return value;
    };
    for (const scheme of ["central", "forward"] as const) {
      const [plain, found] = [new Float32Array(2), new Float32Array(2)];
      const x = Float32Array.of(2, 1);
      finiteDifferences(loss, { scheme })(x, plain, 1);
      finiteDifferences(rough, { scheme })(x, found, 1);
      expect(found).toEqual(plain);
      expect(Array.from(x)).toEqual([2, 1]);
    }
  });

  type Loss = (x: ArrayLike<number>, step?: number) => number;
  const losses: [string, Loss, (x: ArrayLike<number>) => number[], number[]][] = [
    ["a bowl", (x) => 0.5 * x[0] ** 2 + 5 * x[1] ** 2, (x) => [x[0], 10 * x[1]], [3, -2]],
    [
      "Rosenbrock",
      (x) => (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
      (x) => [-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)],
      [-1.25, 1],
    ],
    [
      "exp and sin",
      (x) => Math.exp(x[0]) * Math.sin(x[1]),
      (x) => [Math.exp(x[0]) * Math.sin(x[1]), Math.exp(x[0]) * Math.cos(x[1])],
      [0.5, 2],
    ],
    [
      "far away",
      (x) => (x[0] - 1e6) ** 2 + x[1] ** 2 / 1e4,
      (x) => [2 * (x[0] - 1e6), x[1] / 5e3],
      [3e6, 1e5],
    ],
    ["at 0", (x) => x[0] + 2 * x[1] + x[0] * x[1], (x) => [1 + x[1], 2 + x[0]], [0, 0]],
  ];

  test.each(losses)("%s: near the exact gradient in both schemes", (_name, loss, gradient, at) => {
    const x = Float32Array.from(at);
    const exact = gradient(x);
    const largest = Math.max(...exact.map(Math.abs));
    for (const [scheme, tolerance] of [
      ["central", 1e-7],
      ["forward", 2e-6],
      [undefined, 1e-7],
    ] as const) {
      const grads = new Float32Array(2);
      expect(finiteDifferences(loss, { scheme })(x, grads, 1)).toBe(loss(x));
      grads.forEach((g, i) => {
        if (!(Math.abs(g - exact[i]) <= tolerance * largest))
          throw new Error(`${scheme}: ${g}, not ${exact[i]}`);
      });
      expect(Array.from(x)).toEqual(at.map(Math.fround));
    }
  });

  test("forward is one-sided, central is exact for parabolas", () => {
    const grads = new Float32Array(1);
    finiteDifferences((x) => Math.abs(x[0]), { scheme: "forward" })(new Float32Array(1), grads, 1);
    expect(grads[0]).toBe(1);
    finiteDifferences((x) => Math.abs(x[0]))(new Float32Array(1), grads, 1);
    expect(grads[0]).toBe(0);
  });

  test("calls the loss 2n + 1 or n + 1 times, with points of its own and the step", () => {
    const params = Float32Array.of(1, 2, 3);
    for (const [scheme, calls] of [
      ["central", 7],
      ["forward", 4],
    ] as const) {
      const points: number[][] = [];
      const loss = vi.fn<Loss>((x) => (points.push(Array.from(x)), x[0]));
      finiteDifferences(loss, { scheme })(params, new Float32Array(3), 42);
      expect(loss).toHaveBeenCalledTimes(calls);
      expect(loss.mock.calls.every(([x, step]) => x instanceof Float64Array && step === 42)).toBe(true);
      expect(points[0]).toEqual([1, 2, 3]);
      // One coordinate at a time.
      for (const point of points.slice(1))
        expect(point.filter((value, i) => value !== params[i])).toHaveLength(1);
    }
  });

  test("what the loss throws or returns comes through, and nothing is left moved", () => {
    let calls = 0;
    const optimizer = createOptimizer([1, 2]);
    const source = finiteDifferences((x) => {
      if (++calls === 3) throw new SyntaxError("third");
      return x[0];
    });
    expect(errorOf(() => optimizer.minimize(source, { steps: 1 })).message).toBe("third");
    expect(Array.from(optimizer.params)).toEqual([1, 2]);
    expect(
      errorOf(() =>
        optimizer.minimize(
          finiteDifferences(() => NaN),
          { steps: 1 },
        ),
      ),
    ).toMatchObject({ code: "diverged" });
    expect(
      errorOf(() =>
        optimizer.minimize(
          finiteDifferences(() => "1" as never),
          { steps: 1 },
        ),
      ).message,
    ).toMatch(/^source: /);
    expect(optimizer.iterations).toBe(0);
  });
});

describe("minibatches", () => {
  /** The examples that the given steps see. */
  function seen(options: Parameters<typeof minibatches>[0], steps: number[]): number[][] {
    const batches: number[][] = [];
    const source = minibatches(options, (_x, _grads, batch) => (batches.push(Array.from(batch)), 0));
    for (const step of steps) source(new Float32Array(1), new Float32Array(1), step);
    return batches;
  }

  const from = (first: number, count: number) => Array.from({ length: count }, (_, k) => first + k);
  const sizes = fc.integer({ min: 1, max: 60 }).chain((examples) =>
    fc.record({
      examples: fc.constant(examples),
      batchSize: fc.integer({ min: 1, max: examples }),
      seed: fc.nat(2 ** 31),
    }),
  );

  test("an epoch shows every example once at most, whole batches only, whatever the sizes", () => {
    fc.assert(
      fc.property(sizes, fc.nat(5), (options, epoch) => {
        const { examples, batchSize } = options;
        const perEpoch = Math.floor(examples / batchSize);
        const batches = seen(options, from(epoch * perEpoch + 1, perEpoch));
        const all = batches.flat();
        const valid = all.every((example) => Number.isInteger(example) && example >= 0 && example < examples);
        return (
          valid && batches.every((batch) => batch.length === batchSize) && new Set(all).size === all.length
        );
      }),
    );
  });

  test("what a step sees depends on seed and step alone, in any order of steps", () => {
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
        (options, steps) => {
          const together = seen(options, steps);
          const apart = steps.map((step) => seen(options, [step])[0]);
          return JSON.stringify(together) === JSON.stringify(apart);
        },
      ),
    );
  });

  test("seeds and epochs differ, no shuffling is in order", () => {
    const options = { examples: 20, batchSize: 20 };
    const orders = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      for (const batch of seen({ ...options, seed }, from(1, 30))) orders.add(batch.join());
    }
    expect(orders.size).toBe(900);
    expect(seen(options, [1])).toEqual(seen({ ...options, seed: 0 }, [1]));
    expect(seen({ examples: 7, batchSize: 3, shuffle: false }, [1, 2, 3, 4])).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  test("every example has its turn, and about equally often", () => {
    const counts = new Array<number>(10).fill(0);
    // Three batches of three an epoch: one example is left over, another each time.
    for (const batch of seen({ examples: 10, batchSize: 3 }, from(1, 3 * 1000)))
      for (const example of batch) counts[example]++;
    for (const count of counts) {
      expect(count).toBeGreaterThan(900 - 60);
      expect(count).toBeLessThan(900 + 60);
    }
    const places = new Array<number>(10).fill(0);
    for (const [example] of seen({ examples: 10, batchSize: 10 }, from(1, 2000))) places[example]++;
    for (const count of places) expect(Math.abs(count - 200)).toBeLessThan(75);
  });

  test("batches are views of one order, and loss, arguments and promises pass through", async () => {
    const buffers = new Set<ArrayBufferLike>();
    const params = Float32Array.of(1);
    const grads = new Float32Array(1);
    const source = minibatches({ examples: 6, batchSize: 2 }, (x, g, batch, step) => {
      expect([x === params, g === grads, batch.constructor]).toEqual([true, true, Uint32Array]);
      buffers.add(batch.buffer);
      return 10 * step;
    });
    for (let step = 1; step <= 9; step++) expect(source(params, grads, step)).toBe(10 * step);
    expect(buffers.size).toBe(1);
    const later = minibatches(
      { examples: 4, batchSize: 2 },
      (_x, g, batch) => ((g[0] = batch[0] - 2), Promise.resolve(1)),
    );
    const solution = await createOptimizer(1).minimizeAsync(later, { steps: 5 });
    expect(solution).toMatchObject({ loss: 1, steps: 5 });
  });
});
