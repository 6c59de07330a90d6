export { countComponents, labelComponents } from "./components.js";
export { connect, type ConnectOptions } from "./connect.js";
export { equiconnect, type Equiconnection, type EquiconnectOptions } from "./equiconnect.js";
export type { Grid } from "./grid.js";
export { hessianPlane, type HessianPlane, type HessianPlaneOptions } from "./hessian-plane.js";
export { levelSets, type LossAndGrads, type LossGrad, type Membership } from "./loss-grad.js";
export { mergeTree, type Bar, type MergeTree, type MergeTreeOptions, type Sense } from "./merge-tree.js";
export { pathPoint, type Curve, type Path, type PathCertificate } from "./path.js";
export { randomPlane, trajectoryPlane, type RandomPlaneOptions, type TrajectoryPlane } from "./planes.js";
export {
  report,
  type ReportLandscape,
  type ReportOptions,
  type ReportStep,
  type ReportSubject,
} from "./report.js";
export type { PlaneLine, ReportFinding, Strip } from "./report-data.js";
export {
  project,
  slice,
  windowAround,
  type Plane,
  type Projection,
  type Slice,
  type SliceOptions,
  type Window,
} from "./slices.js";
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
export type { Finding, FindingCode } from "./evidence.js";
export type { LabelEvidence } from "./labels.js";
export { lyapunovStep, type Criterion, type Place, type StepMeasure, type StepStatus } from "./lyapunov.js";
export { lyapunovMonitor, type LyapunovMonitor, type LyapunovPolicy } from "./monitor.js";
export { pairedTest, type PairedTest } from "./paired.js";
export type { ProbeOptions, ProbeReport } from "./probe.js";
export type { StepRecord } from "./record.js";
export type { Progress, WorkOptions } from "./work.js";
export type { LyapunovOptions, LyapunovReport, MonitorPoint } from "./monitor-types.js";
