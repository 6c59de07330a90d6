import { expectNumber, expectOneOf, expectOptions, given, showUncalled } from "../common/expect.js";
import { slotsWithLead, type LearningRate, type Role, type Rule } from "./base.js";
import { ruleOf, type BaseName, type Wrapped } from "./list.js";
import { records } from "./records.js";

/** Options of {@link scheduleFree}. */
export interface ScheduleFreeOptions {
  /** β: the gradient is taken at y = (1 − β) z + β x̄, in (0, 1); default 0.9. */
  interpolation?: number;
  /** r in the weight w_t = t^r · γ_max^ratePower of z_t in the average, in [0, 64]; default 0. */
  power?: number;
  /** Power of the largest rate so far in that weight, in [0, 64]; default 2. */
  ratePower?: number;
  /** Linear warm-up of the rate over so many steps, ≥ 0; default 0: none. */
  warmupSteps?: number;
}

/** A schedule-free base, every option settled: what {@link scheduleFree} returns. */
export interface ScheduleFree extends Required<ScheduleFreeOptions> {
  readonly name: "scheduleFree";
  readonly base: Wrapped;
  readonly learningRate?: LearningRate;
  readonly weightDecay: number;
}

const KEYS = ["interpolation", "power", "ratePower", "warmupSteps"];

/**
 * Schedule-free averaging (arXiv 2405.15682) over a base without momentum. With d the base's update of rate γ_t, weight
 * decay at y included: z ← z + d, x̄ ← x̄ + c (z − x̄) with c = w_t / Σ w and w_t = t^r γ_max^ratePower, and gradients are
 * taken at y = (1 − β) z + β x̄, where `params` are. {@link Optimizer.average} gives x̄. Of the base's own momentum
 * (`beta1` of `adam` and `lion`) nothing remains. Without a tuner the rate defaults to 0.0025 over `adam` and `adamw`,
 * 1 over `sgd`, as the authors' package has it, and to the base's own over others.
 *
 * @param base `adam(…)`, `adamw(…)`, `sgd(…)` or another base without momentum; its `learningRate` is γ
 * @throws RangeError when an option is out of range or the base has momentum, TypeError when it is of the wrong kind
 * @example
 * const optimizer = createOptimizer([4], { base: scheduleFree(sgd({ learningRate: 0.5 })), tuner: null });
 * for (let step = 0; step < 100; step++) optimizer.step(optimizer.params.slice()); // the gradient of ½x²
 * Math.abs(optimizer.average()![0]) < 0.05; // → true
 */
export function scheduleFree(base: Wrapped, options: ScheduleFreeOptions = {}): ScheduleFree {
  if (typeof base !== "object" || base === null)
    throw new TypeError(`scheduleFree(base): expected a base such as adam(), got ${showUncalled(base)}`);
  expectOptions("scheduleFree", options, KEYS);
  expectOneOf("scheduleFree(base).name", base.name, Object.keys(records) as BaseName[]);
  const { momentumOption: momentum } = ruleOf(base);
  if (momentum) {
    throw new RangeError(
      `scheduleFree(base): expected ${base.name}() without ${momentum}, as averaging takes its place`,
    );
  }
  const settled = { interpolation: 0.9, power: 0, ratePower: 2, warmupSteps: 0, ...given(options) };
  expectNumber("scheduleFree.interpolation", settled.interpolation, { above: 0, below: 1 });
  expectNumber("scheduleFree.power", settled.power, { min: 0, max: 64 });
  expectNumber("scheduleFree.ratePower", settled.ratePower, { min: 0, max: 64 });
  expectNumber("scheduleFree.warmupSteps", settled.warmupSteps, { min: 0 });
  const { weightDecay, learningRate } = base;
  return {
    name: "scheduleFree",
    base,
    weightDecay,
    ...(learningRate !== undefined && { learningRate }),
    ...settled,
  };
}

/** The inner rule's slots, with a lead among them. */
function slotsOf(inner: Rule): readonly Role[] {
  const { leadSlot } = inner.bare;
  return Array.from({ length: slotsWithLead(inner) }, (_, slot) =>
    slot === leadSlot ? "lead" : inner.slots[slot],
  );
}

export function scheduleFreeRule({ interpolation, power, ratePower }: ScheduleFree, inner: Rule): Rule {
  const { bare, decoupled, reach, plainRate } = inner;
  return {
    kernel: bare.kernel,
    slots: slotsOf(inner),
    decoupled,
    reach,
    plainRate: bare.plainRate ?? plainRate,
    constants: bare.constants(Infinity),
    bare,
    averagesNoise: true,
    averaging: { interpolation, power, ratePower },
  };
}
