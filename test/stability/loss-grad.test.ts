/** The callback that all diagnostics take, in whatever shape it comes. */
import { describe, expect, it, vi } from "vitest";

import {
  accumulate,
  createOptimizer,
  finiteDifferences,
  minibatches,
  sgd,
  type AsyncGradientSource,
  type GradientSource,
} from "../../src/index.js";
import {
  connect,
  edgeRatio,
  equiconnect,
  fromSource,
  gradientSampling,
  hessianPlane,
  hessianVector,
  levelSets,
  optimizerResponse,
  sharpness,
  slice,
  stabilityProfile,
  type LossGrad,
} from "../../src/stability/index.js";
import { seededRandom } from "../../src/sources/random.js";
import { LossFunction } from "../../src/stability/loss-grad.js";

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

const doubles: Record<string, LossGrad> = {
  "an arrow": both,
  "of rest parameters": (...given) => both(given[0]),
  bound: model.both.bind(model),
  asynchronous: async (params) => Promise.resolve(both(params)),
  "that looks at the step": (params, step) => ({ loss: loss(params) + 0 * step, grads: gradient(params) }),
  "a mock": vi.fn(both),
  "a promise of another kind": ((params: Float64Array) => ({
    then: (done: (answer: unknown) => void) => done(both(params)),
  })) as never,
};
const sources: Record<string, AsyncGradientSource> = {
  "an arrow": source,
  "of rest parameters": (...given) => source(...given),
  bound: model.source.bind(model),
  "that writes late": async (params, grads, step) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return source(params, grads, step);
  },
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
    const call = vi.fn(shape);
    const lossFunction = new LossFunction("lossGrad", call, 3, 7);
    const grads = new Float64Array(3);
    expect(await lossFunction.gradient(at, grads)).toBe(loss(at));
    expect([...grads]).toEqual(gradient(at));
    expect(await lossFunction.gradient(at, grads, 8)).toBe(loss(at));
    expect(await lossFunction.loss(at)).toBe(loss(at));
    expect(lossFunction.roundoff).toBe(2 ** -53);
    expect(lossFunction.evaluations).toBe(3);
    expect(call.mock.calls.map(([params, step]) => [params, step])).toEqual([[at, 7], [at, 8], [at, 7]]); // prettier-ignore
  });

  it.each(Object.entries(sources))("from a source, %s", async (_, shape) => {
    const single = Float32Array.from(at);
    const lossFunction = new LossFunction("lossGrad", fromSource(shape), 3);
    const grads = new Float64Array(3);
    expect(await lossFunction.gradient(at, grads)).toBe(loss(single));
    gradient(single).forEach((value, i) => expect(grads[i]).toBeCloseTo(value, 6));
    expect(await lossFunction.loss(at)).toBe(loss(single));
    expect(lossFunction.roundoff).toBe(2 ** -24);
    expect(lossFunction.evaluations).toBe(2);
  });

  it("may return the loss alone, where no gradient is needed", async () => {
    for (const shape of [lossAlone, async (params: Float64Array) => Promise.resolve(loss(params))]) {
      const lossFunction = new LossFunction("loss", shape, 3);
      expect(await lossFunction.loss(at)).toBe(loss(at));
      await expect(lossFunction.gradient(at, new Float64Array(3))).rejects.toThrow(
        "loss: expected it to return { loss, grads }, got the loss alone: wrap a source, which writes to grads, in fromSource(source)",
      );
    }
  });

  it("that is a bare source is told how to wrap it, however it was declared", async () => {
    const remedy = "in fromSource(source)";
    const bare = (given: unknown) => given as LossGrad;
    const three = (params: Float32Array, grads: Float32Array, step: number) => source(params, grads, step);
    await expect(sharpness(bare(three), at)).rejects.toThrow(
      "lossGrad: expected (params, step) => ({ loss, grads }), got a function of 3 parameters: wrap",
    );
    const two = (params: Float32Array, grads: Float32Array) => (grads.set(gradient(params)), loss(params));
    const shapes = [two, (...given: [Float32Array, Float32Array]) => two(...given), async (...given: [Float32Array, Float32Array]) => Promise.resolve(two(...given))]; // prettier-ignore
    for (const shape of shapes) {
      for (const call of [sharpness(bare(shape), at), levelSets(bare(shape), at, 0)]) {
        const error = await call.catch((thrown: Error) => thrown);
        expect(error).toBeInstanceOf(TypeError);
        expect((error as Error).message).toContain('it threw "grads.set is not a function": wrap');
        expect((error as Error).message).toContain(remedy);
        expect((error as Error).cause).toBeInstanceOf(TypeError);
      }
    }
    const byIndex = (params: Float32Array, grads: Float32Array) => ((grads[0] = 1), loss(params));
    await expect(slice(bare(byIndex), { origin: at, directions: [at, at] })).rejects.toThrow(remedy);
  });

  it("throws what it throws", async () => {
    const mine = (params: Float64Array): never => (params as unknown as { f(): never }).f();
    await expect(sharpness(mine, at)).rejects.toThrow(/^params\.f is not a function$/);
    const range = (): never => {
      throw new RangeError("mine");
    };
    await expect(sharpness(range, at)).rejects.toThrow(/^mine$/);
    await expect(sharpness(fromSource(range), at)).rejects.toThrow(/^mine$/);
    const broken: GradientSource = (_, grads) => (grads as unknown as { f(): never }).f();
    await expect(sharpness(fromSource(broken), at)).rejects.toThrow(/^grads\.f is not a function$/);
  });

  it("from a source that is none is named", async () => {
    expect(() => fromSource(3 as never)).toThrow("fromSource(source): expected a function, got 3");
    await expect(sharpness(fromSource(both as never), at)).rejects.toThrow(
      "fromSource(source): expected it to return the loss, a number, got an object",
    );
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
    for (const lossGrad of [fromSource(keeping), spoiling]) {
      const lossFunction = new LossFunction("f", lossGrad, 3);
      const grads = new Float64Array(3);
      for (let call = 0; call < 3; call++) {
        await lossFunction.gradient(at, grads);
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
    const { values } = await slice(
      fromSource(batches),
      { origin: [0], directions: [[1], [0]] },
      { columns: 3, rows: 2 },
    );
    expect([...steps]).toEqual([1]);
    // Second differences of ½ (x − y)² on −1, 0, 1.
    expect(values[0] - 2 * values[1] + values[2]).toBeCloseTo(1, 6);
    await sharpness(fromSource(batches), [0], { step: 3 });
    expect([...steps]).toEqual([1, 3]);
    await expect(sharpness(fromSource(batches), [0], { step: 0 })).rejects.toThrow("step: expected");
  });

  it.each<[unknown, string]>([
    [undefined, "lossGrad: expected a function, got undefined"],
    [() => "3", 'lossGrad: expected it to return { loss, grads }, got "3"'],
    [() => null, "lossGrad: expected it to return { loss, grads }, got null"],
    [() => ({ grads: [1, 2, 3] }), "lossGrad: expected it to return { loss, grads }, got an object"],
    [() => ({ loss: 1 }), "got the loss alone"],
    [() => ({ loss: 1, grads: 2 }), "lossGrad: grads: expected an array of numbers, got 2"],
    [() => ({ loss: 1, grads: [1, 2] }), "lossGrad: grads: expected 3 numbers, got 2"],
    [() => ({ loss: 1, grads: [1, "2", 3] }), 'lossGrad: grads[1]: expected a number, got "2"'],
    [() => ({ loss: 1, grads: [1, NaN, 3] }), "lossGrad: grads[1] is NaN"],
    [() => ({ loss: Infinity, grads: [1, 2, 3] }), "lossGrad: the loss is Infinity"],
    [fromSource((_, g) => (g.set([0, 0, Infinity]), 1)), "lossGrad: grads[2] is Infinity"],
  ])("that is wrong is named: %#", async (lossGrad, message) => {
    await expect(sharpness(lossGrad as never, at)).rejects.toThrow(message);
    await expect(hessianPlane(lossGrad as never, at)).rejects.toThrow(message);
  });
});

describe("a callback that answers otherwise the second time", () => {
  const curved = ([x, y]: Float64Array) => ({ loss: (x * x + 9 * y * y) / 2, grads: [x, 9 * y] });
  /** Adds what the number of the call says to the gradient. */
  const changing = (by: (call: number) => number): LossGrad => {
    let call = 0;
    return (params) => {
      const { loss: value, grads } = curved(params);
      return { loss: value, grads: grads.map((g) => g + by(call++)) };
    };
  };
  const random = seededRandom(1);
  const kinds: Record<string, () => LossGrad> = {
    noise: () => changing(() => random() - 0.5),
    "two batches in turn": () => changing((call) => (call >> 1) % 2),
    "three batches in turn": () => changing((call) => (call >> 1) % 3),
    "a drift": () => changing((call) => 1e-3 * call),
  };
  const message = /^lossGrad: expected the same gradient at the same parameters, got two that differ by /;

  it.each(Object.entries(kinds))("is refused: %s", async (_, make) => {
    await expect(sharpness(make(), [1, 1])).rejects.toThrow(message);
    await expect(sharpness(make(), [1, 1], { method: "power", epsilon: 1e-4 })).rejects.toThrow(message);
    await expect(hessianVector(make(), [1, 1], [1, 0])).rejects.toThrow(message);
    await expect(hessianPlane(make(), [1, 1])).rejects.toThrow(message);
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.1 }), tuner: null });
    optimizer.step([1, 9]);
    await expect(edgeRatio(optimizer, make())).rejects.toThrow(message);
    await expect(optimizerResponse(optimizer, make())).rejects.toThrow(message);
  });

  it("by roundings is not", async () => {
    const rounding = changing((call) => 2 ** -52 * (call % 3));
    expect((await sharpness(rounding, [1, 1])).lambdaMax).toBeCloseTo(9, 4);
    const flat: LossGrad = () => ({ loss: 0, grads: [5 + 2 ** -50 * random(), 1] });
    expect((await sharpness(flat, [1, 1])).lambdaMax).toBeCloseTo(0, 4);
  });

  it("in float64 is not, where the optimizer keeps float32", async () => {
    const linear: LossGrad = ([x, y]) => ({ loss: 0.1 * x + y / 3, grads: [0.1, 1 / 3] });
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.1 }), tuner: null });
    expect((await optimizerResponse(optimizer, linear)).response).toBeCloseTo(1, 2);
  });

  it("takes one gradient more, and the error of the differences two", async () => {
    const call = vi.fn(curved);
    const { products } = await sharpness(call, [1, 1], { epsilon: 1e-4 });
    expect(call).toHaveBeenCalledTimes(2 * products + 3);
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

describe("every function takes it, in every way", () => {
  /** ½ (x² + 4 y² + 2 z²). */
  const curvatures = [1, 4, 2];
  const bowl = (p: ArrayLike<number>) => curvatures.reduce((sum, c, i) => sum + (c * p[i] ** 2) / 2, 0);
  const slope = (p: ArrayLike<number>) => curvatures.map((c, i) => c * p[i]);
  const write: GradientSource = (params, grads) => (grads.set(slope(params)), bowl(params));
  const shapes: Record<string, LossGrad> = {
    "(params) => ({ loss, grads })": (params) => ({ loss: bowl(params), grads: slope(params) }),
    "(params) => promise": (params) => Promise.resolve({ loss: bowl(params), grads: slope(params) }),
    "(params) => ({ loss, grads }) of float32": (params) => {
      const single = Float32Array.from(params);
      return { loss: bowl(single), grads: Float32Array.from(slope(single)) };
    },
    "fromSource(source)": fromSource(write),
    "fromSource(asynchronous source)": fromSource(async (...given) => Promise.resolve(write(...given))),
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
    expect((await optimizerResponse(optimizer, lossGrad, along)).exponent).toBeCloseTo(Math.log(0.9), 2);
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
    const asDouble: LossGrad = async (params, step) => {
      const { loss: value, grads } = await rounded(params, step);
      return { loss: value, grads: Array.from(grads) };
    };
    const noise = await hessianVector(asDouble, [0.4, 1], [1, 0]);
    expect(Math.abs(noise[0] - Math.cos(0.4))).toBeGreaterThan(0.02);
  });
});
