import {
  adam,
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

/** The default comes first, and its contenders bear no engine's name. Some have to be imported for their effect. */
const candidates: { name: string; module?: string }[] = [
  { name: "wasm" },
  { name: "wasm-relaxed", module: "superlevel/relaxed" },
  { name: "js" },
];
const [usual] = candidates;

async function probe(name: string, module?: string): Promise<Engine> {
  if (module) await import(module);
  const create: Create = (params, options) => {
    return createOptimizer(params, { ...options, engine: name as OptimizerOptions["engine"] });
  };
  using optimizer = create(16, {});
  // An engine may stand in for another that this machine cannot run; `engine` says so.
  const { engine = name } = optimizer as { engine?: string };
  if (engine !== name) throw new Error(`"${engine}" runs in its place here`);
  return { name, create };
}

/** The engines that this build has and this machine runs: asks for each, and takes no for an answer. */
export async function probeEngines(notes: string[]): Promise<Engine[]> {
  const engines: Engine[] = [];
  for (const { name, module } of candidates) {
    try {
      engines.push(await probe(name, module));
    } catch (error) {
      notes.push(`engine "${name}": ${(error as Error).message.split("\n")[0]}`);
    }
  }
  return engines;
}

export interface Setup {
  readonly label: string;
  readonly base: Base;
  readonly tuner: Tuner | null;
  /** The tensors' sizes, if there are several. */
  readonly tensors?: readonly number[];
  /** "exact". */
  readonly gradients?: OptimizerOptions["gradients"];
}

/** With the decay factors of the loops that are compared with, at every step. */
export const plainAdam = (learningRate: number) => adam({ learningRate, beta1: 0.9, beta2: 0.999 });

/** From a start of its own, as the plain loops do. */
export const global = (options: TunerOptions = {}) => superlevel({ anchor: null, sInit: 1e-6, ...options });

export function ours(
  engine: Engine,
  size: number,
  { label, tensors, gradients = "exact", ...setup }: Setup,
): Contender {
  const params = tensors
    ? tensors.map((count) => ({ shape: [count], values: new Float32Array(count).fill(0.5) }))
    : new Float32Array(size).fill(0.5);
  const optimizer = engine.create(params, { ...setup, gradients });
  return {
    name: engine.name === usual.name ? label : `${label} [${engine.name}]`,
    vectors: { x: optimizer.params, g: optimizer.grads },
    step: () => optimizer.step(),
    dispose: () => optimizer.dispose(),
  };
}
