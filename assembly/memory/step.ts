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

/** How Δ_t comes about, and what h adds to ⟨Δ_t, g_t⟩: members of `Delta` and `Pull`. */
@inline
export function deltaKind(): i32 {
  return i32(config.delta);
}

@inline
export function pullKind(): i32 {
  return i32(config.pull);
}
