/** Every base and every form, as options that both the package and the reference twin take. */
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  algorithm1,
  equations,
  lion,
  mechanic,
  mechanize,
  rmsprop,
  scheduleFree,
  sgd,
  superlevel,
} from "../../src/index.js";
import type { Base, OptimizerOptions, Tuner } from "../../src/index.js";

export const bases: Record<string, Base> = {
  sgd: sgd(),
  "sgd with weight decay": sgd({ weightDecay: 0.1 }),
  momentum: sgd({ momentum: 0.9 }),
  "momentum with dampening": sgd({ momentum: 0.9, dampening: 0.5, weightDecay: 0.01 }),
  nesterov: sgd({ momentum: 0.8, nesterov: true }),
  adam: adam(),
  "adam with weight decay": adam({ beta1: 0.8, beta2: 0.99, eps: 1e-4, weightDecay: 0.1 }),
  adamw: adamw({ weightDecay: 0.1 }),
  amsgrad: adam({ amsgrad: true, beta2: 0.9 }),
  nadam: adam({ nesterov: true }),
  "nadam with decoupled weight decay": adamw({ nesterov: true, momentumDecay: 0.1, weightDecay: 0.1 }),
  adamax: adamax(),
  "adamax with weight decay": adamax({ beta2: 0.9, eps: 0.01, weightDecay: 0.1 }),
  rmsprop: rmsprop(),
  "rmsprop with momentum": rmsprop({ alpha: 0.9, momentum: 0.8, weightDecay: 0.01 }),
  "rmsprop, centered": rmsprop({ alpha: 0.9, eps: 0.01, centered: true }),
  "rmsprop, centered with momentum": rmsprop({ eps: 0.01, momentum: 0.5, centered: true }),
  adagrad: adagrad(),
  "adagrad with every option": adagrad({ learningRateDecay: 0.1, initialAccumulator: 0.1, weightDecay: 0.1 }),
  adadelta: adadelta(),
  "adadelta with weight decay": adadelta({ rho: 0.5, eps: 0.01, weightDecay: 0.1 }),
  lion: lion(),
  "lion with weight decay": lion({ weightDecay: 0.1 }),
};

/** Schedule-free averaging over every base that has no momentum by name. */
export const averagedBases: Record<string, Base> = {
  "schedule-free sgd": scheduleFree(sgd()),
  "schedule-free sgd with weight decay": scheduleFree(sgd({ weightDecay: 0.1 }), { power: 2 }),
  "schedule-free adam": scheduleFree(adam(), { interpolation: 0.8, ratePower: 0 }),
  "schedule-free adam with weight decay": scheduleFree(adam({ eps: 1e-4, weightDecay: 0.1 }), { power: 1 }),
  "schedule-free adamw": scheduleFree(adamw({ weightDecay: 0.1 }), { power: 2, warmupSteps: 5 }),
  "schedule-free amsgrad": scheduleFree(adam({ amsgrad: true, beta2: 0.9 })),
  "schedule-free adamax": scheduleFree(adamax({ beta2: 0.9, eps: 0.01 })),
  "schedule-free rmsprop": scheduleFree(rmsprop(), { interpolation: 0.95 }),
  "schedule-free rmsprop, centered": scheduleFree(rmsprop({ alpha: 0.9, eps: 0.01, centered: true })),
  "schedule-free adagrad": scheduleFree(
    adagrad({ learningRateDecay: 0.1, initialAccumulator: 0.1, weightDecay: 0.1 }),
  ),
  "schedule-free adadelta": scheduleFree(adadelta({ rho: 0.5, eps: 0.01 }), { power: 3, warmupSteps: 2.5 }),
  "schedule-free lion": scheduleFree(lion({ weightDecay: 0.1 })),
};

/** What optimizers are told of their gradients, and what the second one is like. */
export interface Kind {
  more: Pick<OptimizerOptions, "gradients">;
  second?: "again" | "turned";
  /** What they take them for in the end. */
  kind: "exact" | "noisy";
}

export const kinds: Record<string, Kind> = {
  exact: { more: { gradients: "exact" }, kind: "exact" },
  noisy: { more: { gradients: "noisy" }, kind: "noisy" },
  "found to be exact": { more: { gradients: "auto" }, second: "again", kind: "exact" },
  "found to be noisy": { more: { gradients: "auto" }, second: "turned", kind: "noisy" },
};

/** So many coordinates as tensors with options of their own, one of them frozen where there is room. */
export function layoutOf(size: number): TensorLayout[] {
  const first = { size: 1, learningRate: 2, weightDecay: 0.2 };
  if (size < 3) return [{ ...first, size }];
  const half = Math.floor((size - 1) / 2);
  const rest = size - 1 - half;
  if (size < 7) return [first, { size: half }, { size: rest, learningRate: 0.5, weightDecay: 0 }];
  const last = { size: rest - 2, learningRate: 0.5, weightDecay: 0 };
  return [first, { size: half }, { size: 2, frozen: true }, last];
}

export interface TensorLayout {
  size: number;
  learningRate?: number;
  weightDecay?: number;
  frozen?: boolean;
}

const often = { every: 50, carry: 0.6 };

export const tuners: Record<string, Tuner | null> = {
  superlevel: superlevel(),
  "superlevel, Δ reconstructed": superlevel({ delta: "reconstructed", anchor: { first: 10, growth: 1.5 } }),
  "superlevel, one beta": superlevel({ betas: [0.99], anchor: often }),
  mechanic: mechanic(),
  "mechanic, Δ stored": mechanic({ delta: "stored" }),
  mechanize: mechanize(),
  "mechanize, Δ stored": mechanize({ numBetas: 3, delta: "stored", anchor: often }),
  equations: equations(),
  "equations, Δ additive": equations({ delta: "additive" }),
  algorithm1: algorithm1(),
  "algorithm1, Δ stored": algorithm1({ delta: "stored" }),
  none: null,
};

/** A repeatable stream of numbers in (−1, 1), some of them exactly 0. */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const value = state / 2 ** 31;
    return Math.abs(value) < 0.02 ? 0 : value;
  };
}

/** Gradients that drift, with noise on top: the tuner sees progress and setbacks. `grid` > 0 rounds to multiples. */
export function gradientAt(step: number, size: number, random: () => number, grid = 0): Float32Array {
  const g = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const value = Math.sin(1.7 * i + 0.05 * step) + 0.5 * random();
    g[i] = grid > 0 ? Math.round(value / grid) * grid : value;
  }
  return g;
}

export function startAt(size: number, random: () => number): Float32Array {
  const x = new Float32Array(size);
  for (let i = 0; i < size; i++) x[i] = 2 * random() + 0.1;
  return x;
}
