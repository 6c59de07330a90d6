import { decode, encode } from "./checkpoint.js";
import { newClock, type Clock } from "./clock.js";
import { expectedOf, type Config, type Resolved } from "./config.js";
import type { Engine } from "../engine/engine.js";
import { averageOf, savedState, shiftReference, shownScale } from "../engine/snapshot.js";
import { Scalar, Summary } from "../engine/kernels.js";
import { transplant } from "../engine/transplant.js";
import { OptimizerError } from "../common/errors.js";
import { expectBoolean, expectOptions, expectVector } from "../common/expect.js";
import { distinguishes, KNOWN_RATIO, type Mode } from "./gradients.js";
import type { RestoreOptions, StepInfo, TensorView } from "./info.js";
import type { GradientKind } from "../common/kinds.js";
import { behind, enterMode, interpolationOf, weigh } from "./mode.js";
import { expectNorm } from "./safety.js";
import { tensorSteps } from "./tensor-steps.js";
import { WriteDetector } from "./writes.js";
import { viewsOf } from "../tensors.js";
import { nextAnchor } from "../tuners/tuners.js";

/** Squared shares of ‖x‖ that a move is at most that leaves Δ as it is, and what the first gradient tells. */
const [SMALL, TINY] = [1e-2, 1e-4];

/** The state of an optimizer between steps, and what changes it from the outside. */
export class State {
  readonly config: Config;
  readonly size: number;
  tensors: readonly TensorView[];
  protected readonly resolved: Resolved;
  protected readonly writes: WriteDetector;
  #engine: Engine | undefined;
  /** x_t, where the kernels do not compare it with x_{t+1}. */
  #before: Float32Array | undefined;
  #watches = false;
  protected time = newClock("undecided");
  /** What a step does, and where it anchors next: `openWindow` says. */
  protected mode!: Mode;
  protected windowEnd = Infinity;
  /** A guard takes back the steps that lead upwards, so S may grow as it likes. */
  protected rejects = false;
  /** Are gradients known to be exact, whatever they look like? Only how far to go is to be found out then. */
  protected exact = false;
  /** No step was taken yet: `params` may be written to freely. */
  protected fresh = true;
  /** What is under way, which other calls would disturb: "run", "step" or "stepAsync". */
  task = "";
  /** A run's monitors may move the point; how often the user has moved it. */
  open = false;
  moves = 0;

  constructor(resolved: Resolved, engine: Engine) {
    this.resolved = resolved;
    this.#engine = engine;
    const { config, tensors, program } = resolved;
    this.config = config;
    this.exact = config.gradients === "exact";
    this.size = tensors.size;
    this.writes = new WriteDetector(engine, program);
    this.tensors = viewsOf(tensors, engine);
    engine.tensorSums?.set(tensors.list.map(({ first, size }) => first + size));
    tensors.values.forEach((values, k) => values && this.tensors[k].params.set(values));
    this.#start();
  }

  /** The engine, unless it is gone. */
  get engine(): Engine {
    if (this.#engine) return this.#engine;
    throw new OptimizerError("disposed", "this optimizer was disposed of");
  }

  protected get alive(): boolean {
    return this.#engine !== undefined;
  }

  /** Throws when it was disposed of, or a thread of its engine has died. */
  expectEngine(): this {
    this.engine.expectAlive?.();
    return this;
  }

  get clock(): Readonly<Clock> {
    return this.time;
  }

  /** Of steps that were skipped there is no update, and momentum starts again where a guard takes a step back. */
  get updates(): { total: number; momentum: number } {
    const { iterations, skipped, momentumStart } = this.time;
    const total = iterations - skipped;
    return { total, momentum: total - momentumStart };
  }

  get scale(): number | Float32Array {
    const { tuner, tensors } = this.config;
    return tuner ? shownScale(this.engine, tuner.granularity, tensors) : 1;
  }

  /** The average that belongs to `point`. An engine whose parameters are elsewhere is named with its own vectors. */
  average(engine = this.engine, point = engine.params): Float32Array | null {
    const { averages, leadSlot } = this.mode;
    if (!averages) return null;
    // After one step the average is where x is; the place of the lead has its gradient.
    if (this.undecided) return point.slice();
    const share = behind(interpolationOf(this.mode, this.time));
    return averageOf(engine, this.resolved.program, leadSlot, share, point);
  }

  get averaging(): { interpolation: number; weight: number } | null {
    if (!this.mode.averages) return null;
    // Before the first step any rate will do.
    const weight = weigh(this.mode, this.time, this.time.learningRate || 1, {});
    return { interpolation: interpolationOf(this.mode, this.time), weight };
  }

  /** Is it still to be found out what gradients are? */
  get undecided(): boolean {
    return this.resolved.decides && this.time.gradients === "undecided";
  }

  /** Takes it for known what gradients are. Steps were short until now: S grows by `rescaling`. */
  protected decide(kind: GradientKind, rescaling: number): void {
    if (kind === this.time.gradients) return;
    const { kernels } = this.engine;
    const { modes, rule } = this.resolved;
    if (kind !== "undecided") kernels.rescale(rescaling);
    // The momentum, or the first gradient, makes room for the lead, which is 0 after one step.
    if (modes[kind].averages) kernels.scaleSlot(rule.bare.leadSlot, 0);
    this.time.gradients = kind;
    this.openWindow(this.time.windowStart);
  }

  #start(): void {
    const { form } = this.resolved;
    const { tuner, gradients } = this.config;
    this.engine.kernels.start(tuner?.sInit ?? 0, form?.startShare ?? 0);
    this.time = newClock(this.resolved.decides || gradients === "auto" ? "undecided" : gradients);
    this.openWindow(0);
    this.fresh = true;
  }

  /** The first part of a step: settles the point, or makes sure that nobody has moved it. */
  look(): void {
    if (this.fresh) this.takeReference();
    this.writes.checkStep(this.engine);
  }

  /** The same apart from a step, and for sure, however many parameters there are. */
  lookAtAll(): void {
    if (this.fresh) this.takeReference();
    else this.writes.check(this.engine);
  }

  /** Are steps from here on to tell of each tensor? */
  watch(tensors = false): void {
    // Most steps are not to tell, and few parameters make a step short.
    if (!tensors && !this.#watches) return;
    this.#watches = tensors;
    const { params, scalars, tensorSums } = this.engine;
    const { tuner } = this.config;
    // Where Δ is made from x, it takes the place of x on the way.
    const copies = tensors && (!tensorSums || (tuner && tuner.delta !== "stored"));
    scalars[Scalar.watch] = Number(tensors && !copies);
    this.#before = copies ? params.slice() : undefined;
  }

  /** Adds what the step did to each tensor, if that is to be told; `before`: x_t, where the kernels do not compare it with x_{t+1}. */
  protected withTensors(info: StepInfo, before = this.#before): StepInfo {
    if (!this.#watches) return info;
    const { engine, resolved } = this;
    return { ...info, tensors: tensorSteps(engine, resolved.tensors.list, before) };
  }

  /** For somebody who asks for parameters, and may write to them. */
  watched(): this {
    if (!this.fresh) this.writes.watch();
    return this;
  }

  /** Takes the point as it stands for the reference. */
  takeReference(): void {
    const { kernels, params, summary } = this.engine;
    kernels.rebase();
    if (this.fresh && !Number.isFinite(summary[Summary.paramsSquares])) {
      expectVector("params", params, params.length);
      // Where they are elsewhere, only the sum is known.
      expectNorm("params", params.length ? params : [Infinity]);
    }
    this.writes.record(this.engine);
  }

  anchor(): void {
    if (this.fresh) this.takeReference();
    else this.writes.expectFinite(this.engine);
    this.anchorHere();
  }

  protected anchorHere(): void {
    if (this.config.tuner) this.engine.kernels.anchor(this.mode.carry);
    this.time.anchors++;
    this.openWindow(this.time.iterations);
    this.writes.record(this.engine);
  }

  protected openWindow(start: number): void {
    this.time.windowStart = start;
    this.mode = this.resolved.modes[this.time.gradients];
    this.windowEnd = nextAnchor(this.mode.anchor, start);
    enterMode(this.engine, this.mode, this.time.anchors, !this.rejects);
  }

  setParams(values: ArrayLike<number>): void {
    const { params } = this.engine;
    expectNorm("values", values);
    const offset = Float32Array.from(values, (value, i) => value - params[i]);
    // From where the point was before somebody wrote to it, the move is not known.
    if (!this.fresh && !this.writes.holds(this.engine)) offset.fill(Infinity);
    params.set(values);
    this.follow(offset, params);
  }

  /**
   * The point was moved by `offset`. A small move leaves Δ as it is: who moves it a little at every step, as weight decay by
   * hand does, would keep S from growing. A large one makes the point the reference. `engine` has vectors of its own.
   */
  follow(offset: Float32Array, params: Float32Array, engine = this.engine): void {
    if (this.fresh) return;
    let [moved, whole] = [0, 0];
    for (let i = 0; i < offset.length; i++) {
      moved += offset[i] * offset[i];
      whole += params[i] * params[i];
    }
    // The next gradient is of another place: what it differs in from the first one tells nothing.
    if (this.undecided && !(moved <= TINY * whole)) this.restartMomentum();
    if (!(moved <= SMALL * whole)) return this.takeReference();
    shiftReference(engine, offset);
    this.writes.record(this.engine);
  }

  protected restartMomentum(): void {
    this.mode.momenta.forEach((slot) => this.engine.kernels.scaleSlot(slot, 0));
    this.time.momentumStart = this.time.iterations - this.time.skipped;
  }

  translate(offset: ArrayLike<number>): void {
    const { params } = this.engine;
    expectNorm("offset", offset, params);
    if (!this.fresh) this.writes.check(this.engine);
    for (let i = 0; i < params.length; i++) params[i] += offset[i];
    shiftReference(this.engine, offset);
    this.writes.record(this.engine);
  }

  reset(params?: ArrayLike<number>): void {
    const point = Float32Array.from(expectVector("params", params ?? this.engine.params, this.size));
    expectNorm("params", point);
    this.engine.state.forEach((bytes) => bytes.fill(0));
    this.engine.params.set(point);
    this.#start();
  }

  save(): Uint8Array {
    this.lookAtAll();
    const { options } = expectedOf(this.resolved);
    return encode({ clock: this.time, options, tensors: this.config.tensors }, savedState(this.engine));
  }

  restore(state: Uint8Array, options: RestoreOptions): void {
    expectOptions("options", options, ["partial"]);
    const partial = expectBoolean("options.partial", options.partial ?? false);
    const { engine, resolved } = this;
    const decoded = decode(state, expectedOf(resolved), resolved.tensors.list, partial);
    const { clock, payload } = decoded;
    const { gradients, tuner } = this.config;
    const open = gradients === "exact" && clock.gradients === "undecided" && distinguishes(tuner);
    if (gradients !== "auto" && clock.gradients !== gradients && !open) {
      const reason = `it was saved with gradients "${clock.gradients}"; this optimizer has "${gradients}"`;
      throw new OptimizerError("state", `state: ${reason}`);
    }
    const fresh = transplant(engine, resolved.program, decoded, resolved.tensors.list);
    if (fresh === undefined)
      throw new OptimizerError("state", `state: it is damaged (${payload.length} bytes of payload)`);
    this.takeUp(clock, clock.iterations === clock.skipped);
    // Where s_init is given nothing is to be found out; and the first gradient of what starts afresh is not known.
    if (open && !resolved.decides) this.decide(gradients, KNOWN_RATIO);
    if (fresh && this.undecided) this.restartMomentum();
  }

  protected takeUp(clock: Readonly<Clock>, fresh: boolean): void {
    this.time = { ...clock };
    this.openWindow(clock.windowStart);
    this.fresh = fresh;
    this.engine.kernels.summarize();
    this.writes.record(this.engine);
  }

  dispose(): void {
    this.#engine = undefined;
    this.tensors = [];
  }
}
