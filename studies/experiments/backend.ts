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
