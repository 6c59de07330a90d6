import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-layers"; // for the gradients of operations, which it registers

/** Chooses the wasm backend, with the kernel that it lacks for training convolutions. */
export async function useWasm(): Promise<void> {
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // its threads do not start in Node
  tf.env().set("IS_NODE", false); // no advertisement on stderr
  const kernelName = tf.Conv2DBackpropFilter;
  if (!tf.getKernel(kernelName, "wasm"))
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: filterGradient });
  await tf.setBackend("wasm");
}

/**
 * The gradient of a convolution by its filter. It is a convolution itself: of the inputs by the gradients of the
 * outputs, with channels and examples in each other's place, and the stride for a dilation.
 */
const filterGradient: tf.KernelFunc = ({ inputs, attrs }) => {
  const { strides, pad, dataFormat, filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const x = inputs.x as tf.Tensor4D;
  const dy = inputs.dy as tf.Tensor4D;
  if (dataFormat !== "NHWC")
    throw new RangeError(`filterGradient: expected channels last, got ${dataFormat}`);
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const { top, bottom, left, right } = info.padInfo;
  const padded = tf.pad(x, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]);
  const images = tf.transpose(padded, [3, 1, 2, 0]);
  const filter = tf.transpose(dy, [1, 2, 0, 3]);
  const gradient = tf.conv2d(images, filter, 1, "valid", "NHWC", [info.strideHeight, info.strideWidth]);
  // Rows and columns behind the last place of the filter are none of its.
  const { inChannels, filterHeight, filterWidth, outChannels } = info;
  const own = tf.slice(gradient, [0, 0, 0, 0], [inChannels, filterHeight, filterWidth, outChannels]);
  return tf.transpose(own, [1, 2, 0, 3]);
};

/** The backend's own kernels, of those that were replaced. */
const originals = new Map<string, tf.KernelFunc>();

function replaceKernel(kernelName: string, kernelFunc: tf.KernelFunc): void {
  if (originals.has(kernelName)) return;
  originals.set(kernelName, tf.getKernel(kernelName, "wasm").kernelFunc);
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
}

/** Lets gradients of convolutions of stride 1 by their inputs be convolutions, too: twice as fast as the backend's own. */
export function useConvolvedGradients(): void {
  replaceKernel(tf.Conv2DBackpropInput, inputGradient);
}

/** The gradients of the outputs, convolved by the filter turned by 180 degrees with channels in each other's place. */
const inputGradient: tf.KernelFunc = (given) => {
  const { strides, pad, inputShape } = given.attrs as unknown as tf.Conv2DBackpropInputAttrs;
  const { dy, filter } = given.inputs as unknown as { dy: tf.Tensor4D; filter: tf.Tensor4D };
  const info = tf.backend_util.computeConv2DInfo(inputShape, filter.shape, strides, 1, pad);
  if (info.strideHeight > 1 || info.strideWidth > 1) return originals.get(tf.Conv2DBackpropInput)!(given);
  const { top, bottom, left, right } = info.padInfo;
  const [rows, columns] = [info.filterHeight - 1, info.filterWidth - 1];
  const padded = tf.pad(dy, [
    [0, 0],
    [rows - top, rows - bottom],
    [columns - left, columns - right],
    [0, 0],
  ]);
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(padded, turned, 1, "valid");
};

/**
 * Lets products of matrices of which one is transposed, as all gradients of products are, be products of what is
 * transposed before: ten times as fast as the backend's own, which has SIMD for the others alone.
 */
export function useTransposedProducts(): void {
  replaceKernel(tf.BatchMatMul, transposedProduct);
}

const transposedProduct: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { transposeA, transposeB } = attrs as unknown as tf.BatchMatMulAttrs;
  const upright = (x: tf.Tensor, transposed: boolean) => {
    const last = x.shape.length - 1;
    const axes = [...x.shape.keys()].slice(0, -2);
    return transposed ? tf.transpose(x, [...axes, last, last - 1]) : x;
  };
  const a = upright(inputs.a as tf.Tensor, transposeA);
  const b = upright(inputs.b as tf.Tensor, transposeB);
  return originals.get(tf.BatchMatMul)!({
    inputs: { a, b },
    attrs: { transposeA: false, transposeB: false },
    backend,
  });
};
