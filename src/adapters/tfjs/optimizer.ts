import { dispose, Optimizer } from "@tensorflow/tfjs-core";
import type { NamedTensorMap, Scalar, serialization, Variable } from "@tensorflow/tfjs-core";
import { expectRate, type LearningRate } from "../../bases/base.js";
import { expectFunction, expectNumber } from "../../common/expect.js";
import type { GradientKind } from "../../common/kinds.js";
import type { StepInfo } from "../../stepper/info.js";
import { expectItself } from "../../common/itself.js";
import { checkOptions, fromSaved, toSaved, type CheckedOptions, type TfjsOptions } from "./config.js";
import { LastLoss, lossOf, type TfjsSeen } from "./losses.js";
import { readLater, readNow, type Reader } from "./reading.js";
import { Run } from "./run.js";
import type { VariableLike } from "./source.js";
import { gradientsByName, type Gradients, type NamedTensor } from "./variables.js";
import { fromWeights, toWeights } from "./weights.js";

/**
 * What {@link superlevelOptimizer} returns: an optimizer for TensorFlow.js.
 *
 * @example
 * import { SuperlevelOptimizer, superlevelOptimizer } from "superlevel/tfjs";
 * superlevelOptimizer() instanceof SuperlevelOptimizer; // → true
 */
export class SuperlevelOptimizer extends Optimizer {
  /** The name that finds it when a saved model is loaded. */
  static readonly className = "SuperlevelOptimizer";

  readonly #checked: CheckedOptions;
  readonly #run: Run;
  readonly #lastLoss = new LastLoss();
  #weights: readonly NamedTensor[] = [];
  #lastStep: StepInfo | undefined;
  /** A rate that was set since the last step, and what the schedule was multiplied by before. */
  #rateSet: number | undefined;
  #factorBefore = 1;

  static {
    expectItself("optimizer", this.prototype, (value) => #checked in value);
  }

  /** Vue makes no Proxies of what has a tag of its own. */
  get [Symbol.toStringTag](): string {
    return "SuperlevelOptimizer";
  }

  /** Use {@link superlevelOptimizer}. */
  constructor(options: TfjsOptions = {}) {
    super();
    this.#checked = checkOptions(options);
    this.#run = new Run(this.#checked);
  }

  /** Steps taken, the skipped ones included. */
  override get iterations(): number {
    return this.#run.iterations;
  }

  /** What gradients are taken to be: see `Optimizer.gradients` of `superlevel`. A saved state knows. */
  get gradients(): GradientKind {
    return this.#run.gradients;
  }

  /**
   * The base's rate η, as it was set; of a schedule that of the last step, and before the first one what it begins with. A
   * number that is set in place of a schedule's says by what factor the rate shall be another from here on, and the
   * schedule, the default's too, goes on: a callback that halves the rate halves η, and with it the effective rate.
   *
   * @throws RangeError when it is negative, or set where the schedule is at 0
   */
  get learningRate(): number {
    const { learningRate, rate } = this.#run;
    if (typeof learningRate === "number" && !this.#checked.options.normAdaptive) return learningRate;
    return this.#rateSet ?? rate;
  }

  set learningRate(rate: number) {
    if (typeof this.#run.learningRate === "function") {
      expectNumber("learningRate", rate, { min: 0 });
      // What was set before, and no step has taken up, is what this one is in place of.
      if (this.#rateSet === undefined) this.#factorBefore = this.#run.rateFactor;
      this.#run.rateFactor = this.#factorBefore;
      this.#run.scaleTo(rate);
      this.#rateSet = rate;
    } else this.setLearningRate(rate);
  }

  /** The tuner's S: a number, or one for each variable or parameter, as its granularity says. 1 without a tuner. */
  get scale(): number | Float32Array {
    return this.#run.training?.scale ?? (this.#checked.options.tuner ? 0 : 1);
  }

  /** η · S of the last step, with the mean of S where there are several; 0 before the first. */
  get effectiveLearningRate(): number {
    const { lastStep } = this;
    return lastStep ? lastStep.learningRate * lastStep.scale : 0;
  }

  /**
   * Do gradients and parameters go to and fro between the backend and the optimizer: false on the wasm backend, where
   * the optimizer works inside of its memory, if that is found as expected, and on webgl and webgpu, where it works on the
   * device. Undefined before the first step.
   */
  get copies(): boolean | undefined {
    return this.#run.training?.copies;
  }

  /** What the last step found; on a GPU, the last one whose report has been read. Undefined before the first. */
  get lastStep(): StepInfo | undefined {
    return this.#run.training?.latest ?? this.#lastStep;
  }

  /**
   * Sets the base's rate from the next step on.
   *
   * @param rate a number ≥ 0, or a schedule
   * @throws TypeError or RangeError when it is neither
   */
  setLearningRate(rate: LearningRate): void {
    this.#run.learningRate = expectRate("rate", rate ?? NaN);
    this.#run.rateFactor = 1;
    this.#rateSet = undefined;
  }

  /** As `tf.Optimizer.minimize`; when the step fails, nothing is left behind. */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
    const { value, grads } = this.computeGradients(f, varList);
    let wanted = false;
    try {
      this.applyGradients(varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? grads);
      wanted = returnCost;
    } finally {
      dispose(grads);
      if (!wanted) value.dispose();
    }
    return wanted ? value : null;
  }

  /** As `tf.Optimizer.computeGradients`. The next step knows the loss, if it gets these gradients. */
  override computeGradients(f: () => Scalar, varList?: Variable[]): { value: Scalar; grads: NamedTensorMap } {
    this.#lastLoss.forget();
    const found = super.computeGradients(f, varList);
    this.#lastLoss.remember(found.value, found.grads);
    return found;
  }

  /**
   * One step. The variables of the first call are those of the run; a trainable one without a gradient gets one of 0.
   *
   * @param gradients what `tf.variableGrads` or {@link computeGradients} returned, or a list; they are not disposed of
   * @param seen the loss, where {@link computeGradients} has not told it with these very gradients
   * @throws RangeError naming the variables when they are others than before, or a gradient has another shape
   * @throws Error on webgpu, which cannot read tensors synchronously, with options that have no step on a device
   * @throws OptimizerError as `Optimizer.step` does. No variable has changed then
   */
  override applyGradients(gradients: NamedTensorMap | NamedTensor[], seen: TfjsSeen = {}): void {
    this.#lastStep = readNow(this.#step(gradients, seen));
  }

  /**
   * {@link applyGradients} for every backend. Await it before anything else happens to the optimizer; gradients and loss
   * may be disposed of meanwhile.
   */
  async applyGradientsAsync(gradients: NamedTensorMap | NamedTensor[], seen: TfjsSeen = {}): Promise<void> {
    const step = this.#step(gradients, seen);
    this.#lastStep = await this.#run.during("step", async () => {
      const info = await readLater(step);
      return (await this.#run.training?.arrival()) ?? info;
    });
  }

  #step(gradients: Gradients, seen: TfjsSeen): Reader<StepInfo> {
    this.#run.expectReady();
    const found = gradientsByName(gradients);
    const told = lossOf(seen);
    const computed = this.#lastLoss.take(found);
    this.#rateSet = undefined;
    return this.#run.step(found, told ?? computed);
  }

  /**
   * Runs `f` while the variables hold the schedule-free average x̄ (see `Optimizer.average` of `superlevel`), where the
   * loss is often a little lower, and puts everything back, to the bit, also when `f` throws. Where there is no average,
   * with exact gradients or before it is known that they are noisy, `f` finds the variables as they are.
   *
   * @param f what to do meanwhile: evaluate, predict, save. It may be asynchronous. A step has to wait until it has settled
   * @param variables those of the run, in its order. Only needed where a state was loaded and no step taken since
   * @returns what `f` returned
   * @throws whatever `f` throws; Error when a call that has not settled is in the way; OptimizerError "disposed", or
   *   "state" where a state was loaded and `variables` are missing or do not fit it
   * @example
   * import * as tf from "@tensorflow/tfjs-core";
   * import "@tensorflow/tfjs-layers"; // with it come the gradients
   * import "@tensorflow/tfjs-backend-cpu";
   * import { superlevelOptimizer } from "superlevel/tfjs";
   *
   * const optimizer = superlevelOptimizer({ gradients: "noisy" });
   * const x = tf.variable(tf.tensor1d([3, -2]));
   * for (let step = 0; step < 20; step++) optimizer.minimize(() => tf.sum(tf.square(x)));
   * const loss = () => tf.sum(tf.square(x)).dataSync()[0];
   * const before = loss();
   * (await optimizer.withAverage(loss)) === before; // → false
   * loss() === before; // → true
   */
  async withAverage<T>(f: () => T | Promise<T>, variables?: readonly VariableLike[]): Promise<T> {
    expectFunction("f", f);
    this.#run.expectReady();
    return this.#run.withAverage(f, variables);
  }

  /** Forgets everything, the variables too: the next step is a first one. */
  reset(): this {
    this.#run.reset();
    this.#lastStep = undefined;
    this.#lastLoss.forget();
    return this;
  }

  /** Lets go of all memory. Every later step throws an OptimizerError "disposed". */
  override dispose(): void {
    this.reset();
    this.#run.dispose();
    this.#free();
  }

  #free(): void {
    dispose(this.#weights.map(({ tensor }) => tensor));
    this.#weights = [];
  }

  /**
   * The count of steps, and all that the next one depends on. The tensors belong to the optimizer: it disposes of them
   * at the next call.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    const saved = await this.#run.save();
    this.#free();
    if (saved) this.#weights = toWeights(saved);
    return [...this.#weights];
  }

  /**
   * Takes up what {@link getWeights} gave, by position: variables may have other names.
   *
   * @throws OptimizerError "state" when it belongs to other options or sizes: at once, or before the first step at it
   */
  override async setWeights(weights: readonly NamedTensor[]): Promise<void> {
    if (weights.length === 0) return void this.reset();
    this.#run.restore(await fromWeights(weights));
  }

  /** The options, as `model.save` writes them. */
  override getConfig(): serialization.ConfigDict {
    return toSaved(this.#checked, this.#run, this.#run.training?.config.tensors);
  }

  /** @nocollapse */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { options, needsSchedule, rateFactor } = fromSaved(config);
    const made = new cls(options);
    if (!(#run in made)) return made;
    if (needsSchedule) made.#run.learningRate = undefined;
    made.#run.rateFactor = rateFactor;
    return made;
  }
}

/**
 * An optimizer for `model.compile({ optimizer })`, `optimizer.minimize(f)` and loops of your own, in place of
 * `tf.train.adam(…)` and the others. With no options it needs no learning rate.
 *
 * @param options those of `createOptimizer`, and `perVariable`
 * @throws TypeError or RangeError naming the option that is of the wrong kind or out of range
 * @example
 * import * as tf from "@tensorflow/tfjs-core";
 * import "@tensorflow/tfjs-layers"; // with it come the gradients
 * import "@tensorflow/tfjs-backend-cpu";
 * import { superlevelOptimizer } from "superlevel/tfjs";
 *
 * const optimizer = superlevelOptimizer();
 * const x = tf.variable(tf.tensor1d([3, -2]));
 * for (let step = 0; step < 400; step++) optimizer.minimize(() => tf.sum(tf.square(x)));
 * Math.max(...x.dataSync().map(Math.abs)) < 1e-3; // → true
 */
export function superlevelOptimizer(options: TfjsOptions = {}): SuperlevelOptimizer {
  return new SuperlevelOptimizer(options);
}
