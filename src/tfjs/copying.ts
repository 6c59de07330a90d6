import { tensor } from "@tensorflow/tfjs-core";
import type { Resolved } from "../config.js";
import { createEngine } from "../engine/engine.js";
import type { StepInfo } from "../info.js";
import { Stepper } from "../stepper.js";
import { same, Training, type Reader } from "./training.js";
import type { Found, Readings, VariableList } from "./variables.js";

/** For every backend: gradients are copied in, parameters out. */
export class CopyingTraining extends Training {
  readonly copies = true;
  readonly stale = false;

  constructor(list: VariableList, resolved: Resolved) {
    super(list, new Stepper(resolved, createEngine(resolved.program)));
  }

  *step(found: Found): Reader<StepInfo> {
    const gradients = this.list.match(found);
    const values = (yield gradients.filter((one) => one !== undefined)).values();
    const readings: Readings = new Map();
    // Whoever waits for numbers lets variables change meanwhile: hence more than one look.
    for (let unread; (unread = this.list.unread(this.frozen, readings)).length > 0;) {
      const contents = yield unread;
      unread.forEach(({ dataId }, k) => readings.set(dataId, contents[k]));
    }
    this.#takeUp(readings);
    const { tensors } = this.stepper;
    tensors.forEach(({ grads }, k) => {
      // No gradient is one of 0.
      if (gradients[k]) grads.set(values.next().value!);
      else grads.fill(0);
    });
    const info = this.advance((k) => tensors[k].grads);
    if (!info.skipped) this.#write();
    return info;
  }

  /** Moves to where somebody else moved the variables. */
  #takeUp(readings: Readings): void {
    const { stepper } = this;
    const { params } = stepper.engine;
    let point: Float32Array | undefined;
    stepper.tensors.forEach((own, k) => {
      const values = this.list.changed(k, readings);
      if (!values || same(values, own.params)) return;
      point ??= params.slice();
      point.set(values, (own.params.byteOffset - params.byteOffset) / 4);
    });
    if (point) stepper.setParams(point);
  }

  #write(): void {
    this.stepper.tensors.forEach(({ params }, k) => {
      if (this.frozen[k]) return;
      const variable = this.list.variables[k];
      // The cpu backend keeps the array it is given.
      const value = tensor(params.slice(), variable.shape, "float32");
      variable.assign(value);
      value.dispose();
      this.list.leave(k);
    });
  }

  save(): Uint8Array {
    return this.stepper.save();
  }

  restore(state: Uint8Array): void {
    this.stepper.restore(state);
    this.list.forget();
  }
}
