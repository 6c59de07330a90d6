import { expectNumber, isKind } from "../../common/expect.js";
import { largest } from "../../common/extremes.js";
import type { Attempt } from "../../run/guard.js";
import type { RunInfo } from "../../run/options.js";
import { reachBudget, type ReachBudget } from "./reach-budget.js";
import type { Evidence } from "./evidence.js";
import { findingsOf } from "./findings.js";
import { lyapunovStep, toleranceFor, type Criterion } from "./lyapunov-step.js";
import { Lows } from "./best-losses.js";
import type { LyapunovOptions, LyapunovReport, MonitorPoint } from "./options.js";
import { ProbeWatch } from "./probe.js";
import { Promises } from "./predicted-reductions.js";
import { RateHistory } from "./rate-history.js";
import type { StepRecord } from "./record.js";
import { SignalShare, Trend } from "./loss-trend.js";
import { median, norm } from "../vectors.js";

/** x_t, g_t and V(x_t), copied. */
interface Copied {
  readonly step: number;
  readonly loss: number;
  readonly params: Float32Array | Float64Array;
  readonly grads: Float32Array | Float64Array;
}

const LEMMA_WINDOW = 20;

const copyOf = (values: ArrayLike<number>): Float32Array | Float64Array =>
  isKind(values, "Float32Array") ? values.slice() : Float64Array.from(values);

/** All that a monitor remembers. */
export class Watch {
  readonly #options: LyapunovOptions;
  readonly #window: number;
  readonly probe: ProbeWatch | undefined;
  #objective: LyapunovReport["objective"] | undefined;
  #here: Copied | undefined;
  /** Steps taken. */
  step = 0;
  #records: StepRecord[] = [];
  #counts = { ok: 0, stall: 0, violation: 0, converged: 0, unknown: 0 };
  readonly #trend = new Trend();
  readonly #signal = new SignalShare();
  readonly #rates = new RateHistory();
  readonly #promises: Promises;
  readonly #lows: Lows;
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
    this.#lows = new Lows(this.#window);
    this.#promises = new Promises(this.#floor, this.#window);
    this.probe = options.probe && new ProbeWatch("lyapunovMonitor.probe", options.probe);
  }

  get #floor(): number {
    return this.#options.budget?.floor ?? 0;
  }

  get #noisy(): boolean {
    return this.#objective !== "fullBatch";
  }

  get #criterion(): Partial<Criterion> {
    const { sufficient, tolerance, kink } = this.#options;
    const given = { sufficient, tolerance, kink };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  }

  at(point: MonitorPoint): void {
    this.#objective ??= point.deterministic === false ? "batch" : "fullBatch";
    this.step = point.step - 1;
    const gradNorm = norm(point.grads);
    if (!Number.isFinite(point.loss) || !Number.isFinite(gradNorm)) {
      const what = Number.isFinite(point.loss) ? "gradient" : `loss (${point.loss})`;
      this.#nonFinite ??= { step: point.step, what };
      this.#here = undefined;
      return;
    }
    if (this.#here && this.#objective !== "sameBatch") this.#arrive(this.#here, point);
    this.probe?.look(this.step, point.params as Float32Array);
    this.#follow(point, gradNorm);
    this.#here = {
      step: point.step,
      loss: point.loss,
      params: copyOf(point.params),
      grads: copyOf(point.grads),
    };
    this.#live = point.params;
    this.#liveGrads = point.grads;
  }

  /** The views that the optimizer writes to. */
  #live: ArrayLike<number> = [];
  #liveGrads: ArrayLike<number> = [];

  #follow({ loss, grads, step }: MonitorPoint, gradNorm: number): void {
    this.#trend.add(loss, step, this.#noisy);
    if (this.#noisy) this.#signal.add(grads);
    this.#gradNorm = this.#noisy ? Math.sqrt(this.#signal.signal) : gradNorm;
    this.#gradNormMax = Math.max(this.#gradNormMax, gradNorm);
    this.#lows.add(this.#trend.best);
    this.#values = [...this.#values, loss].slice(-(this.#options.memory ?? 10));
  }

  /** A step ended at `point`, on the same objective or on another batch. */
  #arrive(from: Copied, point: Pick<MonitorPoint, "loss" | "params" | "grads">, same = !this.#noisy): void {
    const measure = lyapunovStep(from, point, this.#criterion);
    const betas = this.#records.slice(-LEMMA_WINDOW).map(({ smoothness }) => smoothness);
    const beta = largest(betas.filter((value) => !Number.isNaN(value)));
    const bound = measure.predicted + (beta / 2) * measure.distance ** 2;
    const slack = toleranceFor(from.params) * Math.max(1, Math.abs(from.loss));
    this.#add({
      ...measure,
      ...(same ? {} : { change: NaN, ratio: NaN, smoothness: NaN, status: "unknown", kink: undefined }),
      step: from.step,
      before: from.loss,
      after: same ? point.loss : NaN,
      descentLemma: same && Number.isFinite(beta) ? measure.change <= bound + slack : undefined,
      flow: -this.#rates.last * measure.gradNorm ** 2,
    });
  }

  #add(record: StepRecord): void {
    this.#counts[record.status]++;
    this.#promises.add(record.step, record.predicted, record.before, this.#trend.first);
    this.#records = [...this.#records, record].slice(-this.#window);
    this.#options.onStep?.(record);
  }

  after(info: RunInfo): void {
    this.step = info.step;
    this.#rejections += info.rejections;
    if (info.violated) this.#violations += Math.max(1, info.rejections);
    if (info.skipped) {
      this.#nonFinite ??= { step: info.step, what: "loss or gradient (skipped)" };
      return;
    }
    this.#rates.add(info.step, info.learningRate, info.scale);
    const { lossAfter } = info;
    if (
      this.#options.objective === undefined &&
      this.#objective === "batch" &&
      lossAfter !== undefined &&
      !this.probe
    )
      this.#objective = "sameBatch";
    if (this.#objective !== "sameBatch" || !this.#here || lossAfter === undefined) return;
    const arrival = { loss: lossAfter, params: this.#live, grads: this.#liveGrads };
    this.#arrive(this.#here, arrival, true);
  }

  /** What a guard asks: is this step to be counted, shortened or taken back? */
  violates(policy: "warn" | "shrink" | "reject" | "guard", { before, after, params }: Attempt): boolean {
    if (!this.#here) return !(after <= before);
    const slack = (this.#options.tolerance ?? toleranceFor(params)) * Math.max(1, Math.abs(before));
    if (policy === "guard") return after > largest(this.#values) + slack;
    const { status } = lyapunovStep(
      { ...this.#here, loss: before },
      { loss: after, params },
      this.#criterion,
    );
    return status === "violation" || (policy === "reject" && status === "stall");
  }

  #budget(): ReachBudget | undefined {
    const { budget } = this.#options;
    const schedule = budget?.schedule ?? this.#rates.decay(this.step);
    if (!schedule || !Number.isFinite(this.#trend.now)) return undefined;
    const { step } = this;
    return reachBudget({ ...budget, schedule, step, gradNorm: this.#gradNorm, loss: this.#trend.now });
  }

  #evidence(): Evidence {
    const { best, bestStep, first, now } = this.#trend;
    const { recent, earlier } = this.#lows;
    // Networks at the edge make their way slowly, over hundreds of steps (Cohen et al., arXiv 2103.00065).
    const long = this.step >= 4 * this.#window;
    const fell = (from: number) => from - best > 0.05 * Math.abs(from);
    const tolerance = this.#options.tolerance ?? toleranceFor(this.#here?.params ?? []);
    return {
      step: this.#nonFinite?.step ?? this.step,
      records: this.#records,
      noisy: this.#noisy,
      first,
      now,
      lost: this.#trend.lost(this.#noisy, tolerance),
      leapt: this.#trend.leapt(this.#noisy, tolerance),
      recovered: this.#trend.recovered(this.#floor),
      above: this.#trend.above,
      promises: this.#promises.count,
      peak: { loss: this.#trend.peak, step: this.#trend.peakStep },
      stale: this.step - bestStep,
      progress: recent - best > Math.max(1e-3 * (first - best), 0) || fell(recent) || (long && fell(earlier)),
      arrived: first > this.#floor && now - this.#floor <= 1e-5 * (first - this.#floor),
      gradNorm: this.#gradNorm,
      gradNormMax: this.#gradNormMax,
      signalShare: this.#noisy ? this.#signal.share : 1,
      nonFinite: this.#nonFinite,
      budget: this.#budget(),
      probe: this.probe?.report(),
      rejections: this.#rejections,
      window: this.#window,
    };
  }

  report(): LyapunovReport {
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
