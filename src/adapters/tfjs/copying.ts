import { tensor } from "@tensorflow/tfjs-core";
import type { Resolved } from "../../stepper/config.js";
import { createEngine } from "../../engine/engine.js";
import type { StepInfo } from "../../stepper/info.js";
import { Stepper } from "../../stepper/stepper.js";
import type { Reader } from "./reading.js";
import { isTensor, same, EngineTraining, type Loss } from "./training.js";
import type { Found, Readings, VariableList } from "./variables.js";

/** For every backend: gradients are copied in, parameters out. */
export class CopyingTraining extends EngineTraining {
  readonly copies = true;
  readonly stale = false;

  constructor(list: VariableList, resolved: Resolved) {
    super(list, new Stepper(resolved, createEngine(resolved.program)));
  }

  *step(found: Found, loss: Loss): Reader<StepInfo> {
    const gradients = this.list.match(found);
    const wanted = gradients.filter((one) => one !== undefined);
    const contents = yield isTensor(loss) ? [...wanted, loss] : wanted;
    const values = contents.values();
    const known = isTensor(loss) ? contents[wanted.length][0] : loss;
    const point = this.#moved(yield* this.#read());
    if (point) this.stepper.setParams(point);
    const { tensors } = this.stepper;
    tensors.forEach(({ grads }, k) => {
      // No gradient is one of 0.
      if (gradients[k]) grads.set(values.next().value!);
      else grads.fill(0);
    });
    const info = this.advance((k) => tensors[k].grads, known);
    if (!info.skipped) this.#write();
    return info;
  }

  /** Reads the variables that somebody else has written to. */
  *#read(): Reader<Readings> {
    const readings: Readings = new Map();
    // Whoever waits for numbers lets variables change meanwhile: hence more than one look.
    for (let unread; (unread = this.list.unread(this.frozen, readings)).length > 0;) {
      const contents = yield unread;
      unread.forEach(({ dataId }, k) => readings.set(dataId, contents[k]));
    }
    return readings;
  }

  /** Where somebody else moved the variables; undefined where nobody has. */
  #moved(readings: Readings): Float32Array | undefined {
    const { tensors, engine } = this.stepper;
    const { params } = engine;
    let point: Float32Array | undefined;
    tensors.forEach((own, k) => {
      const values = this.list.changed(k, readings);
      if (!values || same(values, own.params)) return;
      point ??= params.slice();
      point.set(values, (own.params.byteOffset - params.byteOffset) / 4);
    });
    return point;
  }

  *average(): Reader<readonly (Float32Array | undefined)[] | null> {
    const { stepper } = this;
    const point = this.#moved(yield* this.#read());
    const average = stepper.average(stepper.engine, point);
    return average && this.apart(average);
  }

  /** Where it fails for some variables, the next step goes on from what all of them hold then. */
  #write(): void {
    let written = false;
    try {
      this.stepper.tensors.forEach(({ params }, k) => this.frozen[k] || this.#assign(k, params));
      written = true;
    } finally {
      if (!written) this.list.forget();
    }
  }

  #assign(k: number, params: Float32Array): void {
    const variable = this.list.variables[k];
    // The cpu backend keeps the array it is given.
    const value = tensor(params.slice(), variable.shape, "float32");
    try {
      variable.assign(value);
    } finally {
      value.dispose();
    }
    this.list.leave(k);
  }

  // On a device what is saved has to be read: hence a generator, which has nothing to wait for here.
  *save(): Reader<Uint8Array> {
    return this.stepper.save();
  }

  restore(state: Uint8Array): void {
    this.stepper.restore(state, {});
    this.list.forget();
  }
}
