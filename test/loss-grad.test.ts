/** The callback that all diagnostics take, in whatever shape it comes. */
import { describe, expect, it, vi } from "vitest";

import {
  accumulate,
  createOptimizer,
  finiteDifferences,
  minibatches,
  sgd,
  type GradientSource,
} from "../src/index.js";
import {
  connect,
  edgeRatio,
  equiconnect,
  gradientSampling,
  hessianPlane,
  hessianVector,
  levelSets,
  optimizerTwins,
  sharpness,
  slice,
  stabilityProfile,
  type LossGrad,
} from "../src/stability/index.js";
import { Evaluator } from "../src/stability/loss-grad.js";

/** x² y + z: the third is a gradient of 1 everywhere. */
const loss = (p: ArrayLike<number>) => p[0] ** 2 * p[1] + p[2];
const gradient = (p: ArrayLike<number>) => [2 * p[0] * p[1], p[0] ** 2, 1];
const at = Float64Array.of(0.1, 0.7, -2);

const both = (params: Float64Array) => ({ loss: loss(params), grads: gradient(params) });
const lossAlone = (params: Float64Array) => loss(params);
const source: GradientSource = (params, grads) => {
  grads.set(gradient(params));
  return loss(params);
};

interface Seen {
  kind: string;
  step: number;
}

/** Notes what it was handed. Its declared parameters are those of `shape`. */
const noting = <F extends (...given: never[]) => unknown>(seen: Seen[], shape: F): F =>
  new Proxy(shape, {
    apply(target, self, given: unknown[]) {
      seen.push({ kind: (given[0] as object).constructor.name, step: given[2] as number });
      return Reflect.apply(target, self, given as never[]);
    },
  });

class Model {
  readonly scale = 1;
  both(params: Float64Array) {
    return { loss: this.scale * loss(params), grads: gradient(params) };
  }
  source(params: Float32Array, grads: Float32Array, step: number) {
    return this.scale * source(params, grads, step);
  }
}
const model = new Model();

const scratch = new Float32Array(3);
const doubles: Record<string, (params: Float64Array) => unknown> = {
  "an arrow": both,
  "of rest parameters": (...given: [Float64Array]) => both(...given),
  "with rest parameters": (params: Float64Array, ...more: unknown[]) => (void more, both(params)),
  bound: model.both.bind(model),
  asynchronous: async (params) => Promise.resolve(both(params)),
  "with a default": (params, more: unknown = 1) => (void more, both(params)),
  "with a second parameter": ((params: Float64Array, more: unknown) => (
    void more,
    both(params)
  )) as typeof both,
  "of no parameters": function () {
    return both((arguments as unknown as [Float64Array])[0]); // eslint-disable-line prefer-rest-params
  },
  "a mock": vi.fn(both),
  "a promise of another kind": (params) => ({ then: (done: (a: unknown) => void) => done(both(params)) }),
};
const sources: Record<string, (params: Float32Array, grads: Float32Array, step: number) => unknown> = {
  "an arrow": source,
  "of rest parameters": (...given: Parameters<GradientSource>) => source(...given),
  "with rest parameters": (params: Float32Array, ...rest: [Float32Array, number]) => source(params, ...rest),
  bound: model.source.bind(model),
  "bound to its parameters": ((_: number, ...given: Parameters<GradientSource>) => source(...given)).bind(
    null,
    1,
  ),
  asynchronous: async (params, grads, step) => Promise.resolve(source(params, grads, step)),
  "that writes late": async (params, grads, step) => {
    const point = params.slice();
    await new Promise((resolve) => setTimeout(resolve, 1));
    return source(point, grads, step);
  },
  "with defaults": (params, grads = scratch, step = 1) => source(params, grads, step),
  "of no parameters": function () {
    return source(...(arguments as unknown as Parameters<GradientSource>)); // eslint-disable-line prefer-rest-params
  },
  "a mock": vi.fn(source),
  "that adds to what is there": (params, grads) => {
    gradient(params).forEach((value, i) => (grads[i] += value));
    return loss(params);
  },
  "of finite differences": finiteDifferences(loss),
  accumulated: accumulate(source, 2),
  "of minibatches": minibatches({ examples: 4, batchSize: 2 }, (params, grads) => source(params, grads, 1)),
};

describe("a callback", () => {
  it.each(Object.entries(doubles))("in float64, %s", async (_, shape) => {
    const seen: Seen[] = [];
    const evaluator = new Evaluator("lossGrad", noting(seen, shape) as LossGrad, 3);
    const grads = new Float64Array(3);
    for (let call = 1; call <= 3; call++) {
      expect(await evaluator.gradient(at, grads)).toBe(loss(at));
      expect([...grads]).toEqual(gradient(at));
    }
    expect(await evaluator.loss(at)).toBe(loss(at));
    expect(evaluator.roundoff).toBe(2 ** -53);
    // One question more where it does not declare one parameter.
    const extra = shape.length === 1 ? 0 : 1;
    expect(seen.map(({ kind }) => kind)).toEqual([
      ...Array<string>(extra).fill("Float32Array"),
      ...Array<string>(4).fill("Float64Array"),
    ]);
    expect(evaluator.evaluations).toBe(4 + extra);
  });

  it.each(Object.entries(sources))("that is a source, %s", async (_, shape) => {
    const seen: Seen[] = [];
    const evaluator = new Evaluator("lossGrad", noting(seen, shape) as LossGrad, 3, 7);
    const single = Float32Array.from(at);
    const grads = new Float64Array(3);
    for (let call = 1; call <= 3; call++) {
      expect(await evaluator.gradient(at, grads)).toBe(loss(single));
      gradient(single).forEach((value, i) => expect(grads[i]).toBeCloseTo(value, 6));
    }
    expect(await evaluator.loss(at)).toBe(loss(single));
    expect(evaluator.roundoff).toBe(2 ** -24);
    const extra = shape.length === 1 ? 1 : 0;
    expect(seen.map(({ kind }) => kind)).toEqual([
      ...Array<string>(extra).fill("Float64Array"),
      ...Array<string>(4).fill("Float32Array"),
    ]);
    expect(seen.every(({ step }) => step === 7)).toBe(true);
  });

  it("may return the loss alone, in float64", async () => {
    const shapes: ((...given: never[]) => unknown)[] = [
      lossAlone,
      (...given: [Float64Array]) => lossAlone(...given),
      async (params: Float64Array) => Promise.resolve(loss(params)),
      (params: Float64Array, more: unknown) => (void more, loss(params)),
    ];
    for (const shape of shapes) {
      const evaluator = new Evaluator("lossGrad", shape as LossGrad, 3);
      expect(await evaluator.loss(at)).toBe(loss(at));
      expect(await evaluator.loss(at)).toBe(loss(at));
      await expect(evaluator.gradient(at, new Float64Array(3))).rejects.toThrow(
        "lossGrad: expected it to return { loss, grads }, or to write to grads, got the loss alone",
      );
    }
  });

  it("is a source also where the gradient is 0, and where it writes to a part of grads", async () => {
    const grads = new Float64Array(3).fill(5);
    const flat: GradientSource = (_, g) => (g.fill(0), 1);
    expect(await new Evaluator("f", flat, 3).gradient(at, grads)).toBe(1);
    expect([...grads]).toEqual([0, 0, 0]);
    const frozen: GradientSource = (_, g) => ((g[1] = 2), 1);
    const evaluator = new Evaluator("f", frozen, 3);
    for (let call = 0; call < 2; call++) {
      await evaluator.gradient(at, grads);
      expect([...grads]).toEqual([0, 2, 0]);
    }
  });

  it("is not judged by a failure", async () => {
    let calls = 0;
    const failing: GradientSource = (params, grads, step) =>
      ++calls < 3 ? NaN : source(params, grads, step);
    const evaluator = new Evaluator("f", failing, 3);
    const grads = new Float64Array(3);
    expect(await evaluator.loss(at)).toBeNaN();
    await expect(evaluator.gradient(at, grads)).rejects.toThrow("f: the loss is NaN");
    expect(await evaluator.gradient(at, grads)).toBe(loss(Float32Array.from(at)));
    expect(evaluator.roundoff).toBe(2 ** -24);
  });

  it("may keep and change what it gets", async () => {
    const kept: Float32Array[] = [];
    const keeping: GradientSource = (params, grads, step) => {
      const value = source(params, grads, step);
      kept.push(params, grads);
      params.fill(99);
      return value;
    };
    const spoiling = (params: Float64Array) => {
      const answer = both(params);
      params.fill(99);
      return answer;
    };
    for (const lossGrad of [keeping, spoiling]) {
      const evaluator = new Evaluator("f", lossGrad, 3);
      const grads = new Float64Array(3);
      for (let call = 0; call < 3; call++) {
        await evaluator.gradient(at, grads);
        gradient(at).forEach((value, i) => expect(grads[i]).toBeCloseTo(value, 6));
      }
    }
    expect(at[0]).toBe(0.1);
    expect(new Set(kept).size).toBe(6);
  });

  it("is told one step, and so shows one minibatch", async () => {
    const steps = new Set<number>();
    const targets = [1, 2, 3, 4];
    const batches = minibatches({ examples: 4, batchSize: 1 }, (x, g, batch, step) => {
      steps.add(step);
      g[0] = x[0] - targets[batch[0]];
      return g[0] ** 2 / 2;
    });
    const { values } = await slice(batches, { origin: [0], directions: [[1], [0]] }, { columns: 3, rows: 2 });
    expect([...steps]).toEqual([1]);
    // Second differences of ½ (x − y)² on −1, 0, 1.
    expect(values[0] - 2 * values[1] + values[2]).toBeCloseTo(1, 6);
    await sharpness(batches, [0], { step: 3 });
    expect([...steps]).toEqual([1, 3]);
    await expect(sharpness(batches, [0], { step: 0 })).rejects.toThrow("step: expected");
  });

  it.each<[unknown, string]>([
    [undefined, "lossGrad: expected a function, got undefined"],
    [() => "3", 'lossGrad: expected it to return { loss, grads } or the loss, got "3"'],
    [() => null, "lossGrad: expected it to return { loss, grads } or the loss, got null"],
    [
      () => ({ grads: [1, 2, 3] }),
      "lossGrad: expected it to return { loss, grads } or the loss, got an object",
    ],
    [() => ({ loss: 1 }), "or to write to grads, got the loss alone"],
    [() => ({ loss: 1, grads: 2 }), "lossGrad: grads: expected an array of numbers, got 2"],
    [() => ({ loss: 1, grads: [1, 2] }), "lossGrad: grads: expected 3 numbers, got 2"],
    [() => ({ loss: 1, grads: [1, "2", 3] }), 'lossGrad: grads[1]: expected a number, got "2"'],
    [() => ({ loss: 1, grads: [1, NaN, 3] }), "lossGrad: grads[1] is NaN"],
    [() => ({ loss: Infinity, grads: [1, 2, 3] }), "lossGrad: the loss is Infinity"],
    [(_: unknown, g: Float32Array) => (g.set([0, 0, Infinity]), 1), "lossGrad: grads[2] is Infinity"],
  ])("that is wrong is named: %#", async (lossGrad, message) => {
    await expect(sharpness(lossGrad as never, at)).rejects.toThrow(message);
    await expect(hessianPlane(lossGrad as never, at)).rejects.toThrow(message);
  });
});

describe("membership", () => {
  it("is the loss against the level, both sets closed", async () => {
    const product = ([x, y]: Float64Array) => x * y;
    const at = (level: number) => levelSets(product, [3, 4], level);
    expect(await at(12)).toEqual({ loss: 12, margin: 0, inSuper: true, inSub: true });
    expect(await at(13)).toEqual({ loss: 12, margin: -1, inSuper: false, inSub: true });
    expect(await at(-1)).toEqual({ loss: 12, margin: 13, inSuper: true, inSub: false });
    const nowhere = await levelSets(() => NaN, [3, 4], 0);
    expect([nowhere.inSuper, nowhere.inSub]).toEqual([false, false]);
    await expect(levelSets(product, [3, 4], NaN)).rejects.toThrow("level: expected a finite number");
    await expect(levelSets(product, [], 1)).rejects.toThrow("params: expected at least 1 number, got 0");
  });
});

describe("every function takes every shape", () => {
  /** ½ (x² + 4 y² + 2 z²). */
  const curvatures = [1, 4, 2];
  const bowl = (p: ArrayLike<number>) => curvatures.reduce((sum, c, i) => sum + (c * p[i] ** 2) / 2, 0);
  const slope = (p: ArrayLike<number>) => curvatures.map((c, i) => c * p[i]);
  const shapes: Record<string, LossGrad> = {
    "(params) => ({ loss, grads })": (params) => ({ loss: bowl(params), grads: slope(params) }),
    "(params) => promise": (params) => Promise.resolve({ loss: bowl(params), grads: slope(params) }),
    "(params) => ({ loss, grads }) of float32": (params) => {
      const single = Float32Array.from(params);
      return { loss: bowl(single), grads: Float32Array.from(slope(single)) };
    },
    "a GradientSource": (params, grads) => (grads.set(slope(params)), bowl(params)),
    "an AsyncGradientSource": async (params, grads) => {
      await Promise.resolve();
      grads.set(slope(params));
      return bowl(params);
    },
    "a wrapped source": (...given) => shapes["a GradientSource"](...given),
  };
  const point = [0.5, -1, 2];

  it.each(Object.entries(shapes))("%s", async (_, lossGrad) => {
    expect((await sharpness(lossGrad, point, { tolerance: 1e-4 })).lambdaMax).toBeCloseTo(4, 4);
    const [, image] = await hessianVector(lossGrad, point, [0, 1, 0]);
    expect(image).toBeCloseTo(4, 4);
    expect((await hessianPlane(lossGrad, point)).eigenvalues[1]).toBeCloseTo(2, 4);
    expect((await gradientSampling(lossGrad, [1, 0, 0], { radius: 1e-3 })).stationarity).toBeCloseTo(1, 1);
    expect((await levelSets(lossGrad, point, 1)).loss).toBe(bowl(point));
    const directions = [[1, 0, 0], [0, 1, 0]] as const; // prettier-ignore
    const { values } = await slice(lossGrad, { origin: [0, 0, 0], directions }, { columns: 3 });
    expect([...values]).toEqual([2.5, 2, 2.5, 0.5, 0, 0.5, 2.5, 2, 2.5]);
    expect((await connect(lossGrad, [1, 0, 0], [-1, 0, 0], { method: "neb", iterations: 5 })).barrier).toBe(
      0,
    );
    const nodes = [[1, 0, 0], [-1, 0, 0]]; // prettier-ignore
    expect((await equiconnect([lossGrad, lossGrad], { kind: "polygon", nodes })).excess).toBe(0);
    const optimizer = createOptimizer(point, { base: sgd({ learningRate: 0.1 }), tuner: null });
    optimizer.step(slope(point));
    expect((await edgeRatio(optimizer, lossGrad)).ratio).toBeCloseTo(0.2, 4);
    const along = { steps: 40, direction: [1, 0, 0] };
    expect((await optimizerTwins(optimizer, lossGrad, along)).exponent).toBeCloseTo(Math.log(0.9), 2);
    const profile = await stabilityProfile(optimizer, lossGrad, { steps: 5 });
    expect(profile.loss).toBeCloseTo(bowl(optimizer.params), 5);
    expect(profile.gradNorm).toBeCloseTo(Math.hypot(...slope(optimizer.params)), 5);
  });

  it("float32 gradients get differences that fit them", async () => {
    // Rounded to 24 bits; with a distance for 53 bits a difference would be noise.
    const rounded: LossGrad = ([x, y]) => ({
      loss: 0,
      grads: Float32Array.of(300 + Math.sin(x) + y, x + 2 * y),
    });
    const product = await hessianVector(rounded, [0.4, 1], [1, 0]);
    expect(product[0]).toBeCloseTo(Math.cos(0.4), 2);
    const asDouble: LossGrad = (params, ...rest) => {
      const { loss: value, grads } = rounded(params, ...rest) as { loss: number; grads: Float32Array };
      return { loss: value, grads: Array.from(grads) };
    };
    const noise = await hessianVector(asDouble, [0.4, 1], [1, 0]);
    expect(Math.abs(noise[0] - Math.cos(0.4))).toBeGreaterThan(0.02);
  });
});
