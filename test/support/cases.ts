/** Every form, and beside it every base, as options that both the package and the reference twin take. */
import { algorithm1, equations, mechanic, mechanize, superlevel } from "../../src/index.js";
import type { OptimizerOptions, Tuner } from "../../src/index.js";

export { averagedBases, bases } from "./bases.js";

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
