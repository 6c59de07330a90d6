export { eventFile } from "../loggers/event-file.js";
export { logTo, type LogOptions, type LogTarget } from "../loggers/log-to.js";
export { countComponents, labelComponents } from "./landscape/components.js";
export { connect, type ConnectOptions } from "./landscape/connect.js";
export { equiconnect, type Equiconnection, type EquiconnectOptions } from "./landscape/equiconnect.js";
export type { Grid } from "./landscape/grid.js";
export { hessianPlane, type HessianPlane, type HessianPlaneOptions } from "./landscape/hessian-plane.js";
export { levelSets, type Membership } from "./landscape/membership.js";
export { fromSource, type Loss, type LossAndGrads, type LossGrad } from "./loss-grad.js";
export {
  mergeTree,
  type Bar,
  type MergeTree,
  type MergeTreeOptions,
  type Sense,
} from "./landscape/merge-tree.js";
export { pathPoint, type Curve, type Path, type PathCertificate } from "./landscape/path.js";
export {
  randomPlane,
  trajectoryPlane,
  type RandomPlaneOptions,
  type TrajectoryPlane,
} from "./landscape/planes.js";
export {
  report,
  type ReportLandscape,
  type ReportOptions,
  type ReportStep,
  type ReportSubject,
} from "../report/report.js";
export type { PlaneLine, ReportFinding, Strip } from "../report/data.js";
export {
  project,
  slice,
  windowAround,
  type Plane,
  type Projection,
  type Slice,
  type SliceOptions,
  type Window,
} from "./landscape/slices.js";
export { constrain, type Constraint } from "./constraints/constrain.js";
export {
  projectedGradient,
  projectedStep,
  type ProjectedOptions,
  type ProjectedStep,
} from "./constraints/projected-step.js";
export { ball, box, type ConvexSet, type Vector } from "./constraints/sets.js";
export { cflLimit, cflNumber, depthBound } from "./curvature/cfl.js";
export { blockProfile, type BlockProfile, type BlockProfileOptions } from "./curvature/block-profile.js";
export {
  depthProfile,
  type DepthLayer,
  type DepthNorms,
  type DepthProfile,
  type DepthProfileOptions,
} from "./curvature/depth-profile.js";
export type { LayerMap } from "./curvature/jacobian.js";
export { hessianVector, sharpness, type Sharpness, type SharpnessOptions } from "./curvature/sharpness.js";
export { edgeRatio, type EdgeRatio } from "./curvature/edge.js";
export {
  convolutionOperator,
  denseOperator,
  layerGain,
  operatorNorm,
  type ConvolutionOptions,
  type LayerGain,
  type LinearOperator,
} from "./curvature/operators.js";
export { optimizerResponse, type OptimizerResponseOptions } from "./trajectories/optimizer-response.js";
export { stabilityProfile, type ProfileOptions, type StabilityProfile } from "./trajectories/profile.js";
export { gradientSampling, type GradientSamplingOptions } from "./curvature/gradient-sampling.js";
export { contractionRate, type Contraction, type ContractionOptions } from "./trajectories/contraction.js";
export {
  impulseResponse,
  type ImpulseOptions,
  type ImpulseResponse,
  type OptimizerImpulseOptions,
} from "./trajectories/impulse.js";
export {
  lyapunovExponent,
  swapBound,
  swapResponse,
  type SwapOptions,
  type TrainingMap,
  type ExponentOptions,
  type TrajectoryResponse,
} from "./trajectories/perturbations.js";
export type { ResponseVerdicts, Verdict } from "./trajectories/verdicts.js";
export {
  reachBudget,
  type DecayingRate,
  type ReachBudget,
  type ReachBudgetOptions,
} from "./monitor/reach-budget.js";
export type { Finding, FindingCode } from "./monitor/findings.js";
export type { LabelEvidence } from "./monitor/labels.js";
export { lyapunovStep, type Criterion, type StepMeasure, type StepStatus } from "./monitor/lyapunov-step.js";
export {
  lyapunovMonitor,
  type LyapunovMonitor,
  type LyapunovPolicy,
  type PolicyOptions,
} from "./monitor/monitor.js";
export { pairedTest, type PairedTest } from "./monitor/paired-test.js";
export type { ClassEvidence, ProbeOptions, ProbeSummary } from "./monitor/probe.js";
export type { StepRecord } from "./monitor/record.js";
export type { Progress, WorkOptions } from "./work.js";
export type { LyapunovOptions, LyapunovSummary } from "./monitor/options.js";
export type { EvaluatedPoint, MonitorPoint, TensorShape } from "./monitor/point.js";
