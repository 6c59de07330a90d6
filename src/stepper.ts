import { asSchedule } from "./bases/base.js";
import { decode, encode, newClock, type Clock } from "./checkpoint.js";
import { describe, type Config, type Resolved } from "./config.js";
import { FLUSH_EVERY, type Engine } from "./engine/engine.js";
import { Copy, lowerScales, momentsOf, scalesOf, shift, shownScale } from "./engine/mark.js";
import type { Footing, Mark } from "./engine/mark.js";
import { Report, Scalar } from "./engine/kernels.js";
import { OptimizerError } from "./errors.js";
import { expectVector } from "./expect.js";
import type { Begun, StepInfo, TensorView } from "./info.js";
import { hugeGradient, isHuge, isRisky, leftRange, nonFiniteGradient, singular, Witness } from "./safety.js";
import type { Schedule } from "./schedules.js";
import { nextAnchor } from "./tuners.js";

/** What an optimizer does at a step, and the state between steps. Its public face is `Optimizer`. */
export class Stepper {
  readonly config: Config;
  readonly size: number;
  tensors: readonly TensorView[];
  readonly #resolved: Resolved;
  readonly #schedule: Schedule;
  readonly #witness: Witness;
  #engine: Engine | undefined;
  #clock = newClock();
  #windowEnd = Infinity;
  /** No step was taken yet: `params` may be written to freely. */
  #fresh = true;

  constructor(resolved: Resolved, engine: Engine) {
    this.#resolved = resolved;
    this.#engine = engine;
    const { config, tensors, program } = resolved;
    this.config = config;
    this.size = tensors.size;
    this.#schedule = asSchedule(config.base.learningRate);
    // Nobody watches over parameters that are elsewhere.
    this.#witness = new Witness(engine.params.length === 0 ? [] : program.segments);
    this.tensors = tensors.list.map(({ name, shape, first, size }) => ({
      name,
      shape,
      params: engine.params.subarray(first, first + size),
      grads: engine.grads.subarray(first, first + size),
    }));
    tensors.values.forEach((values, k) => values && this.tensors[k].params.set(values));
    this.#start();
  }

  /** The engine, unless it is gone. */
  get engine(): Engine {
    if (this.#engine) return this.#engine;
    throw new OptimizerError("disposed", "this optimizer was disposed of");
  }

  get clock(): Readonly<Clock> {
    return this.#clock;
  }

  get scale(): number | Float32Array {
    const { tuner, tensors } = this.config;
    return tuner ? shownScale(this.engine, tuner.granularity, tensors) : 1;
  }

  get #meanScale(): number {
    return this.config.tuner ? this.engine.report[Report.scaleMean] : 1;
  }

  /** A step against the gradient in the engine's memory, with `factor` times the rate. */
  step(factor = 1): StepInfo {
    this.look();
    const begun = this.begin(this.gradSquares(), factor);
    if ("skipped" in begun) return begun;
    this.engine.kernels.step();
    return this.end(begun);
  }

  /** The first part of a step: settles the point, or makes sure that nobody has moved it. */
  look(): void {
    if (this.#fresh) this.#settle();
    else if (this.config.tuner?.delta === "stored") this.#witness.check(this.engine.params);
  }

  /** ‖g‖² before clipping; finite for every finite gradient. */
  gradSquares(): number {
    const { kernels } = this.engine;
    const squares = kernels.scan();
    return Number.isFinite(squares) ? squares : kernels.scanExactly();
  }

  /** Drops a step for the reason given, or throws it: what `nonFinite` says. */
  refuse(reason: OptimizerError): StepInfo {
    if (this.config.nonFinite === "throw") throw reason;
    this.#clock.skipped++;
    this.#tick();
    const { iterations: step, learningRate } = this.#clock;
    return { step, learningRate, gradNorm: NaN, h: 0, scale: this.#meanScale, skipped: true };
  }

  /** The second, after the scan: all that the kernels need to know; or what became of the step. */
  begin(squares: number, factor: number): Begun | StepInfo {
    const { grads, scalars, report } = this.engine;
    const { rule, form } = this.#resolved;
    const step = this.#clock.iterations + 1;
    if (!Number.isFinite(squares)) return this.refuse(nonFiniteGradient(grads, step));
    const gradNorm = Math.sqrt(squares);
    const { clipScale, usedNorm } = this.#clipping(gradNorm);
    if (isHuge(usedNorm)) return this.refuse(hugeGradient(usedNorm, step));
    const eta = this.#rate(step, gradNorm) * factor;
    if (form?.singularAtZero && report[Report.paramsSquaresMin] === 0) throw singular(step);
    const gradNormMax = Math.max(this.#clock.gradNormMax, usedNorm);
    const before = this.#copyIfRisky(eta, gradNormMax);
    const applied = step - this.#clock.skipped;
    rule.constants(applied, eta, scalars, applied - this.#clock.momentumStart);
    scalars[Scalar.learningRate] = eta;
    scalars[Scalar.clipScale] = clipScale;
    return { step, eta, gradNorm, gradNormMax, before };
  }

  /** The last, after the kernels' step. */
  end({ step, eta, gradNorm, gradNormMax, before }: Begun): StepInfo {
    const { kernels, report } = this.engine;
    if (!Number.isFinite(report[Report.vitality])) {
      before?.giveBack();
      kernels.takeStock();
      return this.refuse(leftRange(step));
    }
    const scale = this.#meanScale;
    const info = { step, learningRate: eta, gradNorm, h: report[Report.h], scale, skipped: false };
    this.#clock.learningRate = eta;
    this.#clock.gradNormMax = gradNormMax;
    this.#fresh = false;
    this.#tick();
    return info;
  }

  /** The factor that clips the gradient's norm, and the norm that the base sees. */
  #clipping(gradNorm: number): { clipScale: number; usedNorm: number } {
    const { norm, value } = this.config.clip;
    const bounded = value === undefined ? gradNorm : Math.sqrt(this.engine.kernels.clippedSquares());
    // PyTorch's clip_grad_norm_, with its 1e-6.
    const clipScale = norm === undefined ? 1 : Math.min(1, norm / (bounded + 1e-6));
    return { clipScale, usedNorm: bounded * clipScale };
  }

  /** η_t: the schedule (34), scaled by the gradient's norm (14) where that is asked for. */
  #rate(step: number, gradNorm: number): number {
    const { windowStart: start } = this.#clock;
    const alpha = this.#schedule(step, { start, length: this.#windowEnd - start });
    if (!(Number.isFinite(alpha) && alpha >= 0)) {
      throw new RangeError(`base.learningRate: expected a finite number >= 0 at step ${step}, got ${alpha}`);
    }
    return this.config.normAdaptive ? alpha / (1 + gradNorm) : alpha;
  }

  #copyIfRisky(eta: number, gradNormMax: number): Copy | undefined {
    const { report } = this.engine;
    const reach = {
      paramsNorm: Math.sqrt(report[Report.paramsSquares]),
      deltaNorm: Math.sqrt(report[Report.deltaSquares]),
      scale: Math.max(report[Report.scaleMax], this.config.tuner?.sInit ?? 0) * this.#resolved.scaleGrowth,
      learningRate: eta * this.#resolved.rateFactor,
      gradNormMax,
      lambda: this.#resolved.program.perCoordinate ? this.config.tuner?.lambda : undefined,
    };
    return isRisky(reach) ? new Copy(this.engine) : undefined;
  }

  /** Ends a step: counts it, and anchors where a window ends. */
  #tick(): void {
    this.#clock.iterations++;
    if (this.#clock.iterations % FLUSH_EVERY === 0) this.engine.kernels.flushMoments();
    if (this.#clock.iterations >= this.#windowEnd) this.#anchorHere();
    else this.#witness.look(this.engine.params);
  }

  anchor(): void {
    if (this.#fresh) this.#settle();
    this.#anchorHere();
  }

  #anchorHere(): void {
    const { kernels, params } = this.engine;
    const { tuner } = this.config;
    if (tuner) kernels.anchor(tuner.anchor?.carry ?? 0.6);
    this.#openWindow(this.#clock.iterations);
    this.#witness.look(params);
  }

  #openWindow(start: number): void {
    this.#clock.windowStart = start;
    this.#windowEnd = nextAnchor(this.config.tuner?.anchor ?? null, start);
  }

  setParams(values: ArrayLike<number>): void {
    this.engine.params.set(values);
    if (!this.#fresh) this.#settle();
  }

  get moments(): readonly Float32Array[] {
    return momentsOf(this.engine, this.#resolved.program);
  }

  translate(offset: ArrayLike<number>): void {
    shift(this.engine, this.#resolved.program, offset);
    this.#witness.look(this.engine.params);
  }

  reset(params?: ArrayLike<number>): void {
    const { engine } = this;
    const point = Float32Array.from(params ?? engine.params);
    engine.state.forEach((bytes) => bytes.fill(0));
    engine.params.set(point);
    this.#start();
  }

  #start(): void {
    const { form } = this.#resolved;
    this.engine.kernels.start(this.config.tuner?.sInit ?? 0, form?.startShare ?? 0);
    this.#clock = newClock();
    this.#openWindow(0);
    this.#fresh = true;
  }

  /** Takes the point as it stands for the reference. */
  #settle(): void {
    const { kernels, params, report } = this.engine;
    kernels.rebase();
    if (this.#fresh && !Number.isFinite(report[Report.paramsSquares])) {
      expectVector("params", params, params.length);
      throw new RangeError("params: expected a norm below 1e19, as float32 sums need");
    }
    this.#witness.look(params);
  }

  save(): Uint8Array {
    const { state } = this.engine;
    if (this.#fresh) this.#settle();
    return encode({ ...describe(this.#resolved), clock: this.#clock }, state);
  }

  restore(state: Uint8Array): void {
    const [groups, vectors] = this.engine.state;
    const { clock, payload } = decode(state, describe(this.#resolved), groups.length + vectors.length);
    groups.set(payload.subarray(0, groups.length));
    vectors.set(payload.subarray(groups.length));
    this.#takeUp(clock, false);
  }

  #takeUp(clock: Readonly<Clock>, fresh: boolean): void {
    this.#clock = { ...clock };
    this.#openWindow(clock.windowStart);
    this.#fresh = fresh;
    this.engine.kernels.takeStock();
    this.#witness.look(this.engine.params);
  }

  /** Remembers all that a step changes, and the gradient; in the memory of an older mark, if that is given. */
  mark(old?: Mark): Mark {
    const copy = old ? old.copy.take() : new Copy(this.engine);
    return { copy, clock: { ...this.#clock }, fresh: this.#fresh };
  }

  /** Goes back, bit for bit. */
  back({ copy, clock, fresh }: Mark): void {
    copy.giveBack();
    this.#takeUp(clock, fresh);
  }

  /**
   * Goes back, and anchors there: with half the smaller of the scales of now and then, or half the rate where there is
   * no tuner, and with the momentum of the gradient alone. Second moments stay. Returns what was halved, for the next
   * retreat to the same mark.
   */
  retreat(mark: Mark, earlier?: Footing): Footing {
    const { engine } = this;
    const now = scalesOf(engine);
    this.back(mark);
    const { tuner } = this.config;
    if (tuner) {
      lowerScales(engine, now);
      if (earlier) lowerScales(engine, earlier.scales);
      engine.kernels.anchor(0.5);
    } else this.#clock.rateFactor = (earlier ?? mark.clock).rateFactor / 2;
    this.#resolved.rule.momenta.forEach((slot) => engine.kernels.clearSlot(slot));
    this.#clock.momentumStart = this.#clock.iterations - this.#clock.skipped;
    return { scales: scalesOf(engine), rateFactor: this.#clock.rateFactor };
  }

  setRateFactor(factor: number): void {
    this.#clock.rateFactor = factor;
  }

  dispose(): void {
    this.#engine = undefined;
    this.tensors = [];
  }
}
