import { scheduleOf } from "./bases/index.js";
import { decode, encode, newClock, type Clock } from "./checkpoint.js";
import { describe, type Config, type Resolved } from "./config.js";
import { FLUSH_EVERY, type Engine } from "./engine/engine.js";
import { averageOf, Copy, lowerScales, momentsOf, scalesOf, shift, shownScale } from "./engine/mark.js";
import type { Footing, Mark } from "./engine/mark.js";
import { Report, Scalar } from "./engine/kernels.js";
import { OptimizerError } from "./errors.js";
import { expectVector } from "./expect.js";
import type { Begun, StepInfo, TensorView } from "./info.js";
import { CAUTION, type GradientKind, type Mode } from "./gradients.js";
import { clipping, copyIfRisky, enterMode, judge, promiseOf, weigh } from "./mode.js";
import { hugeGradient, isHuge, leftRange, nonFiniteGradient, singular, Witness } from "./safety.js";
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
  #clock = newClock("undecided");
  #windowEnd = Infinity;
  /** No step was taken yet: `params` may be written to freely. */
  #fresh = true;

  constructor(resolved: Resolved, engine: Engine) {
    this.#resolved = resolved;
    this.#engine = engine;
    const { config, tensors, program } = resolved;
    this.config = config;
    this.size = tensors.size;
    this.#schedule = scheduleOf(config.base);
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
  step(factor = 1, loss?: number): StepInfo {
    this.look();
    const begun = this.begin(this.gradSquares(), factor, loss);
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
  begin(squares: number, factor: number, loss?: number): Begun | StepInfo {
    const { grads, scalars, report } = this.engine;
    const { modes, form } = this.#resolved;
    const step = this.#clock.iterations + 1;
    if (!Number.isFinite(squares)) return this.refuse(nonFiniteGradient(grads, step));
    const gradNorm = Math.sqrt(squares);
    const { clipScale, usedNorm } = clipping(this.engine, this.config.clip, gradNorm);
    if (isHuge(usedNorm)) return this.refuse(hugeGradient(usedNorm, step));
    if (this.undecided && squares === 0 && this.engine.kernels.scanExactly() === 0) return this.#wait(step);
    scalars[Scalar.clipScale] = clipScale;
    const kind = this.undecided
      ? judge(this.engine, this.#resolved.rule, this.#clock)
      : this.#clock.gradients;
    const eta = this.#rate(step, gradNorm, kind) * factor;
    if (form?.singularAtZero && report[Report.paramsSquaresMin] === 0) throw singular(step);
    const gradNormMax = Math.max(this.#clock.gradNormMax, usedNorm);
    const caution = this.undecided ? CAUTION : 1;
    const before = copyIfRisky(this.engine, this.#resolved, eta, gradNormMax, caution);
    const clockBefore = kind === this.#clock.gradients ? undefined : { ...this.#clock };
    this.decide(kind);
    const mode = modes[kind];
    const applied = step - this.#clock.skipped;
    const fresh = applied - this.#clock.momentumStart;
    mode.constants(applied, eta, scalars, fresh);
    const weighed = weigh(mode, this.#clock, fresh, eta);
    scalars[Scalar.learningRate] = eta;
    scalars[Scalar.weight] = weighed.weight;
    scalars[Scalar.promiseLimit] = promiseOf(mode, loss);
    return { step, eta, gradNorm, gradNormMax, weighed, before, clockBefore };
  }

  /** Is it still to be found out what gradients are? */
  get undecided(): boolean {
    return this.#resolved.decides && this.#clock.gradients === "undecided";
  }

  /** Takes it for known what gradients are. Steps were short until now. */
  decide(kind: GradientKind): void {
    if (kind === this.#clock.gradients) return;
    const { kernels } = this.engine;
    const { modes, rule } = this.#resolved;
    if (modes.undecided.start > 0) kernels.rescale(CAUTION);
    // The momentum, or the first gradient, makes room for the lead, which is 0 after one step.
    if (modes[kind].averages) kernels.clearSlot(rule.bare.leadSlot);
    this.#clock.gradients = kind;
    this.#openWindow(this.#clock.windowStart);
  }

  /** A gradient of 0 decides nothing and moves nothing. */
  #wait(step: number): StepInfo {
    this.#clock.skipped++;
    this.#clock.windowStart = step;
    this.#tick();
    const { learningRate } = this.#clock;
    return { step, learningRate, gradNorm: 0, h: 0, scale: this.#meanScale, skipped: false };
  }

  /** The last, after the kernels' step. */
  end({ step, eta, gradNorm, gradNormMax, weighed, before, clockBefore }: Begun): StepInfo {
    const { kernels, report } = this.engine;
    if (!Number.isFinite(report[Report.vitality])) {
      before?.giveBack();
      this.#takeUp(clockBefore ?? this.#clock, this.#fresh);
      return this.refuse(leftRange(step));
    }
    const scale = this.#meanScale;
    const info = { step, learningRate: eta, gradNorm, h: report[Report.h], scale, skipped: false };
    const { weightSum, rateMax } = weighed;
    if (this.undecided && !this.#resolved.rule.firstGradient)
      kernels.keepGradient(this.#resolved.rule.bare.leadSlot);
    Object.assign(this.#clock, { learningRate: eta, gradNormMax, weightSum, rateMax });
    this.#fresh = false;
    this.#tick();
    return info;
  }

  /** η_t: the schedule (34), scaled by the gradient's norm (14) where that is asked for. */
  #rate(step: number, gradNorm: number, gradients: GradientKind): number {
    const { windowStart: start } = this.#clock;
    const end = nextAnchor(this.#resolved.modes[gradients].anchor, start);
    const alpha = this.#schedule(step, { start, length: end - start, gradients });
    if (!(Number.isFinite(alpha) && alpha >= 0)) {
      throw new RangeError(`base.learningRate: expected a finite number >= 0 at step ${step}, got ${alpha}`);
    }
    return this.config.normAdaptive ? alpha / (1 + gradNorm) : alpha;
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
    const { anchor } = this.#mode;
    if (this.config.tuner) kernels.anchor(anchor?.carry ?? (this.#mode.ownFloor ? 1 : 0.6));
    this.#clock.anchors++;
    this.#openWindow(this.#clock.iterations);
    this.#witness.look(params);
  }

  #openWindow(start: number): void {
    this.#clock.windowStart = start;
    this.#windowEnd = nextAnchor(this.#mode.anchor, start);
    enterMode(this.engine, this.#mode, this.#clock.anchors);
  }

  get #mode(): Mode {
    return this.#resolved.modes[this.#clock.gradients];
  }

  setParams(values: ArrayLike<number>): void {
    this.engine.params.set(values);
    if (!this.#fresh) this.#settle();
  }

  get moments(): readonly Float32Array[] {
    return momentsOf(this.engine, this.#resolved.program);
  }

  average(): Float32Array | null {
    const { averages, averaging, leadSlot } = this.#mode;
    if (!averages) return null;
    // After one step the average is where x is; the place of the lead has its gradient.
    if (this.undecided) return this.engine.params.slice();
    const { interpolation } = averaging!;
    return averageOf(this.engine, this.#resolved.program, leadSlot, (1 - interpolation) / interpolation);
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
    const { tuner, gradients } = this.config;
    this.engine.kernels.start(tuner?.sInit ?? 0, form?.startShare ?? 0);
    this.#clock = newClock(gradients === "auto" ? "undecided" : gradients);
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
    const { gradients } = this.config;
    if (gradients !== "auto" && clock.gradients !== gradients) {
      const reason = `it was saved with gradients "${clock.gradients}"; this optimizer has "${gradients}"`;
      throw new OptimizerError("state", `state: ${reason}`);
    }
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
    const { gradients } = this.#clock;
    this.back(mark);
    // What gradients are stays known: to find it out again, the first of them would be wanted, which is forgotten here.
    this.decide(gradients);
    const { tuner } = this.config;
    if (tuner) {
      lowerScales(engine, now);
      if (earlier) lowerScales(engine, earlier.scales);
      engine.kernels.anchor(0.5);
    } else this.#clock.rateFactor = (earlier ?? mark.clock).rateFactor / 2;
    this.#mode.momenta.forEach((slot) => engine.kernels.clearSlot(slot));
    this.#clock.weightSum = 0;
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
