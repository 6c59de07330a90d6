/** The optimizer for TensorFlow.js inside the memory of its wasm backend: nothing is copied, and nothing else changes. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { adam, adamw, mechanic, mechanize, rmsprop, sgd, superlevel } from "../../src/index.js";
import {
  type SuperlevelOptimizer,
  superlevelOptimizer,
  type TfjsOptions,
} from "../../src/adapters/tfjs/index.js";

beforeEach(async () => {
  await tf.setBackend("wasm");
  tf.engine().startScope();
});
afterEach(() => {
  vi.restoreAllMocks();
  tf.engine().endScope();
  tf.disposeVariables();
});

const variable = (values: ArrayLike<number>, name?: string): tf.Variable =>
  tf.variable(tf.tensor1d(Float32Array.from(values)), true, name);

const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());

/** Sizes around the ends of vectors, turns and blocks. */
const SIZES = [1, 3, 16, 37, 1024, 1100];

/** Any smooth function: its gradient is a rough one. */
const gradientAt = (x: tf.Variable, step: number): tf.Tensor =>
  tf.tensor1d(numbers(x).map((value, i) => Math.sin(3 * i + 7 * step) + value * (1 + (i % 3))));

function gradientsAt(variables: readonly tf.Variable[], step: number): tf.NamedTensorMap {
  return Object.fromEntries(variables.map((x) => [x.name, gradientAt(x, step)]));
}

const makeVariables = (): tf.Variable[] =>
  SIZES.map((size, k) => variable(Array.from({ length: size }, (_, i) => Math.cos(i + k))));

function stepOn(optimizer: SuperlevelOptimizer, variables: readonly tf.Variable[], step: number): void {
  tf.tidy(() => optimizer.applyGradients(gradientsAt(variables, step)));
}

/** Makes the backend's inside look other than it is known. */
function disguise(): () => void {
  const spy = vi.spyOn(tf.backend(), "refCount").mockReturnValue(7);
  return () => spy.mockRestore();
}

describe("the same bits", () => {
  it.each<[string, TfjsOptions]>([
    ["defaults", {}],
    ["adam alone", { base: adam({ learningRate: 0.01 }), tuner: null }],
    ["adamw alone", { base: adamw({ learningRate: 0.01, weightDecay: 0.3 }), tuner: null }],
    [
      "momentum, clipped",
      { base: sgd({ momentum: 0.9 }), clip: { norm: 1, value: 0.5 }, normAdaptive: true },
    ],
    ["mechanic", { base: rmsprop(), tuner: mechanic() }],
    ["mechanize", { base: adamw(), tuner: mechanize() }],
    ["reconstructed", { tuner: superlevel({ delta: "reconstructed", anchor: { every: 5 } }) }],
    ["tensors", { tuner: superlevel({ granularity: "tensor", anchor: { every: 7 } }) }],
    ["coordinates", { tuner: superlevel({ granularity: "parameter", anchor: { every: 7 } }) }],
    [
      "options by variable",
      { perVariable: (_, k) => ({ frozen: k === 2, learningRate: 1 + k, weightDecay: 0.1 * k }) },
    ],
  ])("as with copies: %s", (_, options) => {
    const [inside, beside] = [makeVariables(), makeVariables()];
    const [hosted, copying] = [superlevelOptimizer(options), superlevelOptimizer(options)];
    for (let step = 1; step <= 30; step++) {
      const undo = step === 1 ? disguise() : () => {};
      stepOn(copying, beside, step);
      undo();
      stepOn(hosted, inside, step);
      // The heap grows, and all views of it detach.
      if (step === 10) tf.zeros([1 << 23]).dispose();
      if (step === 20) inside[3].assign(tf.neg(inside[3]));
      if (step === 20) beside[3].assign(tf.neg(beside[3]));
      expect(inside.map(numbers)).toEqual(beside.map(numbers));
    }
    expect([hosted.copies, copying.copies]).toEqual([false, true]);
    expect(hosted.lastStep).toEqual(copying.lastStep);
    expect(hosted.scale).toEqual(copying.scale);
  });

  it("on the cpu backend, and across a change of backends", async () => {
    const walk = async (change: string | undefined): Promise<number[][]> => {
      const variables = makeVariables();
      const optimizer = superlevelOptimizer();
      for (let step = 1; step <= 20; step++) {
        if (step === 10 && change) await tf.setBackend(change);
        stepOn(optimizer, variables, step);
      }
      expect(optimizer.iterations).toBe(20);
      expect(optimizer.copies).toBe(tf.getBackend() === "cpu");
      const all = variables.map(numbers);
      optimizer.dispose();
      return all;
    };
    const expected = await walk(undefined);
    expect(await walk("cpu")).toEqual(expected);
    expect(await walk(undefined)).toEqual(expected);
  });

  it("from a state that was saved elsewhere", async () => {
    const variables = makeVariables();
    const optimizer = superlevelOptimizer();
    for (let step = 1; step <= 12; step++) stepOn(optimizer, variables, step);
    const config = optimizer.getConfig();
    const saved = variables.map((x) => x.dataSync());
    const states = (await optimizer.getWeights()).map(({ tensor }) => tensor.dataSync());
    for (let step = 13; step <= 20; step++) stepOn(optimizer, variables, step);
    const expected = variables.map(numbers);
    for (const backend of ["cpu", "wasm"]) {
      await tf.setBackend(backend);
      const again = saved.map((values) => variable(values));
      const loaded = superlevelOptimizer(config);
      const weights = states.map((values, k) => ({
        name: String(k),
        tensor: tf.tensor(values, undefined, "int32"),
      }));
      await loaded.setWeights(weights);
      for (let step = 13; step <= 20; step++) stepOn(loaded, again, step);
      expect(again.map(numbers)).toEqual(expected);
    }
  });
});

/** The backend's products remember their weights. (It has no gradients of convolutions.) */
function network(options: TfjsOptions): tfl.LayersModel {
  const { layers, initializers } = tfl;
  const seeded = (seed: number) => initializers.glorotNormal({ seed });
  const model = tfl.sequential();
  model.add(layers.dense({ units: 20, inputShape: [12], kernelInitializer: seeded(1) }));
  model.add(layers.batchNormalization());
  model.add(layers.prelu({ alphaInitializer: "ones" }));
  model.add(layers.dense({ units: 5, activation: "tanh", kernelInitializer: seeded(2) }));
  model.add(layers.dense({ units: 1, kernelInitializer: seeded(3) }));
  model.compile({ optimizer: superlevelOptimizer(options), loss: "meanSquaredError" });
  return model;
}

describe("a network", () => {
  it.each<[string, TfjsOptions]>([
    ["defaults", {}],
    ["adam alone", { base: adam({ learningRate: 0.003 }), tuner: null }],
  ])(
    "has the losses it has with copies, and the weights it shows are those it uses: %s",
    async (_, options) => {
      const x = tf.randomNormal([16, 12], 0, 1, "float32", 5);
      const y = tf.mean(x, 1, true);
      const losses = { hosted: [] as number[], copying: [] as number[] };
      const models = { hosted: network(options), copying: network(options) };
      const undo = disguise();
      losses.copying.push((await models.copying.trainOnBatch(x, y)) as number);
      undo();
      for (let step = 1; step <= 80; step++) {
        losses.hosted.push((await models.hosted.trainOnBatch(x, y)) as number);
        losses.copying.push((await models.copying.trainOnBatch(x, y)) as number);
      }
      expect((models.hosted.optimizer as SuperlevelOptimizer).copies).toBe(false);
      expect((models.copying.optimizer as SuperlevelOptimizer).copies).toBe(true);
      expect(losses.hosted).toEqual(losses.copying.slice(0, 80));
      expect(losses.hosted[79]).toBeLessThan(0.5 * losses.hosted[0]);
    },
  );
});

describe("memory", () => {
  it("of others is left to them", () => {
    const start = tf.tensor1d([1, 2, 3]);
    const x = tf.variable(start);
    const y = variable([4, 5]);
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    const shape: [number, number] = [2, 1];
    optimizer.applyGradients({ [x.name]: tf.tensor1d([1, 1, 1]), [y.name]: tf.tensor1d([1, 1]) });
    const snapshot = tf.reshape(y, shape);
    const target = tf.variable(tf.zeros([2]));
    target.assign(y); // as model.setWeights does with another model's
    optimizer.applyGradients({ [x.name]: tf.tensor1d([1, 1, 1]), [y.name]: tf.tensor1d([1, 1]) });
    expect(optimizer.copies).toBe(false);
    expect(numbers(start)).toEqual([1, 2, 3]);
    expect(numbers(x)).toEqual([0, 1, 2]);
    expect(numbers(snapshot)).toEqual([3.5, 4.5]);
    expect(numbers(target)).toEqual([3.5, 4.5]);
    expect(numbers(y)).toEqual([3, 4]);
    // A gradient that is the variable itself.
    optimizer.applyGradients({ [x.name]: tf.reshape(x, [3]), [y.name]: y });
    expect(numbers(x)).toEqual([0, 0.5, 1]);
    expect(numbers(y)).toEqual([1.5, 2]);
  });

  it("does not grow, and is given back", async () => {
    const before = tf.memory();
    const variables = makeVariables();
    const optimizer = superlevelOptimizer();
    stepOn(optimizer, variables, 1);
    await optimizer.getWeights();
    const { numTensors, numBytes } = tf.memory();
    for (let step = 2; step <= 1000; step++) stepOn(optimizer, variables, step);
    expect(optimizer.copies).toBe(false);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    optimizer.reset();
    stepOn(optimizer, variables, 1);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    optimizer.dispose();
    tf.dispose(variables);
    // The tensors that the variables were made from are the scope's.
    expect(tf.memory().numTensors).toBe(before.numTensors + SIZES.length);
  });

  it("survives tidy", () => {
    const x = variable([3, -2]);
    const optimizer = superlevelOptimizer();
    for (let step = 1; step <= 5; step++) tf.tidy(() => stepOn(optimizer, [x], step));
    for (let k = 0; k < 50; k++) tf.fill([100], NaN);
    stepOn(optimizer, [x], 6);
    expect(numbers(x).every(Number.isFinite)).toBe(true);
  });
});

describe("variables", () => {
  it("that were given the same numbers have not moved", () => {
    const [x, y] = [variable([3, -2]), variable([3, -2])];
    const [one, other] = [superlevelOptimizer(), superlevelOptimizer()];
    for (let step = 1; step <= 100; step++) {
      stepOn(one, [x], step);
      stepOn(other, [y], step);
      if (step === 50) x.assign(tf.tensor1d(numbers(x)));
    }
    expect(numbers(x)).toEqual(numbers(y));
  });

  it("without a gradient get one of 0", () => {
    const [used, unused] = [variable([3]), variable([4])];
    const optimizer = superlevelOptimizer({ base: adam({ learningRate: 0.1 }), tuner: null });
    const one = tf.tensor1d([1]);
    optimizer.applyGradients({ [used.name]: one, [unused.name]: null } as unknown as tf.NamedTensorMap);
    expect(numbers(unused)).toEqual([4]);
    optimizer.applyGradients({ [used.name]: null, [unused.name]: one } as unknown as tf.NamedTensorMap);
    expect(numbers(unused)[0]).toBeLessThan(4);
    expect(optimizer.copies).toBe(false);
  });

  it("are as before when a step fails", () => {
    const [x, y] = [variable([3, 4], "fine"), variable([1, 2, 5], "bad")];
    const optimizer = superlevelOptimizer();
    stepOn(optimizer, [x, y], 1);
    const before = [x, y].map(numbers);
    const gradients = { fine: tf.tensor1d([1, 1]), bad: tf.tensor1d([1, 1, NaN]) };
    expect(() => optimizer.applyGradients(gradients)).toThrow('step 2: gradients["bad"][2] is NaN');
    y.assign(tf.tensor1d([1, Infinity, 2]));
    expect(() => stepOn(optimizer, [x, y], 2)).toThrow('variable "bad"[1]: expected a number within');
    expect(numbers(x)).toEqual(before[0]);
    expect(optimizer.iterations).toBe(1);
  });

  it("have to have a norm that float32 can square", () => {
    const x = variable([3e19, 3e19]);
    const step = () => superlevelOptimizer().applyGradients({ [x.name]: tf.tensor1d([1, 1]) });
    expect(step).toThrow("params: expected a norm below 1e19");
  });

  it("are put back when a step leads out of float32", () => {
    for (const tuner of [null, mechanic()]) {
      const x = variable([3, 4]);
      const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 1e25 }), tuner });
      expect(() => {
        for (let step = 1; step <= 9; step++) {
          const before = numbers(x);
          try {
            stepOn(optimizer, [x], step);
          } catch (error) {
            expect(numbers(x)).toEqual(before);
            throw error;
          }
        }
      }).toThrow("would pass 1e19");
      expect(optimizer.copies).toBe(false);
    }
  });
});
