import { resolveBase, type Base } from "../bases/index.js";
import { adam } from "../bases/adam.js";
import { slotsWithLead, type LearningRate, type Rule } from "../bases/base.js";
import { deepFreeze, expectBoolean, expectNumber, expectOneOf, expectOptions } from "../common/expect.js";
import { largest } from "../common/extremes.js";
import { formOf, type Form } from "../tuners/forms.js";
import { distinguishes, modesOf, type Modes } from "./gradients.js";
import { GRADIENTS } from "../common/kinds.js";
import { windowDecay, type Schedule } from "../schedules.js";
import { readTensors, segmentsOf } from "../tensors.js";
import type { Segment, Tensor, Tensors, TensorSpec } from "../tensors.js";
import { resolveTuner } from "../tuners/resolve.js";
import { superlevel, type Tuner } from "../tuners/tuners.js";
import type { Expected } from "./checkpoint.js";
import { ENGINES, type EngineName } from "../engine/kernels.js";
import type { Program } from "../engine/program.js";

/** What `createOptimizer` takes besides the parameters. */
export interface OptimizerOptions {
  /**
   * Default `adam()`. Its learning rate defaults with `superlevel` to `windowDecay(1)` where gradients are exact and to 1
   * where they are noisy, with other tuners to `windowDecay(1)`, without a tuner to PyTorch's.
   */
  base?: Base;
  /** Default `superlevel()`; null runs the base alone. */
  tuner?: Tuner | null;
  /** η_t = α_t / (1 + ‖g_t‖), paper (14); default false. */
  normAdaptive?: boolean;
  /** Clips the gradient before anything else sees it: first each coordinate to ±value, then the norm. */
  clip?: { norm?: number; value?: number };
  /**
   * "exact": the gradient of a function or a full batch; "noisy": of minibatches; "auto" (default) finds out at the
   * second step, or at a run's begin that is told `deterministic`. What follows from it: docs/gradients.md.
   */
  gradients?: "auto" | "exact" | "noisy";
  /** What a gradient or loss that is NaN or infinite does: "throw" (default) or "skip" the step. */
  nonFinite?: "throw" | "skip";
  /**
   * "auto" (default): "wasm", or "js" where WebAssembly does not run. "wasm-relaxed" needs `import "superlevel/relaxed"`
   * and falls back to "wasm". `optimizer.engine` says which one runs.
   */
  engine?: EngineName | "auto";
}

const NAMES: Readonly<Record<keyof OptimizerOptions, true>> = {
  ...{ base: true, tuner: true, normAdaptive: true, clip: true, gradients: true },
  ...{ nonFinite: true, engine: true },
};

/** Names of {@link OptimizerOptions}. */
export const OPTIONS = Object.keys(NAMES) as readonly (keyof OptimizerOptions)[];

/** Options with every default filled in, readable back as `optimizer.config`. */
export interface Config extends Required<Omit<OptimizerOptions, "base">> {
  readonly base: Base & { readonly learningRate: LearningRate };
  readonly tensors: readonly Omit<Tensor, "first" | "size">[];
}

export interface Resolved {
  readonly config: Config;
  readonly tensors: Tensors;
  readonly rule: Rule;
  /** What a step does, by the kind of its gradients, and whether the second gradient tells which it is, or how far to go. */
  readonly modes: Modes;
  readonly decides: boolean;
  readonly form: Form | null;
  readonly program: Program;
  /** The largest multiplier of the learning rate, times what weight decay and the rule's reach add to it. */
  readonly rateFactor: number;
  /** S, or s_init where that is more, grows at most by this factor in a step. */
  readonly scaleGrowth: number;
}

function readClip(clip: OptimizerOptions["clip"] = {}): { norm?: number; value?: number } {
  expectOptions("clip", clip, ["norm", "value"]);
  // A getter may answer differently the next time, so what is checked is a copy.
  const copy = { ...clip };
  if (copy.norm !== undefined) expectNumber("clip.norm", copy.norm, { above: 0 });
  if (copy.value !== undefined) expectNumber("clip.value", copy.value, { above: 0 });
  return copy;
}

/** Checks and defaults of the options that say nothing of one another. */
function readOthers(options: OptimizerOptions): Omit<Config, "base" | "tuner" | "tensors"> {
  const { normAdaptive = false, nonFinite = "throw", engine = "auto", gradients = "auto" } = options;
  return {
    normAdaptive: expectBoolean("normAdaptive", normAdaptive),
    clip: readClip(options.clip),
    gradients: expectOneOf("gradients", gradients, GRADIENTS),
    nonFinite: expectOneOf("nonFinite", nonFinite, ["throw", "skip"]),
    engine: expectOneOf("engine", engine, ["auto", ...ENGINES]),
  };
}

const BASE_KEYS = ["beta1", "beta2", "eps", "weightDecay"];
const TUNER_KEYS = ["betas", "sInit", "lambda", "anchor", "growthLimit", "granularity", "delta"];

/** Where an option belongs that is looked for among these. */
function belongs(key: string): string {
  if (key === "learningRate" || key === "lr")
    return "; none is needed: base: adam({ learningRate: 0.5 }) would halve what is found";
  if (key === "momentum") return "; write base: sgd({ momentum })";
  if (BASE_KEYS.includes(key)) return `; write base: adam({ ${key} })`;
  return TUNER_KEYS.includes(key) ? `; write tuner: superlevel({ ${key} })` : "";
}

function rateFactorOf(segments: readonly Segment[], { reach = 0 }: Rule): number {
  const factors = segments.map(({ learningRate, weightDecay }) => learningRate * Math.max(1, weightDecay));
  return largest(factors) * Math.max(1, reach / 1e4);
}

/**
 * r, and with it the wealth, gains at most s √v in a step, while √v shrinks; and where v is 0 yet, m is not: (28)–(32).
 */
function scaleGrowthOf(form: Form | null, eps: number): number {
  if (!form) return 1;
  const growths = form.decays.map(([m, v, r]) =>
    v === 0 && Math.max(m, r) === 0 ? 1 : Math.max(m, r) / Math.sqrt(v),
  );
  return 1 + Math.max(2, (form.mStart + form.mFloor) / eps, largest(growths));
}

/** It decays where gradients are exact; where they are noisy an average takes the place of decay. */
const rateByKind: Schedule = (step, window) =>
  window.gradients === "exact" ? windowDecay(1)(step, window) : 1;

/** The rate where none is given. */
function rateOf(rule: Rule, tuner: Tuner | null): LearningRate {
  if (!tuner) return rule.plainRate;
  return distinguishes(tuner) && rule.averagesNoise ? rateByKind : windowDecay(1);
}

/** Does the second gradient tell something: what gradients are, or how far to go along exact ones? */
const decides = (tuner: Tuner | null, gradients: Config["gradients"]): boolean =>
  distinguishes(tuner) && (gradients === "auto" || (gradients === "exact" && tuner?.sInit === undefined));

/** A lead, and the first gradient until there is a second to compare it with, may want a slot of their own. */
function slotsOf(rule: Rule, tuner: Tuner | null, gradients: Config["gradients"]): number {
  const { averagesNoise, firstGradient, slots } = rule;
  const leads = averagesNoise && distinguishes(tuner) && gradients !== "exact";
  return leads || (decides(tuner, gradients) && !firstGradient) ? slotsWithLead(rule) : slots.length;
}

/** A tensor as its user described it. */
function withoutPlace({ name, shape, learningRate, weightDecay, frozen }: Tensor): Config["tensors"][number] {
  return { name, shape, learningRate, weightDecay, frozen };
}

/** Checks everything that `createOptimizer` was given, before anything is built. `apart`: a segment for each tensor. */
export function resolve(
  params: number | ArrayLike<number> | readonly TensorSpec[],
  options: OptimizerOptions,
  apart = false,
): Resolved {
  expectOptions("options", options, OPTIONS, belongs);
  const others = readOthers(options);
  const { gradients, clip } = others;
  const { base: given, rule } = resolveBase(options.base === undefined ? adam() : options.base);
  const tuner = options.tuner === null ? null : resolveTuner(options.tuner ?? superlevel());
  const learningRate = given.learningRate ?? rateOf(rule, tuner);
  const tensors = readTensors(params, given.weightDecay);
  const tunerPerTensor = tuner?.granularity === "tensor";
  const segments = segmentsOf(tensors, tunerPerTensor, apart);
  if (segments.length === 0) throw new RangeError("params: expected at least one tensor that is not frozen");
  const form = tuner && formOf(tuner);
  const config: Config = deepFreeze({
    base: { ...given, learningRate },
    tuner,
    ...others,
    tensors: tensors.list.map(withoutPlace),
  });
  const program: Program = {
    ...{ engine: config.engine, size: tensors.size, segments, tuner, form },
    tensors: tensors.list.length,
    groups: tunerPerTensor ? segments.length : 1,
    perCoordinate: tuner?.granularity === "parameter",
    slots: slotsOf(rule, tuner, gradients),
    decoupled: rule.decoupled,
    bound: clip.value ?? Infinity,
  };
  return {
    ...{ config, tensors, rule, form, program },
    modes: modesOf(rule, tuner, gradients),
    decides: decides(tuner, gradients),
    rateFactor: rateFactorOf(segments, rule),
    scaleGrowth: scaleGrowthOf(form, tuner?.eps ?? 1),
  };
}

/** The rate may change from run to run, and so may what says when to anchor and how far S may grow. */
const PLANS = ["learningRate", "anchor", "growthLimit", "sInit"];

/** Options by their ways from the root, but for plans. */
function flatten(name: string, value: object): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, unknown][] => {
    if (PLANS.includes(key)) return [];
    const way = `${name}.${key}`;
    return key === "base" ? flatten(way, inner as object) : [[way, inner]];
  });
}

/** What a saved state must agree with. */
export function expectedOf({ config, rule, form, tensors, program }: Resolved): Expected {
  const { base, tuner } = config;
  const { slots } = program;
  const name = base.name === "scheduleFree" ? `scheduleFree(${base.base.name})` : base.name;
  const [kind, delta, granularity] = [tuner?.form ?? null, tuner?.delta ?? null, tuner?.granularity ?? null];
  const sizes = tensors.list.map(({ size }) => size);
  return {
    options: Object.fromEntries([
      // What differs first is named.
      ["base.name", base.name],
      ["tuner.form", kind],
      ...flatten("base", base),
      ...flatten("tuner", tuner ?? {}),
      ["slots", slots],
    ]),
    older: {
      ...{ base: name, kernel: rule.kernel, slots, form: kind, delta, granularity },
      ...{ betas: form?.decays.length ?? 0, sizes },
    },
  };
}
