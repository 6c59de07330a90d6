export { cflLimit, cflNumber, depthBound } from "./cfl.js";
export { hessianVector, sharpness, type Sharpness, type SharpnessOptions } from "./curvature.js";
export { edgeRatio, type EdgeRatio } from "./edge.js";
export {
  convolutionOperator,
  denseOperator,
  layerGain,
  operatorNorm,
  type ConvolutionOptions,
  type LayerGain,
  type LinearOperator,
} from "./operators.js";
export { optimizerTwins, type OptimizerTwinOptions, type OptimizerTwinResult } from "./optimizer-twins.js";
export { stabilityProfile, type ProfileOptions, type StabilityProfile } from "./profile.js";
export { gradientSampling, type GradientSamplingOptions } from "./sampling.js";
export {
  impulseResponse,
  lyapunovExponent,
  swapBound,
  swapResponse,
  type ImpulseOptions,
  type SwapOptions,
  type TrainingMap,
  type TwinOptions,
  type TwinResult,
} from "./twins.js";
export type { ResponseVerdicts, Verdict } from "./verdicts.js";
export { reachBudget, type DecayingRate, type ReachBudget, type ReachBudgetOptions } from "./budget.js";
export type { Finding, FindingCode } from "./findings.js";
export type { Differentiable } from "./gradient.js";
export { lyapunovStep, type Criterion, type Place, type StepMeasure, type StepStatus } from "./lyapunov.js";
export { lyapunovMonitor, type LyapunovMonitor, type LyapunovPolicy } from "./monitor.js";
export { pairedTest, type PairedTest } from "./paired.js";
export type { ProbeOptions, ProbeReport } from "./probe.js";
export type { StepRecord } from "./record.js";
export type { Progress, WorkOptions } from "./work.js";
export type { LyapunovOptions, LyapunovReport, MonitorPoint } from "./monitor-types.js";
