import { biasFrom, type Decay } from "../../bases/base.js";
import { KINDS, type GradientKind } from "../../common/kinds.js";
import { SQUARES_DECAY } from "../../stepper/mode.js";
import { nextAnchor, type CheckedAnchor } from "../../tuners/tuners.js";
import type { Plan } from "./plan.js";
import { MOMENTUM } from "./rules.js";
import type { ArrayState } from "./state.js";

/** The step of the last anchor after so many, and how many there were; the first no earlier than a step. */
function anchorsAt(
  anchor: CheckedAnchor | null,
  steps: number,
  earliest: number,
): [last: number, count: number] {
  if (anchor && "every" in anchor) {
    const { every } = anchor;
    const count = Math.floor(steps / every) - Math.floor((earliest - 1) / every);
    return count > 0 ? [every * Math.floor(steps / every), count] : [0, 0];
  }
  let [last, count] = [0, 0];
  const next = () => Math.max(nextAnchor(anchor, last), earliest);
  for (let end = next(); end <= steps; end = next()) {
    last = end;
    count++;
  }
  return [last, count];
}

/** What of a state follows from the kind of gradients and the number of steps, if each of them moved. */
export function clockAt(plan: Plan, kind: GradientKind, steps: number) {
  // Nothing is anchored before it is known what gradients are.
  const earliest = plan.kind || plan.exact ? 1 : 2;
  const [windowStart, anchors] = anchorsAt(plan.modes[kind].anchor, steps, earliest);
  return { iterations: steps, applied: steps, kind: KINDS.indexOf(kind), windowStart, anchors };
}

/** A state with biases as the count of steps says, where the host knows it: sums of them would depend on where they began. */
export function withBiases<V>(plan: Plan, state: ArrayState<V | number>): ArrayState<V | number> {
  const { applied, momentumStart, kind } = state;
  if (typeof applied !== "number" || typeof momentumStart !== "number") return state;
  const exact = plan.exactDecays && kind === KINDS.indexOf("exact");
  const sumOf = (decay: Decay, k: number) => {
    const count = k === MOMENTUM ? applied - momentumStart : applied;
    return exact ? biasFrom(decay)(applied, count) : 1 - decay.plain ** count;
  };
  return {
    ...state,
    biases: plan.biasDecays.map(sumOf),
    average: { ...state.average, squaresBias: 1 - SQUARES_DECAY ** applied },
  };
}
