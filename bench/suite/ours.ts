import {
  createOptimizer,
  superlevel,
  type Base,
  type Optimizer,
  type OptimizerOptions,
  type TensorSpec,
  type Tuner,
  type TunerOptions,
} from "superlevel";
import type { Contender } from "./contender.js";

type Params = number | ArrayLike<number> | readonly TensorSpec[];
type Create = (params: Params, options: OptimizerOptions) => Optimizer;

/** An engine of this package that runs here. */
export interface Engine {
  readonly name: string;
  readonly create: Create;
}

/** The default comes first, and its contenders bear no engine's name. */
const names = ["wasm", "wasm-relaxed", "js"];

/** The engines that this build has and this machine runs; asks for each, and takes no for an answer. */
export function probeEngines(notes: string[]): Engine[] {
  return names.flatMap((name) => {
    const create: Create = (params, options) => {
      return createOptimizer(params, { ...options, engine: name as OptimizerOptions["engine"] });
    };
    try {
      create(16, {}).dispose();
      return [{ name, create }];
    } catch (error) {
      notes.push(`engine "${name}": ${(error as Error).message}`);
      return [];
    }
  });
}

export interface Setup {
  readonly label: string;
  readonly base: Base;
  readonly tuner: Tuner | null;
  /** The tensors' sizes, if there are several. */
  readonly tensors?: readonly number[];
}

export const global = (options: TunerOptions = {}) => superlevel({ anchor: null, ...options });

export function ours(engine: Engine, size: number, { label, base, tuner, tensors }: Setup): Contender {
  const params = tensors
    ? tensors.map((count) => ({ shape: [count], values: new Float32Array(count).fill(0.5) }))
    : new Float32Array(size).fill(0.5);
  const optimizer = engine.create(params, { base, tuner });
  return {
    name: engine.name === names[0] ? label : `${label} [${engine.name}]`,
    vectors: { x: optimizer.params, g: optimizer.grads },
    step: () => optimizer.step(),
    dispose: () => optimizer.dispose(),
  };
}
