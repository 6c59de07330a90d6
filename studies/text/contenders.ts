import { rivals, type OptionsAt } from "../kit/rivals.js";

interface Contender {
  readonly options: OptionsAt;
  /** Learning rates that it is tried at; null: it gets none. */
  readonly rates: readonly (number | null)[];
  /** Those for the GPT, whose runs are long. */
  readonly gptRates: readonly (number | null)[];
}

export const contenders = {
  superlevel: { options: () => ({}), rates: [null], gptRates: [null] },
  AdamW: { options: rivals.AdamW, rates: [1e-3, 3e-3, 1e-2, 3e-2], gptRates: [3e-4, 1e-3, 3e-3] },
  "AdamW, decaying": {
    options: rivals["AdamW, decaying"],
    rates: [3e-3, 1e-2, 3e-2, 1e-1],
    gptRates: [1e-3, 3e-3, 1e-2],
  },
  SGDR: { options: rivals.SGDR, rates: [1e-1, 3e-1, 1, 3], gptRates: [] },
  "schedule-free AdamW": {
    options: rivals["schedule-free AdamW"],
    rates: [3e-3, 1e-2, 3e-2, 1e-1],
    gptRates: [1e-3, 3e-3, 1e-2],
  },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof contenders;
