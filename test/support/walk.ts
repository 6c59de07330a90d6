/** An engine walks beside the reference twin, in float32: elementwise results bit for bit, sums within a bound. */
import { createOptimizer, type Base, type Optimizer, type StepInfo, type Tuner } from "../../src/index.js";
import type { OptimizerOptions } from "../../src/index.js";
import { norm, Reference, type TensorOptions } from "../reference.js";
import { gradientAt, noise, startAt } from "./cases.js";
import type { EngineName } from "./engines.js";

const alpha = (step: number) => 0.1 * Math.exp(-0.005 * step);
const withRate = (base: Base): Base => ({ ...base, learningRate: alpha });

/**
 * Sums are taken in float32 lanes over blocks of 1024, so h may be off by this share of the largest it could be,
 * ‖Δ‖ ‖g‖: 2⁻²⁴ times a few hundred roundings that partly cancel.
 */
const SUM_BOUND = 2e-6;

export interface Run {
  size: number;
  steps: number;
  base: Base;
  tuner: Tuner | null;
  tensors?: TensorOptions[];
  more?: Pick<OptimizerOptions, "normAdaptive" | "clip">;
  /** Rounds gradients to multiples of 1/64, so that their norm is exact however it is summed. */
  coarse?: boolean;
}

/** What an optimizer of this run is created with, beside the engine. */
export function argumentsOf({ size, base, tuner, tensors, more }: Run) {
  const x0 = startAt(size, noise(size + 1));
  let first = 0;
  const specs = tensors?.map(({ size, ...options }) => {
    first += size;
    return { shape: [size], values: x0.subarray(first - size, first), ...options };
  });
  return [specs ?? x0, { base: withRate(base), tuner, ...more }] as const;
}

/** Plain checks: `expect` would take most of the time of a million steps. */
function check(holds: boolean, message: () => string): void {
  if (!holds) throw new Error(message());
}

function compareSums(info: StepInfo, twin: { gradNorm: number; h: number }, deltaNorm: number): void {
  const normError = Math.abs(info.gradNorm - twin.gradNorm);
  check(normError <= SUM_BOUND * twin.gradNorm, () => `‖g‖ is ${info.gradNorm}, not ${twin.gradNorm}`);
  const largest = deltaNorm * twin.gradNorm + Math.abs(twin.h);
  check(
    Math.abs(info.h - twin.h) <= SUM_BOUND * largest,
    () => `h is ${info.h}, not ${twin.h} (of ${largest})`,
  );
}

/** Equal to the last bit; zeros of either sign are equal. */
function compareParams(actual: Float32Array, expected: Float64Array, step: number): void {
  for (let i = 0; i < actual.length; i++) {
    check(actual[i] === expected[i], () => `x[${i}] is ${actual[i]}, not ${expected[i]}, after step ${step}`);
  }
}

/** Takes an optimizer that was created with `argumentsOf` the run through it. */
export function walkWith(optimizer: Pick<Optimizer, "step" | "params">, run: Run): Reference {
  const { size, base, tuner, tensors, more } = run;
  const random = noise(size + 1);
  const x0 = startAt(size, random);
  const twin = new Reference(x0, {
    base,
    tuner,
    tensors: tensors ?? [{ size }],
    ...more,
    round: Math.fround,
  });
  for (let step = 1; step <= run.steps; step++) {
    const g = gradientAt(step, size, random, run.coarse ? 1 / 64 : 0);
    const reach = tuner?.delta === "stored" ? norm(twin.delta) : norm(twin.delta) + Math.sqrt(size);
    const info = optimizer.step(g);
    const own = twin.step(g, alpha(step), { gradNorm: info.gradNorm, h: info.h });
    compareSums(info, own, reach);
    check(info.learningRate === own.eta, () => `η is ${info.learningRate}, not ${own.eta}`);
    check(info.scale === own.S, () => `S is ${info.scale}, not ${own.S}, after step ${step}`);
    compareParams(optimizer.params, twin.x, step);
  }
  return twin;
}

export function walk(engine: EngineName, run: Run): { optimizer: Optimizer; twin: Reference } {
  const [params, options] = argumentsOf(run);
  const optimizer = createOptimizer(params, { ...options, engine });
  return { optimizer, twin: walkWith(optimizer, run) };
}
