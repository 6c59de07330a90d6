import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Variable } from "@tensorflow/tfjs-core";
import type { LearningRate } from "../../bases/base.js";
import { OptimizerError } from "../../common/errors.js";
import { expectNumber } from "../../common/expect.js";
import { KINDS, type GradientKind } from "../../common/kinds.js";
import type { Resolved } from "../../stepper/config.js";
import type { StepInfo } from "../../stepper/info.js";
import { nextAnchor } from "../../tuners/tuners.js";
import type { Value } from "../arrays/algebra.js";
import { clockAt } from "../arrays/clock.js";
import { planOf } from "../arrays/plan.js";
import { fromBytes, toBytes } from "./device-state.js";
import { flat, tidied, type DeviceRun, type DeviceState, type Report } from "./device-step.js";
import type { Reader } from "./reading.js";
import { RunawayWatch } from "./runaway.js";
import { Training, type Loss } from "./training.js";
import type { Found, VariableList } from "./variables.js";

/** A learning rate; undefined: the default, which depends on what gradients are. */
export type DeviceRate = () => LearningRate | undefined;

/**
 * For backends on a GPU: steps where the variables are. Nothing is read in a step. What the host wants to know of one
 * arrives later, on its own.
 */
export class DeviceTraining extends Training {
  readonly copies = false;
  readonly stale = false;
  readonly #resolved: Resolved;
  readonly #run: DeviceRun;
  readonly #rate: DeviceRate;
  readonly #running: readonly Variable[];
  readonly #state: DeviceState;
  #iterations = 0;
  #learningRate = 0;
  #reported: StepInfo | undefined;
  /** Steps known not to have been taken, and those that were told of. */
  #skipped = 0;
  #told = 0;
  #kind: GradientKind;
  #arrival: Promise<void> | undefined;
  #disposed = false;
  readonly #runaway = new RunawayWatch();

  /** `make`: how steps are taken. */
  constructor(
    list: VariableList,
    resolved: Resolved,
    rate: DeviceRate,
    make: (run: DeviceRun) => DeviceState,
  ) {
    super(list, resolved.config);
    this.#resolved = resolved;
    this.#rate = rate;
    this.#running = list.variables.filter((_, k) => !this.frozen[k]);
    const plan = planOf({}, resolved);
    this.#kind = plan.kind ?? "undecided";
    const size = this.#running.reduce((sum, { size }) => sum + size, 0);
    this.#run = {
      plan,
      size,
      multiplier: this.#each("learningRate"),
      weightDecay: this.#each("weightDecay"),
    };
    this.#state = tidied(() => make(this.#run));
  }

  /** A number where all variables have the same, else a vector, which is kept. */
  #each(key: "learningRate" | "weightDecay"): Value<Tensor> {
    const running = this.config.tensors.filter(({ frozen }) => !frozen);
    if (running.every((tensor) => tensor[key] === running[0][key])) return running[0][key];
    const parts = () => running.map((tensor, k) => tf.fill([this.#running[k].size], tensor[key]));
    return tf.tidy(() => tf.keep(tf.concat(parts())));
  }

  get clock() {
    return { iterations: this.#iterations, gradients: this.#kind, learningRate: this.#learningRate };
  }

  override get latest(): StepInfo | undefined {
    return this.#reported;
  }

  /** As far as it has arrived. */
  get scale(): number {
    return this.#reported?.scale ?? (this.#run.plan.tuner ? 0 : 1);
  }

  // Others yield what is to be read; here it is read later.
  *step(found: Found, loss: Loss): Reader<StepInfo> {
    const gradients = this.list.match(found).filter((_, k) => !this.frozen[k]);
    this.#expectFinite();
    this.#advance(gradients, loss);
    const unknown = { gradNorm: NaN, h: NaN, scale: this.scale, skipped: false };
    return this.#reported ?? { step: this.#iterations, learningRate: this.#learningRate, ...unknown };
  }

  /** A step that turns out not to have been taken is told of by the next one, where that is an error. */
  #expectFinite(): void {
    const count = this.#skipped - this.#told;
    this.#told = this.#skipped;
    if (count === 0 || this.config.nonFinite !== "throw") return;
    const which = count === 1 ? "a step had" : `${count} steps had`;
    const message = `${which} a gradient or a loss that is not finite, and changed nothing; this was found at step ${this.#iterations}`;
    throw new OptimizerError("diverged", message, { step: this.#iterations });
  }

  /** Computes everything before anything is put in its place. */
  #advance(gradients: readonly (Tensor | undefined)[], loss: Loss): void {
    const rates = this.#rates();
    const { parts, report, rate, commit } = tidied(() => {
      const x = flat(this.#running);
      const g = flat(gradients.map((one, k) => one ?? tf.zeros([this.#running[k].size])));
      const { point, ...rest } = this.#state.step({ x, g, loss, rates, reports: !this.#arrival });
      return { ...rest, parts: this.#apart(point) };
    });
    this.#running.forEach((variable, k) => variable.assign(parts[k]));
    tf.dispose(parts);
    commit();
    this.#iterations++;
    if (rate !== undefined) this.#learningRate = rate;
    if (report) this.#arrival = this.#readReport(report, this.#iterations);
  }

  /** One vector as tensors like the variables that run, which are kept. */
  #apart(vector: Tensor): Tensor[] {
    const sizes = this.#running.map(({ size }) => size);
    const parts = sizes.length === 1 ? [vector] : tf.split(vector, sizes);
    return parts.map((part, k) => tf.keep(tf.reshape(part, this.#running[k].shape)));
  }

  async #readReport(report: Tensor, step: number): Promise<void> {
    try {
      const values = await report.data<"float32">();
      if (!this.#disposed) this.#onReport(this.#state.reportOf(values), step);
    } finally {
      report.dispose();
      this.#arrival = undefined;
    }
  }

  #onReport(report: Report, step: number): void {
    const { skipped, kind, gradNorm, h, learningRate, loss } = report;
    this.#runaway.see(loss);
    const scale = this.#run.plan.tuner ? report.scale : 1;
    this.#reported = { step, learningRate, gradNorm, h, scale, skipped: skipped > this.#skipped };
    this.#learningRate = learningRate;
    this.#skipped = skipped;
    if (!this.#run.plan.kind) this.#kind = KINDS[kind];
    this.#state.onReport(report, this.#kind, step, this.#iterations);
  }

  /** What the newest step found. */
  override async arrival(): Promise<StepInfo> {
    await this.#arrival;
    this.#expectFinite();
    return this.#reported!;
  }

  /** The rate of the next step, if gradients are exact and if they are not; undefined where it is the default. */
  #rates(): readonly [exact: number, other: number] | undefined {
    const rate = this.#rate();
    if (rate === undefined) return undefined;
    if (typeof rate === "number") return [rate, rate];
    const { plan } = this.#run;
    const step = this.#iterations + 1;
    const at = (gradients: GradientKind): number => {
      const { windowStart: start } = clockAt(plan, gradients, this.#iterations);
      const length = nextAnchor(plan.modes[gradients].anchor, start) - start;
      const name = `base.learningRate at step ${step}`;
      return expectNumber(name, rate(step, { start, length, gradients }), { min: 0 });
    };
    const known =
      plan.kind ??
      (plan.exact ? "exact" : step === 1 ? "undecided" : this.#kind === "undecided" ? undefined : this.#kind);
    if (known === undefined) return [at("exact"), at("noisy")];
    const alpha = at(known);
    return [alpha, alpha];
  }

  *average(): Reader<readonly (Tensor | undefined)[] | null> {
    const parts = tf.tidy(() => {
      const offset = this.#state.offset();
      return typeof offset === "number" ? undefined : this.#apart(tf.add(flat(this.#running), offset));
    });
    const all = parts?.values();
    return all ? this.frozen.map((frozen) => (frozen ? undefined : all.next().value)) : null;
  }

  *save(): Reader<Uint8Array> {
    const { tensors, toHost } = this.#state.read();
    const read = yield [...tensors, ...this.list.variables];
    const point = new Float32Array(this.#resolved.program.size);
    let first = 0;
    for (const numbers of read.slice(tensors.length)) {
      point.set(numbers, first);
      first += numbers.length;
    }
    return toBytes(this.#resolved, toHost(read), point, this.#learningRate);
  }

  restore(bytes: Uint8Array): void {
    const { state, learningRate } = fromBytes(this.#resolved, this.#run.plan, bytes);
    this.#state.load(state);
    this.#learningRate = learningRate;
    this.#iterations = state.iterations as number;
    this.#kind = KINDS[state.kind as number];
    this.#reported = undefined;
    this.#skipped = this.#told = 0;
  }

  dispose(): void {
    this.#disposed = true;
    this.#state.dispose();
    const { multiplier, weightDecay } = this.#run;
    tf.dispose([multiplier, weightDecay].filter((value) => typeof value !== "number"));
  }
}
