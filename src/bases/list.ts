import type { BaseRecord, Linear, LinearResponse, NoLinear, Rule, ScalarRule, Updates } from "./base.js";
import type { Kernel } from "./kernels.js";
import { linearResponses, records } from "./records.js";

/** The name of a base that stands by itself. */
export type BaseName = keyof typeof records;

/** A base that stands by itself, which {@link scheduleFree} can wrap. */
export type Wrapped = { [Name in BaseName]: Made<Name> }[BaseName];

type Made<Name extends BaseName> = ReturnType<(typeof records)[Name]["factory"]>;

/** The kernels that a record says how to run one coordinate at a time. */
type Written = { [Name in BaseName]: keyof (typeof records)[Name]["kernels"] }[BaseName];

/** What the js engine runs for each kernel. A name that is missing here has a file in assembly/rules, and no record. */
export const scalarRules: Readonly<Record<Kernel, ScalarRule>> = Object.assign(
  {},
  ...Object.values(records).map(({ kernels }) => kernels),
) as Record<Written, ScalarRule>;

/** What a base's options mean. */
export const ruleOf = (base: Wrapped): Rule => (records[base.name] as BaseRecord<Wrapped>).rule(base);

/** Its linear response after so many updates, or why it has none. */
export function linearOf(base: Wrapped, updates: Updates): Linear | NoLinear {
  const response = linearResponses[base.name] as LinearResponse<Wrapped>;
  return typeof response === "function" ? response(base, updates) : response;
}
