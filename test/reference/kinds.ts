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

/** Whether and how a base is averaged. */
export interface Averaged {
  /** The base without momentum, averaged; null: the base as it is. */
  readonly averaging: Averaging | null;
  /** The average forgets half of its age where it lags behind. */
  readonly forgets: boolean;
  /** Gradients longer than so many times the root mean square of those so far make shorter steps, or are clipped. */
  readonly gradientLimit: number;
  readonly clipsLong: boolean;
  /** A coordinate of a normalized direction is at most this. */
  readonly longest: number;
  /** A step says what squares weigh in nu, where beta2 is left out, and in the mean of |g|^2. */
  readonly weighs: boolean;
  /** Decay factors that are left out are those for exact gradients. */
  readonly exact: boolean;
}

export interface Mode extends Averaged {
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
  /** t steps into a window, S grows at most 1 + catchUp / t times as fast as its evidence. */
  readonly catchUp: number;
}

/** Constants of the package that a caller may set. */
export interface Choices {
  gradientLimit: number;
  longest: number;
  /** False for bases that noise is no reason to average. */
  averagesNoise: boolean;
}

export const CHOICES: Choices = { gradientLimit: 1.5, longest: 5, averagesNoise: true };

/** Gradients differ by more than this share of their squares: they are noisy. */
const NOISE_LIMIT = 3e-3;
/** The start while nothing is known of the gradients. */
const CAUTIOUS_START = 3e-6;

/** What a tuner leaves open. */
type Defaults = Omit<Mode, keyof Averaged | "anchor"> & {
  anchor: { first: number; growth: number; carry: number };
};

const asPublished = { first: 64, growth: 2, carry: 0.6 };
const exactly: Defaults = {
  anchor: { first: 16, growth: 1.6, carry: 0.6 },
  growthLimit: { first: 300, later: 10 },
  ownFloor: false,
  rewardLimit: 1,
  start: 3e-2,
  promise: Infinity,
  catchUp: Infinity,
};
const noisily: Defaults = {
  anchor: { first: 64, growth: 2, carry: 1 },
  growthLimit: { first: 10, later: 1.3 },
  ownFloor: true,
  rewardLimit: 2,
  start: 2e-2,
  promise: 0.2,
  catchUp: 2,
};

/** The longest start where two exact gradients tell how far to go. */
const LONGEST_START = 0.3;

/** delta = |g_2 - g_1|^2 / (|g_1|^2 + |g_2|^2) tells what gradients are. */
export function changeOf(first: ArrayLike<number>, second: ArrayLike<number>): number {
  let [apart, both] = [0, 0];
  for (let i = 0; i < first.length; i++) {
    apart += (second[i] - first[i]) ** 2;
    both += first[i] ** 2 + second[i] ** 2;
  }
  return apart / both;
}
export const kindOf = (change: number): "exact" | "noisy" => (change > NOISE_LIMIT ? "noisy" : "exact");

/** Only this form tells kinds apart. */
export const distinguishes = (tuner: TunerOptions | null): boolean => tuner?.form === "superlevel";

function settled(given: AnchorOptions | null, defaults: typeof asPublished): Anchor | null {
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

/** Noise under a base that is no reason to average. */
const carriedOn: Defaults = {
  ...exactly,
  anchor: { first: 64, growth: 2, carry: 1 },
  growthLimit: { first: 100, later: 4 },
  promise: 0.2,
};

/** The averaging that noise asks for. */
export const NOISE_AVERAGING: Averaging = { interpolation: 0.9, power: 2, ratePower: 2 };
const unbounded = {
  ...{ forgets: false, gradientLimit: Infinity, clipsLong: false, longest: Infinity },
  ...{ weighs: false, exact: false },
};

/** The averaging that a base is itself, or that noise asks for, and what limits its steps. */
function averagingOf(base: BaseOptions, kind: Kind, choices: Choices): Averaged {
  if (base.name === "scheduleFree") return { averaging: base, ...unbounded };
  const { gradientLimit, longest } = choices;
  // Steps of plain gradients that are too long make the next ones longer: where h sees that, it is late.
  const clips = { ...unbounded, gradientLimit: 1, clipsLong: true };
  if (kind === "exact") return { averaging: null, ...(base.name === "sgd" ? clips : unbounded), exact: true };
  if (kind === "undecided") return { averaging: null, ...unbounded };
  if (!choices.averagesNoise) return { averaging: null, ...unbounded };
  return {
    averaging: NOISE_AVERAGING,
    forgets: true,
    gradientLimit,
    clipsLong: false,
    longest,
    weighs: (base.name === "adam" || base.name === "adamw") && !base.amsgrad && base.beta2 === undefined,
    exact: false,
  };
}

/** `known`: what gradients are known to be before there are two. */
export function modeOf(
  kind: Kind,
  known: "auto" | "exact" | "noisy",
  base: BaseOptions,
  tuner: TunerOptions | null,
  choices: Choices,
): Mode {
  if (!tuner || !distinguishes(tuner)) {
    const scale = {
      growthLimit: null,
      ownFloor: false,
      rewardLimit: 1,
      start: 0,
      promise: Infinity,
      catchUp: Infinity,
    };
    const anchor = tuner && settled(tuner.anchor, asPublished);
    const averaging = base.name === "scheduleFree" ? base : null;
    return { ...scale, averaging, ...unbounded, anchor };
  }
  const { anchor, growthLimit, sInit } = tuner;
  const averaged = averagingOf(base, kind, choices);
  const defaults = kind !== "noisy" ? exactly : averaged.averaging ? noisily : carriedOn;
  // A start of the caller's own may be far from where S has to be.
  const unlimited = growthLimit === null || (sInit !== undefined && Object.keys(growthLimit).length === 0);
  const start = kind === "undecided" ? CAUTIOUS_START : defaults.start;
  return {
    ...defaults,
    ...averaged,
    // Nothing is anchored before it is known how.
    anchor: kind === "undecided" && known === "auto" ? null : settled(anchor, defaults.anchor),
    growthLimit: unlimited ? null : { ...defaults.growthLimit!, ...growthLimit },
    start: sInit === undefined ? start : 0,
  };
}

/** What an anchor keeps of S where the mode has no anchors of its own. */
export const carryOf = ({ anchor, ownFloor }: Mode): number => anchor?.carry ?? (ownFloor ? 1 : 0.6);

/** What S is multiplied by when it is known what gradients are: noisy ones start as far as is known to do, exact ones where the first gradient would turn. */
export function ratioOf(before: Mode, now: Mode, kind: Kind, change: number): number {
  if (before.start === 0) return 1;
  if (kind === "noisy") return now.start / before.start;
  return Math.min(LONGEST_START / before.start, Math.fround(1 / Math.sqrt(2 * change)));
}

/** Does the second gradient tell something? */
export const decides = (tuner: TunerOptions | null, gradients: "auto" | "exact" | "noisy"): boolean =>
  distinguishes(tuner) && (gradients === "auto" || (gradients === "exact" && tuner?.sInit === undefined));
