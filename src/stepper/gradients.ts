import { placesOf, type Averaging, type Constants, type Rule } from "../bases/base.js";
import type { Kernel } from "../bases/kernels.js";
import type { GradientKind } from "../common/kinds.js";
import type { AnchorOptions, GrowthLimit, CheckedAnchor, Tuner } from "../tuners/tuners.js";

/*
 * Two kinds of gradients, and what an optimizer does with each. Where they are exact (a function, a full batch), ⟨Δ, g⟩
 * tells the right scale, and rates must fall for convergence. Where they are noisy (minibatches), ⟨Δ, g⟩ is dominated by
 * the noise's own curvature: the scale must not fall, and averaging buys what decay would (arXiv 2405.15682).
 */

/** Noisy where ‖g_2 − g_1‖² is more than this share of ‖g_1‖² + ‖g_2‖². Exact problems stay below 4e-5, but at a minimum. */
export const NOISE_LIMIT = 3e-3;

/**
 * s_init over ‖x‖ / ‖u_1‖, where none is given, while only one gradient is known. It is so short that an exact gradient hardly
 * changes, even near a minimum, and long enough for float32 to tell the change from rounding.
 */
const CAUTIOUS_START = 3e-6;

/** What a step does with gradients of one kind. */
export interface Mode {
  readonly kernel: Kernel;
  /** Places among the base's slots. */
  readonly firstSlot: number;
  readonly leadSlot: number;
  readonly constants: Constants;
  /** What a rejected step starts again. */
  readonly momenta: readonly number[];
  /** How the weights of an average are counted, and whether this mode averages. */
  readonly averaging: Averaging | undefined;
  readonly averages: boolean;
  /** The largest norm of a gradient, over the root mean square of those so far. */
  readonly gradientLimit: number;
  /** Longer ones are clipped, for base and tuner alike; or else they only make shorter steps. */
  readonly clipsLong: boolean;
  /** The longest coordinate of a normalized direction, such as Adam's g / √nu. */
  readonly longest: number;
  /** Does the average forget where ⟨e, g⟩ says that it lags behind? */
  readonly shortensAverage: boolean;
  /** Does each step say what g² weighs in second moments? */
  readonly weighsSquares: boolean;
  readonly anchor: CheckedAnchor | null;
  /** What an anchor keeps of S, also one that the caller asks for. */
  readonly carry: number;
  readonly growthLimit: GrowthLimit | null;
  /** s has a floor of its own instead of the wealth, and r takes h clipped to so many times ±m. */
  readonly ownFloor: boolean;
  readonly rewardLimit: number;
  /** s_init over ‖x‖ / ‖u_1‖; 0 where s_init was given. */
  readonly start: number;
  /** The same where two gradients tell how far to go, at most; null where they do not. */
  readonly longestStart: number | null;
  /** The share of a loss known to be ≥ 0 that a step may promise while S grows. */
  readonly promise: number;
  /** t steps into a window, S may grow 1 + catchUp / t times as fast as its evidence. */
  readonly catchUp: number;
}

export type Modes = Readonly<Record<GradientKind, Mode>>;

/** What the kinds differ in, where the tuner leaves it open. */
const EXACT = {
  anchor: { first: 16, growth: 1.6, carry: 0.6 },
  growthLimit: { first: 300, later: 10 },
  ownFloor: false,
  rewardLimit: 1,
  start: 3e-2,
  longestStart: 0.3,
  promise: Infinity,
  catchUp: Infinity,
};
type Defaults = Omit<typeof EXACT, "longestStart"> & Pick<Mode, "longestStart">;
const NOISY: Defaults = {
  anchor: { first: 64, growth: 2, carry: 1 },
  growthLimit: { first: 10, later: 1.3 },
  ownFloor: true,
  rewardLimit: 2,
  start: 2e-2,
  longestStart: null,
  promise: 0.2,
  catchUp: 2,
};
/** What S is multiplied by where gradients turn out to be exact, and nothing tells how far to go. */
export const KNOWN_RATIO = EXACT.start / CAUTIOUS_START;
/** Noisy gradients under a rule that is worse for averaging, such as Lion's: it decays in windows, but S is carried on. */
const NOISY_UNAVERAGED: Defaults = {
  ...EXACT,
  anchor: { first: 64, growth: 2, carry: 1 },
  growthLimit: { first: 100, later: 4 },
  longestStart: null,
  promise: 0.2,
};
/** Of gradients under noise: an average over t² weights, and limits against late spikes of the loss. */
const NOISY_AVERAGING: Averaging = { interpolation: 0.9, power: 2, ratePower: 2 };
const LIMITS = { gradientLimit: 1.5, clipsLong: false, longest: 5 };
const UNLIMITED = { gradientLimit: Infinity, clipsLong: false, longest: 3.4e38 };
/** Where gradients are exact and a step grows with them, as plain SGD's does. */
const PROPORTIONAL = { gradientLimit: 1, clipsLong: true };

function anchorOf(given: AnchorOptions | null, defaults: CheckedAnchor): CheckedAnchor | null {
  if (given === null) return null;
  if ("every" in given) return { every: given.every, carry: given.carry ?? defaults.carry };
  return { ...defaults, ...given };
}

/** A start of the caller's own may be far from where S has to be: then S grows as it likes, unless told otherwise. */
function growthLimitOf(
  given: Partial<GrowthLimit> | null,
  sInit: number | undefined,
  defaults: GrowthLimit,
): GrowthLimit | null {
  const open = given === null || (sInit !== undefined && Object.keys(given).length === 0);
  return open ? null : { ...defaults, ...given };
}

/**
 * What S is multiplied by when it is known what gradients are: steps were cautious until then. `change`: how much the second
 * gradient differs from the first, δ, if that is known. Of exact ones g_2 − g_1 is the curvature along the first step, and a
 * step 1 / √(2 δ) ≈ ‖g_1‖ / ‖g_2 − g_1‖ times as long would turn the gradient, if all of it changed at that pace.
 */
export function startRatio({ undecided, ...modes }: Modes, kind: "exact" | "noisy", change?: number): number {
  if (undecided.start === 0) return 1;
  const { start, longestStart } = modes[kind];
  if (change === undefined || longestStart === null) return start / undecided.start;
  // Rounded, as an engine may sum in an order of its own.
  return Math.min(longestStart / undecided.start, Math.fround(1 / Math.sqrt(2 * change)));
}

/** The base as it is, or without momentum and averaged. */
function ruleOf(rule: Rule, averages: boolean, averaging: Averaging | undefined) {
  const { kernel, constants, slots, bare } = rule;
  const own = rule.averaging !== undefined;
  const shortensAverage = averages && !own;
  const limits = shortensAverage ? LIMITS : UNLIMITED;
  const weighed = shortensAverage ? bare.weighed : undefined;
  const shared = { averages, averaging, shortensAverage, weighsSquares: weighed !== undefined, ...limits };
  const { firstSlot, leadSlot } = bare;
  if (averages) {
    const averaged = { kernel: bare.kernel, constants: (weighed ?? bare.constants)(limits.longest) };
    return { ...averaged, momenta: [leadSlot], firstSlot, leadSlot, ...shared };
  }
  return { kernel, constants, momenta: placesOf(slots, "momentum"), firstSlot: 0, leadSlot, ...shared };
}

/** Only `superlevel` makes a difference between the kinds: other forms are what they were published as. */
export const distinguishes = (tuner: Tuner | null): boolean => tuner?.form === "superlevel";

/** The modes of an optimizer, by the kind of its gradients. `gradients`: what they are known to be. */
export function modesOf(rule: Rule, tuner: Tuner | null, gradients: "auto" | "exact" | "noisy"): Modes {
  const own = rule.averaging;
  if (!distinguishes(tuner)) {
    const scale = {
      growthLimit: null,
      ownFloor: false,
      rewardLimit: 1,
      start: 0,
      promise: Infinity,
      catchUp: Infinity,
    };
    const longestStart = null;
    const anchor = tuner && anchorOf(tuner.anchor, { first: 64, growth: 2, carry: 0.6 });
    const carry = anchor?.carry ?? 0.6;
    const mode = { ...ruleOf(rule, own !== undefined, own), ...scale, longestStart, anchor, carry };
    return { exact: mode, noisy: mode, undecided: mode };
  }
  const { anchor, growthLimit, sInit } = tuner!;
  const mode = (defaults: Defaults, averages: boolean): Mode => ({
    ...ruleOf(rule, averages, own ?? NOISY_AVERAGING),
    ...defaults,
    anchor: anchorOf(anchor, defaults.anchor),
    carry: anchor?.carry ?? defaults.anchor.carry,
    growthLimit: growthLimitOf(growthLimit, sInit, defaults.growthLimit),
    start: sInit === undefined ? defaults.start : 0,
  });
  const free = mode(EXACT, own !== undefined);
  const exact: Mode = {
    ...free,
    constants: rule.exact ?? free.constants,
    ...(rule.proportional && PROPORTIONAL),
  };
  return {
    exact,
    noisy: rule.averagesNoise ? mode(NOISY, true) : mode(NOISY_UNAVERAGED, false),
    // The first step of both kinds is the same, and nothing is clipped before it is known which: the gradient that is kept to
    // compare the next with has to be whole. Nor is it known where to anchor.
    undecided: {
      ...free,
      start: free.start && CAUTIOUS_START,
      anchor: gradients === "exact" ? free.anchor : null,
    },
  };
}
