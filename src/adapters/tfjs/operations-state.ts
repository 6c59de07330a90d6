import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { GradientKind } from "../../common/kinds.js";
import { Algebra, type Value } from "../arrays/algebra.js";
import { clockAt, withBiases } from "../arrays/clock.js";
import { averageOffset } from "../arrays/kinds.js";
import { defaultRate } from "../arrays/rate.js";
import { mapState, newState, type ArrayState } from "../arrays/state.js";
import { takeStep, type Taken } from "../arrays/step.js";
import { tensorOperations } from "./device-operations.js";
import type { HostState } from "./device-state.js";
import { REPORTED, type DeviceRun, type DeviceState, type Report } from "./device-step.js";
import type { StepInput, StepOutput } from "./device-step.js";

type State = ArrayState<Value<Tensor>>;

export const tensors = new Algebra<Tensor>(tensorOperations);

/** Each tensor of a state, once. */
function tensorsOf(state: State): Tensor[] {
  const found = new Set<Tensor>();
  mapState(state, (value) => typeof value !== "number" && found.add(value));
  return [...found];
}

function disposeOthers(old: State, now: State): void {
  const kept = new Set(tensorsOf(now));
  for (const tensor of tensorsOf(old)) if (!kept.has(tensor)) tensor.dispose();
}

/** One tensor of all that is to be known of a step. */
function reportOf({ state, gradNorm, h, learningRate, loss }: Taken<Tensor>): Tensor {
  const all = { ...state, ...state.tuner, gradNorm, h, learningRate, loss };
  return tf.stack(
    REPORTED.map((key) => {
      const value = all[key];
      return typeof value === "number" ? tf.scalar(value) : tf.reshape(value, []);
    }),
  );
}

/**
 * A state whose steps are made of the backend's own operations, a few hundred of them. The host takes gradients for finite
 * until a report says otherwise, and computes what follows from the count of steps.
 */
export class OperationsState implements DeviceState {
  readonly #run: DeviceRun;
  readonly #betas: Tensor;
  readonly #ones: Tensor;
  #state: State;
  /** Whether every step has moved: then the host can tell the clock by itself. */
  #allMoved = true;
  #started: boolean;

  constructor(run: DeviceRun) {
    this.#run = run;
    const { tuner } = run.plan;
    const betas = tuner?.betas ?? [1];
    this.#betas = tf.keep(tf.tensor1d([...betas]));
    this.#ones = tf.keep(tf.ones([betas.length]));
    this.#started = !tuner;
    this.#state = this.#onDevice(newState(run.plan));
  }

  /**
   * Everything becomes a tensor, which is kept, but what the host can count by itself: a run that goes on from a saved
   * state has to compute the same things in the same place.
   */
  #onDevice(state: HostState | State): State {
    const { plan, size } = this.#run;
    const shapes = { scalar: [], betas: [plan.tuner?.betas.length ?? 1], vector: [size] };
    return mapState<number | Float32Array | Tensor, Value<Tensor>>(state, (value, extent) => {
      if (value instanceof tf.Tensor) return tf.keep(value);
      if (typeof value !== "number") return tf.keep(tf.tensor1d(value));
      return extent === "counted" ? value : tf.keep(tf.fill(shapes[extent], value));
    });
  }

  step({ x, g, loss, reports, rates }: StepInput): StepOutput {
    const { plan, size, multiplier, weightDecay } = this.#run;
    const taken = takeStep(tensors, plan, withBiases(plan, this.#state), {
      ...{ x, g, size, multiplier, weightDecay, trusts: true, started: this.#started },
      ...{ betas: this.#betas, ones: this.#ones },
      loss: typeof loss === "object" ? tf.reshape(loss, []) : loss,
      rate: (place) =>
        rates
          ? tensors.where(place.exact, ...rates)
          : defaultRate(tensors, plan.learningRate as "byKind" | "windows", place),
    });
    const state = this.#onDevice(taken.state);
    const rate = typeof taken.learningRate === "number" ? taken.learningRate : undefined;
    return {
      point: tf.add(x, taken.move),
      report: reports ? tf.keep(reportOf(taken)) : undefined,
      rate,
      commit: () => {
        disposeOthers(this.#state, state);
        this.#state = state;
        if (rate === 0 && plan.tuner) this.#allMoved = false;
      },
    };
  }

  reportOf(values: Float32Array): Report {
    return Object.fromEntries(REPORTED.map((key, k) => [key, values[k]])) as unknown as Report;
  }

  onReport(
    { applied, sInit, kind }: Report,
    gradients: GradientKind,
    step: number,
    iterations: number,
  ): void {
    this.#started ||= sInit > 0;
    const old = this.#state;
    if (gradients === "undecided" || typeof old.kind === "number") return;
    // From here on the host knows the clock, and half of the operations fall away.
    const regular = this.#allMoved && applied === step;
    this.#state = { ...old, ...(regular ? clockAt(this.#run.plan, gradients, iterations) : { kind }) };
    disposeOthers(old, this.#state);
  }

  offset(): Value<Tensor> {
    return averageOffset(tensors, this.#run.plan, this.#state);
  }

  read() {
    const state = this.#state;
    const wanted = tensorsOf(state);
    const toHost = (numbers: readonly Float32Array[]): HostState =>
      mapState<Value<Tensor>, number | Float32Array>(state, (value, extent) => {
        if (typeof value === "number") return value;
        const own = numbers[wanted.indexOf(value)];
        return extent === "scalar" || extent === "counted" ? own[0] : own;
      });
    return { tensors: wanted, toHost };
  }

  load(state: HostState): void {
    const old = this.#state;
    this.#state = this.#onDevice(state);
    disposeOthers(old, this.#state);
    this.#started = !this.#run.plan.tuner || (state.tuner.sInit as number) > 0;
    this.#allMoved = state.iterations === state.applied;
  }

  dispose(): void {
    tf.dispose([...tensorsOf(this.#state), this.#betas, this.#ones]);
  }
}
