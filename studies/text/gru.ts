import * as layers from "@tensorflow/tfjs-layers";

/** One character after another, as one-hot rows [batch, time, characters] → logits of the character that follows. */
export function createGru(characters: number, units: number, seed: number): layers.Sequential {
  const initial = (k: number) => layers.initializers.glorotNormal({ seed: 100 * seed + k });
  return layers.sequential({
    layers: [
      layers.layers.gru({
        units,
        inputShape: [null, characters],
        returnSequences: true,
        recurrentActivation: "sigmoid",
        kernelInitializer: initial(1),
        recurrentInitializer: initial(2),
      }),
      layers.layers.dense({ units: characters, kernelInitializer: initial(3) }),
    ],
  });
}
