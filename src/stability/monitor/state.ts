import { expectNumber, given } from "../../common/expect.js";
import { betasOf } from "../../bases/adam.js";
import { largest } from "../../common/extremes.js";
import type { Attempt } from "../../run/guard.js";
import type { RunInfo } from "../../run/options.js";
import { median, norm } from "../vectors.js";
import { BestLosses } from "./best-losses.js";
import { decayOf } from "./decay.js";
import type { Evidence } from "./evidence.js";
import { findingsOf } from "./findings.js";
import { LossTrend, SignalShare } from "./loss-trend.js";
import { lyapunovStep, toleranceFor, type Criterion } from "./lyapunov-step.js";
import type { LyapunovOptions, LyapunovSummary } from "./options.js";
import type { EvaluatedPoint, MonitorPoint } from "./point.js";
import { copyPoint, type PointCopy } from "./point-copy.js";
import { ProbeTracker } from "./probe.js";
import { RateHistory } from "./rate-history.js";
import { reachBudget, type ReachBudget } from "./reach-budget.js";
import { StepReports } from "./scales.js";
import { StepMeter } from "./steps.js";

/**
 * Every step of a run is measured that has at most so many parameters. Of a larger one the first are, then two in size / 125, and two
 * in ten while V rises.
 */
const SMALL = 4096;
const DENSE_START = 8;

/** All that a monitor remembers of a run. */
export class MonitorState {
  readonly #options: LyapunovOptions;
  readonly #window: number;
  readonly probe: ProbeTracker | undefined;
  #objective: LyapunovSummary["objective"] | undefined;
  /** Steps taken. */
  step = 0;
  /** A guard judges by the monitor, so that each step has to be measured. */
  dense = false;
  /** Where the step began that is to be measured. */
  #start: PointCopy | undefined;
  /** Arrays for the next copy. */
  #spare: PointCopy | undefined;
  /** The last point as it was shown, live. */
  #live: MonitorPoint | undefined;
  /** What steps are made of, where the run tells. */
  #config: MonitorPoint["config"];
  #deadUnits: Evidence["deadUnits"] = [];
  readonly #trend = new LossTrend();
  readonly #signal = new SignalShare();
  readonly #rates = new RateHistory();
  readonly #reports = new StepReports();
  readonly #steps: StepMeter;
  readonly #bestLosses: BestLosses;
  /** V before each of the last steps. */
  #values: number[] = [];
  #gradNorm = NaN;
  #nonFinite: Evidence["nonFinite"];
  #rejections = 0;
  #violations = 0;

  constructor(options: LyapunovOptions) {
    this.#options = options;
    this.#objective = options.objective;
    this.#window = expectNumber("lyapunovMonitor.window", options.window ?? 50, { min: 5, integer: true });
    this.#bestLosses = new BestLosses(this.#window);
    this.#steps = new StepMeter(options, this.#window);
    this.probe = options.probe && new ProbeTracker("lyapunovMonitor.probe", options.probe);
  }

  get #floor(): number {
    return this.#options.budget?.floor ?? 0;
  }

  get #noisy(): boolean {
    return this.#objective !== "fullBatch";
  }

  get #criterion(): Partial<Criterion> {
    const { sufficient, tolerance, kink } = this.#options;
    return given({ sufficient, tolerance, kink });
  }

  /** Is the step from this point to be measured? */
  #isDue({ step, loss, params: { length } }: MonitorPoint): boolean {
    if (length === 0) return false;
    const every = this.#options.every ?? (length <= SMALL ? 1 : Math.ceil(length / 125));
    const rises = !this.#noisy && loss > this.#values[this.#values.length - 1];
    return this.dense || step <= DENSE_START || step % (rises ? Math.min(10, every) : every) <= 1;
  }

  /** Loss and gradient at a point, which the step before it ended at and the next one begins at. */
  beforeStep(point: MonitorPoint): void {
    this.#objective ??= point.deterministic === false ? "batch" : "fullBatch";
    this.step = point.step - 1;
    this.#config ??= point.config;
    this.#deadUnits = point.deadUnits ?? this.#deadUnits;
    this.#live = point;
    // A run may show its losses alone.
    const shown = point.params.length > 0;
    const due = this.#isDue(point);
    const gradNorm = due ? norm(point.grads) : undefined;
    if (!Number.isFinite(point.loss) || !Number.isFinite(gradNorm ?? 0)) {
      const what = Number.isFinite(point.loss) ? "gradient" : `loss (${point.loss})`;
      this.#nonFinite ??= { step: point.step, what };
      this.#forgetStart();
      return;
    }
    if (shown && !this.#steps.history) this.#steps.begin(point);
    if (this.#noisy) this.#steps.blocks.addLoss(point.loss);
    if (this.#start && this.#objective !== "sameBatch") {
      if (this.#start.step === point.step - 1) this.#measure(this.#start, point, !this.#noisy);
      this.#forgetStart();
    }
    this.probe?.measure(this.step, point.params as Float32Array);
    this.#follow(point, gradNorm);
    this.#start = due ? copyPoint(point, this.#spare) : undefined;
    if (due) this.#spare = undefined;
  }

  /** Is the step to tell of its tensors, which is not measured: of a large network's one in size / 4096. */
  watches(step: number): boolean {
    const { length = 0 } = this.#live?.params ?? {};
    return !this.#start && this.#steps.areTold && step % Math.ceil(length / SMALL) === 0;
  }

  #forgetStart(): void {
    this.#spare = this.#start ?? this.#spare;
    this.#start = undefined;
  }

  #follow({ loss, grads, step }: MonitorPoint, gradNorm: number | undefined): void {
    this.#trend.add(loss, step, this.#noisy);
    if (gradNorm !== undefined) {
      if (this.#noisy) this.#signal.add(grads);
      this.#gradNorm = this.#noisy ? Math.sqrt(this.#signal.signal) : gradNorm;
      this.#reports.addGradNorm(gradNorm);
    }
    this.#bestLosses.add(this.#trend.best);
    this.#values.push(loss);
    if (this.#values.length > (this.#options.memory ?? 10)) this.#values.shift();
  }

  /** β of the base's momentum. */
  get momentum(): number {
    if (this.#options.momentum !== undefined) return this.#options.momentum;
    const base = this.#config?.base as { momentum?: number; beta1?: number } | undefined;
    // Where Adam's is left out, it is the larger of what it may be.
    return base?.momentum ?? (base && "beta1" in base ? betasOf(base).beta1 : 0);
  }

  afterStep(info: RunInfo): void {
    const { step, loss, gradNorm, learningRate, scale, lossAfter, tensors } = info;
    const { skipped, violated, rejections } = info;
    this.step = step;
    this.#rejections += rejections;
    if (violated) this.#violations += Math.max(1, rejections);
    if (skipped) {
      this.#nonFinite ??= { step, what: "loss or gradient (skipped)" };
      return;
    }
    this.#rates.add(step, learningRate, scale);
    this.#reports.addStep(learningRate, scale);
    if (!this.#start && this.#live) {
      this.#reports.addGradNorm(gradNorm);
      if (!this.#noisy) this.#gradNorm = gradNorm;
      if (tensors) this.#steps.addTold(tensors, loss, this.#trend.first);
    }
    if (lossAfter === undefined) return;
    const open = this.#options.objective === undefined && this.#objective === "batch";
    if (open && !this.probe) this.#objective = "sameBatch";
    if (this.#objective !== "sameBatch" || !this.#start || !this.#live) return;
    // The guard asked for the loss where the step ended, and the gradient came with it.
    this.#measure(this.#start, { ...this.#live, loss: lossAfter }, true);
  }

  #measure(start: PointCopy, end: EvaluatedPoint, same: boolean): void {
    const { momentum } = this;
    this.#steps.measure(start, end, same, { first: this.#trend.first, rate: this.#rates.last, momentum });
  }

  /** The judgement of a run's guard on an attempt to step. */
  violates(policy: "warn" | "shrink" | "reject" | "guard", { before, after, params }: Attempt): boolean {
    if (!this.#start) return !(after <= before);
    const slack = (this.#options.tolerance ?? toleranceFor(params)) * Math.max(1, Math.abs(before));
    if (policy === "guard") return after > largest(this.#values) + slack;
    const start = { ...this.#start, loss: before };
    const { status } = lyapunovStep(start, { loss: after, params }, this.#criterion);
    return status === "violation" || (policy === "reject" && status === "stall");
  }

  #budget(): ReachBudget | undefined {
    const { budget } = this.#options;
    const schedule = budget?.schedule ?? this.#rates.decay(this.step);
    if (!schedule || !Number.isFinite(this.#trend.now)) return undefined;
    const { step } = this;
    return reachBudget({ ...budget, schedule, step, gradNorm: this.#gradNorm, loss: this.#trend.now });
  }

  /** The loss fell of late, or over a quarter of a long run. */
  get #progress(): boolean {
    const { best, first } = this.#trend;
    const { recent, earlier } = this.#bestLosses;
    // Networks at the edge make their way slowly, over hundreds of steps (Cohen et al., arXiv 2103.00065).
    const long = this.step >= 4 * this.#window;
    const fell = (from: number) => from - best > 0.05 * Math.abs(from);
    return recent - best > Math.max(1e-3 * (first - best), 0) || fell(recent) || (long && fell(earlier));
  }

  /**
   * Momentum swings to and fro before it settles, for some 5 / (1 − β) steps. That V rises meanwhile says nothing, as long as what
   * steps do along themselves is within the edge.
   */
  get #swings(): boolean {
    if (this.momentum === 0 || this.#noisy || this.step > 5 / (1 - this.momentum)) return false;
    const descents = this.#steps.records.filter(({ predicted }) => predicted < 0);
    return !(median(descents.map(({ ratio }) => 1 - ratio)) > 1);
  }

  /** A gradient that is not finite makes the step throw, before anything is known of it. */
  #lookAtLast(): void {
    const { step = 0, grads = [] } = this.#live ?? {};
    if (this.#nonFinite || this.#start || this.step >= step) return;
    if (!Number.isFinite(norm(grads))) this.#nonFinite = { step, what: "gradient" };
  }

  #evidence(): Evidence {
    const trend = this.#trend;
    const swings = this.#swings;
    this.#lookAtLast();
    const { bestStep, first, now, early } = trend;
    const tolerance = this.#options.tolerance ?? toleranceFor(this.#live?.params ?? []);
    const layers = this.#steps.history?.evidence ?? [];
    const seen = this.#reports.summary;
    const { records, steepnessFirst, steepnessMax } = this.#steps;
    return {
      step: this.#nonFinite?.step ?? this.step,
      ...{ records, first, now, early },
      noisy: this.#noisy,
      floor: this.#floor,
      best: trend.best,
      regressed: !swings && trend.regressed(this.#noisy, tolerance),
      spiked: !swings && trend.spiked(this.#noisy, tolerance, this.#floor),
      swings,
      recovered: trend.recovered(this.#floor),
      shareAboveFirst: trend.shareAboveFirst,
      overreach: this.#steps.overreach.summary,
      peak: { loss: trend.peak, step: trend.peakStep },
      stepsSinceBest: this.step - bestStep,
      progress: this.#progress,
      converged: first > this.#floor && now - this.#floor <= 1e-5 * (first - this.#floor),
      gradNorm: this.#gradNorm,
      gradNormMax: seen.gradNormMax,
      signalShare: this.#noisy ? this.#signal.share : 1,
      nonFinite: this.#nonFinite,
      budget: this.#budget(),
      probe: this.probe?.summary(),
      rejections: this.#rejections,
      window: this.#window,
      layers,
      deadUnits: this.#deadUnits,
      seen,
      steepness: { first: steepnessFirst, max: steepnessMax },
      updateRatio: this.#steps.history?.updateRatio ?? NaN,
      momentum: this.momentum,
      tuned: Boolean(this.#config?.tuner),
      decay: decayOf(this.#config, this.#steps.history, this.#gradNorm, seen),
      wrongSign: this.#steps.wrongSign(this.#noisy),
    };
  }

  summary(): LyapunovSummary {
    const evidence = this.#evidence();
    const findings = findingsOf(evidence);
    const measured = this.#steps.records.filter(({ status }) => status !== "unknown");
    const descents = measured.filter(({ predicted }) => predicted < 0);
    const known = (value: number) => (Number.isFinite(value) ? value : undefined);
    const { best, first, now } = this.#trend;
    return {
      verdict: findings.find(({ severity }) => severity === "problem")?.code ?? "healthy",
      findings,
      steps: this.step,
      objective: this.#objective,
      loss: { first, best, now },
      gradNorm: this.#gradNorm,
      counts: { ...this.#steps.counts },
      ratio: known(median(descents.map(({ ratio }) => ratio))),
      edge: known(median(descents.map(({ ratio }) => 1 - ratio))),
      smoothness: known(largest(measured.slice(-20).map(({ smoothness }) => smoothness))),
      violations: this.#violations,
      rejections: this.#rejections,
      signalShare: this.#noisy ? evidence.signalShare : undefined,
      budget: evidence.budget,
      probe: evidence.probe,
      last: this.#steps.records.at(-1),
    };
  }
}
