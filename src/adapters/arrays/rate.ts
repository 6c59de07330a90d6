import type { Algebra, Flag, Value } from "./algebra.js";

/** Where a step lies, as a schedule sees it. */
export interface Place<A> {
  /** From 1. */
  readonly step: Value<A>;
  /** Of the window: the step before its first, and its length, which is huge where it does not end. */
  readonly start: Value<A>;
  readonly length: Value<A>;
  /** Are gradients known to be exact? */
  readonly exact: Flag<A>;
}

/** The rate where none was given: 1, which decays by a factor of e over each window, or over those of exact gradients. */
export function defaultRate<A>(
  c: Algebra<A>,
  decays: "byKind" | "windows",
  { step, start, length, exact }: Place<A>,
): Value<A> {
  if (decays === "byKind" && exact === false) return 1;
  const decayed = c.exp(c.div(c.sub(start, step), length));
  return decays === "windows" ? decayed : c.where(exact, decayed, 1);
}
