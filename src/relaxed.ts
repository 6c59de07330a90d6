/**
 * Makes `engine: "wasm-relaxed"` available: import it once, for its effect. Relaxed SIMD fuses products with sums where
 * the machine can, so results differ from the other engines' in the last bits, and from machine to machine. Where the
 * runtime has no relaxed SIMD, "wasm" runs in its place.
 *
 * @packageDocumentation
 * @example
 * import { createOptimizer } from "superlevel";
 * import "superlevel/relaxed";
 *
 * const optimizer = createOptimizer([1, -1], { engine: "wasm-relaxed" });
 * optimizer.engine.startsWith("wasm"); // → true
 */
import { registerRelaxed } from "./engine/wasm.js";
import { RELAXED_HEX } from "./engine/relaxed-binary.js";

registerRelaxed(RELAXED_HEX);
