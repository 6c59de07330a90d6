/** The two engines side by side: they report the same, and save the same bytes. */
import { createOptimizer, type Optimizer, type OptimizerOptions, type TensorSpec } from "../../src/index.js";
import { gradientAt, startAt } from "./cases.js";
import { sameBytes } from "./state.js";

/** Tensors that begin and end inside turns and behind a block; one is frozen. */
export function specsOf(size: number, random: () => number): TensorSpec[] {
  const sizes = [3, 16, 5, size - 24];
  return sizes.map((count, k) => ({
    shape: [count],
    values: startAt(count, random),
    frozen: k === 2,
    learningRate: k === 1 ? 0.5 : 1,
  }));
}

export function pairOf(params: readonly TensorSpec[] | Float32Array, options: OptimizerOptions): Optimizer[] {
  return (["wasm", "js"] as const).map((engine) => createOptimizer(params, { ...options, engine }));
}

export interface Paired {
  /** The gradient of a step. */
  gradientOf?: (step: number) => Float32Array;
  /** What the loss is said to be. */
  lossAt?: (step: number) => number | undefined;
  /** The first step is not 1. */
  from?: number;
}

/** Steps both side by side, and throws unless they report the same and end with the same bytes. */
export function walkPair(
  [one, other]: Optimizer[],
  steps: number,
  random: () => number,
  { gradientOf = (step) => gradientAt(3 * step, one.size, random), lossAt, from = 1 }: Paired = {},
): void {
  for (let step = from; step <= steps; step++) {
    const g = gradientOf(step);
    const seen = { loss: lossAt?.(step) };
    const [expected, found] = [JSON.stringify(one.step(g, seen)), JSON.stringify(other.step(g, seen))];
    if (expected !== found) throw new Error(`step ${step}: ${found}, not ${expected}`);
  }
  mustSaveAlike(one, other);
}

export function mustSaveAlike(one: Optimizer, other: Optimizer): void {
  const [expected, found] = [one.save(), other.save()];
  if (sameBytes(expected, found)) return;
  const at = expected.findIndex((byte, k) => byte !== found[k]);
  throw new Error(`the saved states differ from byte ${at} of ${expected.length} on`);
}
