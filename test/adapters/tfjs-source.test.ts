/** A TensorFlow.js model as a source: what the diagnostics say of it, against float64 and closed forms. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { beforeEach, describe, expect, it } from "vitest";

import { createOptimizer, sgd } from "../../src/index.js";
import {
  fromSource,
  connect,
  edgeRatio,
  hessianPlane,
  optimizerResponse,
  randomPlane,
  sharpness,
  slice,
} from "../../src/stability/index.js";
import { gradientSource, readParams, superlevelOptimizer } from "../../src/adapters/tfjs/index.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});

const [inputs, hidden] = [2, 3];
const xs = Array.from({ length: 12 }, (_, k) => [Math.sin(3 * k), Math.cos(5 * k + 1)]);
const ys = xs.map(([a, b]) => a * b + 0.3 * a);

/** A tanh network 2-3-1 with mean squared error, and the same in float64. */
function network() {
  const seeded = (seed: number) => tfl.initializers.glorotNormal({ seed });
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: hidden, inputShape: [inputs], activation: "tanh", kernelInitializer: seeded(1), biasInitializer: seeded(3) }), // prettier-ignore
      tfl.layers.dense({ units: 1, kernelInitializer: seeded(2) }),
    ],
  });
  const [x, y] = [tf.tensor2d(xs), tf.tensor2d(ys, [ys.length, 1])];
  const cost = () => tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(y, model.predict(x) as tf.Tensor);
  return { model, cost, x, y };
}

function lossOf(w: ArrayLike<number>): number {
  const bias = inputs * hidden;
  let sum = 0;
  xs.forEach((x, k) => {
    let out = w[bias + 2 * hidden];
    for (let j = 0; j < hidden; j++) {
      const sum = w[bias + j] + x.reduce((total, value, i) => total + value * w[i * hidden + j], 0);
      out += w[bias + hidden + j] * Math.tanh(sum);
    }
    sum += (out - ys[k]) ** 2 / xs.length;
  });
  return sum;
}

/** Second differences of a loss in float64, every entry. */
function denseHessian(loss: (w: Float64Array) => number, at: ArrayLike<number>): number[][] {
  const h = 1e-4;
  const moved = (i: number, a: number, j: number, b: number) => {
    const w = Float64Array.from(at);
    w[i] += a * h;
    w[j] += b * h;
    return loss(w);
  };
  return Array.from(at, (_, i) =>
    Array.from(at, (_, j) => {
      const [up, down] = [moved(i, 1, j, 1) - moved(i, 1, j, -1), moved(i, -1, j, 1) - moved(i, -1, j, -1)];
      return (up - down) / (4 * h * h);
    }),
  );
}

/** By power iteration, shifted so that the largest eigenvalue is the largest in size. */
function largestEigenvalue(matrix: number[][]): number {
  const shift = Math.hypot(...matrix.flat());
  let v = matrix.map((_, i) => 1 + Math.sin(i));
  let value = 0;
  for (let turn = 0; turn < 5000; turn++) {
    const image = matrix.map((row, i) => row.reduce((sum, entry, j) => sum + entry * v[j], shift * v[i]));
    value = Math.hypot(...image);
    v = image.map((entry) => entry / value);
  }
  return value - shift;
}

describe("a model as a source", () => {
  it("has the loss and the gradient of the model, and leaves it as it was", async () => {
    const { model, cost } = network();
    const params = await readParams(model.trainableWeights);
    const source = gradientSource(cost, model.trainableWeights);
    const point = params.map((value, i) => value + 0.1 * Math.sin(i));
    const grads = new Float32Array(13);
    const before = tf.memory().numTensors;
    expect(await source(point, grads, 1)).toBeCloseTo(lossOf(point), 6);
    const h = 1e-5;
    point.forEach((_, i) => {
      const along = (t: number) => lossOf(Float64Array.from(point, (value, k) => value + (k === i ? t : 0)));
      expect(grads[i]).toBeCloseTo((along(h) - along(-h)) / (2 * h), 5);
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(await readParams(model.trainableWeights)).toEqual(params);
  });

  it("λ_max is that of the dense Hessian of differences", async () => {
    const { model, cost } = network();
    const params = await readParams(model.trainableWeights);
    const source = gradientSource(cost, model.trainableWeights);
    for (const spread of [0, 0.5, 1]) {
      const point = params.map((value, i) => value + spread * Math.sin(3 * i));
      const exact = largestEigenvalue(denseHessian(lossOf, point));
      const { lambdaMax } = await sharpness(fromSource(source), point, { tolerance: 1e-5 });
      expect(Math.abs(lambdaMax / exact - 1)).toBeLessThan(1e-3);
      const { eigenvalues } = await hessianPlane(fromSource(source), point);
      expect(Math.abs(eigenvalues[0] / exact - 1)).toBeLessThan(1e-3);
    }
  });

  it("curvature needs no second derivatives, which the library lacks or has wrong for some operations", async () => {
    const x = tf.variable(tf.scalar(0.3));
    const square = gradientSource(() => tf.add(tf.square(x), tf.exp(x)), [x]);
    expect((await sharpness(fromSource(square), [0.3])).lambdaMax).toBeCloseTo(2 + Math.exp(0.3), 3);
    const logits = gradientSource(() => tf.losses.sigmoidCrossEntropy([1], tf.mul(x, [2])), [x]);
    const p = 1 / (1 + Math.exp(-0.6));
    expect((await sharpness(fromSource(logits), [0.3])).lambdaMax).toBeCloseTo(4 * p * (1 - p), 3);
  });

  it("a slice has the loss of the model at each point", async () => {
    const { model, cost } = network();
    const params = await readParams(model.trainableWeights);
    const tensors = model.trainableWeights.map((weight) => weight.read());
    const plane = randomPlane(params, { tensors });
    const source = gradientSource(cost, model.trainableWeights);
    const { values, columns } = await slice(fromSource(source), plane, { columns: 5 });
    const [u, v] = plane.directions;
    values.forEach((value, k) => {
      const [s, t] = [-1 + (k % columns) / 2, -1 + Math.floor(k / columns) / 2];
      const point = Float64Array.from(params, (w, i) => w + s * u[i] + t * v[i]);
      expect(value).toBeCloseTo(lossOf(point), 5);
    });
  });

  it("linear regression: λ_max of 2 XᵀX / N, ln |1 − η λ|, and no barrier", async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.dense({ units: 1, inputShape: [2], useBias: false })],
    });
    const [x, y] = [tf.tensor2d(xs), tf.tensor2d(ys, [ys.length, 1])];
    const cost = () => tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(y, model.predict(x) as tf.Tensor);
    const source = gradientSource(cost, model.trainableWeights);
    const [[a, b], [, d]] = [0, 1].map((i) =>
      [0, 1].map((j) => xs.reduce((sum, row) => sum + (2 * row[i] * row[j]) / xs.length, 0)),
    );
    const exact = (a + d) / 2 + Math.hypot((a - d) / 2, b);
    const params = await readParams(model.trainableWeights);
    const { lambdaMax, vector } = await sharpness(fromSource(source), params, { tolerance: 1e-5 });
    expect(lambdaMax).toBeCloseTo(exact, 3);
    const optimizer = createOptimizer(params, { base: sgd({ learningRate: 0.3 }), tuner: null });
    await optimizer.minimizeAsync(source, { steps: 3 });
    expect((await edgeRatio(optimizer, fromSource(source))).ratio).toBeCloseTo((0.3 * exact) / 2, 3);
    const { exponent } = await optimizerResponse(optimizer, fromSource(source), {
      steps: 10,
      direction: vector,
    });
    expect(exponent).toBeCloseTo(Math.log(Math.abs(1 - 0.3 * exact)), 2);
    for (const method of ["segment", "chain"] as const) {
      const { barrier } = await connect(fromSource(source), [3, -2], [-1, 4], { method, iterations: 5 });
      expect(barrier).toBe(0);
    }
  });

  it.each(["cpu", "wasm"])("looking at a model in training changes nothing: %s", async (backend) => {
    await tf.setBackend(backend);
    const runs = [];
    for (const looks of [false, true]) {
      const { model, cost, x, y } = network();
      const optimizer = superlevelOptimizer();
      model.compile({ optimizer, loss: "meanSquaredError" });
      const source = gradientSource(cost, model.trainableWeights);
      for (let step = 0; step < 6; step++) {
        await model.trainOnBatch(x, y);
        if (looks)
          await sharpness(fromSource(source), await readParams(model.trainableWeights), { products: 2 });
      }
      expect(optimizer.copies).toBe(backend === "cpu");
      runs.push(await readParams(model.trainableWeights));
    }
    expect(runs[1]).toEqual(runs[0]);
  });

  it("variables without a gradient have one of 0, and a failure leaves all as it was", async () => {
    const [a, b] = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(3))];
    const source = gradientSource(() => tf.sum(tf.square(a)), [a, b]);
    const grads = new Float32Array(3).fill(7);
    const before = tf.memory().numTensors;
    expect(await source(Float32Array.of(5, 6, 7), grads, 1)).toBe(61);
    expect([...grads]).toEqual([10, 12, 0]);
    const failing = gradientSource(() => {
      throw new Error("no loss");
    }, [a, b]);
    await expect(failing(Float32Array.of(5, 6, 7), grads, 1)).rejects.toThrow("no loss");
    await expect(source(Float32Array.of(1), grads, 1)).rejects.toThrow("params: expected 3 numbers, got 1");
    expect(await readParams([a, b])).toEqual(Float32Array.of(1, 2, 3));
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[() => unknown, string]>([
    [() => gradientSource(3 as never, []), "loss: expected a function, got 3"],
    [
      () => gradientSource(() => tf.scalar(1), []),
      "variables: expected an array of variables, got an array of 0",
    ],
    [() => gradientSource(() => tf.scalar(1), [3 as never]), "variables[0]: expected a variable, got 3"],
    [
      () => gradientSource(() => tf.scalar(1), [null as never]),
      "variables[0]: expected a variable, got null",
    ],
    [() => gradientSource(() => tf.scalar(1), [tf.scalar(1) as never]), "variables[0]: expected a variable"],
    [
      () => gradientSource(() => tf.scalar(1), [tf.variable(tf.scalar(1, "int32"))]),
      "variables[0]: expected dtype float32, got int32",
    ],
  ])("what is wrong is named: %#", (call, message) => {
    expect(call).toThrow(message);
  });
});
