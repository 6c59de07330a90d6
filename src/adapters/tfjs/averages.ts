import { keep, reshape, tensor, type Variable } from "@tensorflow/tfjs-core";

/** Lets variables hold other numbers while `f` runs; then each has its own data again, whatever has happened. */
export async function holding<T>(
  variables: readonly Variable[],
  values: readonly (Float32Array | undefined)[],
  f: () => T | Promise<T>,
): Promise<T> {
  const moved = variables.filter((_, k) => values[k]);
  // A second name for the data keeps them. (The wasm backend's clones are copies.)
  const own = moved.map((variable) => keep(reshape(variable, variable.shape)));
  try {
    variables.forEach((variable, k) => {
      const numbers = values[k];
      if (!numbers) return;
      const value = tensor(numbers, variable.shape, "float32");
      variable.assign(value);
      value.dispose();
    });
    return await f();
  } finally {
    moved.forEach((variable, k) => {
      if (!variable.isDisposed) variable.assign(own[k]);
      own[k].dispose();
    });
  }
}
