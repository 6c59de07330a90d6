import type { Decay } from "../../bases/base.js";
import type { Schedule } from "../../schedules.js";
import type { GradientKind } from "../../common/kinds.js";
import type { Config, OptimizerOptions, Resolved } from "../../stepper/config.js";
import { distinguishes, type Modes } from "../../stepper/gradients.js";
import type { Tuner } from "../../tuners/tuners.js";
import { arrayRuleOf } from "./rules.js";

/** What of an optimizer's options a step on arrays goes by. */
export interface Plan {
  readonly rule: NonNullable<ReturnType<typeof arrayRuleOf>>["rule"];
  readonly biasDecays: readonly Decay[];
  /** May decays of early steps be others where gradients are known to be exact? */
  readonly exactDecays: boolean;
  readonly slots: number;
  readonly firstGradient: { readonly slot: number; readonly times: number } | undefined;
  readonly leadSlot: number;
  readonly modes: Modes;
  /** What gradients are, where no step has to find out, or how far to go along exact ones. */
  readonly kind: GradientKind | undefined;
  /** Are they known to be exact? */
  readonly exact: boolean;
  readonly tuner: Tuner | null;
  /** Of the tuner's form: what (27) adds to |h|. */
  readonly mFloor: number;
  /** What the base was given; "byKind": it decays in windows where gradients are exact; "windows": it always does. */
  readonly learningRate: number | Schedule | "byKind" | "windows";
  readonly normAdaptive: boolean;
  readonly clip: { readonly norm?: number; readonly value?: number };
  readonly decoupled: boolean;
  /** Does weight decay join the updates of some coordinates? */
  readonly decays: boolean;
}

function whyNotBase({ base }: Config): string | undefined {
  const inner = base.name === "scheduleFree" ? base.base : base;
  if (!arrayRuleOf(base)) return `base ${inner.name}() with these options`;
  if (base.name === "scheduleFree" && base.warmupSteps > 0) return "scheduleFree() with warmupSteps";
  return undefined;
}

function whyNotTuner({ tuner }: Config): string | undefined {
  if (tuner && tuner.form !== "superlevel") return `tuner ${tuner.form}()`;
  if (tuner && tuner.granularity !== "global") return `granularity "${tuner.granularity}"`;
  if (tuner && tuner.delta !== "stored") return `delta "${tuner.delta}"`;
  return undefined;
}

/** What of each option has no step on arrays, in words; null where all of it has one. */
const REFUSED: Readonly<Record<keyof OptimizerOptions, ((config: Config) => string | undefined) | null>> = {
  base: whyNotBase,
  tuner: whyNotTuner,
  ...{ normAdaptive: null, clip: null, gradients: null, nonFinite: null, engine: null },
};

/** Why options have no step on arrays; undefined where they have one. */
export function whyNot({ config }: Resolved): string | undefined {
  for (const refused of Object.values(REFUSED)) {
    const reason = refused?.(config);
    if (reason) return reason;
  }
  return undefined;
}

function learningRateOf(given: OptimizerOptions, { config, rule }: Resolved): Plan["learningRate"] {
  const { learningRate } = config.base;
  if (given.base?.learningRate !== undefined || typeof learningRate === "number") return learningRate;
  return rule.averagesNoise ? "byKind" : "windows";
}

/** The plan of options that {@link whyNot} has nothing against. */
export function planOf(given: OptimizerOptions, resolved: Resolved): Plan {
  const { config, rule, modes, decides, program, form } = resolved;
  const { base, tuner, normAdaptive, clip, gradients, tensors } = config;
  const { rule: arrayRule, decays: biasDecays } = arrayRuleOf(base)!;
  return {
    rule: arrayRule,
    biasDecays,
    exactDecays: rule.exact !== undefined && distinguishes(tuner),
    slots: program.slots,
    firstGradient: rule.firstGradient,
    leadSlot: rule.bare.leadSlot,
    modes,
    kind: decides ? undefined : gradients === "auto" ? "undecided" : gradients,
    exact: gradients === "exact",
    tuner,
    mFloor: form?.mFloor ?? 0,
    learningRate: learningRateOf(given, resolved),
    normAdaptive,
    clip,
    decoupled: rule.decoupled,
    decays: rule.decoupled && tensors.some(({ frozen, weightDecay }) => !frozen && weightDecay !== 0),
  };
}
