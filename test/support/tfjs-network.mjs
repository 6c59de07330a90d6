// A small network for pages, its data, and what a page is told when it saves a model.
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";

export function network(optimizer) {
  const model = layers.sequential();
  const seeded = (seed) => layers.initializers.glorotNormal({ seed });
  model.add(
    layers.layers.dense({ units: 8, inputShape: [4], activation: "tanh", kernelInitializer: seeded(1) }),
  );
  model.add(layers.layers.dense({ units: 1, kernelInitializer: seeded(2) }));
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

export function sums(count) {
  const x = tf.randomNormal([count, 4], 0, 1, "float32", 3);
  return { x, y: tf.sum(x, 1, true) };
}

/** The model as it is loaded from what it saves, optimizer and all. */
export async function reloaded(model) {
  let artifacts;
  const keep = (saved) => {
    artifacts = saved;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  };
  await model.save({ save: keep }, { includeOptimizer: true });
  return layers.loadLayersModel(tf.io.fromMemory(artifacts));
}
