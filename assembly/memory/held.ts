import { constants } from "./layout";

/**
 * Keeps four lanes of a constant for a loop that begins with `held`. Made by splat alone, V8 would make it anew in
 * every chunk: it moves what is cheap to where it is used, and a conversion to float32 counts as cheap.
 */
export function hold(index: usize, value: f64): void {
  v128.store(heldAt(index), f32x4.splat(f32(value)));
}

/** Where a held constant lies. */
@inline
export function heldAt(index: usize): usize {
  return constants + index * 16;
}

@inline
export function held(index: usize): v128 {
  return v128.load(heldAt(index));
}

/** The same of a word. */
@inline
export function holdBits(index: usize, bits: u32): void {
  v128.store(heldAt(index), i32x4.splat(bits));
}
