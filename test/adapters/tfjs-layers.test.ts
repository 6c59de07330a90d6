/** Norms of activations and gradients through the layers of a TensorFlow.js model, against arithmetic by hand. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { beforeEach, describe, expect, it } from "vitest";

import { layersProfile, readParams } from "../../src/adapters/tfjs/index.js";
import { depthProfile, type LayerMap } from "../../src/stability/index.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});

const dense = (matrix: number[][], more: object = {}) =>
  tfl.layers.dense({
    units: matrix[0].length,
    inputShape: [matrix.length],
    useBias: false,
    weights: [tf.tensor2d(matrix)],
    ...more,
  });
const [w1, w2] = [[[0.5, 2, -0.7], [-1, 0.3, 1.1]], [[1], [-2], [0.5]]]; // prettier-ignore
const xs = Array.from({ length: 50 }, (_, k) => [Math.sin(3 * k), Math.cos(5 * k + 1)]);
const ys = xs.map(([a, b]) => a * b + 0.3 * a);

function network() {
  const model = tfl.sequential({ layers: [dense(w1, { activation: "tanh", name: "hidden" }), dense(w2, { name: "out" })] }); // prettier-ignore
  const [x, y] = [tf.tensor2d(xs), tf.tensor2d(ys, [ys.length, 1])];
  const predict = () => model.predict(x) as tf.Tensor;
  const apply = () => model.apply(x) as tf.Tensor;
  const lossOf = (out: () => tf.Tensor) => () => tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(y, out());
  return { model, predict: lossOf(predict), apply: lossOf(apply) };
}

/** Backpropagation in float64, sums of squares over all examples. */
function byHand() {
  const sums = { x: 0, h: 0, y: 0, dx: 0, dh: 0, dy: 0 };
  const [dw1, dw2] = [w1.map((row) => row.map(() => 0)), w2.map(() => [0])];
  xs.forEach((x, k) => {
    const h = w1[0].map((_, j) => Math.tanh(x[0] * w1[0][j] + x[1] * w1[1][j]));
    const out = h.reduce((sum, v, j) => sum + v * w2[j][0], 0);
    const dy = (2 * (out - ys[k])) / xs.length;
    const dh = w2.map(([w]) => w * dy);
    const dz = dh.map((d, j) => d * (1 - h[j] ** 2));
    const dx = x.map((_, i) => dz.reduce((sum, d, j) => sum + d * w1[i][j], 0));
    h.forEach((v, j) => (dw2[j][0] += v * dy));
    x.forEach((v, i) => dz.forEach((d, j) => (dw1[i][j] += v * d)));
    for (const [key, values] of Object.entries({ x, h, y: [out], dx, dh, dy: [dy] }))
      sums[key as keyof typeof sums] += values.reduce((sum, v) => sum + v * v, 0);
  });
  const norms = Object.fromEntries(Object.entries(sums).map(([key, value]) => [key, Math.sqrt(value)]));
  return { norms: norms as typeof sums, weightGradients: [dw1, dw2].map((dw) => Math.hypot(...dw.flat())) };
}

describe("a tanh network 2-3-1", () => {
  it.each(["predict", "apply"] as const)("by %s: every norm, and the model as it was", async (way) => {
    const { model, [way]: loss } = network();
    const params = await readParams(model.trainableWeights);
    const before = tf.memory().numTensors;
    const rows = await layersProfile(loss, model);
    expect(tf.memory().numTensors).toBe(before);
    expect(await readParams(model.trainableWeights)).toEqual(params);
    expect(model.layers.some((layer) => Object.hasOwn(layer, "call"))).toBe(false);
    const { norms, weightGradients } = byHand();
    const root = Math.sqrt(xs.length);
    const exact = [
      {
        name: "hidden",
        width: 3,
        activation: norms.h / root,
        activationGain: norms.h / norms.x,
        gradient: norms.dh,
        gradientGain: norms.dx / norms.dh,
        weights: Math.hypot(...w1.flat()),
        weightGradient: weightGradients[0],
      },
      {
        name: "out",
        width: 1,
        activation: norms.y / root,
        activationGain: norms.y / norms.h,
        gradient: norms.dy,
        gradientGain: norms.dh / norms.dy,
        weights: Math.hypot(...w2.flat()),
        weightGradient: weightGradients[1],
      },
    ];
    expect(rows.map(({ name }) => name)).toEqual(exact.map(({ name }) => name));
    exact.forEach((row, l) => {
      for (const key of Object.keys(row) as (keyof typeof row)[])
        if (key !== "name") expect(rows[l][key] / row[key], `${l}: ${key}`).toBeCloseTo(1, 4);
    });
  });

  it("is that of depthProfile, example by example", async () => {
    const { model, predict } = network();
    const rows = await layersProfile(predict, model);
    const hidden: LayerMap = ([a, b]) => w1[0].map((_, j) => Math.tanh(a * w1[0][j] + b * w1[1][j]));
    const out: LayerMap = (h) => [w2.reduce((sum, [w], j) => sum + w * h[j], 0)];
    const gradient = ([y]: Float64Array, k: number) => [(2 * (y - ys[k])) / xs.length];
    const { layers } = await depthProfile([hidden, out], xs, { gradient });
    layers.forEach((layer, l) => {
      expect(rows[l].activation / layer.activation).toBeCloseTo(1, 4);
      expect(rows[l].gradient / Math.sqrt(xs.length) / layer.gradient).toBeCloseTo(1, 4);
      expect(rows[l].activationGain / layer.activationGain).toBeCloseTo(1, 4);
      expect(rows[l].gradientGain / layer.gradientGain).toBeCloseTo(1, 4);
    });
  });
});

describe("other models", () => {
  it("residual blocks: gradients of a branch are those of its own way", async () => {
    const input = tfl.input({ shape: [2] });
    const branch = dense([[3, 0], [0, 3]], { name: "branch" }); // prettier-ignore
    const added = tfl.layers.add({ name: "sum" }).apply([input, branch.apply(input) as tfl.SymbolicTensor]);
    const model = tfl.model({ inputs: input, outputs: added as tfl.SymbolicTensor });
    const x = tf.tensor2d([[3, 4]]);
    const rows = await layersProfile(() => tf.sum(model.apply(x) as tf.Tensor), model);
    const [one, other] = ["branch", "sum"].map((name) => rows.find((row) => row.name === name)!);
    expect([one.activation, one.activationGain]).toEqual([15, 3]);
    expect(one.gradientGain).toBeCloseTo(3, 6);
    expect([other.activation, other.gradient]).toEqual([20, expect.closeTo(Math.SQRT2, 6)]);
    // It hands the gradient to both of its inputs.
    expect(other.gradientGain).toBeCloseTo(Math.SQRT2, 6);
    expect(other.weights).toBe(0);
  });

  it("embeddings have no gradient of their inputs, convolutions have a width", async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.embedding({ inputDim: 5, outputDim: 4, inputLength: 6, name: "words" }),
        tfl.layers.conv1d({ filters: 3, kernelSize: 2, name: "filter" }),
        tfl.layers.globalAveragePooling1d({ name: "mean" }),
      ],
    });
    const x = tf.tensor2d([[0, 1, 2, 3, 4, 0], [1, 1, 2, 2, 3, 3]], [2, 6], "int32"); // prettier-ignore
    const rows = await layersProfile(() => tf.sum(tf.square(model.apply(x) as tf.Tensor)), model);
    expect(rows.map(({ name, width }) => [name, width])).toEqual([["words", 24], ["filter", 15], ["mean", 3]]); // prettier-ignore
    for (const { gradient, activation } of rows) expect(Math.min(gradient, activation)).toBeGreaterThan(0);
    expect(rows[0].gradientGain).toBeNaN();
    expect(rows[0].weightGradient).toBeGreaterThan(0);
  });

  it("what is wrong is named, and leaves nothing behind", async () => {
    const { model } = network();
    const before = tf.memory().numTensors;
    const call = (...given: unknown[]) => layersProfile(...(given as Parameters<typeof layersProfile>));
    await expect(call(3, model)).rejects.toThrow("loss: expected a function, got 3");
    await expect(call(() => tf.scalar(1), 3)).rejects.toThrow("model: expected a model with layers, got 3");
    await expect(call(() => tf.tidy(() => tf.scalar(1)), model)).rejects.toThrow("no layer of model.layers was called"); // prettier-ignore
    const failing = () => {
      model.apply(tf.zeros([1, 2]));
      throw new Error("no loss");
    };
    await expect(call(failing, model)).rejects.toThrow("no loss");
    expect(model.layers.some((layer) => Object.hasOwn(layer, "call"))).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });
});
