export { adabelief, type Adabelief, type AdabeliefOptions } from "./bases/adabelief.js";
export { adadelta, type Adadelta, type AdadeltaOptions } from "./bases/adadelta.js";
export { adagrad, type Adagrad, type AdagradOptions } from "./bases/adagrad.js";
export { adam, adamw, type Adam, type AdamOptions, type AdamW } from "./bases/adam.js";
export { adamax, type Adamax, type AdamaxOptions } from "./bases/adamax.js";
export type { LearningRate } from "./bases/base.js";
export type { Base } from "./bases/index.js";
export { lion, type Lion, type LionOptions } from "./bases/lion.js";
export { rmsprop, type Rmsprop, type RmspropOptions } from "./bases/rmsprop.js";
export { scheduleFree, type ScheduleFree, type ScheduleFreeOptions } from "./bases/schedule-free.js";
export { sgd, type Sgd, type SgdOptions } from "./bases/sgd.js";
export type { Config, OptimizerOptions } from "./stepper/config.js";
export type { EngineName } from "./engine/kernels.js";
export { OptimizerError, type OptimizerErrorCode } from "./common/errors.js";
export type { GradientKind } from "./common/kinds.js";
export type { Attempt, Guard, Violation } from "./run/guard.js";
export type { RestoreOptions, StepInfo, TensorStep, TensorView } from "./stepper/info.js";
export type { Level } from "./run/level.js";
export { createOptimizer } from "./create.js";
export type { Optimizer } from "./optimizer.js";
export * from "./schedules.js";
export type { Monitor, RunInfo, RunMonitor, RunOptions, RunPoint, Solution } from "./run/options.js";
export { accumulate } from "./sources/accumulate.js";
export { finiteDifferences, type FiniteDifferenceOptions } from "./sources/finite-differences.js";
export { minibatches, type MinibatchOptions } from "./sources/minibatches.js";
export type { AsyncGradientSource, GradientSource } from "./sources/source.js";
export type { TensorSpec } from "./tensors.js";
export {
  algorithm1,
  equations,
  mechanic,
  mechanize,
  superlevel,
  type AnchorOptions,
  type DeltaKind,
  type FormName,
  type Granularity,
  type GrowthLimit,
  type Tuner,
  type TunerOptions,
} from "./tuners/tuners.js";
