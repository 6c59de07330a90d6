import { expectNumber, given, isKind } from "../../common/expect.js";
import { largest } from "../../common/extremes.js";
import type { Attempt } from "../../run/guard.js";
import type { RunInfo } from "../../run/options.js";
import { median, norm } from "../vectors.js";
import { BestLosses } from "./best-losses.js";
import type { Evidence } from "./evidence.js";
import { findingsOf } from "./findings.js";
import { LossTrend, SignalShare } from "./loss-trend.js";
import { lyapunovStep, toleranceFor, type Criterion, type EvaluatedPoint } from "./lyapunov-step.js";
import type { LyapunovOptions, LyapunovSummary, MonitorPoint } from "./options.js";
import { Overreach } from "./overreach.js";
import { ProbeTracker } from "./probe.js";
import { RateHistory } from "./rate-history.js";
import { reachBudget, type ReachBudget } from "./reach-budget.js";
import type { StepRecord } from "./record.js";

/** x_t, g_t and V(x_t), copied. */
interface PointCopy extends EvaluatedPoint {
  readonly step: number;
  readonly params: Float32Array | Float64Array;
  readonly grads: Float32Array | Float64Array;
}

/** Steps whose β̂ counts for the descent lemma. */
const LEMMA_WINDOW = 20;

const copyOf = (values: ArrayLike<number>): Float32Array | Float64Array =>
  isKind(values, "Float32Array") ? values.slice() : Float64Array.from(values);

/** All that a monitor remembers of a run. */
export class MonitorState {
  readonly #options: LyapunovOptions;
  readonly #window: number;
  readonly probe: ProbeTracker | undefined;
  #objective: LyapunovSummary["objective"] | undefined;
  /** Steps taken. */
  step = 0;
  /** Where the next step begins; undefined where loss or gradient are not finite. */
  #start: PointCopy | undefined;
  /** The views that the optimizer writes to. */
  #live: Pick<EvaluatedPoint, "params" | "grads"> = { params: [], grads: [] };
  #records: StepRecord[] = [];
  #counts = { ok: 0, stall: 0, violation: 0, converged: 0, unknown: 0 };
  readonly #trend = new LossTrend();
  readonly #signal = new SignalShare();
  readonly #rates = new RateHistory();
  readonly #overreach: Overreach;
  readonly #bestLosses: BestLosses;
  /** V before each of the last steps. */
  #values: number[] = [];
  #gradNorm = NaN;
  #gradNormMax = 0;
  #nonFinite: Evidence["nonFinite"];
  #rejections = 0;
  #violations = 0;

  constructor(options: LyapunovOptions) {
    this.#options = options;
    this.#objective = options.objective;
    this.#window = expectNumber("lyapunovMonitor.window", options.window ?? 50, { min: 5, integer: true });
    this.#bestLosses = new BestLosses(this.#window);
    this.#overreach = new Overreach(this.#floor, this.#window);
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

  /** Loss and gradient at a point, which the step before it ended at and the next one begins at. */
  beforeStep(point: MonitorPoint): void {
    this.#objective ??= point.deterministic === false ? "batch" : "fullBatch";
    this.step = point.step - 1;
    const gradNorm = norm(point.grads);
    if (!Number.isFinite(point.loss) || !Number.isFinite(gradNorm)) {
      const what = Number.isFinite(point.loss) ? "gradient" : `loss (${point.loss})`;
      this.#nonFinite ??= { step: point.step, what };
      this.#start = undefined;
      return;
    }
    if (this.#start && this.#objective !== "sameBatch") this.#measure(this.#start, point, !this.#noisy);
    this.probe?.measure(this.step, point.params as Float32Array);
    this.#follow(point, gradNorm);
    const { step, loss, params, grads } = point;
    this.#start = { step, loss, params: copyOf(params), grads: copyOf(grads) };
    this.#live = { params, grads };
  }

  #follow({ loss, grads, step }: MonitorPoint, gradNorm: number): void {
    this.#trend.add(loss, step, this.#noisy);
    if (this.#noisy) this.#signal.add(grads);
    this.#gradNorm = this.#noisy ? Math.sqrt(this.#signal.signal) : gradNorm;
    this.#gradNormMax = Math.max(this.#gradNormMax, gradNorm);
    this.#bestLosses.add(this.#trend.best);
    this.#values = [...this.#values, loss].slice(-(this.#options.memory ?? 10));
  }

  /** A step from `start` to `end`; `same` says that both losses are of the same objective. */
  #measure(start: PointCopy, end: EvaluatedPoint, same: boolean): void {
    const measure = lyapunovStep(start, end, this.#criterion);
    const betas = this.#records.slice(-LEMMA_WINDOW).map(({ smoothness }) => smoothness);
    const beta = largest(betas.filter((value) => !Number.isNaN(value)));
    const bound = measure.predicted + (beta / 2) * measure.distance ** 2;
    const slack = toleranceFor(start.params) * Math.max(1, Math.abs(start.loss));
    this.#add({
      ...measure,
      ...(same ? {} : { change: NaN, ratio: NaN, smoothness: NaN, status: "unknown", kink: undefined }),
      step: start.step,
      before: start.loss,
      after: same ? end.loss : NaN,
      descentLemma: same && Number.isFinite(beta) ? measure.change <= bound + slack : undefined,
      flow: -this.#rates.last * measure.gradNorm ** 2,
    });
  }

  #add(record: StepRecord): void {
    this.#counts[record.status]++;
    this.#overreach.add(record.step, record.predicted, record.before, this.#trend.first);
    this.#records = [...this.#records, record].slice(-this.#window);
    this.#options.onStep?.(record);
  }

  afterStep({ step, skipped, learningRate, scale, lossAfter, rejections, violated }: RunInfo): void {
    this.step = step;
    this.#rejections += rejections;
    if (violated) this.#violations += Math.max(1, rejections);
    if (skipped) {
      this.#nonFinite ??= { step, what: "loss or gradient (skipped)" };
      return;
    }
    this.#rates.add(step, learningRate, scale);
    if (lossAfter === undefined) return;
    const open = this.#options.objective === undefined && this.#objective === "batch";
    if (open && !this.probe) this.#objective = "sameBatch";
    if (this.#objective !== "sameBatch" || !this.#start) return;
    this.#measure(this.#start, { loss: lossAfter, ...this.#live }, true);
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

  #evidence(): Evidence {
    const trend = this.#trend;
    const { bestStep, first, now } = trend;
    const tolerance = this.#options.tolerance ?? toleranceFor(this.#start?.params ?? []);
    return {
      step: this.#nonFinite?.step ?? this.step,
      records: this.#records,
      noisy: this.#noisy,
      first,
      now,
      regressed: trend.regressed(this.#noisy, tolerance),
      spiked: trend.spiked(this.#noisy, tolerance),
      recovered: trend.recovered(this.#floor),
      shareAboveFirst: trend.shareAboveFirst,
      overreach: this.#overreach.summary,
      peak: { loss: trend.peak, step: trend.peakStep },
      stepsSinceBest: this.step - bestStep,
      progress: this.#progress,
      converged: first > this.#floor && now - this.#floor <= 1e-5 * (first - this.#floor),
      gradNorm: this.#gradNorm,
      gradNormMax: this.#gradNormMax,
      signalShare: this.#noisy ? this.#signal.share : 1,
      nonFinite: this.#nonFinite,
      budget: this.#budget(),
      probe: this.probe?.summary(),
      rejections: this.#rejections,
      window: this.#window,
    };
  }

  summary(): LyapunovSummary {
    const evidence = this.#evidence();
    const findings = findingsOf(evidence);
    const measured = this.#records.filter(({ status }) => status !== "unknown");
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
      counts: { ...this.#counts },
      ratio: known(median(descents.map(({ ratio }) => ratio))),
      edge: known(median(descents.map(({ ratio }) => 1 - ratio))),
      smoothness: known(largest(measured.slice(-LEMMA_WINDOW).map(({ smoothness }) => smoothness))),
      violations: this.#violations,
      rejections: this.#rejections,
      signalShare: this.#noisy ? evidence.signalShare : undefined,
      budget: evidence.budget,
      probe: evidence.probe,
      last: this.#records.at(-1),
    };
  }
}
