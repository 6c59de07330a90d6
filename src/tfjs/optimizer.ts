import { dispose, getBackend, keep, Optimizer, scalar, tensor1d } from "@tensorflow/tfjs-core";
import type { NamedTensorMap, Scalar, serialization, Tensor, Variable } from "@tensorflow/tfjs-core";
import { asSchedule, expectRate, type LearningRate } from "../bases/base.js";
import { OptimizerError } from "../errors.js";
import type { StepInfo } from "../info.js";
import { expectItself } from "../itself.js";
import type { Schedule } from "../schedules.js";
import { bind } from "./bind.js";
import { fromSaved, settle, toSaved, type Settled, type TfjsOptions } from "./config.js";
import { resolveVariables, type Reader, type Training } from "./training.js";
import { gradientsByName, VariableList, type Gradients, type NamedTensor } from "./variables.js";

function readNow(wanted: readonly Tensor[]): Float32Array[] {
  const backend = getBackend();
  const cure = "use `await optimizer.applyGradientsAsync(gradients)` in a loop of your own, in place of fit";
  if (backend === "webgpu") throw new Error(`the webgpu backend reads tensors only asynchronously: ${cure}`);
  try {
    return wanted.map((one) => one.dataSync<"float32">());
  } catch (cause) {
    throw new Error(`the ${backend} backend could not read a tensor synchronously: ${cure}`, { cause });
  }
}

const readLater = (wanted: readonly Tensor[]): Promise<Float32Array[]> =>
  Promise.all(wanted.map((one) => one.data<"float32">()));

/** A saved state, as `getWeights` gives it. */
type Saved = Readonly<{ iterations: number; bytes: Uint8Array }>;

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

  readonly #settled: Settled;
  #learningRate: LearningRate | undefined;
  #training: Training | undefined;
  /** Waits for the first step, which tells the variables it belongs to. */
  #pending: Saved | undefined;
  #weights: readonly NamedTensor[] = [];
  #lastStep: StepInfo | undefined;
  #busy = false;
  #disposed = false;

  static {
    expectItself("optimizer", this.prototype, (value) => #settled in value);
  }

  /** Vue makes no Proxies of what has a tag of its own. */
  get [Symbol.toStringTag](): string {
    return "SuperlevelOptimizer";
  }

  /** Use {@link superlevelOptimizer}. */
  constructor(options: TfjsOptions = {}) {
    super();
    this.#settled = settle(options);
    this.#learningRate = this.#settled.learningRate;
  }

  /** Steps taken, the skipped ones included. */
  override get iterations(): number {
    return this.#training?.stepper.clock.iterations ?? this.#pending?.iterations ?? 0;
  }

  /** The base's rate η, as it was set; of a schedule that of the last step, 0 before the first. */
  get learningRate(): number {
    if (typeof this.#learningRate === "number" && !this.#settled.options.normAdaptive)
      return this.#learningRate;
    return this.#training?.stepper.clock.learningRate ?? 0;
  }

  set learningRate(rate: number) {
    this.setLearningRate(rate);
  }

  /** The tuner's S: a number, or one for each variable or parameter, as its granularity says. 1 without a tuner. */
  get scale(): number | Float32Array {
    return this.#training?.stepper.scale ?? (this.#settled.options.tuner ? 0 : 1);
  }

  /** η · S of the last step, with the mean of S where there are several; 0 before the first. */
  get effectiveLearningRate(): number {
    return this.#lastStep ? this.#lastStep.learningRate * this.#lastStep.scale : 0;
  }

  /**
   * Do gradients and parameters go to and fro between the backend and the optimizer: false on the wasm backend, where
   * the optimizer works inside of its memory, if that is found as expected. Undefined before the first step.
   */
  get copies(): boolean | undefined {
    return this.#training?.copies;
  }

  /** What the last step found; undefined before the first. */
  get lastStep(): StepInfo | undefined {
    return this.#lastStep;
  }

  /**
   * Sets the base's rate from the next step on.
   *
   * @param rate a number ≥ 0, or a schedule
   * @throws TypeError or RangeError when it is neither
   */
  setLearningRate(rate: LearningRate): void {
    this.#learningRate = expectRate("rate", rate ?? NaN);
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

  /**
   * One step. The variables of the first call are those of the run; a trainable one without a gradient gets one of 0.
   *
   * @param gradients what `tf.variableGrads` or {@link computeGradients} returned, or a list; they are not disposed of
   * @throws RangeError naming the variables when they are others than before, or a gradient has another shape
   * @throws Error on a backend that cannot read tensors synchronously, webgpu
   * @throws OptimizerError as `Optimizer.step` does. No variable has changed then
   */
  override applyGradients(gradients: NamedTensorMap | NamedTensor[]): void {
    const step = this.#step(gradients);
    let turn = step.next();
    while (!turn.done) turn = step.next(readNow(turn.value));
    this.#lastStep = turn.value;
  }

  /**
   * {@link applyGradients} for every backend. Await it before anything else happens to the optimizer; the gradients may
   * be disposed of meanwhile.
   */
  async applyGradientsAsync(gradients: NamedTensorMap | NamedTensor[]): Promise<void> {
    const step = this.#step(gradients);
    let turn = step.next();
    this.#busy = true;
    try {
      while (!turn.done) turn = step.next(await readLater(turn.value));
    } finally {
      this.#busy = false;
    }
    this.#lastStep = turn.value;
  }

  *#step(gradients: Gradients): Reader<StepInfo> {
    this.#expectReady();
    const found = gradientsByName(gradients);
    if (this.#training?.stale) this.#rebind(this.#training);
    this.#training ??= this.#begin(new VariableList(found));
    return yield* this.#training.step(found);
  }

  /** The backend has changed: variables move there on their own, the state by what is saved of it. */
  #rebind(old: Training): void {
    this.#pending = this.#saved();
    old.dispose();
    this.#training = this.#begin(old.list);
  }

  #begin(list: VariableList): Training {
    const schedule: Schedule = (step, window) => asSchedule(this.#learningRate!)(step, window);
    const training = bind(list, resolveVariables(list, this.#settled, schedule));
    try {
      if (this.#pending) training.restore(this.#pending.bytes);
    } catch (error) {
      training.dispose();
      throw error;
    }
    this.#pending = undefined;
    return training;
  }

  #expectReady(): void {
    if (this.#disposed) throw new OptimizerError("disposed", "this optimizer was disposed of");
    if (this.#busy)
      throw new Error("applyGradientsAsync: the call before this one has not settled; await it");
    if (this.#learningRate === undefined) {
      const reason = "its schedule is code, which is not saved with a model";
      throw new OptimizerError("state", `${reason}: call setLearningRate(schedule) before the next step`);
    }
  }

  /** Forgets everything, the variables too: the next step is a first one. */
  reset(): this {
    this.#training?.dispose();
    this.#training = undefined;
    this.#pending = undefined;
    this.#lastStep = undefined;
    return this;
  }

  /** Lets go of all memory. Every later step throws an OptimizerError "disposed". */
  override dispose(): void {
    this.reset();
    this.#free();
    this.#disposed = true;
  }

  #saved(): Saved | undefined {
    const training = this.#training;
    return training ? { iterations: this.iterations, bytes: training.save() } : this.#pending;
  }

  #free(): void {
    dispose(this.#weights.map(({ tensor }) => tensor));
    this.#weights = [];
  }

  /**
   * The count of steps, and all that the next one depends on. The tensors belong to the optimizer: it disposes of them
   * at the next call.
   */
  override getWeights(): Promise<NamedTensor[]> {
    const saved = this.#saved();
    this.#free();
    if (saved) {
      const { iterations, bytes } = saved;
      // Whole numbers, as tensors of floats need not keep every bit of what is none.
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      this.#weights = [
        { name: "superlevel/iterations", tensor: keep(scalar(iterations, "int32")) },
        { name: "superlevel/state", tensor: keep(tensor1d(words, "int32")) },
      ];
    }
    return Promise.resolve([...this.#weights]);
  }

  /**
   * Takes up what {@link getWeights} gave, by position: variables may have other names.
   *
   * @throws OptimizerError "state" when it belongs to other options or sizes: at once, or before the first step at it
   */
  override async setWeights(weights: readonly NamedTensor[]): Promise<void> {
    if (weights.length === 0) return void this.reset();
    if (weights.length !== 2 || weights.some(({ tensor }) => tensor.dtype !== "int32")) {
      throw new OptimizerError(
        "state",
        `weights: expected the two that getWeights gives, got ${weights.length}`,
      );
    }
    const [[iterations], words] = await Promise.all(weights.map(({ tensor }) => tensor.data<"int32">()));
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice();
    if (this.#training) this.#training.restore(bytes);
    else this.#pending = { iterations, bytes };
  }

  /** The options, as `model.save` writes them. */
  override getConfig(): serialization.ConfigDict {
    return toSaved(this.#settled, this.#learningRate, this.#training?.stepper.config.tensors);
  }

  /** @nocollapse */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { options, needsSchedule } = fromSaved(config);
    const made = new cls(options);
    if (needsSchedule && #learningRate in made) made.#learningRate = undefined;
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
