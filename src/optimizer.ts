import { dispose } from "./common/ambient.js";
import { minimize, minimizeAsync } from "./run/minimize.js";
import type { Config } from "./stepper/config.js";
import type { EngineName } from "./engine/kernels.js";
import { expectNumbers, expectVector } from "./common/expect.js";
import type { RestoreOptions, Seen, StepInfo, TensorView } from "./stepper/info.js";
import { notItself } from "./common/itself.js";
import type { GradientKind } from "./common/kinds.js";
import type { RunOptions, Solution } from "./run/options.js";
import type { AsyncGradientSource, GradientSource } from "./sources/source.js";
import type { Stepper } from "./stepper/stepper.js";
import { expectIdle, lossSeen, takeStep } from "./run/trial.js";

/** What `createOptimizer` returns. */
export class Optimizer implements Disposable {
  readonly #given: Stepper;

  /** Use `createOptimizer`. */
  constructor(stepper: Stepper) {
    this.#given = stepper;
  }

  static #of(optimizer: Optimizer): Stepper {
    if (optimizer !== undefined && #given in optimizer) return optimizer.#given;
    throw notItself("optimizer", optimizer === undefined);
  }

  static #alive(optimizer: Optimizer): Stepper {
    return Optimizer.#of(optimizer).expectEngine();
  }

  /** For calls that move the point. */
  static #movable(optimizer: Optimizer, call: string): Stepper {
    return expectIdle(Optimizer.#of(optimizer), call, true);
  }

  /** Vue makes no Proxies of what has a tag of its own. */
  get [Symbol.toStringTag](): string {
    return "Optimizer";
  }

  /** All options, with defaults filled in. With `save()` it makes a checkpoint. */
  get config(): Config {
    return Optimizer.#alive(this).config;
  }

  /**
   * The engine that runs: the one asked for, or what stands in for it where it cannot run.
   * @example
   * createOptimizer(2).engine; // → "wasm"
   * createOptimizer(2, { engine: "js" }).engine; // → "js"
   */
  get engine(): EngineName {
    return Optimizer.#alive(this).engine.name;
  }

  /** Bytes of memory that each parameter takes, with its gradient and all state. */
  get bytesPerParameter(): number {
    return Optimizer.#alive(this).engine.bytesPerCoordinate;
  }

  /** Number of parameters, over all tensors. */
  get size(): number {
    return Optimizer.#alive(this).size;
  }

  /**
   * The parameters x: a live view. Write to it before the first step only; later use {@link setParams}, as most writes are
   * an OptimizerError "moved" at the next call. Copy it with `slice()`: `structuredClone` would copy all memory behind it.
   */
  get params(): Float32Array {
    return Optimizer.#alive(this).watched().engine.params;
  }

  /** The gradient that `step()` takes: a live view to write to. */
  get grads(): Float32Array {
    return Optimizer.#alive(this).engine.grads;
  }

  /** The tensors, as live views. */
  get tensors(): readonly TensorView[] {
    return Optimizer.#alive(this).watched().tensors;
  }

  /** Steps taken, the skipped ones included. */
  get iterations(): number {
    return Optimizer.#alive(this).clock.iterations;
  }

  /** Updates of the parameters, and those since momentum last started from 0: what bias corrections count. */
  get updates(): { total: number; momentum: number } {
    return Optimizer.#alive(this).updates;
  }

  /**
   * The tuner's S: a number, an array with one for each tensor (0 where frozen), or a live view with one for each
   * coordinate, as the tuner's granularity says. 1 without a tuner.
   */
  get scale(): number | Float32Array {
    return Optimizer.#alive(this).scale;
  }

  /** η of the last step; 0 before the first. Times `scale` it is the effective learning rate. */
  get learningRate(): number {
    return Optimizer.#alive(this).clock.learningRate;
  }

  /**
   * What gradients are taken to be: as `options.gradients` says, or with "auto" what the second step found. Under a
   * tuner other than `superlevel`, and without one, nothing depends on it, and "auto" stays "undecided".
   * @example
   * const optimizer = createOptimizer([3, 4]);
   * optimizer.step(optimizer.params); // the gradient of ½‖x‖²
   * optimizer.gradients; // → "undecided"
   * optimizer.step(optimizer.params);
   * optimizer.gradients; // → "exact"
   */
  get gradients(): GradientKind {
    const { clock, config } = Optimizer.#alive(this);
    return config.gradients === "exact" ? "exact" : clock.gradients;
  }

  /**
   * The schedule-free average x̄ of the parameters, as a copy; null where none is kept: but for `scheduleFree` bases, where
   * gradients are not known to be noisy. The loss there is often a little lower than at `params`, where gradients are
   * taken. x̄ = x − S (1 − β) / β · e, with the lead e = z − y and β of `averaging` (arXiv 2405.15682).
   * @example
   * const optimizer = createOptimizer([1, 2], { gradients: "noisy" });
   * optimizer.step([0.5, -0.5]);
   * optimizer.average()!.length; // → 2
   * createOptimizer(2, { gradients: "exact" }).average(); // → null
   */
  average(): Float32Array | null {
    return Optimizer.#alive(this).average();
  }

  /**
   * How the average is kept: gradients are taken at y = (1 − β) z + β x̄, where `interpolation` is β and z the point that the
   * base moves; at the next step x̄ moves towards z by the share `weight`. β falls while the average forgets. null where `average()` is.
   * @example
   * const optimizer = createOptimizer(2, { gradients: "noisy" });
   * optimizer.averaging; // → { interpolation: 0.9, weight: 1 }
   */
  get averaging(): { interpolation: number; weight: number } | null {
    return Optimizer.#alive(this).averaging;
  }

  /** Live views of the base's moments, as docs/notation.md lists them; a lead is in momentum's place, or behind them. */
  get moments(): readonly Float32Array[] {
    return Optimizer.#alive(this).engine.moments;
  }

  /**
   * One step against the gradient `grads`, or against what was written to `this.grads` (then nothing is copied).
   * @param grads `size` numbers
   * @param seen what is known besides, as the loss at the parameters as they are, and what is to be told of the step
   * @throws TypeError or RangeError when `grads` is not `size` numbers
   * @throws OptimizerError "diverged" when the gradient or the loss is not finite or the parameters would not be ("skip" drops
   *   the step instead); "singular", "moved", "disposed"; "busy" from within a run of its own. The state is then as before
   *   the step.
   * @example
   * const optimizer = createOptimizer([1, -1]);
   * optimizer.step([0.3, 0.4]).gradNorm.toFixed(6); // → "0.500000"
   * optimizer.step([0.3, 0.4], { tensors: true }).tensors![0].gradNorm; // → 0.5
   */
  step(grads?: ArrayLike<number>, seen?: Seen): StepInfo {
    const stepper = expectIdle(Optimizer.#of(this), "step");
    const loss = lossSeen(stepper, seen);
    if (grads !== undefined) {
      stepper.engine.grads.set(expectNumbers("grads", grads, stepper.size));
    }
    return takeStep(stepper, loss);
  }

  /**
   * Steps against a source until one of the run's conditions holds. With `deterministic: true`, for full batches,
   * steps at which the loss rises are taken back: see {@link Guard}.
   *
   * @throws TypeError or RangeError when `run` is not understood
   * @throws OptimizerError "diverged" when loss or gradient are not finite, "busy" from within a run; whatever the source or
   *   a monitor throws. The state is then as before the step, or as the monitor saw it.
   * @example
   * const optimizer = createOptimizer([-1.2, 1]);
   * const rosenbrock = finiteDifferences(([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2);
   * optimizer.minimize(rosenbrock, { steps: 5000 }).loss < 1e-3; // → true
   */
  minimize(source: GradientSource, run: RunOptions): Solution {
    return minimize(Optimizer.#alive(this), source, run);
  }

  /**
   * {@link minimize} for a source that returns a promise. Leave the optimizer alone until it settles. A signal ends it also
   * while the source does not answer; what that writes to `grads` later is lost, or disturbs the next step.
   * @example
   * const optimizer = createOptimizer([4]);
   * const bowl = finiteDifferences(([x]) => 0.5 * (x - 1) ** 2);
   * const remote: AsyncGradientSource = async (x, grads, step) => bowl(x, grads, step);
   * (await optimizer.minimizeAsync(remote, { steps: 300 })).loss < 1e-3; // → true
   */
  minimizeAsync(source: AsyncGradientSource, run: RunOptions): Promise<Solution> {
    return minimizeAsync(Optimizer.#of(this), source, run);
  }

  /**
   * Resets the reference point (paper, 6.3): xRef ← x, Δ ← 0, a fresh tuner that starts from carry · S. The base's
   * moments stay. Anchors also happen on their own: see the tuner's `anchor` option.
   * @example
   * const optimizer = createOptimizer([1], { tuner: superlevel({ anchor: null, sInit: 1e-6 }) });
   * optimizer.anchor().scale; // → 6e-7
   */
  anchor(): this {
    Optimizer.#movable(this, "anchor").anchor();
    return this;
  }

  /**
   * Moves the point: x ← values. The reference comes along, and Δ stays; after a move by more than ‖x‖ / 10 xRef ← x, Δ ← 0.
   * The tuner's scale and the base's moments stay. A move by more than ‖x‖ / 100 after the first step puts off what
   * `gradients: "auto"` finds out: that takes two gradients at one place.
   * @param values `size` finite numbers
   * @throws TypeError or RangeError when they are not; nothing has changed then
   * @example
   * const optimizer = createOptimizer(2);
   * Array.from(optimizer.setParams([3, 4]).params); // → [3, 4]
   */
  setParams(values: ArrayLike<number>): this {
    Optimizer.#movable(this, "setParams").setParams(expectVector("values", values, this.size));
    return this;
  }

  /**
   * Moves the point and its reference alike: x ← x + offset, xRef ← xRef + offset. All else stays: Δ, scale,
   * moments, and until the next step the ‖x‖ that a tuner's pull goes by.
   * @param offset `size` finite numbers
   * @throws TypeError or RangeError when they are not; nothing has changed then
   * @example
   * const optimizer = createOptimizer([1, 2]);
   * Array.from(optimizer.translate([0.5, 0]).params); // → [1.5, 2]
   */
  translate(offset: ArrayLike<number>): this {
    Optimizer.#movable(this, "translate").translate(expectVector("offset", offset, this.size));
    return this;
  }

  /**
   * Forgets everything but the point: moments, tuner, counters. With `params`, moves there too.
   * @param params `size` finite numbers
   * @throws TypeError or RangeError when they are not; nothing has changed then
   * @example
   * const optimizer = createOptimizer([1, 2]);
   * optimizer.step([1, 1]);
   * optimizer.reset([5, 6]).iterations; // → 0
   */
  reset(params?: ArrayLike<number>): this {
    Optimizer.#movable(this, "reset").reset(
      params === undefined ? params : expectVector("params", params, this.size),
    );
    return this;
  }

  /**
   * Everything that the next step depends on, but the gradient and the options, as little-endian bytes: about as many as
   * the optimizer's vectors have. A state restored into an optimizer with the same options steps on to the last bit.
   * @example
   * const first = createOptimizer([1, 2]);
   * first.step([1, 1]);
   * const second = createOptimizer(2).restore(first.save());
   * second.step([1, 1]);
   * first.step([1, 1]);
   * second.params[0] === first.params[0]; // → true
   */
  save(): Uint8Array {
    return Optimizer.#alive(this).save();
  }

  /**
   * Takes up a state that {@link save} returned. Tensors are told by name, in any order; names, shapes and options must be
   * those it was saved with, but for rates, anchors and limits of growth. What is no longer frozen goes on from the saved
   * parameters.
   *
   * @throws OptimizerError "state" when it is damaged or something differs, TypeError when it is no Uint8Array; nothing has
   *   changed then
   * @example
   * const optimizer = createOptimizer(2);
   * optimizer.restore(createOptimizer(3).save()); // → throws OptimizerError: state: tensor "params" was saved with shape [3]
   */
  restore(state: Uint8Array, options: RestoreOptions = {}): this {
    Optimizer.#movable(this, "restore").restore(state, options);
    return this;
  }

  /** Lets go of the memory. Every later use throws an OptimizerError "disposed". */
  dispose(): void {
    Optimizer.#of(this).dispose();
  }

  [dispose](): void {
    this.dispose();
  }
}
