import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { blockUntilReady, init, jit, numpy as np } from "@jax-js/jax";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { preparedGradient, type Contender } from "./contender.js";

/* Other packages' optimizers: one flat variable, gradients prepared as tensors. */

const rate = 1e-3;

/** Sets up a backend of TensorFlow.js; its WebAssembly runs in one thread in Node, which it decides itself. */
async function backend(name: "wasm" | "cpu"): Promise<void> {
  if (name === "wasm") {
    const manifest = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
    setWasmPaths(join(dirname(manifest), "dist/"));
  }
  await tf.setBackend(name);
  await tf.ready();
}

export async function tfjs(name: "wasm" | "cpu", size: number, base: "adam" | "sgd"): Promise<Contender> {
  await backend(name);
  const variable = tf.variable(tf.fill([size], 0.5));
  const values = preparedGradient(size);
  const gradients = [values, values.map((value) => -value)].map((data) => [
    { name: variable.name, tensor: tf.tensor1d(data) },
  ]);
  const optimizer = base === "adam" ? tf.train.adam(rate) : tf.train.sgd(rate);
  let t = 0;
  return {
    name: `tfjs ${name}`,
    step: () => {
      // Switching to a backend that runs already is a comparison and an assignment.
      if (tf.getBackend() !== name) void tf.setBackend(name);
      optimizer.applyGradients(gradients[t++ & 1]);
    },
    dispose: () => {
      variable.dispose();
      optimizer.dispose();
      gradients.forEach(([{ tensor }]) => tensor.dispose());
    },
  };
}

/** Adam in jax-js's own operations, compiled by its jit for its wasm backend; the package has no optimizers. */
export async function jax(size: number): Promise<Contender> {
  await init("wasm");
  const update = jit(
    (g: np.Array, x: np.Array, mu: np.Array, nu: np.Array, step: np.Array, root: np.Array) => {
      const m = mu.mul(0.9).add(g.ref.mul(0.1));
      const v = nu.mul(0.999).add(np.square(g).mul(0.001));
      const moved = x.sub(m.ref.mul(step).div(np.sqrt(v.ref).mul(root).add(1e-8)));
      return [moved, m, v];
    },
  );
  const g = np.array(preparedGradient(size));
  let state = [np.full([size], 0.5), np.zeros([size]), np.zeros([size])];
  let t = 0;
  return {
    name: "jax-js wasm",
    isAsync: true,
    step: async () => {
      t++;
      const step = np.array(rate / (1 - 0.9 ** t));
      const root = np.array(1 / Math.sqrt(1 - 0.999 ** t));
      const [x, mu, nu] = state;
      state = update(g.ref, x, mu, nu, step, root);
      await blockUntilReady(state);
    },
    dispose: () => [g, ...state].forEach((array) => array.dispose()),
  };
}
