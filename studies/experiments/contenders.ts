import { adamw, cosineRestarts, sgd } from "superlevel";
import { superlevelOptimizer, type SuperlevelOptimizer } from "superlevel/tfjs";

/** One optimizer, and the learning rates it is tried at; none for superlevel. */
export interface Contender {
  readonly name: string;
  readonly rates: readonly (number | null)[];
  create(rate: number, steps: number): SuperlevelOptimizer;
}

/** Periods of 1, 2 and 4 sevenths, so that the last ends with the run. */
const restarts = (max: number, steps: number) => cosineRestarts({ max, period: steps / 7, factor: 2 });

export const contenders: readonly Contender[] = [
  { name: "superlevel", rates: [null], create: () => superlevelOptimizer() },
  {
    name: "AdamW",
    rates: [1e-3, 1e-2, 3e-3, 3e-2, 3e-4, 1e-1, 1e-4],
    create: (learningRate) => superlevelOptimizer({ base: adamw({ learningRate }), tuner: null }),
  },
  {
    name: "SGD, momentum, restarts",
    rates: [1e-1, 1e-2, 3e-2, 3e-1, 3e-3, 1, 1e-3, 3],
    create: (rate, steps) =>
      superlevelOptimizer({
        base: sgd({ learningRate: restarts(rate, steps), momentum: 0.9 }),
        tuner: null,
      }),
  },
];
