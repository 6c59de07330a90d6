import { Tensor, type Scalar } from "@tensorflow/tfjs-core";
import type { Clock } from "../../stepper/clock.js";
import { resolve, type Config, type Resolved } from "../../stepper/config.js";
import { OptimizerError } from "../../common/errors.js";
import { show } from "../../common/expect.js";
import type { StepInfo } from "../../stepper/info.js";
import type { Schedule } from "../../schedules.js";
import type { Stepper } from "../../stepper/stepper.js";
import { takeStep } from "../../run/trial.js";
import { optionsOf, type CheckedOptions } from "./config.js";
import type { Reader } from "./reading.js";
import { RunawayWatch } from "./runaway.js";
import type { Found, VariableList } from "./variables.js";

/** A loss that is known, or is to be read. */
export type Loss = number | Scalar | undefined;

export const isTensor = (loss: Loss): loss is Scalar => loss instanceof Tensor;

export const same = (a: Float32Array, b: Float32Array): boolean => a.every((value, i) => value === b[i]);

/** Variables as tensors of an engine. Each is a segment of its own, so that sums come out the same wherever it lies. */
export function resolveVariables(
  { variables }: VariableList,
  { options, perVariable }: CheckedOptions,
  learningRate: Schedule,
): Resolved {
  const own = optionsOf(perVariable, variables);
  // States go by variables' places, as names change when a model is loaded: so tensors get none.
  const specs = variables.map(({ shape }, k) => ({ shape, ...own[k] }));
  return resolve(specs, { ...options, base: { ...options.base, learningRate } }, true);
}

/** What an optimizer is bound to: a model's variables. They hold the truth: what was written to them counts. */
export abstract class Training {
  readonly list: VariableList;
  readonly config: Config;
  protected readonly frozen: readonly boolean[];

  constructor(list: VariableList, config: Config) {
    list.forget();
    this.list = list;
    this.config = config;
    this.frozen = config.tensors.map(({ frozen }) => frozen);
  }

  /** Do gradients and parameters go to and fro between the backend's memory and the optimizer's. */
  abstract readonly copies: boolean;

  /** Whether it is bound to a backend that is no longer in use. */
  abstract readonly stale: boolean;

  abstract readonly clock: Pick<Clock, "iterations" | "gradients" | "learningRate">;
  abstract readonly scale: number | Float32Array;

  /** One step, if the variables are those of the steps before. */
  abstract step(found: Found, loss: Loss): Reader<StepInfo>;

  /** The last step whose report was read, where reports arrive later. */
  get latest(): StepInfo | undefined {
    return undefined;
  }

  /** What the last step found, once that is known; undefined where it was known at once. */
  arrival(): Promise<StepInfo> | undefined {
    return undefined;
  }

  /** The average that belongs to the variables as they are; undefined for those that are frozen; null where there is none. */
  abstract average(): Reader<readonly (Float32Array | Tensor | undefined)[] | null>;

  abstract save(): Reader<Uint8Array>;

  /** Takes up a saved state. Variables that hold other numbers than it then count as moved. */
  abstract restore(state: Uint8Array): void;

  abstract dispose(): void;
}

/** An engine of the package's own, bound to variables. */
export abstract class EngineTraining extends Training {
  readonly stepper: Stepper;

  constructor(list: VariableList, stepper: Stepper) {
    super(list, stepper.config);
    this.stepper = stepper;
  }

  get clock(): Readonly<Clock> {
    return this.stepper.clock;
  }

  get scale(): number | Float32Array {
    return this.stepper.scale;
  }

  dispose(): void {
    this.stepper.dispose();
  }

  /** One vector for all variables, by variable. */
  protected apart(average: Float32Array): (Float32Array | undefined)[] {
    let first = 0;
    return this.list.variables.map(({ size }, k) => {
      const own = average.slice(first, first + size);
      first += size;
      return this.frozen[k] ? undefined : own;
    });
  }

  /** Of losses that are known. */
  readonly #runaway = new RunawayWatch();

  /** The engine's step; an error names the variable whose gradient is to blame. */
  protected advance(gradientOf: (k: number) => Float32Array, loss: number | undefined): StepInfo {
    this.#runaway.see(loss);
    try {
      return takeStep(this.stepper, loss);
    } catch (error) {
      if (!(error instanceof OptimizerError) || error.code !== "diverged") throw error;
      for (const [k, { name }] of this.list.variables.entries()) {
        const gradient = this.frozen[k] ? undefined : gradientOf(k);
        const index = gradient?.findIndex((value) => !Number.isFinite(value)) ?? -1;
        if (index < 0) continue;
        const place = `gradients[${show(name)}][${index}]`;
        const lost = loss === undefined || Number.isFinite(loss) ? "" : `, and the loss is ${loss}`;
        const message = `step ${error.step}: ${place} is ${gradient![index]}${lost}`;
        throw new OptimizerError("diverged", message, { step: error.step, loss: error.loss });
      }
      throw error;
    }
  }
}
