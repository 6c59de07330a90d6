import { expectOneOf, expectOptions, given, showUncalled } from "../common/expect.js";
import { warmup, type Schedule } from "../schedules.js";
import { adadelta, adadeltaRule } from "./adadelta.js";
import { adagrad, adagradRule } from "./adagrad.js";
import { adam, adamRule, adamw } from "./adam.js";
import { adamax, adamaxRule } from "./adamax.js";
import { asSchedule, type LearningRate, type Rule } from "./base.js";
import { lion, lionRule } from "./lion.js";
import { rmsprop, rmspropRule } from "./rmsprop.js";
import { scheduleFree, scheduleFreeRule, type ScheduleFree, type Wrapped } from "./schedule-free.js";
import { sgd, sgdRule } from "./sgd.js";

interface Entry<B> {
  readonly factory: (options: object) => B;
  readonly rule: (base: B) => Rule;
}

const entry = <B>(factory: (options: object) => B, rule: (base: B) => Rule): Entry<B> => ({ factory, rule });

/** Every base, by its name. */
const bases = {
  sgd: entry(sgd, sgdRule),
  adam: entry(adam, adamRule),
  adamw: entry(adamw, adamRule),
  adamax: entry(adamax, adamaxRule),
  rmsprop: entry(rmsprop, rmspropRule),
  adagrad: entry(adagrad, adagradRule),
  adadelta: entry(adadelta, adadeltaRule),
  lion: entry(lion, lionRule),
};

/** A base optimizer that stands by itself, or what {@link scheduleFree} makes of one: the plain object that `adam(…)`, `sgd(…)` and the others return. */
export type Base = Wrapped | ScheduleFree;

/** Checks a base, which may come from a parsed checkpoint, and finds its rule. */
export function resolveBase(base: unknown): { base: Base; rule: Rule } {
  if (typeof base !== "object" || base === null) {
    throw new TypeError(`base: expected a base such as adam(), got ${showUncalled(base)}`);
  }
  const known = [...(Object.keys(bases) as Wrapped["name"][]), "scheduleFree" as const];
  const name = expectOneOf("base.name", (base as { name?: unknown }).name, known);
  if (name === "scheduleFree") return resolveScheduleFree(base as ScheduleFree);
  const { factory, rule } = bases[name] as Entry<Wrapped>;
  const checked = factory(base);
  return { base: checked, rule: rule(checked) };
}

function resolveScheduleFree(base: ScheduleFree): { base: Base; rule: Rule } {
  const { base: wrapped, learningRate, weightDecay, ...rest } = base;
  const { interpolation, power, ratePower, warmupSteps, ...others } = rest;
  expectOptions("base", others, ["name"]);
  const options = { interpolation, power, ratePower, warmupSteps };
  // Rate and decay may have been set since, on the outside; the rate stays there alone.
  const inner = resolveBase({ ...wrapped, ...given({ learningRate, weightDecay }) });
  const { learningRate: rate, ...plain } = inner.base;
  const settled = scheduleFree(plain as Wrapped, options);
  return {
    base: { ...settled, ...given({ learningRate: rate }) },
    rule: scheduleFreeRule(settled, inner.rule),
  };
}

/** A base's rate, step by step, warmed up where it asks for that. */
export function scheduleOf(base: Base & { readonly learningRate: LearningRate }): Schedule {
  const schedule = asSchedule(base.learningRate);
  const steps = base.name === "scheduleFree" ? base.warmupSteps : 0;
  // min(1, t / steps) is 1 from the first step on where steps are no more than 1.
  return steps > 1 ? warmup(schedule, steps) : schedule;
}
