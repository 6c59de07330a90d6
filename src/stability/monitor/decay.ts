import { resolveBase } from "../../bases/index.js";
import { largest } from "../../common/extremes.js";
import { norm } from "../vectors.js";
import type { MonitorPoint } from "./point.js";
import type { StepsSeen } from "./scales.js";
import type { StepHistory } from "./step-history.js";

/** Weight decay beside what it works against. */
export interface DecayEvidence {
  /** λ, the largest of all layers. */
  readonly lambda: number;
  /** How hard it pulls at x beside the gradient, or beside what the base makes of it: 1 where they hold each other in balance. */
  readonly pull: number;
  /** ‖x‖ now over ‖x‖ at the start. */
  readonly growth: number;
}

/** Undefined where nothing decays, or the run does not tell. */
export function decayOf(
  config: MonitorPoint["config"],
  history: StepHistory | undefined,
  gradNorm: number,
  { rate, scale }: StepsSeen,
): DecayEvidence | undefined {
  const layers = history?.evidence ?? [];
  const length = (of: "decay" | "norm" | "firstNorm") => norm(layers.map((layer) => layer[of]));
  const force = length("decay");
  if (!config || !history || force === 0) return undefined;
  const { decoupled } = resolveBase(config.base).rule;
  // Coupled decay is added to the gradient, decoupled decay to the step.
  const pull = decoupled ? (rate * scale * force) / history.withoutDecay(rate * scale) : force / gradNorm;
  const lambda = largest(layers.map(({ decay, norm }) => (norm > 0 ? decay / norm : 0)));
  return { lambda, pull, growth: length("norm") / length("firstNorm") };
}
