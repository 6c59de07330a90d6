import { KINDS } from "../../common/kinds.js";
import { createEngine } from "../../engine/engine.js";
import { betaAt, DD, S_INIT, SCALE, SCALE_BEFORE, XX } from "../../engine/js/memory.js";
import { Beta } from "../../engine/records.js";
import type { Resolved } from "../../stepper/config.js";
import { Stepper } from "../../stepper/stepper.js";
import { withBiases } from "../arrays/clock.js";
import type { Plan } from "../arrays/plan.js";
import { newState, type ArrayState } from "../arrays/state.js";

/*
 * A state on a device as the bytes that every other engine reads, and back. The engine's own code writes and reads
 * them: one in plain JavaScript is filled with the numbers for that time.
 */

/** A state as numbers of the host: vectors are of all running coordinates, tuners' lists one for each beta. */
export type HostState = ArrayState<number | Float32Array>;

/** A stepper whose memory may be read and written to. */
class Translator extends Stepper {
  constructor(resolved: Resolved) {
    super(resolved, createEngine({ ...resolved.program, engine: "js" }));
  }

  /** Coordinates that are not frozen, in their order. */
  running(visit: (coordinate: number, place: number) => void): void {
    let place = 0;
    for (const { first, last } of this.resolved.program.segments)
      for (let i = first; i < last; i++) visit(i, place++);
  }

  /** The tuner's numbers. */
  get group(): Float64Array {
    const [bytes] = this.engine.state;
    return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  }

  /** Δ, which lies behind the reference point, as far from it as that from x. */
  get delta(): Float32Array {
    const { params, reference } = this.engine;
    const begin = 2 * reference!.byteOffset - params.byteOffset;
    return new Float32Array(params.buffer, begin, params.length);
  }

  /** Takes the clock over, and what the engine makes of its memory. */
  go(state: HostState, learningRate: number): Uint8Array {
    const { iterations, applied, momentumStart, kind, windowStart, anchors, average } =
      state as ArrayState<number>;
    const { age, weightSum, rateMax, squares, squaresMax, slope, rootSlope, slopes } = average;
    this.takeUp(
      {
        ...this.time,
        ...{ iterations, momentumStart, windowStart, anchors, age, weightSum, rateMax, slopes, learningRate },
        skipped: iterations - applied,
        gradients: KINDS[kind],
        squaresMean: squares,
        squaresMax,
        slopeMean: slope,
        slopeSquares: rootSlope ** 2,
      },
      false,
    );
    return this.save();
  }
}

const TUNER = ["m", "rootV", "r", "s"] as const;
const FIELDS = { m: Beta.m, rootV: Beta.v, r: Beta.r, s: Beta.s };
const at = (list: number | Float32Array, k: number): number => (typeof list === "number" ? list : list[k]);

/** The bytes of a state. `point` is x, the frozen coordinates included. */
export function toBytes(
  resolved: Resolved,
  state: HostState,
  point: Float32Array,
  learningRate: number,
): Uint8Array {
  const translator = new Translator(resolved);
  const { params, reference, moments } = translator.engine;
  params.set(point);
  translator.takeReference();
  state.slots.forEach((slot, k) => translator.running((i, place) => (moments[k][i] = at(slot, place))));
  const { tuner } = resolved.config;
  if (tuner) {
    const { group, delta } = translator;
    const scale = state.tuner.scale as number;
    group[XX] = group[DD] = 0;
    translator.running((i, place) => {
      delta[i] = at(state.delta, place);
      reference![i] = params[i] - scale * delta[i];
      group[XX] += params[i] * params[i];
      group[DD] += delta[i] * delta[i];
    });
    tuner.betas.forEach((_, k) => {
      for (const key of TUNER) {
        const value = at(state.tuner[key], k);
        group[betaAt(k) + FIELDS[key]] = key === "rootV" ? value * value : value;
      }
      group[betaAt(k) + Beta.sBefore] = group[betaAt(k) + Beta.s];
    });
    group[SCALE] = group[SCALE_BEFORE] = scale;
    group[S_INIT] = state.tuner.sInit as number;
  }
  return translator.go(state, learningRate);
}

/** What {@link toBytes} made bytes of, or another engine. */
export function fromBytes(
  resolved: Resolved,
  plan: Plan,
  bytes: Uint8Array,
): { state: HostState; point: Float32Array; learningRate: number } {
  const translator = new Translator(resolved);
  translator.restore(bytes, {});
  const { clock, engine, group } = translator;
  const { tuner } = resolved.config;
  const size = resolved.program.segments.reduce((sum, { first, last }) => sum + last - first, 0);
  const running = (vector: Float32Array): Float32Array => {
    const out = new Float32Array(size);
    translator.running((i, place) => (out[place] = vector[i]));
    return out;
  };
  const list = (key: (typeof TUNER)[number]) =>
    Float32Array.from(tuner!.betas, (_, k) => {
      const value = group[betaAt(k) + FIELDS[key]];
      return key === "rootV" ? Math.sqrt(value) : value;
    });
  const { iterations, skipped, windowStart, anchors, learningRate, gradients, ...rest } = clock;
  const { momentumStart, age, weightSum, rateMax, slopeMean: slope, slopes } = rest;
  const { squaresMean: squares, squaresMax } = rest;
  const rootSlope = Math.sqrt(rest.slopeSquares);
  const before = newState(plan);
  const state: HostState = {
    ...before,
    ...{ iterations, applied: iterations - skipped, momentumStart, windowStart, anchors },
    kind: KINDS.indexOf(gradients),
    average: { ...before.average, age, weightSum, rateMax, slope, rootSlope, slopes, squares, squaresMax },
    slots: engine.moments.slice(0, plan.slots).map(running),
    ...(tuner && {
      tuner: {
        ...{ m: list("m"), rootV: list("rootV"), r: list("r"), s: list("s") },
        ...{ scale: group[SCALE], sInit: group[S_INIT] },
      },
      delta: running(translator.delta),
    }),
  };
  return {
    state: withBiases(plan, state),
    point: engine.params.slice(),
    learningRate,
  };
}
