import { given } from "../../common/expect.js";
import { largest } from "../../common/extremes.js";
import type { TensorStep } from "../../stepper/info.js";
import { layersOf, sumStep, type StepSums } from "./layers.js";
import { CRITERION, measureOf, toleranceFor, type Criterion, type StepMeasure } from "./lyapunov-step.js";
import type { LyapunovOptions } from "./options.js";
import { Overreach } from "./overreach.js";
import type { EvaluatedPoint, MonitorPoint } from "./point.js";
import type { PointCopy } from "./point-copy.js";
import type { StepRecord } from "./record.js";
import { BlockAccounts, turnedLayers, type Account, type WrongSign } from "./sign-test.js";
import { StepHistory } from "./step-history.js";

const KEYS = ["gg", "dd", "xx", "gd", "xd", "arrival"] as const satisfies readonly (keyof StepSums)[];

/** ‖g‖ ‖x‖ / V, with V over its floor. */
function steepness(sums: readonly StepSums[], height: number): number {
  const total = (of: "gg" | "xx") => sums.reduce((sum, layer) => sum + layer[of], 0);
  return height > 0 ? Math.sqrt(total("gg") * total("xx")) / height : 0;
}

/** Steps whose β̂ counts for the descent lemma. */
const LEMMA_WINDOW = 20;

/** What is known of a run besides the step: its first loss, the rate of the last step, and β of the momentum. */
interface Around {
  readonly first: number;
  readonly rate: number;
  readonly momentum: number;
}

/** Measures steps, and keeps what the last ones were like. */
export class StepMeter {
  readonly records: StepRecord[] = [];
  readonly counts = { ok: 0, stall: 0, violation: 0, converged: 0, unknown: 0 };
  readonly overreach: Overreach;
  readonly blocks = new BlockAccounts();
  /** From the first point on that shows parameters. */
  history: StepHistory | undefined;
  /** ‖g‖ ‖x‖ / V at the first point, and at most. */
  steepnessFirst = NaN;
  steepnessMax = 0;
  /** Of the first steps and of the last: a wrong sign may lead to where no step tells any more. */
  readonly #early: Account[] = [];
  readonly #late: Account[] = [];
  readonly #options: LyapunovOptions;
  readonly #window: number;
  readonly #floor: number;

  constructor(options: LyapunovOptions, window: number) {
    this.#options = options;
    this.#window = window;
    this.#floor = options.budget?.floor ?? 0;
    this.overreach = new Overreach(this.#floor, window);
  }

  get #criterion(): Partial<Criterion> {
    const { sufficient, tolerance, kink } = this.#options;
    return given({ sufficient, tolerance, kink });
  }

  begin(point: MonitorPoint): void {
    const history = new StepHistory(layersOf(point, this.#options.layers), this.#window);
    const sums = history.layers.map(({ first, last }) => sumStep(point, point, first, last));
    history.begin(sums);
    this.history = history;
    this.steepnessFirst = this.steepnessMax = steepness(sums, point.loss - this.#floor);
  }

  /** Do the optimizer's steps tell of all layers that move? */
  get areTold(): boolean {
    return this.history?.layers.some(({ told }) => told) ?? false;
  }

  /** A step that is not measured, at that loss. */
  addTold(tensors: readonly TensorStep[], loss: number, first: number): void {
    if (this.areTold) this.#addSteepness(this.history!.addTold(tensors), loss, first);
  }

  #addSteepness(sums: readonly StepSums[], loss: number, first: number): void {
    const height = Math.max(loss - this.#floor, 0.1 * (first - this.#floor));
    this.steepnessMax = Math.max(this.steepnessMax, steepness(sums, height));
  }

  /** A step from `start` to `end`; `same` says that both losses are of the same objective. */
  measure(start: PointCopy, end: EvaluatedPoint, same: boolean, around: Around): void {
    const history = this.history!;
    const alive = history.nextAlive();
    const sums = history.layers.map(({ first, last }) => sumStep(start, end, first, last, alive));
    history.add(sums);
    const total = (of: (typeof KEYS)[number]) => sums.reduce((sum, layer) => sum + layer[of], 0);
    const [gg, dd, xx, gd, xd, arrival] = KEYS.map(total);
    const criterion = { ...CRITERION, tolerance: toleranceFor(start.params), ...this.#criterion };
    const measure = measureOf({ gg, dd, xx, gd, xd, arrival }, start.loss, end.loss, criterion);
    if (!Number.isNaN(arrival)) {
      const parts = sums.map((layer) => (layer.gd + layer.arrival) / 2);
      const noise = (8 * criterion.tolerance * Math.max(1, Math.abs(start.loss))) ** 2;
      if (same) this.#addAccount({ change: measure.change, parts, noise });
      // g·d is of the gradient that made the step, and so of its noise; g'·d is not.
      if (!same) this.blocks.addParts(sums.map((layer) => layer.arrival));
    }
    const betas = this.records.slice(-LEMMA_WINDOW).map(({ smoothness }) => smoothness);
    const beta = largest(betas.filter((value) => !Number.isNaN(value)));
    const bound = measure.predicted + (beta / 2) * measure.distance ** 2;
    const slack = toleranceFor(start.params) * Math.max(1, Math.abs(start.loss));
    this.#addSteepness(sums, start.loss, around.first);
    const record: StepRecord = {
      ...measure,
      ...(same ? {} : { change: NaN, ratio: NaN, smoothness: NaN, status: "unknown", kink: undefined }),
      step: start.step,
      before: start.loss,
      after: same ? end.loss : NaN,
      energyChange: same ? this.#energyChange(measure, start.step, gg, around.momentum) : NaN,
      descentLemma: same && Number.isFinite(beta) ? measure.change <= bound + slack : undefined,
      flow: -around.rate * measure.gradNorm ** 2,
    };
    this.#add(record, around.first);
  }

  /**
   * ΔE for E = V + β ‖d‖² / 2η, with d the step that led to x (heavy ball: Ochs et al., arXiv 1404.4805). What a step takes of the
   * gradient is f = d − β d', with d' the step before: η = −f·g / ‖g‖².
   */
  #energyChange(measure: StepMeasure, step: number, gg: number, momentum: number): number {
    const last = this.records.at(-1);
    if (momentum === 0 || last?.step !== step - 1 || last.overshoot === undefined) return measure.change;
    const fresh = measure.predicted + momentum * last.overshoot * last.predicted;
    const kinetic = (momentum / 2) * (gg / -fresh) * (measure.distance ** 2 - last.distance ** 2);
    return fresh < 0 ? measure.change + kinetic : measure.change;
  }

  #add(record: StepRecord, first: number): void {
    this.counts[record.status]++;
    this.overreach.add(record.step, record.predicted, record.before, first);
    this.records.push(record);
    if (this.records.length > this.#window) this.records.shift();
    this.#options.onStep?.(record);
  }

  #addAccount(account: Account): void {
    if (this.#early.length < this.#window) this.#early.push(account);
    this.#late.push(account);
    if (this.#late.length > this.#window) this.#late.shift();
  }

  /** Layers whose gradient has the wrong sign. */
  wrongSign(noisy: boolean): WrongSign | undefined {
    const { layers } = this.history ?? {};
    if (!layers) return undefined;
    if (!noisy) return turnedLayers(this.#late, layers, false) ?? turnedLayers(this.#early, layers, false);
    return turnedLayers(this.blocks.accounts, layers, true) ?? this.blocks.vainLayer(layers, this.#floor);
  }
}
