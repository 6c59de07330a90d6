import { scheduleOf } from "../bases/index.js";
import type { Resolved } from "./config.js";
import { FLUSH_EVERY, type Engine } from "../engine/engine.js";
import { Report, Scalar } from "../engine/kernels.js";
import type { OptimizerError } from "../common/errors.js";
import { boldness } from "./gradients.js";
import type { Begun, StepInfo } from "./info.js";
import type { GradientKind } from "../common/kinds.js";
import { clipping, copyIfRisky, forget, judge, promiseOf, shorten, weigh, type After } from "./mode.js";
import { hugeGradient, isHuge, leftRange, nonFiniteGradient, singular } from "./safety.js";
import type { Schedule } from "../schedules.js";
import { State } from "./state.js";
import { nextAnchor } from "../tuners/tuners.js";

/** What an optimizer does at a step. Its public face is `Optimizer`. */
export class Stepper extends State {
  readonly #schedule: Schedule;
  /** What the clock is to hold when the step that was begun is done. */
  readonly #after: After = {
    age: 0,
    rateMax: 0,
    weightSum: 0,
    squaresMean: 0,
    learningRate: 0,
    gradNormMax: 0,
  };

  constructor(resolved: Resolved, engine: Engine) {
    super(resolved, engine);
    this.#schedule = scheduleOf(resolved.config.base);
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
    if (this.fresh) this.settle();
    else if (this.config.tuner?.delta === "stored") this.witness.check(this.engine.params);
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
    this.time.skipped++;
    this.#tick();
    const { iterations: step, learningRate } = this.time;
    return { step, learningRate, gradNorm: NaN, h: 0, scale: this.#meanScale, skipped: true };
  }

  /** The second, after the scan: all that the kernels need to know; or what became of the step. */
  begin(squares: number, factor: number, loss?: number): Begun | StepInfo {
    const { grads, scalars, report } = this.engine;
    const { modes, form } = this.resolved;
    const step = this.time.iterations + 1;
    if (!Number.isFinite(squares)) return this.refuse(nonFiniteGradient(grads, this.resolved.tensors, step));
    const gradNorm = Math.sqrt(squares);
    const { clipScale, usedNorm } = clipping(this.engine, this.config.clip, gradNorm);
    if (isHuge(usedNorm)) return this.refuse(hugeGradient(usedNorm, step));
    if (this.undecided && squares === 0 && this.engine.kernels.scanExactly() === 0) {
      this.time.windowStart = step;
      return this.#wait(step, 0);
    }
    scalars[Scalar.clipScale] = clipScale;
    const kind = this.undecided ? judge(this.engine, this.resolved.rule, this.time) : this.time.gradients;
    const eta = this.#rate(step, gradNorm, kind) * factor;
    // With Δ as it is, S alone would move the parameters.
    if (eta === 0 && this.config.tuner) {
      this.time.learningRate = 0;
      return this.#wait(step, gradNorm);
    }
    if (form?.singularAtZero && report[Report.paramsSquaresMin] === 0) throw singular(step);
    const gradNormMax = Math.max(this.time.gradNormMax, usedNorm);
    const bolder = this.undecided && kind !== "undecided" ? boldness(modes, kind) : 1;
    const before = copyIfRisky(this.engine, this.resolved, modes[kind], eta, gradNormMax, bolder);
    const clockBefore = kind === this.time.gradients ? undefined : { ...this.time };
    this.decide(kind);
    const mode = modes[kind];
    const applied = step - this.time.skipped;
    const fresh = applied - this.time.momentumStart;
    mode.constants(applied, eta, scalars, fresh);
    const after = this.#after;
    after.learningRate = eta;
    after.gradNormMax = gradNormMax;
    scalars[0] *= shorten(mode, this.time, applied, usedNorm, after);
    scalars[Scalar.learningRate] = eta;
    scalars[Scalar.weight] = weigh(mode, this.time, eta, after);
    scalars[Scalar.promiseLimit] = promiseOf(mode, loss);
    return { step, gradNorm, before, clockBefore };
  }

  /** A gradient of 0 decides nothing and moves nothing; nor does a rate of 0. */
  #wait(step: number, gradNorm: number): StepInfo {
    this.time.skipped++;
    this.#tick();
    const { learningRate } = this.time;
    return { step, learningRate, gradNorm, h: 0, scale: this.#meanScale, skipped: false };
  }

  /** The last, after the kernels' step. */
  end({ step, gradNorm, before, clockBefore }: Begun): StepInfo {
    const { kernels, report } = this.engine;
    if (!Number.isFinite(report[Report.vitality])) {
      before?.giveBack();
      this.takeUp(clockBefore ?? this.time, this.fresh);
      return this.refuse(leftRange(step));
    }
    Object.assign(this.time, this.#after);
    const { learningRate } = this.time;
    const scale = this.#meanScale;
    const info = { step, learningRate, gradNorm, h: report[Report.h], scale, skipped: false };
    if (this.mode.forgets) forget(this.mode, this.time, report[Report.leadSlope]);
    if (this.undecided && !this.resolved.rule.firstGradient)
      kernels.keepGradient(this.resolved.rule.bare.leadSlot);
    this.fresh = false;
    this.#tick();
    return info;
  }

  /** η_t: the schedule (34), scaled by the gradient's norm (14) where that is asked for. */
  #rate(step: number, gradNorm: number, gradients: GradientKind): number {
    const { windowStart: start } = this.time;
    const end = nextAnchor(this.resolved.modes[gradients].anchor, start);
    const { task } = this;
    this.task ||= "step";
    let alpha: number;
    try {
      alpha = this.#schedule(step, { start, length: end - start, gradients });
    } finally {
      this.task = task;
    }
    if (!(Number.isFinite(alpha) && alpha >= 0)) {
      throw new RangeError(`base.learningRate: expected a finite number >= 0 at step ${step}, got ${alpha}`);
    }
    return this.config.normAdaptive ? alpha / (1 + gradNorm) : alpha;
  }

  /** Ends a step: counts it, and anchors where a window ends. */
  #tick(): void {
    this.time.iterations++;
    if (this.time.iterations % FLUSH_EVERY === 0) this.engine.kernels.flushMoments();
    if (this.time.iterations >= this.windowEnd) this.anchorHere();
    else this.witness.look(this.engine.params);
  }
}
