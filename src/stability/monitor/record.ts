import type { StepMeasure, StepStatus } from "./lyapunov-step.js";

/** A step as the monitor saw it. */
export interface StepRecord extends Omit<StepMeasure, "status"> {
  readonly step: number;
  /** V before the step and after it; NaN where it was not measured on the same objective. */
  readonly before: number;
  readonly after: number;
  /** `"unknown"` where V after the step is not known on the same objective. */
  readonly status: StepStatus | "unknown";
  /** ΔV, and where the base has momentum the change of V + β ‖d‖² / 2η: swinging to and fro, V may rise while this falls. */
  readonly energyChange: number;
  /** ΔV ≤ g·d + ½ β ‖d‖² with β the largest β̂ of the twenty steps before; undefined before there is one. */
  readonly descentLemma: boolean | undefined;
  /** −η ‖g‖², what V would lose along the gradient flow; NaN where η is not known. */
  readonly flow: number;
}
