/** What is trained, and how a batch is shared: the same in every process. */

// A line through 2 000 points of 20 dimensions.
const rows = 2000;
export const features = 20;
/** Examples in a batch, and parts that it is cut into. How many workers there are is another matter. */
const batch = 400;
export const shards = 8;

const input = (row: number, j: number) => Math.sin(row * (j + 1) + j * j);
const target = (row: number) => 3 * input(row, 0) - 2 * input(row, 7) + 0.3 * Math.sin(row * row);

/** A shard's part of the loss and of the gradient, in single precision: what crosses the network. */
export interface Part {
  readonly loss: number;
  readonly gradient: Float32Array;
}

/** The part of one shard of one step. Which rows it has depends on its two numbers alone. */
export function partOf(params: Float32Array, step: number, shard: number): Part {
  const gradient = new Float64Array(features);
  let loss = 0;
  for (let k = shard * (batch / shards); k < (shard + 1) * (batch / shards); k++) {
    const row = (step * batch + k * 7919) % rows;
    let error = -target(row);
    for (let j = 0; j < features; j++) error += params[j] * input(row, j);
    loss += (0.5 * error * error) / batch;
    for (let j = 0; j < features; j++) gradient[j] += (error * input(row, j)) / batch;
  }
  return { loss, gradient: Float32Array.from(gradient) };
}

/** Adds parts in the order of their shards, whatever order they came in: rounding is the same every time. */
export function sumOf(parts: readonly Part[], grads: Float32Array): number {
  for (let j = 0; j < grads.length; j++) grads[j] = parts.reduce((sum, part) => sum + part.gradient[j], 0);
  return parts.reduce((sum, part) => sum + part.loss, 0);
}
