import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Variable } from "@tensorflow/tfjs-core";
import type { LearningRate } from "../../bases/base.js";
import { OptimizerError } from "../../common/errors.js";
import { expectNumber } from "../../common/expect.js";
import type { GradientKind } from "../../common/kinds.js";
import type { Resolved } from "../../stepper/config.js";
import type { StepInfo } from "../../stepper/info.js";
import { nextAnchor } from "../../tuners/tuners.js";
import { Algebra, type Value } from "../arrays/algebra.js";
import { clockAt, withBiases } from "../arrays/clock.js";
import { averageOffset } from "../arrays/kinds.js";
import { planOf, type Plan } from "../arrays/plan.js";
import { defaultRate, type Place } from "../arrays/rate.js";
import { KINDS, mapState, newState, type ArrayState } from "../arrays/state.js";
import { takeStep, type Taken } from "../arrays/step.js";
import { tensorOperations } from "./device-operations.js";
import { fromBytes, toBytes, type HostState } from "./device-state.js";
import type { Reader } from "./reading.js";
import { isTensor, Training, type Loss } from "./training.js";
import type { Found, VariableList } from "./variables.js";

type State = ArrayState<Value<Tensor>>;

const algebra = new Algebra<Tensor>(tensorOperations);

/** What is read of a step, later. */
const REPORTED = ["skipped", "kind", "applied", "sInit", "scale", "gradNorm", "h", "learningRate"] as const;
type Report = Record<(typeof REPORTED)[number], number>;

/** A learning rate; undefined: the default, which depends on what gradients are. */
export type DeviceRate = () => LearningRate | undefined;

/** Each tensor of a state, once. */
function tensorsOf(state: State): Tensor[] {
  const found = new Set<Tensor>();
  mapState(state, (value) => typeof value !== "number" && found.add(value));
  return [...found];
}

function disposeOthers(old: State, now: State): void {
  const kept = new Set(tensorsOf(now));
  for (const tensor of tensorsOf(old)) if (!kept.has(tensor)) tensor.dispose();
}

const flat = (tensors: readonly Tensor[]): Tensor =>
  tf.concat(tensors.map((one) => tf.reshape(one, [one.size])));

/**
 * For backends on a GPU: the step in operations of the backend, where the variables are. Nothing is read in a step. What
 * the host wants to know of one arrives later, on its own.
 */
export class DeviceTraining extends Training {
  readonly copies = false;
  readonly stale = false;
  readonly #resolved: Resolved;
  readonly #plan: Plan;
  readonly #rate: DeviceRate;
  readonly #running: readonly Variable[];
  readonly #size: number;
  readonly #constants: { betas: Tensor; ones: Tensor; multiplier: Value<Tensor>; weightDecay: Value<Tensor> };
  #state: State;
  #iterations = 0;
  #learningRate = 0;
  /** Has every step moved: then the host can tell the clock by itself. */
  #allMoved = true;
  #heard: StepInfo | undefined;
  /** Steps known not to have been taken, and those that were told of. */
  #skipped = 0;
  #told = 0;
  #kind: GradientKind;
  #started: boolean;
  #arrival: Promise<void> | undefined;
  #disposed = false;

  constructor(list: VariableList, resolved: Resolved, rate: DeviceRate) {
    super(list, resolved.config);
    this.#resolved = resolved;
    this.#plan = planOf({}, resolved);
    this.#rate = rate;
    this.#running = list.variables.filter((_, k) => !this.frozen[k]);
    this.#size = this.#running.reduce((sum, { size }) => sum + size, 0);
    this.#kind = this.#plan.kind ?? "undecided";
    this.#started = !this.#plan.tuner;
    this.#constants = tf.tidy(() => this.#makeConstants());
    this.#state = this.#onDevice(newState(this.#plan));
  }

  #makeConstants() {
    const betas = this.#plan.tuner?.betas ?? [1];
    const running = this.config.tensors.filter(({ frozen }) => !frozen);
    const each = (key: "learningRate" | "weightDecay"): Value<Tensor> => {
      if (running.every((tensor) => tensor[key] === running[0][key])) return running[0][key];
      return tf.keep(tf.concat(running.map((tensor, k) => tf.fill([this.#running[k].size], tensor[key]))));
    };
    return {
      betas: tf.keep(tf.tensor1d([...betas])),
      ones: tf.keep(tf.ones([betas.length])),
      multiplier: each("learningRate"),
      weightDecay: each("weightDecay"),
    };
  }

  /**
   * Everything becomes a tensor, which is kept, but what the host can count by itself: a run that goes on from a saved
   * state has to compute the same things in the same place.
   */
  #onDevice(state: HostState | State): State {
    const shapes = { scalar: [], betas: [this.#plan.tuner?.betas.length ?? 1], vector: [this.#size] };
    return mapState<number | Float32Array | Tensor, Value<Tensor>>(state, (value, extent) => {
      if (value instanceof tf.Tensor) return tf.keep(value);
      if (typeof value !== "number") return tf.keep(tf.tensor1d(value));
      return extent === "counted" ? value : tf.keep(tf.fill(shapes[extent], value));
    });
  }

  get clock() {
    return { iterations: this.#iterations, gradients: this.#kind, learningRate: this.#learningRate };
  }

  /** As far as it has arrived. */
  get scale(): number {
    return this.#heard?.scale ?? (this.#plan.tuner ? 0 : 1);
  }

  // What others yield to be read, this one hears of later.

  *step(found: Found, loss: Loss): Reader<StepInfo> {
    const gradients = this.list.match(found).filter((_, k) => !this.frozen[k]);
    this.#expectFinite();
    const old = this.#state;
    this.#advance(gradients, loss);
    disposeOthers(old, this.#state);
    const { gradNorm = NaN, h = NaN } = this.#heard ?? {};
    const { scale } = this;
    return { step: this.#iterations, learningRate: this.#learningRate, gradNorm, h, scale, skipped: false };
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
    const { state, parts, report, rate } = tf.tidy(() => {
      const x = flat(this.#running);
      const g = flat(gradients.map((one, k) => one ?? tf.zeros([this.#running[k].size])));
      const taken = takeStep(algebra, this.#plan, withBiases(this.#plan, this.#state), {
        ...{ x, g, size: this.#size, ...this.#constants, trusts: true, started: this.#started },
        loss: isTensor(loss) ? tf.reshape(loss, []) : loss,
        rate: (place) => this.#rateAt(place),
      });
      return {
        state: this.#onDevice(taken.state),
        parts: this.#apart(tf.add(x, taken.move)),
        report: this.#arrival ? undefined : tf.keep(reportOf(taken)),
        rate: typeof taken.learningRate === "number" ? taken.learningRate : undefined,
      };
    });
    this.#running.forEach((variable, k) => variable.assign(parts[k]));
    tf.dispose(parts);
    this.#state = state;
    this.#iterations++;
    if (rate !== undefined) this.#learningRate = rate;
    if (rate === 0 && this.#plan.tuner) this.#allMoved = false;
    if (report) this.#arrival = this.#hear(report, this.#iterations);
  }

  /** One vector as tensors like the variables that run, which are kept. */
  #apart(vector: Tensor): Tensor[] {
    const sizes = this.#running.map(({ size }) => size);
    const parts = sizes.length === 1 ? [vector] : tf.split(vector, sizes);
    return parts.map((part, k) => tf.keep(tf.reshape(part, this.#running[k].shape)));
  }

  async #hear(report: Tensor, step: number): Promise<void> {
    try {
      const values = await report.data<"float32">();
      const found = Object.fromEntries(REPORTED.map((key, k) => [key, values[k]])) as Report;
      if (!this.#disposed) this.#takeIn(found, step);
    } finally {
      report.dispose();
      this.#arrival = undefined;
    }
  }

  #takeIn({ skipped, kind, applied, sInit, scale, gradNorm, h, learningRate }: Report, step: number): void {
    const shown = this.#plan.tuner ? scale : 1;
    this.#heard = { step, learningRate, gradNorm, h, scale: shown, skipped: skipped > this.#skipped };
    this.#learningRate = learningRate;
    this.#skipped = skipped;
    this.#started ||= sInit > 0;
    if (this.#plan.kind || this.#kind !== "undecided" || kind === 0) return;
    this.#kind = KINDS[kind];
    const old = this.#state;
    // From here on the host knows the clock, and half of the operations fall away.
    if (this.#allMoved && applied === step)
      this.#state = { ...old, ...clockAt(this.#plan, this.#kind, this.#iterations) };
    else this.#state = { ...old, kind };
    disposeOthers(old, this.#state);
  }

  /** What the newest step found. */
  override async arrival(): Promise<StepInfo> {
    await this.#arrival;
    this.#expectFinite();
    return this.#heard!;
  }

  #rateAt(place: Place<Tensor>): Value<Tensor> {
    const rate = this.#rate();
    if (rate === undefined)
      return defaultRate(algebra, this.#plan.learningRate as "byKind" | "windows", place);
    if (typeof rate === "number") return rate;
    const step = this.#iterations + 1;
    const at = (gradients: GradientKind): number => {
      const { windowStart: start } = clockAt(this.#plan, gradients, this.#iterations);
      const length = nextAnchor(this.#plan.modes[gradients].anchor, start) - start;
      return expectNumber(`base.learningRate at step ${step}`, rate(step, { start, length, gradients }), {
        min: 0,
      });
    };
    if (this.#kind !== "undecided" || step === 1 || this.#plan.kind) return at(this.#kind);
    return algebra.where(place.exact, at("exact"), at("noisy"));
  }

  *average(): Reader<readonly (Tensor | undefined)[] | null> {
    const parts = tf.tidy(() => {
      const offset = averageOffset(algebra, this.#plan, this.#state);
      return typeof offset === "number" ? undefined : this.#apart(tf.add(flat(this.#running), offset));
    });
    const all = parts?.values();
    return all ? this.frozen.map((frozen) => (frozen ? undefined : all.next().value)) : null;
  }

  *save(): Reader<Uint8Array> {
    const tensors = tensorsOf(this.#state);
    const state = this.#state;
    const read = yield [...tensors, ...this.list.variables];
    const host = mapState<Value<Tensor>, number | Float32Array>(state, (value, extent) => {
      if (typeof value === "number") return value;
      const numbers = read[tensors.indexOf(value)];
      return extent === "scalar" || extent === "counted" ? numbers[0] : numbers;
    });
    const point = new Float32Array(this.#resolved.program.size);
    let first = 0;
    for (const numbers of read.slice(tensors.length)) {
      point.set(numbers, first);
      first += numbers.length;
    }
    return toBytes(this.#resolved, host, point, this.#learningRate);
  }

  restore(bytes: Uint8Array): void {
    const { state, learningRate } = fromBytes(this.#resolved, this.#plan, bytes);
    const old = this.#state;
    this.#state = this.#onDevice(state);
    disposeOthers(old, this.#state);
    this.#learningRate = learningRate;
    this.#iterations = state.iterations as number;
    this.#kind = KINDS[state.kind as number];
    this.#started = !this.#plan.tuner || (state.tuner.sInit as number) > 0;
    this.#allMoved = state.iterations === state.applied;
    this.#heard = undefined;
    this.#skipped = this.#told = 0;
  }

  dispose(): void {
    this.#disposed = true;
    tf.dispose(tensorsOf(this.#state));
    tf.dispose(Object.values(this.#constants).filter((value) => typeof value !== "number"));
  }
}

/** One tensor of all that is to be known of a step. */
function reportOf({ state, gradNorm, h, learningRate }: Taken<Tensor>): Tensor {
  const all = { ...state, ...state.tuner, gradNorm, h, learningRate };
  return tf.stack(
    REPORTED.map((key) => {
      const value = all[key];
      return typeof value === "number" ? tf.scalar(value) : tf.reshape(value, []);
    }),
  );
}
