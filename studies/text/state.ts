/* What a run needs to go on: its variables, and the state of their optimizer. */
import * as tf from "@tensorflow/tfjs-core";
import type { SuperlevelOptimizer } from "superlevel/tfjs";

/** The variables' values, then the optimizer's two tensors of whole numbers, the first of which has one. */
export async function pack(
  variables: readonly tf.Variable[],
  optimizer: SuperlevelOptimizer,
): Promise<Uint8Array> {
  const own = (await optimizer.getWeights()).map(({ tensor }) => tensor);
  const values = [...variables, ...own].map((tensor) => tensor.dataSync<"float32" | "int32">());
  return new Uint8Array(
    Buffer.concat(
      values.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
    ),
  );
}

/** What {@link pack} was given, into variables of the same shapes and an optimizer of the same options. */
export async function unpack(
  bytes: Uint8Array,
  variables: readonly tf.Variable[],
  optimizer: SuperlevelOptimizer,
): Promise<void> {
  // A copy, as numbers of four bytes need a place divisible by four.
  const { buffer } = bytes.slice();
  let at = 0;
  for (const variable of variables) {
    const values = new Float32Array(buffer, at, variable.size);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    at += values.byteLength;
  }
  const [count, state] = [new Int32Array(buffer, at, 1), new Int32Array(buffer, at + 4)];
  const weights = [tf.scalar(count[0], "int32"), tf.tensor1d(state, "int32")];
  await optimizer.setWeights(weights.map((tensor, k) => ({ name: String(k), tensor })));
  tf.dispose(weights);
}
