import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { GradientKind } from "../../common/kinds.js";
import type { Value } from "../arrays/algebra.js";
import type { Plan } from "../arrays/plan.js";
import type { HostState } from "./device-state.js";

/** What is read of a step, later. */
export const REPORTED = [
  ...["skipped", "kind", "applied", "sInit", "scale", "gradNorm", "h", "learningRate", "loss"],
] as readonly (keyof Report)[];

export interface Report {
  readonly skipped: number;
  readonly kind: number;
  readonly applied: number;
  readonly sInit: number;
  readonly scale: number;
  readonly gradNorm: number;
  readonly h: number;
  readonly learningRate: number;
  /** 0 where it is not known. */
  readonly loss: number;
}

/** What a step takes: vectors of all coordinates that run. */
export interface StepInput {
  readonly x: Tensor;
  readonly g: Tensor;
  readonly loss: Tensor | number | undefined;
  readonly reports: boolean;
  /** The rate of exact gradients and of others, where it is given; else undefined. */
  readonly rates: readonly [exact: number, other: number] | undefined;
}

export interface StepOutput {
  /** x_{t+1} */
  readonly point: Tensor;
  /** What {@link DeviceState.reportOf} understands; it is kept. */
  readonly report: Tensor | undefined;
  /** η_t, where the host knows it. */
  readonly rate: number | undefined;
  /** The state after the step takes the place of the one before. */
  readonly commit: () => void;
}

/** A state on the device, and how it steps. Calls with tensors in and out stand inside of `tidy`. */
export interface DeviceState {
  step(input: StepInput): StepOutput;
  reportOf(values: Float32Array): Report;
  /** What was found out of a step, by its number, after so many. */
  onReport(report: Report, kind: GradientKind, step: number, iterations: number): void;
  /** The average minus x; 0 where there is none. */
  offset(): Value<Tensor>;
  /** What to read, and what the state is then. */
  read(): { tensors: readonly Tensor[]; toHost: (numbers: readonly Float32Array[]) => HostState };
  load(state: HostState): void;
  dispose(): void;
}

/** What a state on the device is of. */
export interface DeviceRun {
  readonly plan: Plan;
  readonly size: number;
  /** The same for all coordinates, or a vector, which is kept. */
  readonly multiplier: Value<Tensor>;
  readonly weightDecay: Value<Tensor>;
}

/** All of them in one vector. */
export const flat = (tensors: readonly Tensor[]): Tensor =>
  tensors.length === 1
    ? tf.reshape(tensors[0], [tensors[0].size])
    : tf.concat(tensors.map((one) => tf.reshape(one, [one.size])));

/** What `f` returns; of the tensors that it makes, those that it keeps. */
export function tidied<T>(f: () => T): T {
  const found: T[] = [];
  tf.tidy(() => {
    found.push(f());
  });
  return found[0];
}
