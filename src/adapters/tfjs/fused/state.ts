import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Value } from "../../arrays/algebra.js";
import { averageOffset } from "../../arrays/kinds.js";
import { KINDS, type GradientKind } from "../../../common/kinds.js";
import type { Plan } from "../../arrays/plan.js";
import { mapState, newState } from "../../arrays/state.js";
import type { HostState } from "../device-state.js";
import type { DeviceRun, DeviceState, Report, StepInput, StepOutput } from "../device-step.js";
import { tensors } from "../operations-state.js";
import { FOUND, layoutOf, programOf, type Program } from "./program.js";
import type { Runner, Shader } from "./shaders.js";

/** A state whose steps are a few shaders. All of it is on the device: its numbers in one tensor, its vectors in another. */
export class FusedState implements DeviceState {
  readonly #run: DeviceRun;
  readonly #runner: Runner;
  readonly #layout;
  /** Made when they are first needed: with a loss or without, with rates or without, by what is known of gradients. */
  readonly #programs = new Map<string, Program>();
  /** What the host has read, which makes shaders shorter. */
  #plan: Plan;
  #started: boolean;
  #numbers: Tensor;
  #vectors: Tensor;

  constructor(run: DeviceRun, runner: Runner) {
    this.#run = run;
    this.#runner = runner;
    this.#layout = layoutOf(run.plan);
    this.#plan = run.plan;
    this.#started = !run.plan.tuner;
    [this.#numbers, this.#vectors] = this.#onDevice(newState(run.plan));
  }

  #onDevice(state: HostState): [Tensor, Tensor] {
    const { places, numbers, vectors } = this.#layout;
    const { size } = this.#run;
    const list = new Float32Array(numbers);
    // x takes the last place, after the first step.
    const all = new Float32Array((vectors + 1) * size);
    const put = (value: number | Float32Array, into: Float32Array, from: number, count: number) =>
      typeof value === "number" ? into.fill(value, from, from + count) : into.set(value, from);
    const betas = this.#run.plan.tuner?.betas.length ?? 1;
    const where: number[] = [];
    mapState(places, (place) => where.push(place));
    let k = 0;
    mapState(state, (value, extent) => {
      const place = where[k++];
      if (extent === "vector") put(value, all, place * size, size);
      else put(value, list, place, extent === "betas" ? betas : 1);
    });
    return [tf.keep(tf.tensor1d(list)), tf.keep(tf.tensor1d(all))];
  }

  #program(knowsLoss: boolean, givesRates: boolean): Program {
    const [plan, started] = [this.#plan, this.#started];
    const key = [knowsLoss, givesRates, plan.kind, started].join();
    const { size, multiplier, weightDecay } = this.#run;
    const known = (value: Value<Tensor>) => (typeof value === "number" ? value : undefined);
    const program =
      this.#programs.get(key) ??
      programOf(this.#runner, {
        ...{ plan, size, knowsLoss, givesRates, started },
        ...{ multiplier: known(multiplier), weightDecay: known(weightDecay) },
      });
    this.#programs.set(key, program);
    return program;
  }

  step({ x, g, loss, reports, rates }: StepInput): StepOutput {
    const { multiplier, weightDecay } = this.#run;
    const given: Record<string, Tensor> = {
      Numbers: this.#numbers,
      Vectors: this.#vectors,
      Point: x,
      Gradient: g,
    };
    if (typeof multiplier !== "number") given.Multiplier = multiplier;
    if (typeof weightDecay !== "number") given.Decay = weightDecay;
    if (loss !== undefined)
      given.Loss = typeof loss === "number" ? tf.tensor1d([loss]) : tf.reshape(loss, [1]);
    if (rates) given.Rates = tf.tensor1d([...rates]);
    const run = (shader: Shader) =>
      this.#runner.run(
        shader,
        shader.inputs.map((name) => given[name]),
      );
    const program = this.#program(loss !== undefined, rates !== undefined);
    program.stages.forEach(({ numbers, strips, sums }, stage) => {
      if (numbers) given.Live = run(numbers);
      given[`Sums${stage}`] = tf.sum(tf.reshape(run(strips), [sums, program.strips]), 1);
    });
    const numbers = (given.Live = tf.keep(run(program.numbers)));
    const vectors = tf.keep(run(program.vectors));
    const { size } = this.#run;
    return {
      point: tf.slice(vectors, [this.#layout.vectors * size], [size]),
      report: reports ? tf.keep(tf.slice(numbers, [0], [this.#layout.numbers + FOUND.length])) : undefined,
      rate: undefined,
      commit: () => {
        this.dispose();
        [this.#numbers, this.#vectors] = [numbers, vectors];
      },
    };
  }

  reportOf(values: Float32Array): Report {
    const { places, numbers } = this.#layout;
    const { skipped, kind, applied, tuner } = mapState(places, (place) => values[place]);
    const [gradNorm, h, learningRate, loss] = values.subarray(numbers);
    return {
      skipped,
      kind,
      applied,
      sInit: tuner.sInit,
      scale: tuner.scale,
      gradNorm,
      h,
      learningRate,
      loss,
    };
  }

  onReport({ sInit }: Pick<Report, "sInit">, gradients: GradientKind): void {
    this.#started ||= sInit > 0;
    if (gradients !== "undecided") this.#plan = { ...this.#plan, kind: gradients };
  }

  offset(): Value<Tensor> {
    const { size, plan } = this.#run;
    const state = mapState<number, Tensor>(this.#layout.places, (place, extent) =>
      extent === "vector"
        ? tf.slice(this.#vectors, [place * size], [size])
        : tf.reshape(tf.slice(this.#numbers, [place], [1]), []),
    );
    return averageOffset(tensors, plan, state);
  }

  read() {
    const { size, plan } = this.#run;
    const betas = plan.tuner?.betas.length ?? 1;
    const toHost = ([numbers, vectors]: readonly Float32Array[]): HostState =>
      mapState<number, number | Float32Array>(this.#layout.places, (place, extent) => {
        if (extent === "vector") return vectors.slice(place * size, (place + 1) * size);
        return extent === "betas" ? numbers.slice(place, place + betas) : numbers[place];
      });
    return { tensors: [this.#numbers, this.#vectors], toHost };
  }

  load(state: HostState): void {
    this.dispose();
    [this.#numbers, this.#vectors] = this.#onDevice(state);
    this.#plan = this.#run.plan;
    this.#started = !this.#plan.tuner;
    this.onReport({ sInit: state.tuner.sInit as number }, KINDS[state.kind as number]);
  }

  dispose(): void {
    tf.dispose([this.#numbers, this.#vectors]);
  }
}
