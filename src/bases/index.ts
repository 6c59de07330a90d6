import { expectOneOf, expectOptions, given, showUncalled } from "../common/expect.js";
import { warmup, type Schedule } from "../schedules.js";
import { asSchedule, type LearningRate, type Rule } from "./base.js";
import { ruleOf, type BaseName, type Wrapped } from "./list.js";
import { records } from "./records.js";
import { scheduleFree, scheduleFreeRule, type ScheduleFree } from "./schedule-free.js";

/** A base optimizer that stands by itself, or what {@link scheduleFree} makes of one: the plain object that `adam(…)`, `sgd(…)` and the others return. */
export type Base = Wrapped | ScheduleFree;

/** Checks a base, which may come from a parsed checkpoint, and finds its rule. */
export function resolveBase(base: unknown): { base: Base; rule: Rule } {
  if (typeof base !== "object" || base === null) {
    throw new TypeError(`base: expected a base such as adam(), got ${showUncalled(base)}`);
  }
  const known = [...(Object.keys(records) as BaseName[]), "scheduleFree" as const];
  const name = expectOneOf("base.name", (base as { name?: unknown }).name, known);
  if (name === "scheduleFree") return resolveScheduleFree(base as ScheduleFree);
  const checked: Wrapped = records[name].factory(base);
  return { base: checked, rule: ruleOf(checked) };
}

function resolveScheduleFree(base: ScheduleFree): { base: Base; rule: Rule } {
  const { base: wrapped, learningRate, weightDecay, ...rest } = base;
  // What it may not wrap it refuses itself, however deep that is nested.
  if (typeof wrapped !== "object" || (wrapped?.name as string) === "scheduleFree") scheduleFree(wrapped);
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
