import type { Rule } from "./bases/base.js";
import type { Clock } from "./checkpoint.js";
import type { Config, Resolved } from "./config.js";
import { Copy } from "./engine/mark.js";
import { Report, Scalar } from "./engine/kernels.js";
import type { Engine } from "./engine/program.js";
import { NOISE_LIMIT, type GradientKind, type Mode } from "./gradients.js";
import { isRisky } from "./safety.js";

/* What a step finds out before it changes anything, and what a mode means to the kernels and to the clock. */

/** What gradients are, as far as the one in the engine can tell beside the first: "undecided" where it is the first. */
export function judge(
  { kernels }: Engine,
  { firstGradient, bare }: Rule,
  clock: Readonly<Clock>,
): GradientKind {
  if (clock.iterations === clock.skipped) return "undecided";
  const { slot, times } = firstGradient ?? { slot: bare.leadSlot, times: 1 };
  return kernels.gradientChange(slot, times) > NOISE_LIMIT ? "noisy" : "exact";
}

/** The factor that clips the gradient's norm, and the norm that the base sees. */
export function clipping(
  { kernels }: Engine,
  { norm, value }: Config["clip"],
  gradNorm: number,
): { clipScale: number; usedNorm: number } {
  const bounded = value === undefined ? gradNorm : Math.sqrt(kernels.clippedSquares());
  // PyTorch's clip_grad_norm_, with its 1e-6.
  const clipScale = norm === undefined ? 1 : Math.min(1, norm / (bounded + 1e-6));
  return { clipScale, usedNorm: bounded * clipScale };
}

/** A copy of the state, where the step could overflow. `caution`: what the scale may be multiplied by besides. */
export function copyIfRisky(
  engine: Engine,
  { config, program, rateFactor, scaleGrowth }: Resolved,
  eta: number,
  gradNormMax: number,
  caution: number,
): Copy | undefined {
  const { report } = engine;
  const reach = {
    paramsNorm: Math.sqrt(report[Report.paramsSquares]),
    deltaNorm: Math.sqrt(report[Report.deltaSquares]),
    scale: Math.max(report[Report.scaleMax], report[Report.sInitMax]) * scaleGrowth * caution,
    learningRate: eta * rateFactor,
    gradNormMax,
    lambda: program.perCoordinate ? config.tuner?.lambda : undefined,
  };
  return isRisky(reach) ? new Copy(engine) : undefined;
}

/** Writes what stays the same from step to step while the mode and the window last. */
export function enterMode({ scalars, bases }: Engine, mode: Mode, anchors: number): void {
  const { growthLimit, averaging } = mode;
  scalars[Scalar.base] = bases[mode.kernel];
  scalars[Scalar.firstSlot] = mode.firstSlot;
  scalars[Scalar.leadSlot] = mode.leadSlot;
  scalars[Scalar.interpolation] = mode.averages ? averaging!.interpolation : 0;
  scalars[Scalar.longest] = mode.longest;
  scalars[Scalar.ownFloor] = Number(mode.ownFloor);
  scalars[Scalar.rewardLimit] = mode.rewardLimit;
  scalars[Scalar.growthLimit] = growthLimit
    ? anchors === 0
      ? growthLimit.first
      : growthLimit.later
    : Infinity;
  scalars[Scalar.start] = mode.start;
}

/** Where the weights of an average stand after a step, and the weight c of the step's z in it. */
export interface Weighed {
  readonly weightSum: number;
  readonly rateMax: number;
  readonly weight: number;
}

/** c_t = w_t / Σ w, w_t = t^power · η_max^ratePower; `fresh` is t. */
export function weigh({ averaging }: Mode, clock: Readonly<Clock>, fresh: number, eta: number): Weighed {
  if (!averaging) return { weightSum: 0, rateMax: 0, weight: 0 };
  const rateMax = Math.max(clock.rateMax, eta);
  const added = fresh ** averaging.power * rateMax ** averaging.ratePower;
  const weightSum = clock.weightSum + added;
  return { weightSum, rateMax, weight: weightSum > 0 ? added / weightSum : 0 };
}

/** What a step may promise while S grows: a share of a loss that is known and not negative. */
export function promiseOf({ promise }: Mode, loss: number | undefined): number {
  return loss !== undefined && loss >= 0 ? promise * loss : Infinity;
}
