/** The optimizer for TensorFlow.js, on its cpu backend. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import {
  adagrad,
  adam,
  adamax,
  algorithm1,
  equations,
  exponentialDecay,
  lion,
  mechanic,
  mechanize,
  rmsprop,
  sgd,
  superlevel,
} from "../../src/index.js";
import { rows } from "../support/bases.js";
import { superlevelOptimizer, type TfjsOptions } from "../../src/adapters/tfjs/index.js";

beforeAll(async () => {
  tf.env().set("IS_NODE", false); // no advertisement
  await tf.setBackend("cpu");
});
beforeEach(() => tf.engine().startScope());
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

const variable = (values: number[], name?: string): tf.Variable =>
  tf.variable(tf.tensor1d(values), true, name);

/** ½ Σ (x − 1)²: its gradient is x − 1. */
const bowl = (...variables: tf.Variable[]) => {
  const terms = variables.map((x) => tf.mul(0.5, tf.sum(tf.square(tf.sub(x, 1)))));
  return tf.addN(terms as tf.Scalar[]);
};

const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());

interface Network {
  model: tfl.Sequential;
  x: tf.Tensor;
  y: tf.Tensor;
}

/** A small network with a layer whose statistics are not trained. */
function network(options?: TfjsOptions): Network {
  const seeded = (seed: number) => tfl.initializers.glorotNormal({ seed });
  const model = tfl.sequential();
  model.add(
    tfl.layers.dense({ units: 9, inputShape: [4], activation: "relu", kernelInitializer: seeded(1) }),
  );
  model.add(tfl.layers.batchNormalization());
  model.add(tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer: seeded(2) }));
  model.compile({ optimizer: superlevelOptimizer(options), loss: "categoricalCrossentropy" });
  const x = tf.randomNormal([48, 4], 0, 1, "float32", 3);
  const y = tf.oneHot(tf.cast(tf.greater(tf.sum(x, 1), 0), "int32"), 2);
  return { model, x, y };
}

const optimizerOf = (model: tfl.LayersModel) => model.optimizer as ReturnType<typeof superlevelOptimizer>;

describe("training", () => {
  it("fits a model", async () => {
    const { model, x, y } = network();
    const { history } = await model.fit(x, y, { epochs: 60, batchSize: 16, shuffle: false, verbose: 0 });
    const losses = history.loss as number[];
    expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]);
    expect(optimizerOf(model).iterations).toBe(180);
  });

  it.each<[string, TfjsOptions]>([
    ...Object.entries(rows).map(([name, { factory }]): [string, TfjsOptions] => [name, { base: factory() }]),
    ["momentum", { base: sgd({ momentum: 0.9 }) }],
    [
      "lion alone",
      { base: lion({ learningRate: exponentialDecay({ initial: 0.1, rate: 0.01 }) }), tuner: null },
    ],
    ["mechanic", { tuner: mechanic() }],
    ["mechanize", { tuner: mechanize() }],
    ["equations", { tuner: equations() }],
    ["algorithm1", { tuner: algorithm1({ delta: "stored" }) }],
    ["tensors", { tuner: superlevel({ granularity: "tensor" }), clip: { norm: 1 } }],
    ["coordinates", { tuner: superlevel({ granularity: "parameter" }), normAdaptive: true }],
  ])("takes every base, form and option: %s", (_, options) => {
    const optimizer = superlevelOptimizer(options);
    const x = variable([3, -2, 0.5]);
    const before = bowl(x).dataSync()[0];
    for (let step = 0; step < 300; step++) optimizer.minimize(() => bowl(x), false, [x]);
    expect(bowl(x).dataSync()[0]).toBeLessThan(before);
  });

  it("takes a map, a list, and minimize for the same", () => {
    const runs = ["map", "list", "minimize"].map((form) => {
      const [a, b] = [variable([3, -2]), variable([5])];
      const optimizer = superlevelOptimizer();
      for (let step = 0; step < 5; step++) {
        if (form === "minimize") optimizer.minimize(() => bowl(a, b), false, [a, b]);
        else {
          const { grads } = optimizer.computeGradients(() => bowl(a, b), [a, b]);
          const list = [a, b].map(({ name }) => ({ name, tensor: grads[name] }));
          optimizer.applyGradients(form === "map" ? grads : list);
        }
      }
      expect(optimizer.iterations).toBe(5);
      return [numbers(a), numbers(b)];
    });
    expect(runs[0][0][0]).not.toBe(3);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  it("returns the cost from minimize when asked to", () => {
    const x = variable([3]);
    const optimizer = superlevelOptimizer();
    expect(optimizer.minimize(() => bowl(x), true, [x])!.dataSync()[0]).toBe(2);
    expect(optimizer.minimize(() => bowl(x), false, [x])).toBeNull();
  });

  it("tells callbacks the effective learning rate", async () => {
    const { model, x, y } = network({ tuner: superlevel() });
    const optimizer = optimizerOf(model);
    expect(optimizer.effectiveLearningRate).toBe(0);
    const seen: number[] = [];
    const onBatchEnd = () => void seen.push(optimizer.effectiveLearningRate);
    await model.fit(x, y, { epochs: 2, batchSize: 16, verbose: 0, callbacks: { onBatchEnd } });
    expect(seen).toHaveLength(6);
    expect(seen.every((rate) => rate > 0)).toBe(true);
    expect(seen[5]).toBe(optimizer.learningRate * (optimizer.scale as number));
    expect(optimizer.lastStep).toMatchObject({ step: 6, skipped: false });
  });

  it("takes another rate between steps", () => {
    const x = variable([3]);
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    optimizer.minimize(() => bowl(x), false, [x]);
    expect(numbers(x)).toEqual([2]);
    optimizer.learningRate = 0.25;
    expect(optimizer.learningRate).toBe(0.25);
    optimizer.minimize(() => bowl(x), false, [x]);
    expect(numbers(x)).toEqual([1.75]);
    optimizer.setLearningRate(() => 1);
    optimizer.minimize(() => bowl(x), false, [x]);
    expect(numbers(x)).toEqual([1]);
    expect(() => optimizer.setLearningRate(-1)).toThrow("rate: expected a finite number >= 0, got -1");
  });

  it("gives variables options of their own", () => {
    const perVariable: TfjsOptions["perVariable"] = ({ name }) =>
      ({ slow: { learningRate: 0.5 }, still: { frozen: true } })[name];
    const variables = [variable([3], "fast"), variable([3], "slow"), variable([3], "still")];
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null, perVariable });
    for (let step = 0; step < 2; step++) optimizer.minimize(() => bowl(...variables), false, variables);
    expect(variables.map((x) => numbers(x)[0])).toEqual([1.5, 2.125, 3]);
    const listed = superlevelOptimizer({ perVariable: [{ frozen: true }] });
    expect(() => listed.minimize(() => bowl(...variables), false, variables)).toThrow(
      "perVariable: expected 3 entries, one for each variable, got 1",
    );
  });
});

describe("beside tf.train, without a tuner,", () => {
  const start = Array.from({ length: 37 }, (_, i) => Math.sin(i + 1));
  const weights = start.map((_, i) => 0.2 + (i % 5));

  function walk(optimizer: tf.Optimizer): number[][] {
    const x = variable(start);
    const loss = (): tf.Scalar => tf.add(tf.sum(tf.mul(weights, tf.square(x))), tf.sum(tf.sin(tf.mul(3, x))));
    return Array.from({ length: 200 }, () => {
      optimizer.minimize(loss, false, [x]);
      return numbers(x);
    });
  }

  it.each([
    ["sgd", () => tf.train.sgd(0.05), sgd({ learningRate: 0.05 })],
    ["momentum", () => tf.train.momentum(0.02, 0.9), sgd({ learningRate: 0.02, momentum: 0.9 })],
    [
      "Nesterov's momentum",
      () => tf.train.momentum(0.02, 0.9, true),
      sgd({ learningRate: 0.02, momentum: 0.9, nesterov: true }),
    ],
  ])("%s takes the same path to the last bit", (_, theirs, base) => {
    expect(walk(superlevelOptimizer({ base, tuner: null }))).toEqual(walk(theirs()));
  });

  // Same rule, other order of operations; the tolerance is a hundredth of a step at most.
  it.each([
    ["adam", () => tf.train.adam(0.01), adam({ learningRate: 0.01, eps: 1e-7 })],
    ["adamax", () => tf.train.adamax(0.01), adamax({ learningRate: 0.01, eps: 1e-7 })],
    [
      "adagrad",
      () => tf.train.adagrad(0.01),
      adagrad({ learningRate: 0.01, initialAccumulator: 0.1, eps: 1e-7 }),
    ],
    // The root of their epsilon, which stands under the root.
    [
      "rmsprop",
      () => tf.train.rmsprop(0.01, 0.9, 0, 1e-14),
      rmsprop({ learningRate: 0.01, alpha: 0.9, eps: 1e-7 }),
    ],
  ])("%s takes the same path but for rounding", (_, theirs, base) => {
    const [ours, reference] = [walk(superlevelOptimizer({ base, tuner: null })), walk(theirs())];
    const apart = ours.map((x, k) => Math.max(...x.map((value, i) => Math.abs(value - reference[k][i]))));
    expect(Math.max(...apart)).toBeLessThan(1e-5);
  });
});

describe("memory", () => {
  it("does not grow", async () => {
    const { model, x, y } = network();
    await model.trainOnBatch(x, y);
    await model.optimizer.getWeights();
    const count = () => ({ ...tf.memory(), unreliable: 0, reasons: 0 });
    const before = count();
    for (let step = 0; step < 1000; step++) tf.dispose(await model.trainOnBatch(x, y));
    expect(count()).toEqual(before);
    for (let save = 0; save < 3; save++) await model.optimizer.getWeights();
    await model.optimizer.setWeights(await model.optimizer.getWeights());
    expect(count().numTensors).toBe(before.numTensors);
  });

  it("is given back by dispose", async () => {
    const x = variable([3]);
    const before = tf.memory().numTensors;
    const optimizer = superlevelOptimizer();
    optimizer.minimize(() => bowl(x), false, [x]);
    await optimizer.getWeights();
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => optimizer.minimize(() => bowl(x), false, [x])).toThrow("this optimizer was disposed of");
  });

  it("is given back by a step that fails", () => {
    const x = variable([1]);
    const optimizer = superlevelOptimizer();
    const before = tf.memory().numTensors;
    const broken = () => tf.sum<tf.Scalar>(tf.log(tf.sub(x, 1)));
    expect(() => optimizer.minimize(broken, true, [x])).toThrow(
      `step 1: gradients["${x.name}"][0] is Infinity`,
    );
    expect(tf.memory().numTensors).toBe(before);
    expect(numbers(x)).toEqual([1]);
  });
});

describe("variables", () => {
  it("that somebody else wrote to stay there", () => {
    const [moved, other] = [variable([3, -2]), variable([5])];
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    const step = () => optimizer.minimize(() => bowl(moved, other), false, [moved, other]);
    step();
    moved.assign(tf.tensor1d([9, 17]));
    step();
    expect(numbers(moved)).toEqual([5, 9]);
    expect(numbers(other)).toEqual([2]);
  });

  it("that moved with a tuner go on from where they are", () => {
    const x = variable([3, -2]);
    const optimizer = superlevelOptimizer();
    const step = () => optimizer.minimize(() => bowl(x), false, [x]);
    for (let k = 0; k < 200; k++) step();
    x.assign(tf.tensor1d([50, 51]));
    step();
    expect(Math.abs(numbers(x)[0] - 50)).toBeLessThan(2);
    const scale = optimizer.scale as number;
    x.assign(x.clone()); // the same numbers: nothing has moved
    step();
    expect(optimizer.scale).not.toBe(scale);
    x.assign(tf.tensor1d([NaN, 1]));
    const { grads } = { grads: { [x.name]: tf.tensor1d([1, 1]) } };
    expect(() => optimizer.applyGradients(grads)).toThrow(
      `variable "${x.name}"[0]: expected a number within float32's range, got NaN`,
    );
  });

  it("show arrays that later steps leave alone", () => {
    const x = variable([3, -2]);
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    const shown = [0, 1, 2].map(() => {
      optimizer.minimize(() => bowl(x), false, [x]);
      return x.dataSync();
    });
    expect(shown.map((array) => array[0])).toEqual([2, 1.5, 1.25]);
  });

  it("without a gradient get one of 0", () => {
    const [used, unused] = [variable([3]), variable([4])];
    const optimizer = superlevelOptimizer({ base: adam({ learningRate: 0.1 }), tuner: null });
    for (let k = 0; k < 3; k++) optimizer.minimize(() => bowl(used), false, [used, unused]);
    expect(numbers(used)[0]).toBeLessThan(3);
    expect(numbers(unused)).toEqual([4]);
    optimizer.minimize(() => bowl(unused), false, [used, unused]);
    expect(numbers(unused)[0]).toBeLessThan(4);
    // Momentum goes on.
    const before = numbers(used);
    const gradients = { [unused.name]: tf.tensor1d([1]), [used.name]: null };
    optimizer.applyGradients(gradients as unknown as tf.NamedTensorMap);
    expect(numbers(used)[0]).toBeLessThan(before[0]);
  });

  it("that come or go are refused by name, until reset", () => {
    const [a, b, c] = [variable([3], "a"), variable([4], "b"), variable([5], "c")];
    const optimizer = superlevelOptimizer();
    const step = (...list: tf.Variable[]) => optimizer.minimize(() => bowl(...list), false, list);
    step(a, b);
    expect(() => step(a, b, c)).toThrow('"c" came in');
    expect(() => step(a)).toThrow('"b" left (not given, frozen, replaced or disposed of)');
    const { grads } = tf.variableGrads(() => bowl(a), [a]);
    expect(() => optimizer.applyGradients(grads)).toThrow('"b" left');
    b.trainable = false;
    expect(() => step(a, b)).toThrow('"b" left');
    expect(() => optimizer.applyGradients({ nothing: tf.scalar(1) })).toThrow(
      'there is no variable "nothing"',
    );
    expect(numbers(c)).toEqual([5]);
    optimizer.reset();
    step(a, c);
    expect(optimizer.iterations).toBe(1);
    a.dispose();
    const again = variable([3], "a");
    expect(() => step(again, c)).toThrow('"a" left');
  });

  it("may be listed twice, as shared ones are", () => {
    const x = variable([3]);
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    optimizer.minimize(() => bowl(x), false, [x, x]);
    expect(numbers(x)).toEqual([2]);
    const twice = [1, 2].map((value) => ({ name: x.name, tensor: tf.tensor1d([value]) }));
    expect(() => optimizer.applyGradients(twice)).toThrow("has two different ones");
  });

  it("and gradients have to fit each other", () => {
    const x = variable([3, 4], "x2");
    const optimizer = superlevelOptimizer();
    expect(() => optimizer.applyGradients({ x2: tf.tensor1d([1]) })).toThrow(
      'gradients["x2"]: expected shape [2], got [1]',
    );
    const ints = tf.tensor1d([1, 2], "int32");
    expect(() => optimizer.applyGradients({ x2: ints })).toThrow("expected dtype float32, got int32");
    const gone = tf.tensor1d([1, 2]);
    gone.dispose();
    expect(() => optimizer.applyGradients({ x2: gone })).toThrow("expected a tensor, got one disposed of");
    expect(() => optimizer.applyGradients({ x2: [1, 2] as never })).toThrow(
      "expected a tensor, got an array of 2",
    );
    const whole = tf.variable(tf.tensor1d([1], "int32"), true, "whole");
    expect(() => superlevelOptimizer().applyGradients({ whole })).toThrow(
      "expected dtype float32, got int32",
    );
    expect(() => superlevelOptimizer().applyGradients({})).toThrow("gradients: expected at least one");
    expect(() => superlevelOptimizer().applyGradients(null!)).toThrow("gradients: expected a map");
    expect(numbers(x)).toEqual([3, 4]);
  });
});

describe("models", () => {
  it("share layers", async () => {
    const input = [1, 2].map(() => tfl.input({ shape: [3] }));
    const shared = tfl.layers.dense({ units: 2 });
    const outputs = input.map((one) => shared.apply(one) as tfl.SymbolicTensor);
    const output = tfl.layers.add().apply(outputs) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: output });
    model.compile({ optimizer: superlevelOptimizer(), loss: "meanSquaredError" });
    const x = [1, 2].map((seed) => tf.randomNormal([20, 3], 0, 1, "float32", seed));
    const y = tf.add(tf.matMul(tf.add(x[0], x[1]), tf.ones([3, 2])), 2);
    const losses: number[] = [];
    for (let k = 0; k < 300; k++) losses.push((await model.trainOnBatch(x, y)) as number);
    expect(losses.at(-1)).toBeLessThan(0.01 * losses[0]);
  });

  it("freeze layers before training", async () => {
    const { model, x, y } = network();
    model.layers[0].trainable = false;
    model.compile({ optimizer: superlevelOptimizer(), loss: "categoricalCrossentropy" });
    const frozen = model.layers[0].getWeights().map(numbers);
    const free = model.layers[2].getWeights().map(numbers);
    for (let k = 0; k < 20; k++) await model.trainOnBatch(x, y);
    expect(model.layers[0].getWeights().map(numbers)).toEqual(frozen);
    expect(model.layers[2].getWeights().map(numbers)).not.toEqual(free);
  });

  it("that freeze layers under way need a fresh start", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { model, x, y } = network();
    await model.trainOnBatch(x, y);
    const before = model.getWeights().map(numbers);
    model.layers[0].trainable = false;
    model.compile({ optimizer: model.optimizer, loss: "categoricalCrossentropy" });
    await expect(model.trainOnBatch(x, y)).rejects.toThrow("call reset() to start afresh");
    expect(model.layers[2].getWeights().map(numbers)).toEqual(before.slice(4, 6));
    optimizerOf(model).reset();
    await model.trainOnBatch(x, y);
    expect(model.layers[0].getWeights().map(numbers)).toEqual(before.slice(0, 2));
    warn.mockRestore();
  });
});

describe("options", () => {
  it("are checked before the first step", () => {
    expect(() => superlevelOptimizer({ base: adam({ beta1: 0.9 }), clip: { norm: -1 } })).toThrow(
      "clip.norm",
    );
    expect(() => superlevelOptimizer({ lr: 1 } as TfjsOptions)).toThrow(
      'unknown option "lr"; known are base',
    );
    expect(() => superlevelOptimizer({ perVariable: 3 as never })).toThrow(
      "perVariable: expected a function",
    );
  });
});

describe("backends that read only asynchronously", () => {
  it("get a clear error inside fit", async () => {
    const { model, x, y } = network();
    const dataSync = vi.spyOn(tf.Tensor.prototype, "dataSync").mockImplementation(() => {
      throw new Error("only CPU-resident tensors");
    });
    const cure = "await optimizer.applyGradientsAsync(gradients)";
    await expect(model.trainOnBatch(x, y)).rejects.toThrow(cure);
    dataSync.mockRestore();
    expect(optimizerOf(model).iterations).toBe(0);
  });

  it("are refused where reading is possible but poor", () => {
    const x = variable([3]);
    const gradients = { [x.name]: tf.tensor1d([1]) };
    // Asked for by name, an engine of the package's own has to read.
    const optimizer = superlevelOptimizer({ engine: "js" });
    const name = vi.spyOn(tf.engine(), "backendName", "get").mockReturnValue("webgpu");
    expect(() => optimizer.applyGradients(gradients)).toThrow("the webgpu backend reads tensors only asynch");
    name.mockRestore();
    optimizer.applyGradients(gradients);
    expect(optimizer.iterations).toBe(1);
  });

  it("take the same path asynchronously", async () => {
    const [a, b] = [variable([3, -2]), variable([3, -2])];
    const [now, later] = [superlevelOptimizer(), superlevelOptimizer()];
    for (let k = 0; k < 5; k++) {
      now.minimize(() => bowl(a), false, [a]);
      const { grads, value } = later.computeGradients(() => bowl(b), [b]);
      const step = later.applyGradientsAsync(grads);
      tf.dispose([grads, value]);
      await step;
    }
    expect(numbers(b)).toEqual(numbers(a));
    expect(later.lastStep).toEqual(now.lastStep);
  });

  it("notice what happens while they wait", async () => {
    const x = variable([3]);
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    const gradients = { [x.name]: tf.tensor1d([1]) };
    await optimizer.applyGradientsAsync(gradients);
    const step = optimizer.applyGradientsAsync(gradients);
    expect(() => optimizer.applyGradients(gradients)).toThrow("has not settled; await it");
    const another = optimizer.applyGradientsAsync(gradients);
    x.assign(tf.tensor1d([10]));
    await expect(another).rejects.toThrow("has not settled; await it");
    await step;
    expect(numbers(x)).toEqual([9.5]);
    await optimizer.applyGradientsAsync(gradients);
    expect(numbers(x)).toEqual([9]);
  });
});
