/** A model saved with its optimizer goes on elsewhere as if nothing had happened. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { adam, exponentialDecay, scheduleFree, sgd, superlevel } from "../../src/index.js";
import { SuperlevelOptimizer, superlevelOptimizer, type TfjsOptions } from "../../src/adapters/tfjs/index.js";

beforeAll(async () => {
  tf.env().set("IS_NODE", false); // no advertisement
  await tf.setBackend("cpu");
});

const bowl = (x: tf.Variable): tf.Scalar => tf.mul(0.5, tf.sum(tf.square(tf.sub(x, 1))));

function train(optimizer: tf.Optimizer, x: tf.Variable, steps: number): number[] {
  for (let step = 0; step < steps; step++) optimizer.minimize(() => bowl(x), false, [x]);
  return Array.from(x.dataSync());
}

const point = (): tf.Variable => tf.variable(tf.tensor1d([3, -2, 0.5]));

/** What `model.save` and loading do to a configuration. */
function reload(optimizer: SuperlevelOptimizer): SuperlevelOptimizer {
  const config = JSON.parse(JSON.stringify(optimizer.getConfig())) as tf.serialization.ConfigDict;
  return SuperlevelOptimizer.fromConfig(SuperlevelOptimizer, {
    ...config,
    customObjects: {},
  }) as SuperlevelOptimizer;
}

describe("a saved model", () => {
  const folder = mkdtempSync(join(tmpdir(), "superlevel-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(["defaults", "lion", "rate", "coordinates", "noisy", "average"])(
    "goes on in another process with the same losses: %s",
    (which) => {
      const file = join(folder, `${which}.json`);
      const [saved, loaded] = ["save", "load"].map((action) => {
        const args = ["test/support/tfjs-resume.mjs", action, file, which];
        return JSON.parse(execFileSync("node", args, { encoding: "utf8" })) as { losses: number[] };
      });
      expect(saved.losses).toHaveLength(20);
      expect(new Set(saved.losses).size).toBeGreaterThan(15);
      expect(loaded).toEqual(saved);
    },
  );
});

describe("a saved optimizer", () => {
  it("is found by its name", () => {
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    expect(classNameMap.SuperlevelOptimizer[0]).toBe(SuperlevelOptimizer);
    expect(superlevelOptimizer().getClassName()).toBe("SuperlevelOptimizer");
  });

  it.each<[string, TfjsOptions]>([
    ["defaults", {}],
    ["a rate", { base: adam({ learningRate: 0.1, beta1: 0.5 }), tuner: null, nonFinite: "skip" }],
    [
      "coordinates",
      { tuner: superlevel({ granularity: "parameter" }), clip: { norm: 1 }, normAdaptive: true },
    ],
    ["noisy", { gradients: "noisy", tuner: superlevel({ sInit: 0.01, growthLimit: { later: 2 } }) }],
    ["no limit", { gradients: "exact", tuner: superlevel({ growthLimit: null, anchor: { every: 4 } }) }],
    ["an average", { base: scheduleFree(adam({ learningRate: 0.1 }), { warmupSteps: 3, power: 2 }) }],
    ["an average by default", { base: scheduleFree(sgd()), tuner: null }],
    ["a list", { perVariable: [{ learningRate: 0.5 }] }],
    ["a function", { perVariable: () => ({ learningRate: 0.5 }) }],
  ])("keeps its options: %s", async (_, options) => {
    const [x, y] = [point(), point()];
    const optimizer = superlevelOptimizer(options);
    train(optimizer, x, 10);
    y.assign(x);
    const again = reload(optimizer);
    expect(again.getConfig()).toEqual(optimizer.getConfig());
    await again.setWeights(await optimizer.getWeights());
    expect(again.iterations).toBe(10);
    expect(train(again, y, 10)).toEqual(train(optimizer, x, 10));
  });

  it("keeps a rate that was set, and asks for a schedule", () => {
    const x = point();
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    optimizer.learningRate = 0.25;
    expect(reload(optimizer).learningRate).toBe(0.25);
    expect(reload(reload(optimizer)).learningRate).toBe(0.25);
    const unset = superlevelOptimizer({ tuner: null });
    unset.learningRate = 0.125;
    expect(reload(unset).learningRate).toBe(0.125);
    optimizer.setLearningRate(exponentialDecay({ initial: 1, rate: 0.1 }));
    const again = reload(optimizer);
    expect(() => train(again, x, 1)).toThrow("call setLearningRate(schedule)");
    expect(reload(again).getConfig()).toEqual(again.getConfig());
    again.setLearningRate(exponentialDecay({ initial: 1, rate: 0.1 }));
    train(again, x, 1);
    expect(again.learningRate).toBe(Math.exp(-0.1));
  });

  it("can be saved again before its first step", async () => {
    const [x, y] = [point(), point()];
    const optimizer = superlevelOptimizer();
    expect(await optimizer.getWeights()).toEqual([]);
    train(optimizer, x, 10);
    y.assign(x);
    const [first, second] = [reload(optimizer), reload(optimizer)];
    await first.setWeights(await optimizer.getWeights());
    await second.setWeights(await first.getWeights());
    expect(train(second, y, 5)).toEqual(train(optimizer, x, 5));
    await second.setWeights([]);
    expect(second.iterations).toBe(0);
  });

  it("is taken up by one that has trained", async () => {
    const x = point();
    const optimizer = superlevelOptimizer();
    train(optimizer, x, 10);
    const at = x.clone();
    const weights = (await optimizer.getWeights()).map(({ name, tensor }) => ({
      name,
      tensor: tensor.clone(),
    }));
    const expected = train(optimizer, x, 5);
    x.assign(at);
    await optimizer.setWeights(weights);
    expect(train(optimizer, x, 5)).toEqual(expected);
  });

  it("leaves variables where they are", async () => {
    const x = tf.variable(tf.tensor1d([17]));
    const optimizer = superlevelOptimizer({ base: sgd({ learningRate: 0.5 }), tuner: null });
    expect(train(optimizer, x, 1)).toEqual([9]);
    const weights = await optimizer.getWeights();
    expect(train(optimizer, x, 1)).toEqual([5]);
    await optimizer.setWeights(weights);
    expect(train(optimizer, x, 1)).toEqual([3]);
    expect(optimizer.iterations).toBe(2);
  });

  it("that does not fit is refused", async () => {
    const x = point();
    const optimizer = superlevelOptimizer();
    train(optimizer, x, 3);
    const weights = await optimizer.getWeights();
    await expect(optimizer.setWeights(weights.slice(1))).rejects.toThrow(
      "expected the two that getWeights gives",
    );
    const other = superlevelOptimizer({ base: sgd() });
    await other.setWeights(weights);
    expect(() => train(other, x, 1)).toThrow('it was saved with base.name "adam"; this optimizer has "sgd"');
    const unsaid = superlevelOptimizer({ perVariable: () => ({}) });
    expect(() => unsaid.getConfig()).toThrow("perVariable: a function");
    const before = tf.memory().numTensors;
    const bad = tf.tensor1d([1, 2, 3, 4], "int32");
    const broken = [weights[0], { name: "state", tensor: bad }];
    await expect(optimizer.setWeights(broken)).rejects.toThrow("no magic number");
    bad.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(optimizer.iterations).toBe(3);
  });
});
