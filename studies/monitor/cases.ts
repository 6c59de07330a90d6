import { adam, exponentialDecay, sgd, type OptimizerOptions } from "superlevel";
import type { FindingCode } from "superlevel/stability";

import type { Labelled } from "./data.js";
import { stepsOf, train, type Problem, type Setting, type Trained } from "./train.js";

/** A run and what should be said of it. */
export interface Case {
  readonly kind: string;
  /** Nothing for a run that goes well; undefined where that is a matter of taste. */
  readonly expected: FindingCode | "nothing" | undefined;
  readonly full: boolean;
  readonly reports: Trained["reports"];
}

const bases: Record<string, (learningRate: number) => OptimizerOptions["base"]> = {
  descent: (learningRate) => sgd({ learningRate }),
  momentum: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  Adam: (learningRate) => adam({ learningRate }),
};
/** In steps of √10. */
const RATES = Array.from({ length: 11 }, (_, k) => 10 ** (-3 + k / 2));
const plain = (base: OptimizerOptions["base"]): OptimizerOptions => ({ base, tuner: null });

interface Context {
  readonly raw: Labelled;
  readonly problem: Problem;
  readonly full: boolean;
  readonly seed: number;
}

const run = ({ raw, problem, full, seed }: Context, setting: Omit<Setting, "full" | "seed">) =>
  train(raw, problem, { ...setting, full, seed });

/**
 * Every rate of a ladder, judged by its outcome: w is the share of the best rate's gain that it reached. Rates up to the best one
 * go well, be they slow. Above it a run that gained less than half has failed; between is a matter of taste.
 */
function ladder(context: Context, base: (rate: number) => OptimizerOptions["base"]) {
  const runs = RATES.map((rate) => ({ rate, ...run(context, { options: plain(base(rate)) }) }));
  const settled = runs.map(({ last }) => (Number.isFinite(last) ? last : Infinity));
  const best = settled.indexOf(Math.min(...settled));
  const cases = runs.map(({ first, reports }, k): Case => {
    const gain = (first - settled[k]) / (first - settled[best]);
    const [kind, expected] =
      k <= best
        ? (["up to the best rate", "nothing"] as const)
        : gain < 0.5
          ? (["rate too high: gained less than half", "past-edge"] as const)
          : ([`rate above the best: gained ${gain < 0.9 ? "half or more" : "nine tenths or more"}`] as const);
    return { kind, expected, full: context.full, reports };
  });
  // The best rate is often the last before failure.
  return { cases, good: RATES[Math.max(0, best - 1)] };
}

const WRONG = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5];
const percent = (share: number) => `${Math.round(100 * share)} %`;

function labelCases(context: Context, options: OptimizerOptions): Case[] {
  return WRONG.map((wrong) => ({
    kind: `wrong labels: ${percent(wrong)}`,
    expected: "label-noise",
    full: context.full,
    reports: run(context, { options, wrong }).reports,
  }));
}

/** Rates that fall so fast that less than half is gained, and ones that fall to e⁻³ in the whole run. */
function scheduleCases(context: Context, good: number): Case[] {
  const constant = run(context, { options: plain(sgd({ learningRate: good })) });
  const length = stepsOf(context);
  const schedules = [[1, 3], [1, 30], [0.1, 30], [0.03, 60], [0.01, 30]]; // prettier-ignore
  return schedules.map(([part, decays]) => {
    const learningRate = exponentialDecay({ initial: part * good, rate: decays / length });
    const { first, last, reports } = run(context, { options: plain(sgd({ learningRate })) });
    const gain = (first - last) / (first - constant.last);
    const [kind, expected] =
      gain < 0.5
        ? (["schedule frozen: gained less than half", "frozen"] as const)
        : decays === 3
          ? (["rate that falls to 5 %", "nothing"] as const)
          : (["schedule frozen: gained half or more"] as const);
    return { kind, expected, full: context.full, reports };
  });
}

function nonFiniteCases(context: Context, options: OptimizerOptions): Case[] {
  const at = Math.round(stepsOf(context) / 3);
  const spoilers: Setting["spoil"][] = [
    (loss, _, step) => (step >= at ? NaN : loss),
    (loss, grads, step) => (step === at && (grads[0] = Infinity), loss),
    (loss, grads, step) => (step === 1 && (grads[0] = NaN), loss),
  ];
  const skipping: OptimizerOptions = { ...options, nonFinite: "skip" };
  return [...spoilers.map((spoil) => ({ spoil, options })), { spoil: spoilers[1], options: skipping }].map(
    (setting) => ({
      kind: "NaN or infinity",
      expected: "non-finite",
      full: context.full,
      reports: run(context, setting).reports,
    }),
  );
}

/** Every kind of run on a problem with a seed, full batch or minibatches. */
export function casesOf(raw: Labelled, problem: Problem, full: boolean, seed: number): Case[] {
  const context = { raw, problem, full, seed };
  const ladders = Object.values(bases).map((base) => ({ base, ...ladder(context, base) }));
  const [descent, , adaptive] = ladders;
  const options = ladders.map(({ base, good }) => plain(base(good)));
  return [
    ...ladders.flatMap(({ cases }) => cases),
    {
      kind: "superlevel as it comes",
      expected: "nothing",
      full,
      reports: run(context, { options: {} }).reports,
    },
    ...[options[0], plain(adaptive.base(adaptive.good)), {}].flatMap((each) => labelCases(context, each)),
    ...scheduleCases(context, descent.good),
    ...nonFiniteCases(context, options[0]),
  ];
}
