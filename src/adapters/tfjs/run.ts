import { asSchedule, type LearningRate } from "../../bases/base.js";
import { OptimizerError } from "../../common/errors.js";
import type { GradientKind } from "../../common/kinds.js";
import type { StepInfo } from "../../stepper/info.js";
import type { Schedule } from "../../schedules.js";
import { holding } from "./averages.js";
import { bind } from "./bind.js";
import type { CheckedOptions } from "./config.js";
import { readLater, readNow, type Reader } from "./reading.js";
import { variablesOf, type VariableLike } from "./source.js";
import { resolveVariables, type Loss, type Training } from "./training.js";
import { VariableList, type Found } from "./variables.js";
import { savedOf, type Saved } from "./weights.js";

/** What a call that has not settled yet keeps from happening. */
const BUSY = {
  step: "applyGradientsAsync: the call before this one has not settled; await it",
  average: "withAverage: the variables hold the average until it settles; let steps wait until then",
};

/** The course of a run: from no variables, or a saved state, to an engine bound to some. */
export class Run {
  learningRate: LearningRate | undefined;
  /** What a schedule is multiplied by. */
  rateFactor = 1;
  training: Training | undefined;
  readonly #options: CheckedOptions;
  /** Waits for the first step, which tells the variables it belongs to. */
  #pending: Saved | undefined;
  /** What has not settled yet. */
  #busy: keyof typeof BUSY | undefined;
  #disposed = false;

  constructor(settled: CheckedOptions) {
    this.#options = settled;
    this.learningRate = settled.learningRate;
  }

  /** The rate of the last step, or of a first one of the same schedule where none was taken. */
  get rate(): number {
    const { learningRate, training, rateFactor } = this;
    if (training && training.clock.iterations > 0) return training.clock.learningRate;
    return learningRate === undefined ? 0 : this.#firstRate(learningRate) * rateFactor;
  }

  #firstRate(learningRate: LearningRate): number {
    return asSchedule(learningRate)(1, { start: 0, length: Infinity, gradients: this.gradients });
  }

  /** Multiplies a schedule so that it is `rate` now. */
  scaleTo(rate: number): void {
    const { rate: now, rateFactor } = this;
    if (now > 0) this.rateFactor = rateFactor * (rate / now);
    else if (rateFactor === 0) this.rateFactor = rate / this.#firstRate(this.learningRate!);
    else
      throw new RangeError(
        "learningRate: its schedule is 0 now, so no factor makes it another; use setLearningRate",
      );
  }

  get iterations(): number {
    return this.training?.clock.iterations ?? this.#pending?.iterations ?? 0;
  }

  get gradients(): GradientKind {
    const { gradients } = this.#options.options;
    if (gradients === "exact") return gradients;
    const known = this.training?.clock.gradients ?? this.#pending?.gradients;
    return known ?? (gradients === "auto" ? "undecided" : gradients);
  }

  async save(): Promise<Saved | undefined> {
    return this.training ? savedOf(await readLater(this.training.save())) : this.#pending;
  }

  restore(saved: Saved): void {
    if (this.training) this.training.restore(saved.bytes);
    else this.#pending = saved;
  }

  expectReady(): void {
    if (this.#disposed) throw new OptimizerError("disposed", "this optimizer was disposed of");
    if (this.#busy) throw new Error(BUSY[this.#busy]);
    if (this.training?.stale) this.#rebind(this.training);
  }

  /** A step. What is wrong with the variables shows before anything is read. */
  step(found: Found, loss: Loss): Reader<StepInfo> {
    if (this.learningRate === undefined) {
      const reason = "its schedule is code, which is not saved with a model";
      throw new OptimizerError("state", `${reason}: call setLearningRate(schedule) before the next step`);
    }
    this.training ??= this.#begin(new VariableList(found));
    return this.training.step(found, loss);
  }

  /** The backend has changed: variables move there on their own, the state by what is saved of it. */
  #rebind(old: Training): void {
    this.training = this.#begin(old.list, savedOf(readNow(old.save())));
    old.dispose();
  }

  #begin(list: VariableList, saved = this.#pending): Training {
    const schedule: Schedule = (step, window) =>
      asSchedule(this.learningRate!)(step, window) * this.rateFactor;
    const { defaultRate, learningRate, options } = this.#options;
    const byDefault = () =>
      defaultRate && options.tuner !== null && this.learningRate === learningRate && this.rateFactor === 1;
    const rate = () =>
      byDefault() ? undefined : typeof this.learningRate === "number" ? this.learningRate : schedule;
    const training = bind(list, resolveVariables(list, this.#options, schedule), rate);
    try {
      if (saved) training.restore(saved.bytes);
    } catch (error) {
      training.dispose();
      throw error;
    }
    this.#pending = undefined;
    return training;
  }

  /** Keeps others out until `f` has settled. */
  async during<T>(what: keyof typeof BUSY, f: () => T | Promise<T>): Promise<T> {
    this.#busy = what;
    try {
      return await f();
    } finally {
      this.#busy = undefined;
    }
  }

  async withAverage<T>(f: () => T | Promise<T>, variables?: readonly VariableLike[]): Promise<T> {
    if (this.#pending) this.training = this.#begin(listOf(variables));
    const { training } = this;
    return this.during("average", async () => {
      const average = training ? await readLater(training.average()) : null;
      return average && training ? holding(training.list.variables, average, f) : f();
    });
  }

  reset(): void {
    this.training?.dispose();
    this.training = undefined;
    this.#pending = undefined;
  }

  dispose(): void {
    this.reset();
    this.#disposed = true;
  }
}

/** The variables of a run that goes on from a loaded state. */
function listOf(variables: readonly VariableLike[] | undefined): VariableList {
  if (variables)
    return new VariableList(new Map(variablesOf(variables).map(({ name }) => [name, undefined])));
  const reason = "withAverage: the state was loaded, and its variables are known from the first step on";
  throw new OptimizerError("state", `${reason}: name them, as withAverage(f, model.trainableWeights)`);
}
