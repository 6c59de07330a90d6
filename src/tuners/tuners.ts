import { expectNumber, expectOneOf, expectOptions, given, isArrayLike, show } from "../common/expect.js";

/** When xRef is reset to x (paper, 6.3), and how much of the scale S is kept as the next s_init. */
export type AnchorOptions =
  | {
      /**
       * Windows that grow: one that starts after step t is (growth − 1) t steps long, but no shorter than `first`.
       * Defaults of `superlevel`: 16 and 1.6 with exact gradients, 64 and 2 with noisy ones; of other tuners 64 and 2.
       */
      first?: number;
      growth?: number;
      /** s_init ← carry · S, in (0, 1]; default 0.6, and 1 for `superlevel` with noisy gradients. */
      carry?: number;
    }
  | {
      /** An anchor after every so many steps. */
      every: number;
      carry?: number;
    };

/** {@link AnchorOptions} with nothing left out. */
export type CheckedAnchor =
  | { readonly first: number; readonly growth: number; readonly carry: number }
  | { readonly every: number; readonly carry: number };

/** How far S may grow in a window: at most so many times what it was when the window began. */
export interface GrowthLimit {
  /** In the first window, ≥ 1. */
  readonly first: number;
  /** In later ones, ≥ 1. */
  readonly later: number;
}

/** How Δ_t comes about: kept as a vector, (x − xRef) / (S + eps), or x − xRef + S + eps as printed in (25). */
export type DeltaKind = "stored" | "reconstructed" | "additive";

/** The forms of the method; docs/notation.md compares them. */
export type FormName = "superlevel" | "mechanic" | "mechanize" | "equations" | "algorithm1";

/** What shares a tuner: everything, a tensor's coordinates, or nothing. */
export type Granularity = "global" | "tensor" | "parameter";

/** Options common to the tuners. */
export interface TunerOptions {
  /** Decay factors β, one tuner each, in [0, 1); default 0.9, 0.99, … 0.999999. */
  betas?: readonly number[];
  /**
   * s_init: the scale to start from, > 0. Left out, `superlevel` finds it at the first step that moves:
   * 3e-6 ‖x‖ / ‖u_1‖, until the second gradient tells exact from noisy. Then it is 0.02 ‖x‖ / ‖u_1‖ with noisy ones, and with
   * exact ones ‖g_1‖ / ‖g_2 − g_1‖ times as much as before, at most 0.3 ‖x‖ / ‖u_1‖. √n stands for ‖x‖ where x = 0.
   */
  sInit?: number;
  /** λ: weight of the term that h adds to ⟨Δ, g⟩, ≥ 0; default 0.01. */
  lambda?: number;
  /** Keeps divisions finite, > 0. */
  eps?: number;
  delta?: DeltaKind;
  /** One h and S for all coordinates (default), for each tensor, or for each coordinate. */
  granularity?: Granularity;
  /**
   * With granularity "parameter": each S_j stays within this factor of the S that all coordinates together get, > 1;
   * null leaves it free. Default 3 for `superlevel`, null (nothing else is defined) for the others.
   */
  spread?: number | null;
  /** When to reset the reference point; null: never. What is left out depends on the gradients. */
  anchor?: AnchorOptions | null;
  /**
   * `superlevel` only. Default { first: 300, later: 10 } with exact gradients, { first: 10, later: 1.3 } with noisy ones;
   * null: no limit.
   */
  growthLimit?: Partial<GrowthLimit> | null;
}

/** A tuner: the plain object that `superlevel(…)`, `mechanic(…)` and the others return. */
export interface Tuner extends Required<Omit<TunerOptions, "sInit">> {
  readonly form: FormName;
  readonly sInit?: number;
}

const SIX_BETAS = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999] as const;
const GRANULARITIES = ["global", "tensor", "parameter"] as const;
/** Where the published forms start. */
const LITERAL = { sInit: 1e-8 };
const KEYS = [
  "form",
  "betas",
  "sInit",
  "lambda",
  "eps",
  "delta",
  "granularity",
  "spread",
  "anchor",
  "growthLimit",
];

function expectBetas(name: string, betas: unknown, count?: number): number[] {
  if (!isArrayLike(betas)) throw new TypeError(`${name}: expected an array of numbers, got ${show(betas)}`);
  if (count === undefined ? betas.length === 0 : betas.length !== count) {
    throw new RangeError(`${name}: expected ${count ?? "at least 1"} of them, got ${betas.length}`);
  }
  // Checked before it is copied, as what has a length need not have anything else.
  for (let k = 0; k < betas.length; k++) expectNumber(`${name}[${k}]`, betas[k], { min: 0, below: 1 });
  return Array.from(betas);
}

function checkAnchor(name: string, anchor: AnchorOptions | null): AnchorOptions | null {
  if (anchor === null) return null;
  expectOptions(name, anchor, ["first", "growth", "every", "carry"]);
  const settled = given(anchor);
  const { carry } = settled;
  if (carry !== undefined) expectNumber(`${name}.carry`, carry, { above: 0, max: 1 });
  if ("every" in settled) {
    expectOptions(name, settled, ["every", "carry"]);
    expectNumber(`${name}.every`, settled.every, { min: 1, integer: true });
    return settled;
  }
  expectOptions(name, settled, ["first", "growth", "carry"]);
  if (settled.first !== undefined) expectNumber(`${name}.first`, settled.first, { min: 1, integer: true });
  if (settled.growth !== undefined) expectNumber(`${name}.growth`, settled.growth, { above: 1 });
  return settled;
}

function checkGrowthLimit(form: FormName, limit: Partial<GrowthLimit> | null): Partial<GrowthLimit> | null {
  if (limit === null) return null;
  const name = `${form}.growthLimit`;
  if (form !== "superlevel")
    throw new RangeError(`${name}: expected null but for superlevel, got ${show(limit)}`);
  expectOptions(name, limit, ["first", "later"]);
  const settled = given(limit);
  for (const [key, value] of Object.entries(settled)) expectNumber(`${name}.${key}`, value, { min: 1 });
  return settled;
}

function checkSpread(form: FormName, granularity: Granularity, spread: number | null): number | null {
  if (spread === null) return null;
  if (form !== "superlevel" || granularity !== "parameter") {
    throw new RangeError(
      `${form}.spread: expected null but for superlevel's coordinates, got ${show(spread)}`,
    );
  }
  return expectNumber(`${form}.spread`, spread, { above: 1 });
}

interface Allowed {
  deltas: readonly DeltaKind[];
  granularities?: readonly Granularity[];
  betaCount?: number;
}

function makeTuner(form: FormName, options: TunerOptions, defaults: Partial<Tuner>, allowed: Allowed): Tuner {
  expectOptions(form, options, KEYS);
  const { betas, sInit, lambda, eps, delta, granularity, spread, anchor, growthLimit } = {
    betas: SIX_BETAS,
    lambda: 0.01,
    eps: 1e-8,
    delta: allowed.deltas[0],
    granularity: "global",
    spread: null,
    anchor: null,
    growthLimit: null,
    ...defaults,
    ...given(options),
  } as Required<Omit<TunerOptions, "sInit">> & Pick<TunerOptions, "sInit">;
  return {
    form,
    betas: expectBetas(`${form}.betas`, betas, allowed.betaCount),
    ...(sInit !== undefined && { sInit: expectNumber(`${form}.sInit`, sInit, { above: 0 }) }),
    lambda: expectNumber(`${form}.lambda`, lambda, { min: 0 }),
    eps: expectNumber(`${form}.eps`, eps, { above: 0 }),
    delta: expectOneOf(`${form}.delta`, delta, allowed.deltas),
    granularity: expectOneOf(`${form}.granularity`, granularity, allowed.granularities ?? GRANULARITIES),
    spread: checkSpread(form, granularity, spread),
    anchor: checkAnchor(`${form}.anchor`, anchor),
    growthLimit: checkGrowthLimit(form, growthLimit),
  };
}

/**
 * The default tuner: Mechanic's wealth on Δ and g alone, a proximal pull toward xRef in place of (26)'s last term, no
 * floor under v, and anchors. It needs no learning rate.
 *
 * h = ⟨Δ, g⟩ + λ (‖g‖ / ‖x‖) S ‖Δ‖²; m = max(β m, |h| + 1e-30); v = β² v + h²; r = max(0, β r − s · clip(h, ±m));
 * s = (s_init m / K + r) / (√v + eps); x = xRef + (Σ s) Δ. Paper (25)–(33) and 6.3, changed where they do not work.
 * With noisy gradients r takes clip(h, ±2m), s = s_init / K + r / (√v + eps), and the base is averaged (arXiv 2405.15682):
 * docs/gradients.md says what depends on the gradients.
 *
 * @param options defaults: eps 1e-30 (1e-18 for coordinates), λ 0.01, Δ stored; the rest by the kind of gradients
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer([3, -2], { tuner: superlevel({ anchor: { every: 100 } }) });
 * const bowl = (x: Float32Array, g: Float32Array) => {
 *   g.set([x[0], 10 * x[1]]);
 *   return 0.5 * (x[0] ** 2 + 10 * x[1] ** 2);
 * };
 * optimizer.minimize(bowl, { steps: 400 }).loss < 1e-3; // → true
 */
export function superlevel(options: TunerOptions = {}): Tuner {
  expectOptions("superlevel", options, KEYS);
  const perCoordinate = options.granularity === "parameter";
  const defaults = {
    // Coordinates keep h² in float32, which ends at 1e-38.
    eps: perCoordinate ? 1e-18 : 1e-30,
    anchor: {},
    growthLimit: {},
    spread: perCoordinate ? 3 : null,
  };
  return makeTuner("superlevel", options, defaults, { deltas: ["stored", "reconstructed"] });
}

/**
 * Mechanic as its authors' PyTorch package runs it (arXiv 2306.00144): h = ⟨Δ, g⟩ + λ S ‖g‖ ⟨Δ, y⟩ / (‖y‖ + eps)
 * at y = x + u; m from 1e-6; s from 0; r clamped at 0. Use it with a schedule.
 *
 * @param options defaults: sInit 1e-8, eps 1e-8, λ 0.01, Δ reconstructed, no anchors
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer(3, { tuner: mechanic({ delta: "stored" }), base: sgd({ learningRate: 1 }) });
 * optimizer.scale; // → 0
 */
export function mechanic(options: TunerOptions = {}): Tuner {
  return makeTuner("mechanic", options, LITERAL, { deltas: ["reconstructed", "stored"] });
}

/**
 * Mechanic as optax's `mechanize` runs it (arXiv 2306.00144): y = x, |h| + eps in m, h clipped to ±m in r, r not
 * clamped in state, s from s_init each.
 *
 * @param options.numBetas K: betas are 1 − 0.1^k, k = 1 … K; default 6
 * @param options defaults: sInit 1e-6, eps 1e-8, λ 0.01, Δ reconstructed, no anchors
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * mechanize({ numBetas: 2 }).betas; // → [0.9, 0.99]
 */
export function mechanize(options: TunerOptions & { numBetas?: number } = {}): Tuner {
  expectOptions("mechanize", options, [...KEYS, "numBetas"]);
  const { numBetas = 6, ...rest } = options;
  expectNumber("mechanize.numBetas", numBetas, { min: 1, max: 16, integer: true });
  const betas = Array.from({ length: numBetas }, (_, k) => 1 - 0.1 ** (k + 1));
  return makeTuner(
    "mechanize",
    rest,
    { betas, sInit: 1e-6 },
    {
      deltas: ["reconstructed", "stored"],
      granularities: ["global", "tensor"],
    },
  );
}

/**
 * The paper's equations (24)–(33) as printed: h = ⟨Δ, g⟩ + λ ‖g‖ / ‖x‖, m = max(β m, h), r from s_{t−1}, s from 0.
 * With delta "additive", (25), parameters do not move to speak of; with "stored" they do. x = 0 is an error.
 *
 * @param options defaults: sInit 1e-8, eps 1e-8, λ 0.01, Δ stored, no anchors
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * const optimizer = createOptimizer([1, 1], { tuner: equations({ delta: "additive" }) });
 * optimizer.step([1, 10]);
 * Math.abs(optimizer.params[1] - 1) < 1e-7; // → true
 */
export function equations(options: TunerOptions = {}): Tuner {
  return makeTuner("equations", options, LITERAL, { deltas: ["stored", "additive"] });
}

/**
 * The paper's Algorithm 1 as printed: {@link equations} with one scalar tuner, decay factors β1 for m, β2 (not
 * squared) for v and β3 for r, and s = W / √(v + eps). x = 0 is an error.
 *
 * @param options.betas [β1, β2, β3]; default [0.9, 0.99, 0.999]
 * @param options defaults: sInit 1e-8, eps 1e-8, λ 0.01, Δ additive, no anchors
 * @throws RangeError when an option is out of range, TypeError when it is of the wrong kind or unknown
 * @example
 * algorithm1().betas; // → [0.9, 0.99, 0.999]
 */
export function algorithm1(options: TunerOptions = {}): Tuner {
  const betas = [0.9, 0.99, 0.999];
  return makeTuner(
    "algorithm1",
    options,
    { ...LITERAL, betas },
    { deltas: ["additive", "stored"], betaCount: 3 },
  );
}

/** The step after which the next anchor falls, for a window that starts after step `start`. */
export function nextAnchor(anchor: CheckedAnchor | null, start: number): number {
  if (anchor === null) return Infinity;
  if ("every" in anchor) return (Math.floor(start / anchor.every) + 1) * anchor.every;
  return start + Math.max(anchor.first, Math.round(start * (anchor.growth - 1)));
}
