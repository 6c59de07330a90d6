/** What TensorFlow.js lacks: optimizers by their names, also as strings, and rates that callbacks multiply. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it, vi } from "vitest";

import { SuperlevelOptimizer, superlevelOptimizer, train } from "../../src/adapters/tfjs/index.js";
import {
  adabelief,
  adam,
  adamw,
  createOptimizer,
  lion,
  scheduleFree,
  windowDecay,
  type Base,
} from "../../src/index.js";
import { errorOf } from "../support/errors.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const START = [3, -2, 0.5];
const gradientAt = (x: ArrayLike<number>) => START.map((_, i) => (i + 1) * x[i]);

function stepped(optimizer: tf.Optimizer, steps: number): number[] {
  const x = tf.variable(tf.tensor1d(START));
  for (let step = 0; step < steps; step++) {
    const gradient = tf.tensor1d(gradientAt(x.dataSync()));
    optimizer.applyGradients({ [x.name]: gradient });
    gradient.dispose();
  }
  return Array.from(x.dataSync());
}

function engine(base: Base, steps: number): number[] {
  const optimizer = createOptimizer(START, { base, tuner: null });
  for (let step = 0; step < steps; step++) optimizer.step(gradientAt(optimizer.params));
  return Array.from(optimizer.params);
}

describe("train", () => {
  const rate = { learningRate: 0.05 };

  it.each([
    ["adamw", train.adamw({ ...rate, weightDecay: 0.1 }), adamw({ ...rate, weightDecay: 0.1 })],
    ["nadam", train.nadam(rate), adam({ ...rate, nesterov: true })],
    ["amsgrad", train.amsgrad(rate), adam({ ...rate, amsgrad: true })],
    ["lion", train.lion(rate), lion(rate)],
    ["adabelief", train.adabelief(rate), adabelief(rate)],
    [
      "scheduleFree",
      train.scheduleFree({ ...rate, weightDecay: 0.1, warmupSteps: 3 }),
      scheduleFree(adamw({ ...rate, weightDecay: 0.1 }), { warmupSteps: 3 }),
    ],
  ] as const)("%s is the base alone", (_name, optimizer, base) => {
    expect(stepped(optimizer, 12)).toEqual(engine(base, 12));
  });

  it("clips, and tells variables apart", () => {
    const optimizer = train.adamw(
      { learningRate: 1, weightDecay: 0.5 },
      { perVariable: () => ({ weightDecay: 0 }), clip: { norm: 1 } },
    );
    const core = createOptimizer(START, {
      base: adamw({ learningRate: 1, weightDecay: 0 }),
      tuner: null,
      clip: { norm: 1 },
    });
    for (let step = 0; step < 5; step++) core.step(gradientAt(core.params));
    expect(stepped(optimizer, 5)).toEqual(Array.from(core.params));
    expect(errorOf(() => train.lion({ beta: 1 } as never)).message).toContain("lion");
    expect(errorOf(() => train.adamw({}, { tuner: null, clipp: 1 } as never)).message).toContain("clipp");
  });
});

describe("names for compile", () => {
  function network() {
    const model = tfl.sequential();
    model.add(tfl.layers.dense({ units: 1, inputShape: [2] }));
    return model;
  }
  const data = () => [tf.ones([8, 2]), tf.ones([8, 1])] as const;

  it.each(["superlevel", "adamw", "nadam", "amsgrad", "lion", "adabelief", "scheduleFree"])(
    "%s trains",
    async (optimizer) => {
      const model = network();
      model.compile({ optimizer, loss: "meanSquaredError" });
      expect(model.optimizer.getClassName()).toBe("SuperlevelOptimizer");
      const [x, y] = data();
      const losses = (await model.fit(x, y, { epochs: 20, verbose: 0 })).history.loss as number[];
      expect(losses.at(-1)).toBeLessThan(losses[0]);
      // It belongs to the model, as those do that TensorFlow.js makes of names.
      const owned = model.optimizer as SuperlevelOptimizer;
      model.dispose();
      expect(errorOf(() => owned.applyGradients({})).message).toContain("disposed");
    },
  );

  it("leaves the names of TensorFlow.js alone, and unknown ones to it", () => {
    const model = network();
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    expect(model.optimizer.getClassName()).toBe("Adam");
    expect(() => model.compile({ optimizer: "toString!", loss: "meanSquaredError" })).toThrow(
      "Unknown Optimizer",
    );
  });
});

describe("a rate that a callback multiplies", () => {
  it("is a factor, and the default's schedule goes on", () => {
    const rates = (halve: boolean): number[] => {
      const optimizer = superlevelOptimizer({ gradients: "exact" });
      const x = tf.variable(tf.tensor1d(START));
      return Array.from({ length: 24 }, (_, step) => {
        if (halve && step === 10) optimizer.learningRate *= 0.5;
        const gradient = tf.tensor1d(gradientAt(x.dataSync()));
        optimizer.applyGradients({ [x.name]: gradient });
        return optimizer.learningRate;
      });
    };
    const [plain, halved] = [rates(false), rates(true)];
    expect(halved.slice(0, 10)).toEqual(plain.slice(0, 10));
    halved.slice(10).forEach((rate, k) => expect(rate).toBeCloseTo(plain[10 + k] / 2, 12));
  });

  it("may be set twice before a step, and is kept by a saved model", async () => {
    const optimizer = superlevelOptimizer({
      base: adam({ learningRate: windowDecay(1) }),
      gradients: "noisy",
    });
    stepped(optimizer, 3);
    const before = optimizer.learningRate;
    optimizer.learningRate *= 0.5;
    optimizer.learningRate *= 0.5;
    expect(optimizer.learningRate).toBeCloseTo(before / 4, 12);
    expect(errorOf(() => (optimizer.learningRate = -1)).message).toContain(
      "learningRate: expected a finite number >= 0",
    );

    const byDefault = superlevelOptimizer();
    stepped(byDefault, 3);
    byDefault.learningRate *= 0.25;
    const loaded = SuperlevelOptimizer.fromConfig<SuperlevelOptimizer>(
      SuperlevelOptimizer,
      byDefault.getConfig(),
    );
    await loaded.setWeights(await byDefault.getWeights());
    expect(loaded.getConfig()).toMatchObject({ rateFactor: 0.25 });
    byDefault.setLearningRate(windowDecay(1));
    expect(byDefault.getConfig()).not.toHaveProperty("rateFactor");
  });

  it("is a factor before the first step, and after a rate of 0", () => {
    const optimizer = superlevelOptimizer({ gradients: "exact" });
    expect(optimizer.learningRate).toBe(1);
    optimizer.learningRate *= 0.5;
    const plain = superlevelOptimizer({ gradients: "exact" });
    stepped(plain, 3);
    const x = stepped(optimizer, 3);
    expect(optimizer.learningRate).toBeCloseTo(plain.learningRate / 2, 12);
    expect(x).not.toEqual(START);
    optimizer.reset();
    optimizer.learningRate = 0;
    expect(stepped(optimizer, 2)).toEqual(START);
    optimizer.reset();
    optimizer.learningRate = 0.5;
    stepped(optimizer, 3);
    expect(optimizer.learningRate).toBeCloseTo(plain.learningRate / 2, 12);
    const warming = superlevelOptimizer({ base: adam({ learningRate: (step) => step - 1 }), tuner: null });
    stepped(warming, 1);
    expect(errorOf(() => (warming.learningRate = 1)).message).toContain("its schedule is 0 now");
  });

  it("is a rate where it was a number", () => {
    const optimizer = superlevelOptimizer({ base: adam({ learningRate: 0.5 }), tuner: null });
    stepped(optimizer, 2);
    optimizer.learningRate *= 0.5;
    expect(optimizer.learningRate).toBe(0.25);
    expect(optimizer.getConfig()).toMatchObject({ base: { learningRate: 0.25 } });
  });
});

describe("perVariable by layers", () => {
  const network = (): tfl.Sequential => {
    const layer = (name: string) => tfl.layers.dense({ units: 2, inputShape: [2], name });
    return tfl.sequential({ layers: [layer("first"), layer("second")] });
  };

  it("tells a layer's variables apart, and is saved by their places", async () => {
    const model = network();
    const optimizer = superlevelOptimizer({ perVariable: { first: { frozen: true } } });
    model.compile({ optimizer, loss: "meanSquaredError" });
    expect(() => optimizer.getConfig()).toThrow("take one first");
    const numbers = () => model.getWeights().map((weight) => Array.from(weight.dataSync()));
    const before = numbers();
    await model.fit(tf.ones([4, 2]), tf.zeros([4, 2]), { epochs: 3, verbose: 0 });
    const after = numbers();
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toEqual(before[2]);
    const { perVariable } = optimizer.getConfig() as { perVariable: { frozen: boolean }[] };
    expect(perVariable.map(({ frozen }) => frozen)).toEqual([true, true, false, false]);
  });

  it("refuses a layer that there is not", async () => {
    const model = network();
    model.compile({
      optimizer: superlevelOptimizer({ perVariable: { third: {} } }),
      loss: "meanSquaredError",
    });
    await expect(model.fit(tf.ones([4, 2]), tf.zeros([4, 2]), { verbose: 0 })).rejects.toThrow(
      'perVariable: there is no variable of a layer "third"; there are "first", "second"',
    );
  });
});

it("warns once of a loss that has left", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const optimizer = superlevelOptimizer();
  const x = tf.variable(tf.tensor1d(START));
  for (const loss of [2, 1, 1.9e4, 2.1e4, 1e6, 1e9])
    optimizer.applyGradients({ [x.name]: tf.tensor1d([1, 1, 1]) }, { loss });
  const told = warn.mock.calls.map(([text]) => String(text));
  warn.mockRestore();
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("the loss is 2.10e+4, and was 2.00 at first");
});
