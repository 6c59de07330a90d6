import { Tensor } from "@tensorflow/tfjs-core";

/* What layers of TensorFlow.js are given and return, seen where a model calls them. */

export type Tensors = Tensor | Tensor[];

/** What is needed of a layer of TensorFlow.js. */
export interface LayerLike {
  readonly name: string;
  call(inputs: unknown, kwargs: unknown): unknown;
  getClassName?(): string;
  readonly trainableWeights: readonly unknown[];
  /** Where a convolution has its channels: last, but for "channelsFirst". */
  readonly dataFormat?: string;
}

export const isFloat = (one: unknown): one is Tensor => one instanceof Tensor && one.dtype === "float32";
export const listOf = (tensors: unknown): unknown[] => (Array.isArray(tensors) ? tensors : [tensors]);
export const floatsOf = (tensors: unknown): Tensor[] => listOf(tensors).filter(isFloat);

export type Hook = (layer: LayerLike, inputs: Tensors, run: (inputs: Tensors) => Tensors) => Tensors;

/** Calls `body` while `hook` stands in for the layers' own `call`. */
export function hooked<T>(layers: readonly LayerLike[], hook: Hook, body: () => T): T {
  const unhook = layers.map((layer) => {
    const own = Object.getOwnPropertyDescriptor(layer, "call");
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) =>
      hook(layer, inputs as Tensors, (given) => call(given, kwargs) as Tensors);
    return () => {
      if (own) Object.defineProperty(layer, "call", own);
      else delete (layer as Partial<LayerLike>).call;
    };
  });
  try {
    return body();
  } finally {
    unhook.reverse().forEach((undo) => undo());
  }
}
