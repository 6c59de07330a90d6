import { serialization } from "@tensorflow/tfjs-core";
import { warnOfCopies } from "./copies.js";
import { teachNames } from "./names.js";
import { SuperlevelOptimizer } from "./optimizer.js";

export type { TfjsOptions, VariableOptions } from "./config.js";
export type { TfjsSeen } from "./losses.js";
export { monitorCallback, type MonitorCallback, type MonitorCallbackOptions } from "./monitor-callback.js";
export type { LayerLike } from "./layer-calls.js";
export { layersProfile, type LayerNorms } from "./layers-profile.js";
export { gradientSource, readParams, type VariableLike } from "./source.js";
export { SuperlevelOptimizer, superlevelOptimizer } from "./optimizer.js";
export { train, type TrainOptions } from "./train.js";

// So that loading a model finds the optimizer it was saved with.
serialization.registerClass(SuperlevelOptimizer);
teachNames();
warnOfCopies();
