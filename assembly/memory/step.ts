import { config, scalars } from "./layout";
import { Scalars } from "./records";

/** The rule's constant k. */
@inline
export function constant(k: usize): f64 {
  return load<f64>(changetype<usize>(scalars) + k * sizeof<f64>(), offsetof<Scalars>("k0"));
}

/** Does the gradient go through a clipped copy, block by block. */
@inline
export function clips(): bool {
  return scalars.clipScale != 1 || config.bound < Infinity;
}
