import { abs, dispose, keep, max, maximum, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { floatsOf, hooked, type Hook, type LayerLike, type Tensors } from "./layer-calls.js";

/** The largest |a| that each unit of a layer returns, over all examples, places and calls. */
export class UnitPeaks {
  readonly #axis: number;
  #peaks: Tensor[] = [];

  constructor({ dataFormat }: LayerLike) {
    this.#axis = dataFormat === "channelsFirst" ? 1 : -1;
  }

  add(outputs: Tensors): void {
    for (const one of floatsOf(outputs)) if (one.rank > 1) this.#addOne(one);
  }

  #addOne(one: Tensor): void {
    const unit = (this.#axis + one.rank) % one.rank;
    const others = one.shape.map((_, axis) => axis).filter((axis) => axis !== unit);
    const peak = max(abs(one), others);
    // Of several calls, those with as many units are taken for the same units.
    const [before] = this.#peaks.filter(({ size }) => size === peak.size);
    this.#peaks = this.#peaks.filter((kept) => kept !== before);
    this.#peaks.push(keep(before ? maximum(before, peak) : peak));
    if (before) dispose(before);
  }

  /** The share of units that return nothing but 0; NaN where the layer has none. */
  async deadShare(): Promise<number> {
    const peaks = (await Promise.all(this.#peaks.map((one) => one.data()))).flatMap((data) => [...data]);
    return peaks.filter((peak) => peak === 0).length / peaks.length;
  }

  dispose(): void {
    dispose(this.#peaks);
    this.#peaks = [];
  }
}

/** A model whose units can be looked at. */
export interface UnitModel {
  readonly layers: readonly LayerLike[];
  predict(examples: Tensors): Tensors;
}

/** Layers that make zeros themselves: others, as pooling, hand on those that they get. */
const ACTIVATIONS = ["Activation", "ReLU", "ThresholdedReLU", "LeakyReLU", "PReLU", "ELU"];

const makesUnits = (layer: LayerLike) =>
  layer.trainableWeights.length > 0 || ACTIVATIONS.includes(layer.getClassName?.() ?? "");

/** The share of dead units of each layer that has some of its own, on given examples: a forward pass. */
export async function deadUnits(
  model: UnitModel,
  examples: Tensors,
): Promise<{ name: string; share: number }[]> {
  const layers = model.layers.filter(makesUnits);
  const peaks = new Map(layers.map((layer) => [layer, new UnitPeaks(layer)]));
  const hook: Hook = (layer, inputs, run) => {
    const outputs = run(inputs);
    peaks.get(layer)!.add(outputs);
    return outputs;
  };
  try {
    tidy(() => void hooked(layers, hook, () => model.predict(examples)));
    const found = Array.from(peaks, async ([{ name }, units]) => ({ name, share: await units.deadShare() }));
    return (await Promise.all(found)).filter(({ share }) => !Number.isNaN(share));
  } finally {
    peaks.forEach((units) => units.dispose());
  }
}
