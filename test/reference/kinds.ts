/** What a step does with gradients of one kind: exact ones, noisy ones, and those that are still to be told apart. */
import type { AnchorOptions, BaseOptions, TunerOptions } from "./options.js";

export type Kind = "undecided" | "exact" | "noisy";

/** Schedule-free averaging: beta, and w_t = t^power max(eta)^ratePower. */
export interface Averaging {
  readonly interpolation: number;
  readonly power: number;
  readonly ratePower: number;
}

export type Anchor = { first: number; growth: number; carry: number } | { every: number; carry: number };

export interface Mode {
  readonly anchor: Anchor | null;
  /** S at most so many times the S at the window's start: in the first window, and in later ones. */
  readonly growthLimit: { first: number; later: number } | null;
  /** (31) has no floor; s has one: s_init / K + r / (sqrt v + eps). */
  readonly ownFloor: boolean;
  /** (29) takes h within so many times +-m. */
  readonly rewardLimit: number;
  /** s_init over |x| / |u_1|; 0 where s_init is given. */
  readonly start: number;
  /** The share of a known loss that a step may promise while S grows. */
  readonly promise: number;
  /** The base without momentum, averaged; null: the base as it is. */
  readonly averaging: Averaging | null;
  /** |d| of a coordinate is at most so many times the rate. */
  readonly longest: number;
}

/** What the caller may set besides: they are constants of the package, which may change. */
export interface Choices {
  /** |d| of averaged bases that are normalized. */
  longest: number;
  /** Bases that noise is no reason to average. */
  averagesNoise: boolean;
}

/** Gradients differ by more than this share of their squares: they are noisy. */
const NOISE_LIMIT = 3e-3;
/** While nothing is known of the gradients, steps are shorter by this factor. */
export const CAUTION = 10;
const START = 1e-2;

const exactly = { first: 16, growth: 1.6, carry: 0.6 };
const noisily = { first: 64, growth: 2, carry: 1 };
const asPublished = { first: 64, growth: 2, carry: 0.6 };

/** |u| / eta is about 1 in these whatever units the gradient has. */
const normalized = new Set(["adam", "adamw", "adamax", "rmsprop", "adagrad", "lion"]);

/** delta = |g_2 - g_1|^2 / (|g_1|^2 + |g_2|^2) tells what gradients are. */
export function kindOf(first: ArrayLike<number>, second: ArrayLike<number>): "exact" | "noisy" {
  let [apart, both] = [0, 0];
  for (let i = 0; i < first.length; i++) {
    apart += (second[i] - first[i]) ** 2;
    both += first[i] ** 2 + second[i] ** 2;
  }
  return apart / both > NOISE_LIMIT ? "noisy" : "exact";
}

/** Only this form tells kinds apart. */
export const distinguishes = (tuner: TunerOptions | null): boolean => tuner?.form === "superlevel";

function settled(given: AnchorOptions | null, defaults: typeof exactly): Anchor | null {
  if (given === null) return null;
  if ("every" in given) return { every: given.every, carry: given.carry ?? defaults.carry };
  const { first, growth, carry } = { ...defaults, ...given };
  if (!(growth > 1)) throw new RangeError("growth must be above 1");
  return { first, growth, carry };
}

/** The step that ends a window which starts after step `start`. */
export function nextAnchor(anchor: AnchorOptions | null, start: number): number {
  if (anchor === null) return Infinity;
  if ("every" in anchor) return (Math.floor(start / anchor.every) + 1) * anchor.every;
  const { first = 64, growth = 2 } = anchor;
  return start + Math.max(first, Math.round(start * (growth - 1)));
}

/** The averaging that a base is itself, or that noise asks for. */
function averagingOf(base: BaseOptions, noisy: boolean, choices: Choices): Averaging | null {
  if (base.name === "scheduleFree") return base;
  return noisy && choices.averagesNoise ? { interpolation: 0.9, power: 2, ratePower: 2 } : null;
}

export function modeOf(kind: Kind, base: BaseOptions, tuner: TunerOptions | null, choices: Choices): Mode {
  if (!tuner || !distinguishes(tuner)) {
    const scale = { growthLimit: null, ownFloor: false, rewardLimit: 1, start: 0, promise: Infinity };
    const averaging = averagingOf(base, false, choices);
    return { ...scale, averaging, longest: Infinity, anchor: tuner && settled(tuner.anchor, asPublished) };
  }
  const noisy = kind === "noisy";
  const averaging = averagingOf(base, noisy, choices);
  const limit = noisy ? { first: 10, later: 1.5 } : { first: 300, later: 4 };
  const anchor = settled(tuner.anchor, noisy ? noisily : exactly);
  const start = kind === "undecided" ? START / CAUTION : START;
  return {
    // Nothing is anchored before it is known how.
    anchor: kind === "undecided" ? null : anchor,
    growthLimit: tuner.growthLimit === null ? null : { ...limit, ...tuner.growthLimit },
    ownFloor: noisy,
    rewardLimit: noisy ? 2 : 1,
    start: tuner.sInit === undefined ? start : 0,
    promise: noisy ? 0.1 : Infinity,
    averaging,
    longest:
      averaging && base.name !== "scheduleFree" && normalized.has(base.name) ? choices.longest : Infinity,
  };
}

/** What an anchor keeps of S where the mode has no anchors of its own. */
export const carryOf = ({ anchor, ownFloor }: Mode): number => anchor?.carry ?? (ownFloor ? 1 : 0.6);
