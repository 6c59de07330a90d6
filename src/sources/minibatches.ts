import { expectBoolean, expectFunction, expectNumber, expectOptions } from "../common/expect.js";
import { seededRandom, shuffle } from "./random.js";
import type { AsyncGradientSource, GradientSource } from "./source.js";

/** Their order takes 4 bytes for each, and browsers grant no array of several GB. */
const MOST_EXAMPLES = 2 ** 27;

/** Options of {@link minibatches}. */
export interface MinibatchOptions {
  /** Number of examples, 1 … 2²⁷. */
  examples: number;
  /** Examples a step, 1 … examples. */
  batchSize: number;
  /** Default 0. */
  seed?: number;
  /** A new order every epoch; default true. */
  shuffle?: boolean;
}

type BatchGradient<Loss> = (
  params: Float32Array,
  grads: Float32Array,
  batch: Uint32Array,
  step: number,
) => Loss;

/**
 * A source that shows a gradient function a few examples at a time: it gets their numbers, a view of the epoch's order,
 * so no data is copied. An epoch is ⌊examples / batchSize⌋ steps; what is left over comes at other epochs' turns when
 * shuffling. Which examples a step sees depends on seed and step alone, so a resumed run sees what it would have seen.
 *
 * @param gradient writes the batch's gradient to `grads` and returns its loss; may be asynchronous
 * @throws TypeError or RangeError when an option is missing or out of range
 * @example
 * const data = [1, 2, 3, 4];
 * const mean = minibatches({ examples: 4, batchSize: 2 }, (x, grads, batch) => {
 *   const centre = (data[batch[0]] + data[batch[1]]) / 2;
 *   grads[0] = x[0] - centre;
 *   return 0.5 * (x[0] - centre) ** 2;
 * });
 * const optimizer = createOptimizer([0]);
 * optimizer.minimize(mean, { steps: 400 });
 * Math.round(optimizer.params[0] * 2) / 2; // → 2.5
 */
export function minibatches(options: MinibatchOptions, gradient: BatchGradient<number>): GradientSource;
export function minibatches(
  options: MinibatchOptions,
  gradient: BatchGradient<number | Promise<number>>,
): AsyncGradientSource;
export function minibatches<Loss>(options: MinibatchOptions, gradient: BatchGradient<Loss>) {
  expectOptions("minibatches", options, ["examples", "batchSize", "seed", "shuffle"]);
  const examples = expectNumber("minibatches.examples", options.examples, {
    min: 1,
    max: MOST_EXAMPLES,
    integer: true,
  });
  const batchSize = expectNumber("minibatches.batchSize", options.batchSize, {
    min: 1,
    max: examples,
    integer: true,
  });
  const { seed = 0, shuffle: shuffles = true } = options;
  expectNumber("minibatches.seed", seed, { min: 0, integer: true });
  expectBoolean("minibatches.shuffle", shuffles);
  expectFunction("minibatches(gradient)", gradient);
  const perEpoch = Math.floor(examples / batchSize);
  const order = new Uint32Array(examples);
  let ordered = -1;

  function orderFor(epoch: number): void {
    for (let i = 0; i < examples; i++) order[i] = i;
    // Seeds and epochs are spread apart, so that neighbours do not share a stream.
    if (shuffles)
      shuffle(order, seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(epoch + 1, 0x85ebca6b)));
    ordered = epoch;
  }

  return (params: Float32Array, grads: Float32Array, step: number) => {
    const epoch = Math.floor((step - 1) / perEpoch);
    if (epoch !== ordered) orderFor(epoch);
    const first = ((step - 1) % perEpoch) * batchSize;
    return gradient(params, grads, order.subarray(first, first + batchSize), step);
  };
}
