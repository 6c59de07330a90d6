export {
  reachBudget,
  type DecayingRate,
  type ReachBudget,
  type ReachBudgetOptions,
} from "./budget.js";
export type { Finding, FindingCode } from "./findings.js";
export type { Differentiable, LossAndGrads, LossGrad } from "./gradient.js";
export { lyapunovStep, type Criterion, type Place, type StepMeasure, type StepStatus } from "./lyapunov.js";
export {
  lyapunovMonitor,
  type LyapunovMonitor,
  type LyapunovOptions,
  type LyapunovPolicy,
  type LyapunovReport,
  type MonitorPoint,
} from "./monitor.js";
export { pairedTest, type PairedTest } from "./paired.js";
export type { ProbeOptions, ProbeReport } from "./probe.js";
export type { StepRecord } from "./record.js";
export type { Progress, WorkOptions } from "./work.js";
