import { keep, reshape, tensor, Tensor, type Variable } from "@tensorflow/tfjs-core";

/** Does it for all, also where it fails for some; then throws the first error. */
export function forAll<T>(items: readonly T[], act: (item: T, k: number) => unknown): void {
  const errors: unknown[] = [];
  items.forEach((item, k) => {
    try {
      act(item, k);
    } catch (error) {
      errors.push(error);
    }
  });
  if (errors.length > 0) throw errors[0];
}

/** Lets variables hold other numbers while `f` runs; then each has its own data again, whatever has happened. */
export async function holding<T>(
  variables: readonly Variable[],
  values: readonly (Float32Array | Tensor | undefined)[],
  f: () => T | Promise<T>,
): Promise<T> {
  const moved = variables.filter((_, k) => values[k]);
  // A second name for the data keeps them. (The wasm backend's clones are copies.)
  const own = moved.map((variable) => keep(reshape(variable, variable.shape)));
  try {
    variables.forEach((variable, k) => {
      const numbers = values[k];
      if (!numbers) return;
      const value = numbers instanceof Tensor ? numbers : tensor(numbers, variable.shape, "float32");
      variable.assign(value);
      value.dispose();
    });
    return await f();
  } finally {
    forAll(moved, (variable, k) => {
      try {
        if (!variable.isDisposed) variable.assign(own[k]);
      } finally {
        own[k].dispose();
      }
    });
  }
}
