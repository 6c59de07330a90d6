import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { createNetwork } from "../digits/network.js";
import { useConvolvedGradients, useWasm } from "../kit/backend.js";
import type { Data, Images } from "./data.js";

/** A network with its parameters in one vector. */
export interface Network {
  start(seed: number): Float32Array;
  /** Mean cross-entropy of some images; writes its gradient. */
  gradient(params: Float32Array, grads: Float32Array, images: Images, which: Uint32Array): number;
  evaluate(params: Float32Array, images: Images): { loss: number; accuracy: number };
}

export type NetworkName = "MLP" | "CNN" | "residual network";

export async function createOf(name: NetworkName, data: Data): Promise<Network> {
  if (name === "MLP") return mlp(data.train.pixels);
  await useWasm();
  useConvolvedGradients();
  return convolutional(name === "CNN" ? plain(data.shape) : residual(data.shape), data.shape);
}

function mlp(pixels: number): Network {
  const network = createNetwork([pixels, 32, 10]);
  return {
    gradient: (...given) => network.gradient(...given),
    evaluate: (...given) => network.evaluate(...given),
    start(seed) {
      const params = new Float32Array(network.size);
      let at = 0;
      for (const { values } of network.initialTensors(seed)) {
        params.set(values, at);
        at += values.length;
      }
      return params;
    },
  };
}

type Shape = Data["shape"];
type Model = (seed: number) => layers.LayersModel;

const conv = (filters: number, strides: number, seed: number) =>
  layers.layers.conv2d({
    filters,
    strides,
    kernelSize: 3,
    padding: "same",
    kernelInitializer: layers.initializers.heNormal({ seed }),
  });
const relu = () => layers.layers.reLU();
const classes = (seed: number) =>
  layers.layers.dense({ units: 10, kernelInitializer: layers.initializers.glorotNormal({ seed }) });

/** Two convolutions, halving the picture each time. */
const plain =
  (inputShape: Shape): Model =>
  (seed) => {
    const input = layers.input({ shape: [...inputShape] });
    let x = input;
    [8, 16].forEach((filters, k) => {
      x = relu().apply(conv(filters, 2, 10 * seed + k).apply(x)) as layers.SymbolicTensor;
    });
    x = layers.layers.flatten().apply(x) as layers.SymbolicTensor;
    return layers.model({ inputs: input, outputs: classes(10 * seed + 9).apply(x) as layers.SymbolicTensor });
  };

/** A stem and three residual blocks of two convolutions, two of them behind a halving, then the mean over places. */
const residual =
  (inputShape: Shape): Model =>
  (seed) => {
    let count = 100 * seed;
    const input = layers.input({ shape: [...inputShape] });
    let x = conv(12, 2, count++).apply(input) as layers.SymbolicTensor;
    for (const [filters, strides] of [
      [12, 1],
      [24, 2],
      [24, 1],
    ]) {
      if (strides > 1) x = conv(filters, strides, count++).apply(x) as layers.SymbolicTensor;
      let branch = conv(filters, 1, count++).apply(relu().apply(x)) as layers.SymbolicTensor;
      branch = conv(filters, 1, count++).apply(relu().apply(branch)) as layers.SymbolicTensor;
      x = layers.layers.add().apply([x, branch]) as layers.SymbolicTensor;
    }
    x = layers.layers.globalAveragePooling2d({}).apply(relu().apply(x)) as layers.SymbolicTensor;
    return layers.model({ inputs: input, outputs: classes(count).apply(x) as layers.SymbolicTensor });
  };

/** A model of TensorFlow.js, as a function of one vector. */
function convolutional(make: Model, shape: Shape): Network {
  const model = make(1);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);

  function assign(params: Float32Array): void {
    let at = 0;
    for (const variable of variables) {
      variable.assign(tf.tensor(params.subarray(at, (at += variable.size)), variable.shape));
    }
  }

  const lossOf = (images: Images, which: Uint32Array): tf.Scalar =>
    tf.losses.softmaxCrossEntropy(
      targets(images, which),
      model.apply(inputs(images, which, shape)) as tf.Tensor,
    );

  return {
    start(seed) {
      const own = make(seed);
      const values = own.trainableWeights.map((weight) => weight.read().dataSync());
      own.dispose();
      const params = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of values) {
        params.set(part, at);
        at += part.length;
      }
      return params;
    },
    gradient: (params, grads, images, which) =>
      tf.tidy(() => {
        assign(params);
        const found = tf.variableGrads(() => lossOf(images, which), variables);
        let at = 0;
        for (const { name, size } of variables) {
          grads.set(found.grads[name].dataSync(), at);
          at += size;
        }
        return found.value.dataSync()[0];
      }),
    evaluate(params, images) {
      let [loss, right] = [0, 0];
      // In parts, for the sake of memory.
      for (let from = 0; from < images.count; from += 250) {
        const which = Uint32Array.from({ length: Math.min(250, images.count - from) }, (_, k) => from + k);
        tf.tidy(() => {
          assign(params);
          const logits = model.apply(inputs(images, which, shape)) as tf.Tensor2D;
          const expected = targets(images, which);
          loss += which.length * tf.losses.softmaxCrossEntropy(expected, logits).dataSync()[0];
          right += tf.sum(tf.equal(tf.argMax(logits, -1), tf.argMax(expected, -1))).dataSync()[0];
        });
      }
      return { loss: loss / images.count, accuracy: right / images.count };
    },
  };
}

function inputs({ images, pixels }: Images, which: Uint32Array, shape: Shape): tf.Tensor4D {
  const values = new Float32Array(which.length * pixels);
  which.forEach((example, k) => {
    for (let p = 0; p < pixels; p++) values[k * pixels + p] = images[example * pixels + p] / 255;
  });
  return tf.tensor4d(values, [which.length, ...shape]);
}

function targets({ labels }: Images, which: Uint32Array): tf.Tensor2D {
  const values = new Float32Array(which.length * 10);
  which.forEach((example, k) => (values[10 * k + labels[example]] = 1));
  return tf.tensor2d(values, [which.length, 10]);
}
