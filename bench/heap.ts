/**
 * `npm run bench -- heap`: what steps leave on JavaScript's heap and in the optimizer's memory,
 * and what they let fall for the collector. The last row keeps every StepInfo: so much a leak of that size shows.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { adam, createOptimizer, sgd, superlevel, type Optimizer } from "superlevel";

export interface HeapRow {
  readonly name: string;
  /** Bytes a step left on the heap after collection, over all steps. */
  readonly heldBytes: number;
  /** Growth of the memory that holds parameters and state. */
  readonly memoryBytes: number;
  /** Bytes that a step allocates and lets go: its StepInfo. */
  readonly droppedPerStep: number;
}

const steps = 1e5;
const size = 64;

const optimizers: Record<string, () => Optimizer> = {
  "superlevel + adam": () => createOptimizer(size),
  "superlevel + sgd": () => createOptimizer(size, { base: sgd() }),
  "a tuner for each tensor": () =>
    createOptimizer([{ shape: [8, 6] }, { shape: [16] }], { tuner: superlevel({ granularity: "tensor" }) }),
  "a tuner for each parameter": () =>
    createOptimizer(size, { tuner: superlevel({ granularity: "parameter" }) }),
  "adam alone": () => createOptimizer(size, { base: adam(), tuner: null }),
};

// So that the command needs no flag of Node's.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapUsed(): number {
  // The first collection may leave what finalizers still hold.
  for (let k = 0; k < 3; k++) collect();
  return process.memoryUsage().heapUsed;
}

function walk(optimizer: Optimizer, count: number, kept?: unknown[]): void {
  const { params, grads } = optimizer;
  for (let t = 0; t < count; t++) {
    for (let i = 0; i < size; i++) grads[i] = Math.max(-1, Math.min(1, params[i])) + Math.sin(i + t);
    const info = optimizer.step();
    kept?.push(info);
  }
}

function measure(name: string, create: () => Optimizer, kept?: unknown[]): HeapRow {
  const optimizer = create();
  // Until everything is compiled.
  walk(optimizer, 2e4);
  const memoryBefore = optimizer.params.buffer.byteLength;
  const before = heapUsed();
  walk(optimizer, steps, kept);
  const heldBytes = heapUsed() - before;
  const memoryBytes = optimizer.params.buffer.byteLength - memoryBefore;
  return {
    name,
    heldBytes,
    memoryBytes,
    droppedPerStep: Math.min(...Array.from({ length: 5 }, () => dropped(optimizer))),
  };
}

/** So few steps that the collector does not run in between. */
function dropped(optimizer: Optimizer): number {
  const count = 1000;
  const before = heapUsed();
  walk(optimizer, count);
  return (process.memoryUsage().heapUsed - before) / count;
}

const rows = Object.entries(optimizers).map(([name, create]) => measure(name, create));
rows.push(measure("control: every StepInfo kept", optimizers["superlevel + adam"], []));
console.log(JSON.stringify(rows, null, 1));
