export {
  gradientTransformation,
  type ExtraArgs,
  type GradientTransformation,
  type TransformationOptions,
} from "./transformation.js";
export { superlevelOptimizer, type InGraphState, type InGraphTransformation } from "./in-graph.js";
export type { InGraphOptions } from "./setting.js";
export {
  addDecayedWeights,
  chain,
  clip,
  clipByGlobalNorm,
  scale,
  scaleBySchedule,
  type ArraySchedule,
  type Chained,
  type Transformation,
} from "./transformations.js";
export {
  cosineDecaySchedule,
  exponentialDecaySchedule,
  linearSchedule,
  warmupCosineDecaySchedule,
} from "./schedules.js";
export type { State } from "./state.js";
export { applyUpdates, type Tree } from "./trees.js";
