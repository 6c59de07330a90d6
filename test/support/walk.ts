/** An engine walks beside the reference twin, in float32: elementwise results bit for bit, sums within a bound. */
import { resolveBase } from "../../src/bases/index.js";
import { modesOf } from "../../src/stepper/gradients.js";
import { createOptimizer, type Base, type Optimizer, type StepInfo, type Tuner } from "../../src/index.js";
import type { OptimizerOptions } from "../../src/index.js";
import { norm, Reference } from "../reference.js";
import type {
  Adopted,
  Alpha,
  Choices,
  ReferenceOptions,
  ReferenceStep,
  TensorOptions,
} from "../reference.js";
import { gradientAt, noise, startAt } from "./cases.js";
import type { EngineName } from "./engines.js";
import { groupsOf, type Group } from "./groups.js";
import { descriptionOf } from "./state.js";

const alpha = (step: number) => 0.1 * Math.exp(-0.005 * step);
const withRate = (base: Base): Base => ({ ...base, learningRate: alpha });

/** Where no rate is given: it decays from anchor to anchor, but where averages do what decay does. */
function defaultAlpha(base: Base): Alpha {
  const averages = resolveBase(base).rule.averagesNoise;
  return (step, { start, length }, kind) =>
    averages && kind !== "exact" ? 1 : Math.exp(-(step - start) / length);
}

/**
 * Sums are taken in float32 lanes over blocks of 1024, so h may be off by this share of the largest it could be,
 * ‖Δ‖ ‖g‖: 2⁻²⁴ times a few hundred roundings that partly cancel.
 */
const SUM_BOUND = 2e-6;

/** Options that change what a step does to numbers. */
export type StepOptions = Omit<OptimizerOptions, "base" | "tuner" | "nonFinite" | "engine">;

export interface Run {
  size: number;
  steps: number;
  base: Base;
  tuner: Tuner | null;
  tensors?: TensorOptions[];
  more?: StepOptions;
  /** Rounds gradients to multiples of 1/64, so that their norm is exact however it is summed. */
  coarse?: boolean;
  /** The second gradient that is not 0: the first again, which is exact, or its opposite, which is noise. */
  second?: "again" | "turned";
  /** The base has no rate of its own. */
  unrated?: boolean;
  /** What the loss is said to be. */
  lossAt?: (step: number) => number | undefined;
  /** How fast gradients drift: 1. */
  pace?: number;
  /** Steps at which the gradient is 0, and at which it is 32 times as large. */
  zeros?: readonly number[];
  spikes?: readonly number[];
  /** From this step on the gradient is a 64th as large. */
  faint?: number;
}

/** An optimizer as far as a walk needs it. */
export type Walker = Pick<Optimizer, "step" | "params" | "save" | "scale" | "gradients" | "average">;

/** What an optimizer of this run is created with, beside the engine. */
export function argumentsOf({ size, base, tuner, tensors, more, unrated }: Run) {
  const x0 = startAt(size, noise(size + 1));
  let first = 0;
  const specs = tensors?.map(({ size, ...options }) => {
    first += size;
    return { shape: [size], values: x0.subarray(first - size, first), ...options };
  });
  return [specs ?? x0, { base: unrated ? base : withRate(base), tuner, ...more }] as const;
}

/** Plain checks: `expect` would take most of the time of a million steps. */
function check(holds: boolean, message: () => string): void {
  if (!holds) throw new Error(message());
}

function checkNear(what: string, actual: number, expected: number, largest: number): void {
  const near = Math.abs(actual - expected) <= SUM_BOUND * largest;
  check(near, () => `${what} is ${actual}, not ${expected} (of ${largest})`);
}

/** Equal to the last bit; zeros of either sign are equal. */
export function checkSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  for (let i = 0; i < expected.length; i++) {
    check(actual[i] === expected[i], () => `${what}: ${actual[i]} at ${i}, not ${expected[i]}`);
  }
}

/** What is the package's to choose, and may change: the twin takes it as it is. */
export function choicesOf(base: Base, tuner: Tuner | null): Partial<Choices> {
  const { rule } = resolveBase(base);
  const averagesNoise = rule.averagesNoise !== false;
  const { averages, gradientLimit, longest } = modesOf(rule, tuner, "auto").noisy;
  return averages ? { averagesNoise, gradientLimit, longest } : { averagesNoise };
}

/** The twin of a run; `changes`: how it is otherwise. */
export function twinOf(run: Run, changes: { round?: (value: number) => number } = {}): Reference {
  const { size, base, tuner, tensors = [{ size }] } = run;
  const choices = choicesOf(base, tuner);
  // An option that the reference implementation does not have belongs into test/reference/options.ts.
  const more: Pick<ReferenceOptions, keyof StepOptions> | undefined = run.more;
  const x0 = startAt(size, noise(size + 1));
  return new Reference(x0, { base, tuner, tensors, choices, round: Math.fround, ...more, ...changes });
}

/** The gradients of a run, step by step, as the optimizer is given them. */
export function gradientsOf(run: Run): (step: number) => Float32Array {
  const { size, coarse, second, pace = 1, zeros = [], spikes = [], faint = Infinity } = run;
  const random = noise(size + 1);
  startAt(size, random);
  let first: Float32Array | undefined;
  let decided = second === undefined;
  return (step) => {
    const g = gradientAt(pace * step, size, random, coarse ? 1 / 64 : 0);
    if (zeros.includes(step)) return g.fill(0);
    if (spikes.includes(step)) return g.map((value) => 32 * value);
    if (step >= faint) return g.map((value) => value / 64);
    if (decided || !first) return (first = g);
    decided = true;
    return first.map((value) => (second === "again" ? value : -value));
  };
}

/** Coordinates' pull goes by norms: the engine's are taken over, but for "mechanic", where they are of another point. */
const pulls = ({ tuner, more }: Run): boolean =>
  // Where the norm is clipped, it is not known here what it is then.
  tuner?.granularity === "parameter" && tuner.form === "superlevel" && more?.clip?.norm === undefined;

/** Does a step depend on more of the engine's sums than it reports? */
function isOpaque(run: Run, twin: Reference): boolean {
  const { tuner, lossAt } = run;
  if (tuner === null) return false;
  const perTensor = tuner.granularity === "tensor";
  return perTensor || twin.unstarted || lossAt !== undefined || (pulls(run) && tuner.lambda > 0);
}

/** What the twin takes over of the engine's sums, before and after the step. */
function adopted(run: Run, info: StepInfo, before: Group[] | undefined, after: Group[] | undefined): Adopted {
  const { gradNorm, h } = info;
  if (!before || !after) return { gradNorm, h };
  const alike: Adopted = { gradNorm, h, sInit: after[0].sInit };
  alike.slopes = after.map(({ dg, nextDg }) => ({ before: dg, after: nextDg }));
  if (run.tuner?.granularity === "tensor") alike.h = after.map(({ h }) => h);
  if (pulls(run)) {
    // Clipped gradients are coarse, so that their norm is exact.
    if (run.more?.clip === undefined) alike.gNorm = gradNorm;
    alike.xNorm = Math.sqrt(before[0].xx);
  }
  return alike;
}

/** The engine's own sums, which the twin has taken over, against the twin's. */
function compareSums(
  run: Run,
  info: StepInfo,
  twin: ReferenceStep,
  after: Group[] | undefined,
  reach: number,
): void {
  checkNear("‖g‖", info.gradNorm, twin.gradNorm, twin.gradNorm);
  const largest = reach * twin.gradNorm + Math.abs(twin.h);
  const groups = run.tuner?.granularity === "tensor" ? after : undefined;
  if (groups) groups.forEach(({ h }, k) => checkNear(`h of tuner ${k}`, h, twin.each[k], largest));
  else if (run.tuner?.granularity !== "parameter") checkNear("h", info.h, twin.h, largest);
  if (after && twin.sInit !== undefined) checkNear("s_init", after[0].sInit, twin.sInit, twin.sInit);
  const moved = reach + norm(twin.u);
  if (run.more?.clip || !after) return;
  twin.limited?.slopes?.forEach(({ before, after: next }, k) => {
    checkNear("⟨Δ, g⟩ before", after[k].dg, before, moved * twin.gradNorm);
    checkNear("⟨Δ, g⟩ after", after[k].nextDg, next, moved * twin.gradNorm);
  });
}

function compareScales(optimizer: Walker, { tuner, size }: Run, twin: Reference, step: number): void {
  if (tuner?.granularity !== "parameter") return;
  const scales = Array.from({ length: size }, (_, i) => twin.scaleAt(i));
  checkSame(optimizer.scale as Float32Array, scales, `S after step ${step}`);
}

function compareAverage(optimizer: Walker, twin: Reference): void {
  const [actual, expected] = [optimizer.average(), twin.average()];
  check((actual === null) === (expected === null), () => `the average is ${String(actual)}`);
  expected?.forEach((value, i) => {
    // Rounded to float32 once.
    const near = Math.abs(actual![i] - value) <= 2 ** -23 * Math.max(Math.abs(value), 2 ** -100);
    check(near, () => `the average at ${i} is ${actual![i]}, not ${value}`);
  });
}

/** What is counted between steps, to the last bit. */
function compareClock(optimizer: Walker, twin: Reference): void {
  const { clock } = descriptionOf(optimizer.save()) as { clock: Record<string, unknown> };
  for (const [name, value] of Object.entries(twin.clock))
    check(clock[name] === value, () => `clock.${name} is ${String(clock[name])}, not ${value}`);
}

/** How often something was limited or forgotten, so that a test can tell whether its walk got there. */
export interface Walked {
  twin: Reference;
  byGrowth: number;
  byPace: number;
  byPromise: number;
  shortened: number;
  bounded: number;
  forgot: number;
  stale: number;
}

/** Takes an optimizer that was created with `argumentsOf` the run through it. */
export function walkWith(optimizer: Walker, run: Run): Walked {
  const { size, tuner, lossAt } = run;
  const twin = twinOf(run);
  const gradientOf = gradientsOf(run);
  const groups = tuner?.granularity === "tensor" ? (run.tensors ?? [{ size }]) : [{ size }];
  const count = groups.filter((tensor) => !("frozen" in tensor && tensor.frozen)).length;
  const walked = {
    twin,
    byGrowth: 0,
    byPace: 0,
    byPromise: 0,
    shortened: 0,
    bounded: 0,
    forgot: 0,
    stale: 0,
  };
  let known: Group[] | undefined;
  for (let step = 1; step <= run.steps; step++) {
    const g = gradientOf(step);
    const reach = tuner?.delta === "stored" ? norm(twin.delta) : norm(twin.delta) + Math.sqrt(size);
    const opaque = isOpaque(run, twin);
    const before = opaque ? (known ?? groupsOf(optimizer, tuner!, count)) : undefined;
    const loss = lossAt?.(step);
    const info = optimizer.step(g, { loss });
    const after = opaque ? groupsOf(optimizer, tuner!, count) : undefined;
    known = after;
    const rate = run.unrated ? defaultAlpha(run.base) : alpha;
    const own = twin.step(g, rate, adopted(run, info, before, after), loss);
    compareSums(run, info, own, after, reach);
    check(info.learningRate === own.eta, () => `η is ${info.learningRate}, not ${own.eta}`);
    if (tuner?.granularity !== "parameter")
      check(info.scale === own.S, () => `S is ${info.scale}, not ${own.S}, after step ${step}`);
    check(optimizer.gradients === twin.told, () => `gradients are ${optimizer.gradients}, not ${twin.told}`);
    checkSame(optimizer.params, twin.x, `x after step ${step}`);
    compareScales(optimizer, run, twin, step);
    walked.byGrowth += Number(own.limited?.byGrowth ?? false);
    walked.byPace += Number(own.limited?.byPace ?? false);
    walked.byPromise += Number(own.limited?.byPromise ?? false);
    walked.shortened += Number(own.effects?.shortened ?? false);
    walked.bounded += own.effects?.bounded ?? 0;
    walked.forgot += Number(own.effects?.forgot ?? false);
    walked.stale += Number(own.effects?.stale ?? false);
  }
  compareAverage(optimizer, twin);
  if (twin.average()) compareClock(optimizer, twin);
  return walked;
}

export function walk(engine: EngineName, run: Run): Walked & { optimizer: Optimizer } {
  const [params, options] = argumentsOf(run);
  const optimizer = createOptimizer(params, { ...options, engine });
  return { optimizer, ...walkWith(optimizer, run) };
}
