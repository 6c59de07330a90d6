import {
  adam,
  adamw,
  cosineRestarts,
  createOptimizer,
  scheduleFree,
  sgd,
  type OptimizerOptions,
} from "superlevel";
import type { Descent } from "../robustness/descent.js";
import { prodigy } from "../robustness/prodigy.js";

/** A run's optimizer; one that can be saved goes on after an interruption. */
interface Contest extends Descent {
  readonly save?: () => Uint8Array;
  /** Steps taken, those before an interruption included. */
  readonly done?: () => number;
}

export interface Contender {
  /** Learning rates that it is tried at; null: it gets none. */
  readonly rates: readonly (number | null)[];
  readonly create: (start: Float32Array, steps: number, rate: number, kept?: Uint8Array) => Contest;
}

type Options = (rate: number, steps: number) => OptimizerOptions;

function ofPackage(options: Options): Contender["create"] {
  return (start, steps, rate, kept) => {
    const optimizer = createOptimizer(start, options(rate, steps));
    if (kept) optimizer.restore(kept);
    const { params, grads } = optimizer;
    return {
      params,
      grads,
      step: (loss) => void optimizer.step(undefined, { loss }),
      result: () => optimizer.average() ?? params,
      end: () => optimizer.dispose(),
      save: () => optimizer.save(),
      done: () => optimizer.iterations,
    };
  };
}

/** By hand, without a tuner: these bases take the steps of PyTorch's. */
const atRate = (
  rates: readonly number[],
  base: (rate: number, steps: number) => OptimizerOptions["base"],
) => ({
  rates,
  create: ofPackage((rate, steps) => ({ base: base(rate, steps), tuner: null })),
});

/** Periods of 1, 2 and 4 sevenths, so that the last ends with the run (arXiv 1608.03983). */
const restarts = (max: number, steps: number) => cosineRestarts({ max, period: steps / 7, factor: 2 });

export const contenders = {
  superlevel: { rates: [null], create: ofPackage(() => ({})) },
  Adam: atRate([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2], (learningRate) => adam({ learningRate })),
  AdamW: atRate([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2], (learningRate) => adamw({ learningRate })),
  "SGD, momentum": atRate([3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1], (learningRate) =>
    sgd({ learningRate, momentum: 0.9 }),
  ),
  SGDR: atRate([1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1], (rate, steps) =>
    sgd({ learningRate: restarts(rate, steps), momentum: 0.9 }),
  ),
  "schedule-free AdamW": atRate([3e-4, 1e-3, 2.5e-3, 1e-2, 3e-2, 1e-1], (learningRate) =>
    scheduleFree(adamw({ learningRate })),
  ),
  Prodigy: { rates: [null], create: (start, steps) => prodigy(() => 1)(start, steps) },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
