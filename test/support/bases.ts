/** One row for each base: all that the suites which go over the bases need to know of it. */
import {
  adabelief,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  lion,
  rmsprop,
  scheduleFree,
  sgd,
  type Base,
  type ScheduleFree,
} from "../../src/index.js";

import {
  adadeltaUpdates,
  adamSteps,
  adamUpdates,
  amsgradUpdates,
  centeredRoots,
  fades,
  halves,
  nadamUpdates,
} from "./by-hand.js";

type Wrapped = ScheduleFree["base"];

export interface BaseRow {
  readonly factory: (options?: object) => Wrapped;
  /** Variants, by name, which every suite takes. */
  readonly variants: Readonly<Record<string, Wrapped>>;
  /** The same with schedule-free averaging. */
  readonly averaged: Readonly<Record<string, ScheduleFree>>;
  /** Its options but `learningRate`: what a number may be, or "switch". */
  readonly options: Readonly<Record<string, string>>;
  /** Options that do not go together, and how the message begins. */
  readonly conflicts?: readonly (readonly [options: object, message: string])[];
  /** Default rates without a tuner, by options; and that of `scheduleFree`, where it is not the first of them. */
  readonly rates: readonly (readonly [options: object, rate: number])[];
  readonly averagedRate?: number;
  readonly decoupled: boolean;
  /** By hand: its updates at rate 1 from x = 0 for the gradients 4, 0, −4. */
  readonly byHand: Readonly<Record<string, readonly [base: Wrapped, updates: readonly number[]]>>;
  /**
   * Where the edge ratio is held against swings, with second moments that hardly move, so that a step is linear while they
   * stay; as they are and averaged. "none": it has no linear response.
   */
  readonly edges:
    "none" | Readonly<Record<string, readonly [plain: Wrapped | null, averaged: Wrapped | null]>>;
}

const fraction = ">= 0 and < 1";
const positive = ">= 1e-37";
const weightDecay = ">= 0";
const adamOptions = {
  ...{ beta1: fraction, beta2: fraction, eps: positive, weightDecay },
  ...{ amsgrad: "switch", nesterov: "switch", momentumDecay: ">= 0" },
};

/** Second moments that hardly move. */
const slow = { learningRate: 0.01, beta2: 1 - 1e-7 };
const slowest = { learningRate: 0.01, beta2: 1 - 2 ** -22, eps: 1e-12 };

export const rows: Readonly<Record<Wrapped["name"], BaseRow>> = {
  sgd: {
    factory: sgd,
    variants: {
      sgd: sgd(),
      "sgd with weight decay": sgd({ weightDecay: 0.1 }),
      momentum: sgd({ momentum: 0.9 }),
      "momentum with dampening": sgd({ momentum: 0.9, dampening: 0.5, weightDecay: 0.01 }),
      nesterov: sgd({ momentum: 0.8, nesterov: true }),
    },
    averaged: {
      "schedule-free sgd": scheduleFree(sgd()),
      "schedule-free sgd with weight decay": scheduleFree(sgd({ weightDecay: 0.1 }), { power: 2 }),
    },
    options: { momentum: fraction, dampening: ">= 0 and <= 1", nesterov: "switch", weightDecay },
    conflicts: [
      [{ nesterov: true }, "sgd.nesterov: expected momentum > 0 and dampening 0 with it"],
      [{ nesterov: true, momentum: 0.9, dampening: 0.1 }, "sgd.nesterov: expected "],
    ],
    rates: [[{}, 1e-3]],
    averagedRate: 1,
    decoupled: false,
    byHand: {
      sgd: [sgd(), [-4, 0, 4]],
      momentum: [sgd({ momentum: 0.5 }), [-4, -2, -(1 - 4)]],
      "momentum, dampened": [sgd({ momentum: 0.5, dampening: 0.25 }), [-4, -2, -(1 - 3)]],
      nesterov: [sgd({ momentum: 0.5, nesterov: true }), [-(4 + 2), -(0 + 1), -(-4 - 1.5)]],
    },
    edges: {
      sgd: [sgd({ learningRate: 0.1 }), sgd({ learningRate: 0.01 })],
      momentum: [sgd({ learningRate: 0.1, momentum: 0.9 }), null],
      dampened: [sgd({ learningRate: 0.1, momentum: 0.8, dampening: 0.5 }), null],
      nesterov: [sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }), null],
      "sgd with decay": [
        sgd({ learningRate: 0.1, weightDecay: 0.5 }),
        sgd({ learningRate: 0.01, weightDecay: 0.5 }),
      ],
    },
  },

  adam: {
    factory: adam,
    variants: {
      adam: adam(),
      "adam with weight decay": adam({ beta1: 0.8, beta2: 0.99, eps: 1e-4, weightDecay: 0.1 }),
      amsgrad: adam({ amsgrad: true, beta2: 0.9 }),
      nadam: adam({ nesterov: true }),
    },
    averaged: {
      "schedule-free adam": scheduleFree(adam(), { interpolation: 0.8, ratePower: 0 }),
      "schedule-free adam with weight decay": scheduleFree(adam({ eps: 1e-4, weightDecay: 0.1 }), {
        power: 1,
      }),
      "schedule-free amsgrad": scheduleFree(adam({ amsgrad: true, beta2: 0.9 })),
    },
    options: adamOptions,
    conflicts: [[{ amsgrad: true, nesterov: true }, "adam.nesterov: expected false with amsgrad"]],
    rates: [
      [{}, 1e-3],
      [{ amsgrad: true }, 1e-3],
      [{ nesterov: true }, 2e-3],
    ],
    averagedRate: 2.5e-3,
    decoupled: false,
    byHand: {
      adam: [adam(halves), adamUpdates],
      "amsgrad: the largest nu is 4, 4, 6.25": [adam({ ...halves, amsgrad: true }), amsgradUpdates],
      nadam: [adam({ ...halves, nesterov: true, momentumDecay: fades }), nadamUpdates],
    },
    edges: {
      adam: [adam(slow), adam(slowest)],
      amsgrad: [adam({ ...slow, amsgrad: true }), adam({ ...slowest, amsgrad: true })],
      nadam: [adam({ ...slow, nesterov: true }), null],
    },
  },

  adamw: {
    factory: adamw,
    variants: {
      adamw: adamw({ weightDecay: 0.1 }),
      "nadam with decoupled weight decay": adamw({ nesterov: true, momentumDecay: 0.1, weightDecay: 0.1 }),
    },
    averaged: {
      "schedule-free adamw": scheduleFree(adamw({ weightDecay: 0.1 }), { power: 2, warmupSteps: 5 }),
    },
    options: adamOptions,
    conflicts: [[{ amsgrad: true, nesterov: true }, "adamw.nesterov: expected false with amsgrad"]],
    rates: [[{}, 1e-3]],
    averagedRate: 2.5e-3,
    decoupled: true,
    byHand: { adamw: [adamw({ ...halves, weightDecay: 0 }), adamUpdates] },
    edges: {
      adamw: [adamw({ ...slow, weightDecay: 20 }), adamw({ ...slowest, weightDecay: 0.3 })],
    },
  },

  adamax: {
    factory: adamax,
    variants: {
      adamax: adamax(),
      "adamax with weight decay": adamax({ beta2: 0.9, eps: 0.01, weightDecay: 0.1 }),
    },
    averaged: { "schedule-free adamax": scheduleFree(adamax({ beta2: 0.9, eps: 0.01 })) },
    options: { beta1: fraction, beta2: fraction, eps: positive, weightDecay },
    rates: [[{}, 2e-3]],
    decoupled: false,
    // nu: 4 + 0.5, then max(3/4 · 4.5, 0 + 0.5) = 3.375, then max(3/4 · 3.375, 4 + 0.5) = 4.5.
    byHand: { adamax: [adamax(halves), [4.5, 3.375, 4.5].map((nu, k) => adamSteps[k] / nu)] },
    edges: { adamax: [adamax(slow), adamax({ ...slowest, eps: 1e-8 })] },
  },

  adabelief: {
    factory: adabelief,
    variants: {
      adabelief: adabelief(),
      "adabelief with weight decay": adabelief({ beta2: 0.9, eps: 0.01, weightDecay: 0.1 }),
    },
    averaged: { "schedule-free adabelief": scheduleFree(adabelief({ eps: 1e-8, weightDecay: 0.1 })) },
    options: { beta1: fraction, beta2: fraction, eps: positive, weightDecay },
    rates: [[{}, 1e-3]],
    decoupled: true,
    // g − mu: 2, −1, −2.5; nu: 1 + 0.5, 3/4 · 1.5 + 1/4 + 0.5 = 1.875, 3/4 · 1.875 + 6.25 / 4 + 0.5 = 3.46875.
    byHand: {
      adabelief: [adabelief(halves), [6, 30 / 7, 6].map((nu, k) => adamSteps[k] / (Math.sqrt(nu) + 0.5))],
    },
    edges: { adabelief: [adabelief(slow), adabelief(slowest)] },
  },

  rmsprop: {
    factory: rmsprop,
    variants: {
      rmsprop: rmsprop(),
      "rmsprop with momentum": rmsprop({ alpha: 0.9, momentum: 0.8, weightDecay: 0.01 }),
      "rmsprop, centered": rmsprop({ alpha: 0.9, eps: 0.01, centered: true }),
      "rmsprop, centered with momentum": rmsprop({ eps: 0.01, momentum: 0.5, centered: true }),
    },
    averaged: {
      "schedule-free rmsprop": scheduleFree(rmsprop(), { interpolation: 0.95 }),
      "schedule-free rmsprop, centered": scheduleFree(rmsprop({ alpha: 0.9, eps: 0.01, centered: true })),
    },
    options: { alpha: fraction, eps: positive, momentum: fraction, centered: "switch", weightDecay },
    rates: [[{}, 1e-2]],
    decoupled: false,
    byHand: {
      rmsprop: [rmsprop({ alpha: 0.75, eps: 0.5 }), [-4 / (2 + 0.5), 0, 4 / (2.5 + 0.5)]],
      "rmsprop, momentum": [rmsprop({ alpha: 0.75, eps: 0.5, momentum: 0.5 }), [-1.6, -0.8, -(0.4 - 4 / 3)]],
      "rmsprop, centered": [
        rmsprop({ alpha: 0.75, eps: 0.5, centered: true }),
        [-4 / (centeredRoots[0] + 0.5), 0, 4 / (centeredRoots[2] + 0.5)],
      ],
      "rmsprop, centered with momentum": [
        rmsprop({ alpha: 0.75, eps: 0.5, centered: true, momentum: 0.5 }),
        [4, 2, 1].map((b, k) => -b / (centeredRoots[0] + 0.5) + (k < 2 ? 0 : 4 / (centeredRoots[2] + 0.5))),
      ],
    },
    edges: {
      rmsprop: [
        rmsprop({ learningRate: 0.01, alpha: slow.beta2 }),
        rmsprop({ learningRate: 0.01, alpha: slowest.beta2 }),
      ],
      "rmsprop with momentum": [rmsprop({ learningRate: 0.01, alpha: slow.beta2, momentum: 0.5 }), null],
    },
  },

  adagrad: {
    factory: adagrad,
    variants: {
      adagrad: adagrad(),
      "adagrad with every option": adagrad({
        ...{ learningRateDecay: 0.1, initialAccumulator: 0.1, weightDecay: 0.1 },
      }),
    },
    averaged: {
      "schedule-free adagrad": scheduleFree(
        adagrad({ learningRateDecay: 0.1, initialAccumulator: 0.1, weightDecay: 0.1 }),
      ),
    },
    options: { learningRateDecay: ">= 0", initialAccumulator: ">= 0", eps: positive, weightDecay },
    rates: [[{}, 1e-2]],
    decoupled: false,
    byHand: {
      adagrad: [adagrad({ eps: 0.5 }), [-4 / (4 + 0.5), 0, 4 / (Math.sqrt(32) + 0.5)]],
      "adagrad from 9, the rate 1, 1/1.5, 1/2": [
        adagrad({ eps: 0.5, initialAccumulator: 9, learningRateDecay: 0.5 }),
        [-4 / (Math.sqrt(9 + 16) + 0.5), 0, (0.5 * 4) / (Math.sqrt(9 + 32) + 0.5)],
      ],
    },
    edges: { adagrad: [adagrad({ learningRate: 0.01 }), adagrad({ learningRate: 0.01 })] },
  },

  adadelta: {
    factory: adadelta,
    variants: {
      adadelta: adadelta(),
      "adadelta with weight decay": adadelta({ rho: 0.5, eps: 0.01, weightDecay: 0.1 }),
    },
    averaged: {
      "schedule-free adadelta": scheduleFree(adadelta({ rho: 0.5, eps: 0.01 }), {
        ...{ power: 3, warmupSteps: 2.5 },
      }),
    },
    options: { rho: fraction, eps: positive, weightDecay },
    rates: [[{}, 1]],
    decoupled: false,
    byHand: { adadelta: [adadelta({ rho: 0.75, eps: 0.25 }), adadeltaUpdates] },
    edges: {
      adadelta: [
        adadelta({ learningRate: 1, rho: slow.beta2 }),
        adadelta({ learningRate: 1, rho: slowest.beta2 }),
      ],
    },
  },

  lion: {
    factory: lion,
    variants: { lion: lion(), "lion with weight decay": lion({ weightDecay: 0.1 }) },
    averaged: { "schedule-free lion": scheduleFree(lion({ weightDecay: 0.1 })) },
    options: { beta1: fraction, beta2: fraction, weightDecay },
    rates: [[{}, 1e-4]],
    decoupled: true,
    // Directions: 2, then 1/2 · 1 (the momentum was 1/4 · 4), then 1/2 · 3/4 − 1/2 · 4.
    byHand: { lion: [lion({ beta1: 0.5, beta2: 0.75 }), [-1, -1, 1]] },
    edges: "none",
  },
};

const all = <Value>(of: (row: BaseRow) => Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.assign({}, ...Object.values(rows).map(of)) as Record<string, Value>;

/** The variants of every base, and their averages. */
export const bases: Record<string, Base> = all(({ variants }) => variants);
export const averagedBases: Record<string, Base> = all(({ averaged }) => averaged);
