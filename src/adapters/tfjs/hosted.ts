import { keep, type Tensor } from "@tensorflow/tfjs-core";
import type { Resolved } from "../../stepper/config.js";
import { createHostedEngine, type HostedEngine } from "../../engine/engine.js";
import type { StepInfo } from "../../stepper/info.js";
import { Stepper } from "../../stepper/stepper.js";
import { forAll } from "./averages.js";
import { aliasOf, type TensorMemory } from "./memory.js";
import type { Reader } from "./reading.js";
import { isTensor, same, EngineTraining, type Loss } from "./training.js";
import { expectFinite, type Found, type VariableList } from "./variables.js";

/** The backend's own reference to a variable's data, and ours. */
const SHARERS = 2;

const NOTHING = new Float32Array(0);

/** An engine inside the wasm backend's memory, in a tensor that is kept for it. */
interface Hosted {
  readonly block: Tensor;
  /** With vectors of gradients and parameters of its own: zeros, and the parameters of a saved state. */
  readonly engine: HostedEngine;
}

function host(memory: TensorMemory, { program }: Resolved): Hosted {
  let block: Tensor | undefined;
  const allocate = (bytes: number): number => {
    block = keep(memory.allocate([Math.ceil(bytes / 4)], "int32"));
    return memory.addressOf(block);
  };
  try {
    const engine = createHostedEngine(program, { memory: memory.memory, allocate, external: false });
    return { block: block!, engine };
  } catch (error) {
    block?.dispose();
    throw error;
  }
}

/** For the wasm backend: the kernels read gradients and write parameters where the backend has them. */
export class HostedTraining extends EngineTraining {
  readonly copies = false;
  readonly #memory: TensorMemory;
  readonly #hosted: Hosted;
  readonly #firsts: readonly number[];
  /** Each variable's data as the last step left them. */
  #aliases: (Tensor | undefined)[] = [];

  constructor(list: VariableList, resolved: Resolved, memory: TensorMemory) {
    const hosted = host(memory, resolved);
    const outside = () =>
      this.#aliases.filter((alias) => alias !== undefined).map((alias) => memory.floats(alias));
    const engine = hosted.engine.withOutside(outside);
    super(list, new Stepper(resolved, engine));
    this.#memory = memory;
    this.#hosted = hosted;
    this.#firsts = resolved.tensors.list.map(({ first }) => first);
  }

  get stale(): boolean {
    return !this.#memory.current;
  }

  /** It yields nothing, as it reads where everything is. */
  *step(found: Found, loss: Loss): Reader<StepInfo> {
    const gradients = this.list.match(found);
    const known = isTensor(loss) ? loss.dataSync()[0] : loss;
    this.#bindAll(gradients);
    const info = this.advance((k) => (gradients[k] ? this.#memory.floats(gradients[k]) : NOTHING), known);
    if (!info.skipped) {
      forAll(this.list.variables, (variable, k) => this.frozen[k] || this.#memory.refresh(variable));
    }
    return info;
  }

  /** Where it fails half-way, all variables count as moved at the next step. */
  #bindAll(gradients: readonly (Tensor | undefined)[]): void {
    let settled = false;
    try {
      const moved = this.#takeUp();
      this.#place(gradients);
      if (moved) this.stepper.follow(...moved, this.#hosted.engine);
      settled = true;
    } finally {
      if (!settled) this.#forget();
    }
  }

  /** Binds to the data that the variables have now. Where they are other numbers than before: by how much, and which. */
  #takeUp(): [offset: Float32Array, point: Float32Array] | undefined {
    const { variables } = this.list;
    const changed = variables.filter(
      ({ dataId }, k) => !this.frozen[k] && dataId !== this.#aliases[k]?.dataId,
    );
    changed.forEach((variable) => expectFinite(variable, this.#memory.floats(variable)));
    const moved = changed.some((variable) => {
      return !same(this.#memory.floats(variable), this.#left(variables.indexOf(variable)));
    });
    const found = moved ? this.#moves() : undefined;
    variables.forEach((variable, k) => {
      if (!changed.includes(variable)) return;
      this.#bind(k);
    });
    return found;
  }

  #moves(): [offset: Float32Array, point: Float32Array] {
    const point = new Float32Array(this.#hosted.engine.params.length);
    const offset = point.slice();
    this.list.variables.forEach((variable, k) => {
      if (this.frozen[k]) return;
      const [values, left, first] = [this.#memory.floats(variable), this.#left(k), this.#firsts[k]];
      point.set(values, first);
      for (let i = 0; i < left.length; i++) offset[first + i] = values[i] - left[i];
    });
    return [offset, point];
  }

  #bind(k: number): void {
    // First, as it may fail: then the old one still holds.
    const alias = aliasOf(this.list.variables[k]);
    this.#aliases[k]?.dispose();
    this.#aliases[k] = alias;
  }

  /** The parameters as the last step left them, or a saved state. */
  #left(k: number): Float32Array {
    const alias = this.#aliases[k];
    const first = this.#firsts[k];
    if (alias) return this.#memory.floats(alias);
    return this.#hosted.engine.params.subarray(first, first + this.list.variables[k].size);
  }

  /** Tells the kernels where everything is. Data that others hold, too, are left to them. */
  #place(gradients: readonly (Tensor | undefined)[]): void {
    const memory = this.#memory;
    const { kernels, grads } = this.#hosted.engine;
    let segment = 0;
    this.list.variables.forEach((variable, k) => {
      if (this.frozen[k]) return;
      if (memory.sharers(variable) > SHARERS) {
        const copy = memory.copyOf(variable);
        try {
          variable.assign(copy);
        } finally {
          copy.dispose();
        }
        this.#bind(k);
      }
      const gradient = gradients[k];
      // No gradient is one of 0.
      const gradsAt = gradient ? memory.addressOf(gradient) : grads.byteOffset + 4 * this.#firsts[k];
      kernels.setPlace(segment++, gradsAt, memory.addressOf(variable));
    });
  }

  *average(): Reader<readonly (Float32Array | undefined)[] | null> {
    const { engine } = this.#hosted;
    const point = new Float32Array(engine.params.length);
    this.list.variables.forEach((variable, k) => {
      if (!this.frozen[k]) point.set(this.#memory.floats(variable), this.#firsts[k]);
    });
    const average = this.stepper.average(engine, point);
    return average && this.apart(average);
  }

  *save(): Reader<Uint8Array> {
    const { params } = this.#hosted.engine;
    this.list.variables.forEach((_, k) => params.set(this.#left(k), this.#firsts[k]));
    return this.stepper.save();
  }

  restore(state: Uint8Array): void {
    this.stepper.restore(state, {});
    this.#forget();
  }

  #forget(): void {
    this.#aliases.forEach((alias) => alias?.dispose());
    this.#aliases = [];
  }

  override dispose(): void {
    super.dispose();
    this.#forget();
    this.#hosted.block.dispose();
  }
}
