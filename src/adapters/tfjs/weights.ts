import { keep, scalar, tensor1d } from "@tensorflow/tfjs-core";
import { clockOf } from "../../stepper/checkpoint.js";
import { OptimizerError } from "../../common/errors.js";
import type { GradientKind } from "../../common/kinds.js";
import type { NamedTensor } from "./variables.js";

/** A saved state, and what it says without an optimizer to take it up. */
export interface Saved {
  readonly iterations: number;
  readonly gradients: GradientKind;
  readonly bytes: Uint8Array;
}

/** @throws OptimizerError "state" when the bytes are damaged */
export function savedOf(bytes: Uint8Array): Saved {
  const { iterations, gradients } = clockOf(bytes);
  return { iterations, gradients, bytes };
}

/** As two tensors, which are kept until they are disposed of. */
export function toWeights({ iterations, bytes }: Saved): NamedTensor[] {
  // Whole numbers, as tensors of floats need not keep every bit of what is none.
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return [
    { name: "superlevel/iterations", tensor: keep(scalar(iterations, "int32")) },
    { name: "superlevel/state", tensor: keep(tensor1d(words, "int32")) },
  ];
}

/** What {@link toWeights} was given. */
export async function fromWeights(weights: readonly NamedTensor[]): Promise<Saved> {
  if (weights.length !== 2 || weights.some(({ tensor }) => tensor.dtype !== "int32")) {
    throw new OptimizerError(
      "state",
      `weights: expected the two that getWeights gives, got ${weights.length}`,
    );
  }
  const words = await weights[1].tensor.data<"int32">();
  return savedOf(new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice());
}
