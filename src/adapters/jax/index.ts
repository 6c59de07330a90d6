export {
  gradientTransformation,
  type ExtraArgs,
  type GradientTransformation,
  type TransformationOptions,
} from "./transformation.js";
export type { State } from "./state.js";
export { applyUpdates, type Tree } from "./trees.js";
