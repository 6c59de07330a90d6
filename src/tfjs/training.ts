import { tensor, type Tensor } from "@tensorflow/tfjs-core";
import type { StepInfo } from "../info.js";
import { createOptimizer, type Optimizer } from "../optimizer.js";
import type { Schedule } from "../schedules.js";
import { optionsOf, type Settled } from "./config.js";
import type { Found, Readings, VariableList } from "./variables.js";

const same = (a: Float32Array, b: Float32Array): boolean => a.every((value, i) => value === b[i]);

/** What a step wants to read, and what it gets: the numbers of tensors. */
export type Reader<Result> = Generator<readonly Tensor[], Result, readonly Float32Array[]>;

/** An engine bound to a model's variables. They hold the truth: what was written to them counts. */
export class Training {
  readonly core: Optimizer;
  readonly #list: VariableList;
  readonly #frozen: readonly boolean[];

  constructor(
    list: VariableList,
    { options, perVariable }: Settled,
    learningRate: Schedule,
    state?: Uint8Array,
  ) {
    const own = optionsOf(perVariable, list.variables);
    this.#list = list;
    this.core = createOptimizer(
      list.variables.map(({ name, shape }, k) => ({ name, shape, ...own[k] })),
      { ...options, base: { ...options.base, learningRate } },
    );
    this.#frozen = this.core.config.tensors.map(({ frozen }) => frozen);
    if (state) this.restore(state);
  }

  /** One step, if the variables are those of the steps before. */
  *step(found: Found): Reader<StepInfo> {
    const gradients = this.#list.match(found);
    const values = (yield gradients.filter((one) => one !== undefined)).values();
    const readings: Readings = new Map();
    // Whoever waits for numbers lets variables change meanwhile: hence more than one look.
    for (let unread; (unread = this.#list.unread(this.#frozen, readings)).length > 0;) {
      const contents = yield unread;
      unread.forEach(({ dataId }, k) => readings.set(dataId, contents[k]));
    }
    this.#takeUp(readings);
    this.core.tensors.forEach(({ grads }, k) => {
      // No gradient is one of 0.
      if (gradients[k]) grads.set(values.next().value!);
      else grads.fill(0);
    });
    const info = this.core.step();
    if (!info.skipped) this.#write();
    return info;
  }

  /** Moves to where somebody else moved the variables. */
  #takeUp(readings: Readings): void {
    const { core } = this;
    let point: Float32Array | undefined;
    core.tensors.forEach(({ params }, k) => {
      const values = this.#list.changed(k, readings);
      if (!values || same(values, params)) return;
      point ??= core.params.slice();
      point.set(values, (params.byteOffset - core.params.byteOffset) / 4);
    });
    if (point) core.setParams(point);
  }

  #write(): void {
    this.core.tensors.forEach(({ params }, k) => {
      if (this.#frozen[k]) return;
      const variable = this.#list.variables[k];
      // The cpu backend keeps the array it is given.
      const value = tensor(params.slice(), variable.shape, "float32");
      variable.assign(value);
      value.dispose();
      this.#list.leave(k);
    });
  }

  /** Takes up a saved state. Variables that hold other numbers than it then count as moved. */
  restore(state: Uint8Array): void {
    this.core.restore(state);
    this.#list.forget();
  }
}
