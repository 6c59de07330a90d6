import type { GradientKind } from "../../common/kinds.js";
import { nextAnchor } from "../../tuners/tuners.js";
import { SQUARES_DECAY } from "./average.js";
import type { Plan } from "./plan.js";
import { KINDS, type ArrayState } from "./state.js";

/** What of a state follows from the kind of gradients and the number of steps, if each of them moved. */
export function clockAt(plan: Plan, kind: GradientKind, steps: number) {
  const { anchor } = plan.modes[kind];
  let [windowStart, anchors] = [0, 0];
  // Nothing is anchored before it is known what gradients are.
  const earliest = plan.kind ? 1 : 2;
  const next = () => Math.max(nextAnchor(anchor, windowStart), earliest);
  for (let end = next(); end <= steps; end = next()) {
    windowStart = end;
    anchors++;
  }
  return { iterations: steps, applied: steps, kind: KINDS.indexOf(kind), windowStart, anchors };
}

/** A state with biases as the count of steps says, where the host knows it: sums of them would depend on where they began. */
export function withBiases<V>(plan: Plan, state: ArrayState<V | number>): ArrayState<V | number> {
  const { applied } = state;
  if (typeof applied !== "number") return state;
  return {
    ...state,
    biases: plan.biasDecays.map((decay) => 1 - decay ** applied),
    average: { ...state.average, squaresBias: 1 - SQUARES_DECAY ** applied },
  };
}
