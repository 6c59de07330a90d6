/** The options of the reference twin and the defaults of its forms. */
import type { Base } from "../../src/index.js";
import type { AverageForm } from "./averaging.js";
import type { Choices } from "./kinds.js";

/** Applied after every elementwise operation: the identity gives f64, Math.fround gives f32. */
export type Round = (value: number) => number;

/** What the package's factories return: options alone, and no code. */
export type BaseOptions = Base;
export type ScheduleFreeOptions = Extract<Base, { name: "scheduleFree" }>;
export type RuleOptions = ScheduleFreeOptions["base"];

/** Those of one rule. */
export type Of<Name extends RuleOptions["name"]> = Extract<RuleOptions, { name: Name }>;

export type Form = "superlevel" | "mechanic" | "mechanize" | "equations" | "algorithm1";

/**
 * Where the reference point moves by itself: a window that starts after step t is (growth - 1) t steps long, and at
 * least `first`; or every so many steps. What is left out depends on the gradients.
 */
export type AnchorOptions =
  { first?: number; growth?: number; carry?: number } | { every: number; carry?: number };

export interface TunerOptions {
  form: Form;
  /** One tuner per beta; for "algorithm1" the three decays of its one tuner. */
  betas: readonly number[];
  /** Left out, "superlevel" finds it at the first step that moves. */
  sInit?: number;
  lambda: number;
  eps: number;
  delta: "stored" | "reconstructed" | "additive";
  granularity: "global" | "tensor" | "parameter";
  /** Of coordinates' S around the S of all together; null: free. */
  spread: number | null;
  anchor: AnchorOptions | null;
  /** How far S may grow in the first window and in later ones; what is left out depends on the gradients. */
  growthLimit: { first?: number; later?: number } | null;
}

export interface TensorOptions {
  size: number;
  /** A multiplier of the base's rate. */
  learningRate?: number;
  /** Replaces the base's weight decay. */
  weightDecay?: number;
  frozen?: boolean;
}

export interface ClipOptions {
  norm?: number;
  value?: number;
}

export interface ReferenceOptions {
  base: BaseOptions;
  /** null: the plain base optimizer, x + u. */
  tuner: TunerOptions | null;
  tensors?: readonly TensorOptions[];
  normAdaptive?: boolean;
  clip?: ClipOptions;
  /** "auto": what the second gradient says of the first. */
  gradients?: "auto" | "exact" | "noisy";
  /** How averages are computed: as the engine does, or as they are defined. */
  averages?: AverageForm;
  choices?: Partial<Choices>;
  round?: Round;
  /** s_0 = s_1 for every beta, where a recorded run starts elsewhere than its form does. */
  sStart?: number;
}

/** Sums measured elsewhere, taken over so that the elementwise results can be compared bit for bit. */
export interface Adopted {
  gradNorm?: number;
  /** One for each tuner. */
  h?: number | readonly number[];
  sInit?: number;
  /** Of each tuner: <Delta_t, g_t> and <Delta_{t+1}, g_t>. */
  slopes?: readonly { before: number; after: number }[];
  /** |g_t| after clipping and |x_t|, by which the pull of coordinates goes. */
  gNorm?: number;
  xNorm?: number;
}

const sixBetas = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
const asPublished = {
  sInit: 1e-8,
  lambda: 0.01,
  eps: 1e-8,
  granularity: "global",
  spread: null,
  anchor: null,
  growthLimit: null,
} as const;

const defaults: Record<Form, Omit<TunerOptions, "form">> = {
  superlevel: {
    ...asPublished,
    betas: sixBetas,
    sInit: undefined,
    eps: 1e-30,
    delta: "stored",
    anchor: {},
    growthLimit: {},
  },
  mechanic: { ...asPublished, betas: sixBetas, delta: "reconstructed" },
  mechanize: {
    ...asPublished,
    betas: [1, 2, 3, 4, 5, 6].map((k) => 1 - 0.1 ** k),
    sInit: 1e-6,
    delta: "reconstructed",
  },
  equations: { ...asPublished, betas: sixBetas, delta: "stored" },
  algorithm1: { ...asPublished, betas: [0.9, 0.99, 0.999], delta: "additive" },
};

/** A form with its defaults, and whatever is said otherwise. */
export function tunerOf(form: Form, changes: Partial<Omit<TunerOptions, "form">> = {}): TunerOptions {
  return { form, ...defaults[form], ...changes };
}

export function sgdOf(changes: Partial<Omit<Of<"sgd">, "name">> = {}): Of<"sgd"> {
  return { name: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, ...changes };
}

export function adamOf(changes: Partial<Omit<Of<"adam">, "name">> = {}): Of<"adam"> {
  const variants = { amsgrad: false, nesterov: false, momentumDecay: 4e-3 };
  return { name: "adam", beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, ...variants, ...changes };
}

export function adamwOf(changes: Partial<Omit<Of<"adam">, "name">> = {}): Of<"adamw"> {
  return { ...adamOf({ weightDecay: 0.01, ...changes }), name: "adamw" };
}

export function lionOf(changes: Partial<Omit<Of<"lion">, "name">> = {}): Of<"lion"> {
  return { name: "lion", beta1: 0.9, beta2: 0.99, weightDecay: 0, ...changes };
}

export function rmspropOf(changes: Partial<Omit<Of<"rmsprop">, "name">> = {}): Of<"rmsprop"> {
  const plain = { momentum: 0, centered: false, weightDecay: 0 };
  return { name: "rmsprop", alpha: 0.99, eps: 1e-8, ...plain, ...changes };
}

export function adagradOf(changes: Partial<Omit<Of<"adagrad">, "name">> = {}): Of<"adagrad"> {
  const plain = { learningRateDecay: 0, initialAccumulator: 0, weightDecay: 0 };
  return { name: "adagrad", eps: 1e-10, ...plain, ...changes };
}

export function scheduleFreeOf(
  base: RuleOptions,
  changes: Partial<Omit<ScheduleFreeOptions, "name" | "base">> = {},
): ScheduleFreeOptions {
  const plain = { interpolation: 0.9, power: 0, ratePower: 2, warmupSteps: 0 };
  return { name: "scheduleFree", base, weightDecay: base.weightDecay, ...plain, ...changes };
}
