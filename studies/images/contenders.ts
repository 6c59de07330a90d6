import { createOptimizer } from "superlevel";
import { rivals, type OptionsAt } from "../kit/rivals.js";
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

function ofPackage(options: OptionsAt): Contender["create"] {
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

const atRates = (rates: readonly number[], options: OptionsAt) => ({ rates, create: ofPackage(options) });

export const contenders = {
  superlevel: { rates: [null], create: ofPackage(() => ({})) },
  Adam: atRates([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2], rivals.Adam),
  AdamW: atRates([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2], rivals.AdamW),
  "SGD, momentum": atRates([3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1], rivals["SGD, momentum"]),
  SGDR: atRates([1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1], rivals.SGDR),
  "schedule-free AdamW": atRates([3e-4, 1e-3, 2.5e-3, 1e-2, 3e-2, 1e-1], rivals["schedule-free AdamW"]),
  Prodigy: { rates: [null], create: (start, steps) => prodigy(() => 1)(start, steps) },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
