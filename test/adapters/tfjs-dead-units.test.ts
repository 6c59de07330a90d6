/** Dead units of TensorFlow.js models, of which so many are known to be dead. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { beforeEach, describe, expect, it } from "vitest";

import {
  layersProfile,
  monitorCallback,
  superlevelOptimizer,
  type LayerLike,
} from "../../src/adapters/tfjs/index.js";

beforeEach(() => tf.setBackend("cpu"));

/** Biases of which the first `dead` keep their units below 0. */
const biases = (units: number, dead: number) =>
  tf.tensor1d(Array.from({ length: units }, (_, k) => (k < dead ? -100 : 1)));

const dense = (name: string, inputs: number, units: number, dead: number, activation: "relu" | "sigmoid") =>
  tfl.layers.dense({
    ...{ name, units, activation, inputShape: [inputs] },
    weights: [tf.randomUniform([inputs, units], -0.3, 0.3, "float32", 3), biases(units, dead)],
  });
const last = (units: number) => tfl.layers.dense({ name: "out", units });

/** Three of four units of one layer are dead, none of the next, and a sigmoid of −100 is no 0. */
const network = () =>
  tfl.sequential({
    layers: [
      dense("hidden", 5, 8, 6, "relu"),
      dense("alive", 8, 4, 0, "relu"),
      dense("squashed", 4, 4, 3, "sigmoid"),
      last(1),
    ],
  });

/** Channels: one of three is dead in the convolution, and what flattens gets its zeros. */
function images() {
  const inputShape = [6, 6, 1];
  const conv = tfl.layers.conv2d({ name: "conv", filters: 3, kernelSize: 3, inputShape });
  const relu = tfl.layers.activation({ name: "relu", activation: "relu" });
  const model = tfl.sequential({ layers: [conv, relu, tfl.layers.flatten({ name: "flat" }), last(1)] });
  conv.setWeights([conv.getWeights()[0], biases(3, 1)]);
  return model;
}

type Model = ReturnType<typeof network>;

const examplesOf = (model: Model, count = 50) =>
  tf.randomUniform([count, ...(model.inputs[0].shape.slice(1) as number[])], -1, 1, "float32", 7);

async function profile(model: Model): Promise<Record<string, number>> {
  const examples = examplesOf(model);
  const rows = await layersProfile(() => tf.sum(model.predict(examples) as tf.Tensor), model);
  return Object.fromEntries(rows.map(({ name, deadUnits }) => [name, deadUnits]));
}

describe("layersProfile", () => {
  it("finds the share of each layer's units that are 0 at every example", async () => {
    expect(await profile(network())).toEqual({ hidden: 0.75, alive: 0, squashed: 0, out: 0 });
  });

  it("takes a channel for a unit", async () => {
    const rows = await profile(images());
    expect(rows).toEqual({ conv: 0, relu: expect.closeTo(1 / 3, 6) as number, flat: expect.closeTo(1 / 3, 6) as number, out: 0 }); // prettier-ignore
  });

  it("counts a unit as alive that is so in one call of many", async () => {
    // predict takes 32 examples at a time: the first 32 of 50 are positive.
    const hidden = tfl.layers.dense({ name: "hidden", units: 3, inputShape: [1], activation: "relu" });
    const model = tfl.sequential({ layers: [hidden, last(1)] });
    hidden.setWeights([tf.tensor2d([[1, -1, 0]]), tf.zeros([3])]);
    const x = tf.tensor2d(Array.from({ length: 50 }, (_, k) => [k < 32 ? 1 : -1]));
    const rows = await layersProfile(() => tf.sum(model.predict(x) as tf.Tensor), model);
    expect(rows[0].deadUnits).toBeCloseTo(1 / 3, 6);
  });

  it("takes channels for units where they come first", async () => {
    const x = tf.tensor4d([0, 0, 0, 0, 1, 2, 0, 0], [1, 2, 2, 2]);
    const call = () => tf.mul(x, 1);
    const layer = { name: "own", dataFormat: "channelsFirst", trainableWeights: [], call };
    const { numTensors } = tf.memory();
    const [{ deadUnits }] = await layersProfile(() => tf.sum((layer as LayerLike).call(x, {}) as tf.Tensor), {
      layers: [layer],
    });
    expect(deadUnits).toBe(0.5);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe("monitorCallback", () => {
  async function fit(model: Model, examples: tf.Tensor | undefined) {
    model.compile({ optimizer: superlevelOptimizer(), loss: "meanSquaredError" });
    const [x, y] = [examplesOf(model, 64), tf.randomUniform([64, 1], 0, 1, "float32", 5)];
    const logged: Record<string, number | string>[] = [];
    const found: string[] = [];
    const callback = monitorCallback({
      ...{ model, examples, every: 4 },
      target: { log: (values) => logged.push(values) },
      onFinding: ({ message }) => found.push(message),
    });
    await model.fit(x, y, { epochs: 2, batchSize: 16, verbose: 0, callbacks: callback });
    return { logged, found, verdict: callback.summary().verdict };
  }

  it("names the layer, says what to do, and logs the share of each", async () => {
    const model = network();
    const examples = examplesOf(model);
    const { logged, found, verdict } = await fit(model, examples);
    expect(verdict).toBe("dead-units");
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("75 % of those of hidden return 0 at every example; begin anew");
    expect(logged).toHaveLength(3);
    const shares = Object.entries(logged[0]).filter(([tag]) => tag.startsWith("dead_units/"));
    expect(Object.fromEntries(shares)).toEqual({
      "dead_units/hidden": 0.75,
      "dead_units/alive": 0,
      "dead_units/squashed": 0,
      "dead_units/out": 0,
    });
    const { numTensors } = tf.memory();
    const callback = monitorCallback({ model, examples, every: 1 });
    await callback.onBatchEnd(0, { loss: 1 });
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it("is silent where few are dead, and leaves out layers that hand on zeros of others", async () => {
    const model = images();
    const { logged, verdict } = await fit(model, examplesOf(model));
    expect(verdict).toBe("healthy");
    expect(Object.keys(logged[0]).filter((tag) => tag.startsWith("dead_units/"))).toEqual([
      "dead_units/conv",
      "dead_units/relu",
      "dead_units/out",
    ]);
    expect(logged[0]["dead_units/relu"]).toBeCloseTo(1 / 3, 6);
  });

  it("does not look without examples, and needs a model with them", async () => {
    const { logged, verdict } = await fit(network(), undefined);
    expect(verdict).toBe("healthy");
    expect(Object.keys(logged[0]).some((tag) => tag.startsWith("dead_units/"))).toBe(false);
    expect(() => monitorCallback({ examples: tf.zeros([1]) })).toThrow(
      "monitorCallback.examples: expected model besides, a LayersModel, got undefined",
    );
  });
});
