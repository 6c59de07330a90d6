import { KINDS } from "../../common/kinds.js";
import type { Average } from "./average.js";
import type { Plan } from "./plan.js";
import type { TunerState } from "./tuner.js";

/** What a step depends on besides the point and the gradient. All but vectors are scalars. */
export type ArrayState<V> = {
  /** Steps, those included that did not move; those that moved; those whose gradient or loss was not finite. */
  readonly iterations: V;
  readonly applied: V;
  readonly skipped: V;
  /** Of those that moved, how many there were when momentum last started from 0: other engines may start it again. */
  readonly momentumStart: V;
  /** Index in {@link KINDS}. */
  readonly kind: V;
  readonly windowStart: V;
  readonly anchors: V;
  readonly biases: V[];
  readonly average: Average<V>;
  readonly tuner: TunerState<V>;
  readonly delta: V;
  readonly slots: V[];
};

/**
 * What a part of a state is: a number that follows from the count of steps, if all of them move; another number; one for
 * each beta; or one for each coordinate.
 */
export type Extent = "counted" | "scalar" | "betas" | "vector";

/** Every part of a state, with another in its place. */
export function mapState<A, B>(state: ArrayState<A>, of: (value: A, extent: Extent) => B): ArrayState<B> {
  const counted = (value: A) => of(value, "counted");
  const scalar = (value: A) => of(value, "scalar");
  const betas = (value: A) => of(value, "betas");
  const { average, tuner } = state;
  return {
    iterations: counted(state.iterations),
    applied: counted(state.applied),
    skipped: scalar(state.skipped),
    momentumStart: counted(state.momentumStart),
    kind: counted(state.kind),
    windowStart: counted(state.windowStart),
    anchors: counted(state.anchors),
    biases: state.biases.map(counted),
    average: {
      age: scalar(average.age),
      weightSum: scalar(average.weightSum),
      rateMax: scalar(average.rateMax),
      squares: scalar(average.squares),
      squaresMax: scalar(average.squaresMax),
      squaresBias: counted(average.squaresBias),
      slope: scalar(average.slope),
      rootSlope: scalar(average.rootSlope),
      slopes: scalar(average.slopes),
    },
    tuner: {
      m: betas(tuner.m),
      rootV: betas(tuner.rootV),
      r: betas(tuner.r),
      s: betas(tuner.s),
      scale: scalar(tuner.scale),
      sInit: scalar(tuner.sInit),
    },
    delta: of(state.delta, "vector"),
    slots: state.slots.map((slot) => of(slot, "vector")),
  };
}

/** The state before the first step, in numbers. */
export function newState({ biasDecays, slots, kind, tuner }: Plan): ArrayState<number> {
  const sInit = tuner?.sInit ?? 0;
  const zeros = (length: number) => Array.from({ length }, () => 0);
  return {
    ...{ iterations: 0, applied: 0, skipped: 0, momentumStart: 0, windowStart: 0, anchors: 0 },
    kind: kind ? KINDS.indexOf(kind) : 0,
    biases: biasDecays.map(() => 0),
    average: {
      ...{
        age: 0,
        weightSum: 0,
        rateMax: 0,
        squares: 0,
        squaresMax: 0,
        squaresBias: 0,
        slope: 0,
        rootSlope: 0,
        slopes: 0,
      },
    },
    tuner: { m: 0, rootV: 0, r: 0, s: sInit / (tuner?.betas.length ?? 1), scale: sInit, sInit },
    delta: 0,
    slots: zeros(slots),
  };
}
