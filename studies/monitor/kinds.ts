import {
  adam,
  adamw,
  constant,
  exponentialDecay,
  mechanic,
  sgd,
  superlevel,
  type OptimizerOptions,
  type Schedule,
} from "superlevel";
import type { FindingCode } from "superlevel/stability";

import { imbalanced, mislabelled, scaled } from "./data.js";
import { perceptron, recurrent } from "./network.js";
import { dataOf, TRAINED, type Problem } from "./problems.js";
import { train, type Setting, type Trained, type Watching } from "./train.js";

/** Who trains, at a rate that goes well; `times` multiplies it, and `decay` is that of weights. */
const plain = {
  descent: (rate: number | Schedule, weightDecay: number) => sgd({ learningRate: rate, weightDecay }),
  momentum: (rate: number | Schedule, weightDecay: number) =>
    sgd({ learningRate: rate, momentum: 0.9, weightDecay }),
  Adam: (rate: number | Schedule, weightDecay: number) => adamw({ learningRate: rate, weightDecay }),
} as const;
const RATES = { descent: 0.2, momentum: 0.03, Adam: 0.01 } as const;
/** λ far above what is usual, at which each still converges. */
const DECAYS = { descent: 1, momentum: 1, Adam: 30, superlevel: 30 } as const;

export type Trainer = keyof typeof plain | "superlevel";
export const TRAINERS: readonly Trainer[] = ["descent", "momentum", "Adam", "superlevel"];

/** A run before it is spoilt. */
interface Context {
  readonly problem: Problem;
  readonly trainer: Trainer;
  readonly full: boolean;
  readonly seed: number;
}

function optionsOf(
  { trainer, problem }: Context,
  times: number | Schedule = 1,
  weightDecay = 0,
): OptimizerOptions {
  if (trainer === "superlevel") return weightDecay ? { base: adamw({ weightDecay }) } : {};
  const rate = RATES[trainer] * problem.pace;
  const learningRate: Schedule = (step, window) =>
    rate * (typeof times === "number" ? times : times(step, window));
  return {
    base: plain[trainer](typeof times === "number" ? rate * times : learningRate, weightDecay),
    tuner: null,
  };
}

const STEPS = { full: 200, mini: 300 };

function healthy(context: Context): Setting {
  const { problem, full, seed } = context;
  const data = dataOf(problem, seed);
  const network = perceptron([data.width, ...problem.hidden, data.classes], problem.activation);
  const steps = full ? STEPS.full : STEPS.mini;
  const start = network.start(seed);
  return { data, trained: TRAINED, network, start, options: optionsOf(context), steps, full, seed };
}

/** A kind of runs, spoilt in one way. */
interface Kind {
  /** What may be said of it; "healthy" where nothing is wrong. */
  readonly expected: readonly (FindingCode | "healthy")[];
  readonly watching: readonly Watching[];
  readonly trainers?: readonly Trainer[];
  readonly spoil: (setting: Setting, context: Context) => Setting;
  /** Is it really so; default: yes. */
  readonly holds?: (run: Trained, well: Trained) => boolean;
}

const FIXED: readonly Trainer[] = ["descent", "momentum", "Adam"];
const TUNED: readonly Trainer[] = ["superlevel"];
const gained = ({ first, last }: Trained) => (Number.isFinite(last) ? first - last : -Infinity);
/** Held-out examples end within a tenth of their lowest loss: a run that overfits is not well to who watches these. */
const staysWell = ({ heldBest, heldLast }: Trained) => heldLast <= 1.1 * heldBest;
const half = (run: Trained, well: Trained) => gained(run) < 0.5 * gained(well);

/** Coordinates of the tensors whose names pass. */
function eachOf(
  start: Setting["start"],
  passes: (name: string) => boolean,
  visit: (i: number) => void,
): void {
  let at = 0;
  for (const { name, values } of start) {
    if (passes(name)) for (let i = 0; i < values.length; i++) visit(at + i);
    at += values.length;
  }
}

/** A layer by its place: another one for each seed. */
const layerOf = ({ start }: Setting, seed: number) => String(1 + (seed % (start.length / 2)));

function onLayer(setting: Setting, seed: number, factor: number): Setting {
  const layer = layerOf(setting, seed);
  const spoil = (loss: number, grads: Float32Array) => {
    eachOf(setting.start, (name) => name.endsWith(layer), (i) => (grads[i] *= factor)); // prettier-ignore
    return loss;
  };
  return { ...setting, spoil };
}

/** Few examples are learnt by heart, whatever their labels are. */
const MANY = 600;

const noise = (share: number): Kind => ({
  expected: ["label-noise"],
  watching: ["probe", "probe without labels"],
  spoil: (setting, { problem, seed }) => ({
    ...setting,
    trained: MANY,
    data: mislabelled(dataOf(problem, seed, MANY + TRAINED), share, seed),
  }),
});

const rnn = (setting: Setting, gain: number, linear: boolean, turns: number): Setting => {
  const network = recurrent(setting.data.classes, 10, gain, linear, turns);
  return {
    ...setting,
    network,
    start: network.start(setting.seed),
    trained: 60,
    steps: setting.full ? 120 : 200,
  };
};

const all: readonly Watching[] = ["no probe", "probe", "probe without labels", "held-out probe"];
const none: readonly Watching[] = ["no probe"];

export const KINDS: Readonly<Record<string, Kind>> = {
  "goes well": {
    expected: ["healthy"],
    watching: all,
    spoil: (setting) => setting,
    holds: (run) => gained(run) > 0.2 * run.first,
  },
  "goes well, a third of the rate": {
    expected: ["healthy"],
    watching: all,
    trainers: FIXED,
    spoil: (setting, context) => ({ ...setting, options: optionsOf(context, 1 / 3) }),
    holds: (run) => gained(run) > 0.1 * run.first,
  },
  "goes well, many examples": {
    expected: ["healthy"],
    watching: all,
    spoil: (setting, { problem, seed }) => ({
      ...setting,
      trained: MANY,
      data: dataOf(problem, seed, MANY + TRAINED),
    }),
    holds: (run) => gained(run) > 0.2 * run.first,
  },
  "goes well, recurrent": {
    expected: ["healthy"],
    watching: none,
    spoil: (setting) => rnn(setting, 0.9, false, 1),
    holds: (run) => gained(run) > 0.05 * run.first,
  },
  "dead units": {
    expected: ["dead-units"],
    watching: none,
    spoil(setting) {
      const { data, seed } = setting;
      const network = perceptron([data.width, 16, data.classes], "relu");
      const start = network.start(seed);
      start[1].values.fill(-30);
      return { ...setting, network, start };
    },
  },
  "vanishing gradient": {
    expected: ["vanishing-gradient"],
    watching: none,
    spoil(setting) {
      const { data, seed } = setting;
      const network = perceptron([data.width, ...Array<number>(7).fill(10), data.classes], "tanh", 0.2);
      return { ...setting, network, start: network.start(seed) };
    },
    holds: (run, well) => half(run, well),
  },
  "a layer does not learn": {
    expected: ["layer-not-learning"],
    watching: none,
    spoil: (setting, { seed }) => onLayer(setting, seed, 0),
  },
  "weight decay too strong": {
    expected: ["weight-decay"],
    watching: none,
    spoil: (setting, context) => ({ ...setting, options: optionsOf(context, 1, DECAYS[context.trainer]) }),
    holds: half,
  },
  "rate far too small": {
    expected: ["rate-too-small"],
    watching: none,
    trainers: FIXED,
    spoil: (setting, context) => ({
      ...setting,
      options: optionsOf(context, context.seed % 2 ? 1e-4 : 1e-5),
    }),
    holds: half,
  },
  "rate 0": {
    expected: ["rate-too-small"],
    watching: none,
    spoil(setting, context) {
      const options = optionsOf(context, 0);
      return {
        ...setting,
        options: context.trainer === "superlevel" ? { base: adam({ learningRate: constant(0) }) } : options,
      };
    },
  },
  "wrong sign of a layer": {
    expected: ["wrong-sign"],
    watching: none,
    spoil: (setting, { seed }) => onLayer(setting, seed, -1),
  },
  "inputs times 1000": {
    expected: ["inputs-too-large"],
    watching: none,
    spoil: (setting) => ({ ...setting, data: scaled(setting.data, 1000) }),
  },
  "class imbalance": {
    expected: ["class-imbalance"],
    watching: ["probe"],
    spoil: (setting) => {
      const data = imbalanced(setting.data, 8);
      return {
        ...setting,
        data,
        trained: Math.min(TRAINED, Math.round(data.count / 2)),
        steps: setting.steps / 4,
      };
    },
    holds: (run) => run.rareLoss > Math.log(10),
  },
  "scale collapsed": {
    expected: ["scale-collapsed"],
    watching: none,
    trainers: TUNED,
    spoil: (setting, { seed }) => ({
      ...setting,
      options: {
        tuner:
          seed % 2
            ? superlevel({ sInit: 1e-12, growthLimit: { first: 10, later: 2 } })
            : mechanic({ sInit: 1e-14 }),
      },
    }),
    holds: half,
  },
  "scale ran away": {
    expected: ["scale-ran-away"],
    watching: none,
    trainers: TUNED,
    spoil: (setting, { seed }) => ({
      ...setting,
      options: { tuner: seed % 2 ? superlevel({ sInit: 30 }) : mechanic({ sInit: 30 }) },
    }),
    holds: half,
  },
  "rate too high": {
    expected: ["past-edge"],
    watching: none,
    trainers: FIXED,
    spoil: (setting, context) => ({
      ...setting,
      options: optionsOf(context, [100, 300, 1000, 3000][context.seed % 4]),
    }),
    holds: half,
  },
  "schedule frozen": {
    expected: ["frozen"],
    watching: none,
    trainers: FIXED,
    spoil: (setting, context) => ({
      ...setting,
      options: optionsOf(context, exponentialDecay({ initial: 0.3, rate: 30 / setting.steps })),
    }),
    holds: half,
  },
  "wrong labels, 15 %": noise(0.15),
  "wrong labels, 30 %": noise(0.3),
  "wrong labels, 50 %": noise(0.5),
  NaN: {
    expected: ["non-finite"],
    watching: none,
    spoil: (setting, { seed }) => ({
      ...setting,
      spoil: (loss, grads, step) => {
        if (step < setting.steps / 3) return loss;
        if (seed % 2) return NaN;
        grads[0] = Infinity;
        return loss;
      },
    }),
  },
  "exploding recurrent network": {
    expected: ["exploding-gradient"],
    watching: none,
    spoil: (setting, { seed }) =>
      seed % 2
        ? rnn(setting, 3, false, Math.ceil(30 / setting.data.width))
        : rnn(setting, 2, true, Math.ceil(20 / setting.data.width)),
    holds: half,
  },
  overfitting: {
    expected: ["overfitting"],
    watching: ["held-out probe"],
    spoil: (setting) => ({ ...setting, trained: 40, steps: 3 * setting.steps }),
    holds: ({ heldBest, heldLast, last }) => heldLast > 1.3 * heldBest && last < heldLast / 2,
  },
};

/** A run of a kind, and what was said; undefined where it is not of that kind after all. */
export interface Case {
  readonly kind: string;
  readonly trainer: Trainer;
  readonly full: boolean;
  readonly expected: Kind["expected"];
  readonly reports: Partial<Trained["reports"]>;
}

/** Every kind of run of a trainer on a problem with a seed. */
export function* casesOf(context: Context, only = ""): Generator<Case> {
  const { trainer, full } = context;
  const setting = healthy(context);
  const well = train(setting);
  for (const [kind, { expected, watching, trainers = TRAINERS, spoil, holds = () => true }] of Object.entries(
    KINDS,
  )) {
    if (!trainers.includes(trainer) || !kind.includes(only)) continue;
    const spoilt = spoil(setting, context);
    const run = spoilt === setting ? well : train(spoilt);
    if (!holds(run, well)) continue;
    const names = watching.filter(
      (name) => name !== "held-out probe" || !expected.includes("healthy") || staysWell(run),
    );
    const reports = Object.fromEntries(names.map((name) => [name, run.reports[name]]));
    yield { kind, trainer, full, expected, reports };
  }
}
