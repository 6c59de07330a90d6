import {
  adam,
  adamw,
  constant,
  mechanic,
  mechanize,
  sgd,
  superlevel,
  windowDecay,
  type Base,
  type Schedule,
} from "superlevel";
import { dAdaptation } from "./d-adaptation.js";
import { ofPackage, ofPackageTold, type Create } from "./descent.js";
import { dog } from "./dog.js";
import { prodigy, prodigyScheduleFree, type Decay } from "./prodigy.js";
import { scheduleFree } from "./schedule-free.js";

/** Contenders of one family differ in their learning rate only. */
export interface Contender {
  readonly family: string;
  /** "anchor": the best of these, tuned for each problem and run length, is what others are measured by. */
  readonly kind: "anchor" | "tuned" | "untuned" | "superlevel";
  readonly rate: number;
  /** Its steps depend on the run's length: it needs a run for each. */
  readonly knowsLength: boolean;
  /** Another one makes what is recorded of it worthless. */
  readonly version: string;
  /** It is run only where there are so many parameters at most. */
  readonly atMost?: number;
  readonly create: Create;
}

const halfDecades = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1];
/** Functions of few variables start far away, and small networks on data that can be told apart never arrive. */
const large = { rates: [3, 10], atMost: 400 };
/** Below 3e-3 a weight decay of 0.01 takes less than 3 % of a weight in 3 000 steps: AdamW is Adam there. */
const decaying = halfDecades.slice(3);
const decades = [1e-3, 1e-2, 1e-1];

const linear: Decay = (step, steps) => 1 - (step - 1) / steps;

type MakeBase = (learningRate: Schedule) => Base;

function plain(
  family: string,
  kind: "anchor" | "tuned",
  rates: readonly number[],
  make: MakeBase,
  decay?: Decay,
): Contender[] {
  return rates.map((rate) => ({
    family: decay ? `${family}, linear decay` : family,
    kind,
    rate,
    knowsLength: decay !== undefined,
    version: "1",
    atMost: large.rates.includes(rate) ? large.atMost : undefined,
    create: (start, steps) => {
      const schedule = decay ? (step: number) => rate * decay(step, steps) : constant(rate);
      return ofPackage({ base: make(schedule), tuner: null })(start);
    },
  }));
}

/** Rates that are tuned. */
function tuned(rates: readonly number[], decayRates: readonly number[]): Contender[] {
  const makeAdam: MakeBase = (learningRate) => adam({ learningRate });
  const makeAdamW: MakeBase = (learningRate) => adamw({ learningRate });
  const momentum: MakeBase = (learningRate) => sgd({ learningRate, momentum: 0.9 });
  return [
    ...plain("Adam", "anchor", rates, makeAdam),
    ...plain("Adam", "anchor", rates, makeAdam, linear),
    ...plain("AdamW", "anchor", decayRates, makeAdamW),
    ...plain("AdamW", "anchor", decayRates, makeAdamW, linear),
    ...plain("SGD momentum", "tuned", rates, momentum, linear),
  ];
}

const one = adam({ learningRate: 1 });

/** Version 0.1's defaults, every one written out. */
const firstEdition = ofPackage({
  gradients: "exact",
  base: adam({ learningRate: windowDecay(1), beta1: 0.9, beta2: 0.999, eps: 1e-8 }),
  tuner: superlevel({
    betas: [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999],
    sInit: 1e-6,
    lambda: 0.01,
    eps: 1e-30,
    delta: "stored",
    anchor: { first: 64, growth: 2, carry: 0.6 },
    growthLimit: null,
  }),
});

/** At one setting for all problems. */
function untuned(): Contender[] {
  const all: [family: string, create: Create, knowsLength?: true][] = [
    ["Prodigy", prodigy(() => 1)],
    ["Prodigy, linear decay", prodigy(linear), true],
    ["Prodigy, corrected", prodigy(() => 1, true)],
    ["Prodigy, corrected, linear decay", prodigy(linear, true), true],
    ["Prodigy, schedule-free", prodigyScheduleFree],
    ["schedule-free AdamW, 2.5e−3", scheduleFree(0.0025)],
    ["mechanic, Adam", ofPackage({ base: one, tuner: mechanic() })],
    ["mechanize, Adam", ofPackage({ base: one, tuner: mechanize() })],
    ["D-Adaptation, Adam", dAdaptation],
    ["DoG", dog],
    ["superlevel 0.1", firstEdition],
  ];
  return all.map(([family, create, knowsLength = false]) => {
    return { family, kind: "untuned", rate: 1, knowsLength, version: "1", create };
  });
}

/**
 * The last two show what the default decay factors for exact gradients gain. `current` names the state of the package: what is
 * not pinned above changes with it.
 */
function superlevels(current: string): Contender[] {
  const all: [family: string, create: Create][] = [
    ["superlevel", ofPackage()],
    ["superlevel, told its loss", ofPackageTold()],
    ["superlevel, β 0.9 and 0.999", ofPackage({ base: adam({ beta1: 0.9, beta2: 0.999 }) })],
    ["superlevel, β 0.8 and 0.85", ofPackage({ base: adam({ beta1: 0.8, beta2: 0.85 }) })],
  ];
  return all.map(([family, create]) => {
    return { family, kind: "superlevel", rate: 1, knowsLength: false, version: current, create };
  });
}

/** `quick` tries three rates. */
export function contenders(quick: boolean, current: string): Contender[] {
  const more = (rates: readonly number[]) => [...rates, ...large.rates];
  const rates = quick ? tuned(decades, decades.slice(1)) : tuned(more(halfDecades), more(decaying));
  return [...rates, ...untuned(), ...superlevels(current)];
}
