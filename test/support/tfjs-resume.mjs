/**
 * `save FILE` trains a model, saves it and goes on; `load FILE` goes on from the file. Both print the losses that
 * follow, which have to be the same to the last bit.
 */
import { readFileSync, writeFileSync } from "node:fs";

import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { adamw, cosineDecay, lion, mechanic, scheduleFree, superlevel } from "superlevel";
import { superlevelOptimizer } from "superlevel/tfjs";

const [, , action, file, which] = process.argv;
tf.env().set("IS_NODE", false); // no advertisement on stderr

const schedule = cosineDecay({ initial: 0.01, steps: 100 });
const cases = {
  defaults: {},
  lion: { base: lion({ learningRate: schedule }), tuner: null },
  rate: { base: adamw({ learningRate: 0.02 }), tuner: mechanic(), clip: { norm: 1 } },
  noisy: { gradients: "noisy", tuner: superlevel({ growthLimit: { first: 20 }, anchor: { first: 24 } }) },
  average: { base: scheduleFree(adamw({ learningRate: 0.02 }), { interpolation: 0.8 }), tuner: null },
  coordinates: {
    tuner: superlevel({ granularity: "parameter", anchor: { every: 7 } }),
    perVariable: ({ name }) => (name.includes("bias") ? { learningRate: 2 } : undefined),
  },
};

const seeded = (seed) => layers.initializers.glorotNormal({ seed });

function build() {
  const model = layers.sequential();
  model.add(
    layers.layers.dense({
      units: 7,
      inputShape: [5],
      activation: "tanh",
      name: "first_layer",
      kernelInitializer: seeded(1),
    }),
  );
  model.add(layers.layers.batchNormalization());
  model.add(layers.layers.dense({ units: 3, activation: "softmax", kernelInitializer: seeded(2) }));
  model.compile({ optimizer: superlevelOptimizer(cases[which]), loss: "categoricalCrossentropy" });
  return model;
}

const x = tf.randomNormal([32, 5], 0, 1, "float32", 3);
const y = tf.oneHot(tf.cast(tf.mul(2.99, tf.randomUniform([32], 0, 1, "float32", 4)), "int32"), 3);

async function train(model, steps) {
  const losses = [];
  for (let step = 0; step < steps; step++) losses.push(await model.trainOnBatch(x, y));
  return losses;
}

/** Through JSON, as files and databases would. */
const toFile = {
  save: async ({ weightData, ...artifacts }) => {
    const data = Buffer.from(weightData).toString("base64");
    writeFileSync(file, JSON.stringify({ ...artifacts, data }));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  },
};

function fromFile() {
  const { data, ...artifacts } = JSON.parse(readFileSync(file, "utf8"));
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return tf.io.fromMemory({ ...artifacts, weightData: bytes.buffer });
}

let model;
if (action === "save") {
  model = build();
  await train(model, 30);
  await model.save(toFile, { includeOptimizer: true });
} else {
  build(); // takes the names, so that those of the loaded model get suffixes
  model = await layers.loadLayersModel(fromFile());
  if (which === "lion") model.optimizer.setLearningRate(schedule);
}
const { iterations, gradients } = model.optimizer;
console.log(JSON.stringify({ iterations, gradients, losses: await train(model, 20) }));
