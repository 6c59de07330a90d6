import { scheduleOf } from "../bases/index.js";
import type { Resolved } from "./config.js";
import { FLUSH_EVERY, type Engine } from "../engine/engine.js";
import { Summary, Scalar } from "../engine/kernels.js";
import { StateCopy } from "../engine/snapshot.js";
import { show } from "../common/expect.js";
import type { OptimizerError } from "../common/errors.js";
import type { Mode } from "./gradients.js";
import type { Begun, StepInfo } from "./info.js";
import type { GradientKind } from "../common/kinds.js";
import {
  behind,
  catchUpOf,
  clipping,
  couldOverflow,
  interpolationOf,
  shortenAverage,
  judge,
  keep,
  longestWhole,
  promiseOf,
  remember,
  shorten,
  weigh,
  weightOfSquare,
  type After,
} from "./mode.js";
import { hugeGradient, isHuge, leftRange, nonFiniteGradient, singular } from "./safety.js";
import type { Schedule } from "../schedules.js";
import { Rewindable } from "./rewind.js";
import { nextAnchor } from "../tuners/tuners.js";
import { writeUndone } from "./writes.js";

/** What an optimizer does at a step. Its public face is `Optimizer`. */
export class Stepper extends Rewindable {
  readonly #schedule: Schedule;
  /** Whether every step needs the gradient's norm, or a check, before the kernels may take it. */
  readonly #needsNorm: boolean;
  /** What the clock is to hold when the step that was begun is done. */
  readonly #after: After = {
    age: 0,
    rateMax: 0,
    weightSum: 0,
    squaresMean: 0,
    squaresMax: 0,
    learningRate: 0,
    gradNormMax: 0,
  };

  constructor(resolved: Resolved, engine: Engine) {
    super(resolved, engine);
    this.#schedule = scheduleOf(resolved.config.base);
    const { normAdaptive, clip } = resolved.config;
    const clips = clip.norm !== undefined || clip.value !== undefined;
    this.#needsNorm = normAdaptive || clips || resolved.form?.singularAtZero === true;
  }

  get #meanScale(): number {
    return this.config.tuner ? this.engine.summary[Summary.scaleMean] : 1;
  }

  /** A step against the gradient in the engine's memory, with `factor` times the rate. */
  step(factor = 1, loss?: number): StepInfo {
    this.look();
    const { time } = this;
    const atOnce = !this.#needsNorm && !this.undecided;
    // A schedule is asked once for each step.
    const eta = atOnce ? this.#rate(time.iterations + 1, 0, time.gradients) * factor : undefined;
    const done = eta && this.#stepAtOnce(eta, loss);
    if (done) return done;
    const begun = this.begin(this.gradSquares(), factor, loss, eta);
    if ("skipped" in begun) return begun;
    this.engine.kernels.step();
    return this.end(begun);
  }

  /**
   * Most steps need to know nothing of the gradient but that it is not longer than a bound. These are one
   * call of the kernels. Undefined, and nothing has changed, where a step does not, or is one that may not be taken.
   */
  #stepAtOnce(eta: number, loss?: number): StepInfo | undefined {
    const { engine, time, mode } = this;
    const step = time.iterations + 1;
    const applied = step - time.skipped;
    const limit = Math.min(1 + 1000 * time.gradNormMax, longestWhole(mode, time, applied, this.#after));
    if (isHuge(limit) || couldOverflow(engine, this.resolved, mode, eta, limit, 1)) return undefined;
    engine.scalars[Scalar.clipScale] = 1;
    this.#prepare(mode, applied, 0, eta, loss);
    const squares = engine.kernels.scanAndStep(limit * limit);
    if (squares < 0) return undefined;
    const gradNorm = Math.sqrt(squares);
    this.#after.gradNormMax = Math.max(time.gradNormMax, gradNorm);
    remember(time, gradNorm, this.#after, weightOfSquare(mode, time, applied, gradNorm, this.#after));
    return this.end({ step, gradNorm, before: undefined, clockBefore: undefined });
  }

  /** What the kernels need to know of a step besides the gradient's norm, 0 where no second moment goes by it. Tells what ‖g‖² weighs. */
  #prepare(mode: Mode, applied: number, norm: number, eta: number, loss?: number, rescaling = 1): number {
    const { time } = this;
    const { scalars } = this.engine;
    scalars[Scalar.weight] = weigh(mode, time, eta, this.#after);
    scalars[Scalar.interpolation] = interpolationOf(mode, time);
    const squareWeight = weightOfSquare(mode, time, applied, norm, this.#after);
    mode.constants(applied, eta, scalars, applied - time.momentumStart, squareWeight);
    this.#after.learningRate = eta;
    scalars[Scalar.learningRate] = eta;
    scalars[Scalar.lambda] = (this.config.tuner?.lambda ?? 0) / rescaling;
    scalars[Scalar.promiseLimit] = promiseOf(mode, loss);
    scalars[Scalar.catchUp] = catchUpOf(mode, time, loss);
    return squareWeight;
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
    return this.#idle(NaN, true);
  }

  /** The second, after the scan: all that the kernels need to know; or what became of the step. */
  begin(squares: number, factor: number, loss?: number, rate?: number): Begun | StepInfo {
    const { grads, scalars, summary } = this.engine;
    const { modes, form } = this.resolved;
    const step = this.time.iterations + 1;
    if (!Number.isFinite(squares)) return this.refuse(nonFiniteGradient(grads, this.resolved.tensors, step));
    const gradNorm = Math.sqrt(squares);
    const { clipScale, usedNorm } = clipping(this.engine, this.config.clip, gradNorm);
    if (isHuge(usedNorm)) return this.refuse(hugeGradient(usedNorm, step));
    if (this.undecided && squares === 0 && this.engine.kernels.scanExactly() === 0) {
      this.openWindow(step);
      return this.#idle(0);
    }
    scalars[Scalar.clipScale] = clipScale;
    const { kind, rescaling } = this.undecided
      ? judge(this.engine, this.resolved, this.time, this.exact)
      : { kind: this.time.gradients, rescaling: 1 };
    const eta = rate ?? this.#rate(step, gradNorm, kind) * factor;
    // With Δ as it is, S alone would move the parameters.
    if (eta === 0 && this.config.tuner) {
      this.time.learningRate = 0;
      return this.#idle(gradNorm);
    }
    if (form?.singularAtZero && summary[Summary.paramsSquaresMin] === 0) throw singular(step);
    const gradNormMax = Math.max(this.time.gradNormMax, usedNorm);
    const risky = couldOverflow(this.engine, this.resolved, modes[kind], eta, gradNormMax, rescaling);
    const before = risky ? new StateCopy(this.engine) : undefined;
    const clockBefore = kind === this.time.gradients ? undefined : { ...this.time };
    this.decide(kind, rescaling);
    const mode = modes[kind];
    const applied = step - this.time.skipped;
    const squareWeight = this.#prepare(mode, applied, usedNorm, eta, loss, rescaling);
    this.#after.gradNormMax = gradNormMax;
    scalars[mode.clipsLong ? Scalar.clipScale : Scalar.rate] *= shorten(
      mode,
      this.time,
      applied,
      usedNorm,
      this.#after,
      squareWeight,
    );
    return { step, gradNorm, before, clockBefore };
  }

  /** A gradient of 0 decides nothing and moves nothing; nor does a rate of 0, nor a step that is skipped. */
  #idle(gradNorm: number, skipped = false): StepInfo {
    this.time.skipped++;
    this.#tick();
    const info = this.#info(this.time.iterations, gradNorm, 0, skipped);
    return skipped ? info : this.withTensors(info, this.engine.params);
  }

  #info(step: number, gradNorm: number, h: number, skipped = false): StepInfo {
    return { step, learningRate: this.time.learningRate, gradNorm, h, scale: this.#meanScale, skipped };
  }

  /** The last, after the kernels' step. */
  end({ step, gradNorm, before, clockBefore }: Begun): StepInfo {
    const { kernels, summary } = this.engine;
    if (!Number.isFinite(summary[Summary.finiteCheck])) {
      before?.restore();
      this.takeUp(clockBefore ?? this.time, this.fresh);
      return this.refuse(leftRange(step));
    }
    const undone = this.writes.recordStep(this.engine);
    keep(this.#after, this.time);
    const info = this.withTensors(this.#info(step, gradNorm, summary[Summary.h]));
    const slope = summary[Summary.leadSlope];
    if (this.undecided && !this.resolved.rule.firstGradient)
      kernels.keepGradient(this.resolved.rule.bare.leadSlot);
    this.fresh = false;
    this.#tick();
    if (this.mode.shortensAverage) this.#lookBack(slope);
    // By now the step is whole.
    if (undone) throw writeUndone(step);
    return info;
  }

  /** Where the average forgets, its share of y falls. Neither moves: z comes nearer. */
  #lookBack(slope: number): void {
    const { mode, time, engine } = this;
    const before = behind(interpolationOf(mode, time));
    if (shortenAverage(mode, time, slope))
      engine.kernels.scaleSlot(mode.leadSlot, before / behind(interpolationOf(mode, time)));
  }

  /** η_t: the schedule (34), scaled by the gradient's norm (14) where that is asked for. */
  #rate(step: number, gradNorm: number, gradients: GradientKind): number {
    const { task, time } = this;
    const { windowStart: start } = time;
    const told = this.exact && gradients === "undecided" ? "exact" : gradients;
    const known = told === time.gradients;
    const end = known ? this.windowEnd : nextAnchor(this.resolved.modes[told].anchor, start);
    this.task ||= "step";
    let alpha: number;
    try {
      alpha = this.#schedule(step, { start, length: end - start, gradients: told });
    } finally {
      this.task = task;
    }
    if (!(Number.isFinite(alpha) && alpha >= 0)) {
      throw new RangeError(
        `base.learningRate: expected a finite number >= 0 at step ${step}, got ${show(alpha)}`,
      );
    }
    return this.config.normAdaptive ? alpha / (1 + gradNorm) : alpha;
  }

  /** Ends a step: counts it, and anchors where a window ends. */
  #tick(): void {
    this.time.iterations++;
    if (this.time.iterations % FLUSH_EVERY === 0) this.engine.kernels.flushMoments();
    if (this.time.iterations >= this.windowEnd) this.anchorHere();
  }
}
