import * as layers from "@tensorflow/tfjs-layers";

/** Two convolutions in place of pooling, then ten classes: 28 × 28 × 1 → logits. 9 000 parameters. */
export function createCnn(seed: number): layers.Sequential {
  const initial = (k: number) => layers.initializers.heNormal({ seed: 100 * seed + k });
  const { conv2d, flatten, dense } = layers.layers;
  const shared = { strides: 2, padding: "same", activation: "relu" } as const;
  return layers.sequential({
    layers: [
      conv2d({
        ...shared,
        filters: 8,
        kernelSize: 5,
        inputShape: [28, 28, 1],
        kernelInitializer: initial(1),
      }),
      conv2d({ ...shared, filters: 16, kernelSize: 3, kernelInitializer: initial(2) }),
      flatten(),
      dense({ units: 10, kernelInitializer: initial(3) }),
    ],
  });
}
