import type { serialization } from "@tensorflow/tfjs-core";
import type { LearningRate } from "../../bases/base.js";
import { OPTIONS, resolve, type Config, type OptimizerOptions } from "../../stepper/config.js";
import { expectBoolean, expectNumber, expectOptions, show } from "../../common/expect.js";
import { warnOfCopies } from "./copies.js";
import type { TensorSpec } from "../../tensors.js";

/** How a variable differs from the others. */
export type VariableOptions = Pick<TensorSpec, "learningRate" | "weightDecay" | "frozen">;

/** Options of {@link superlevelOptimizer}: those of `createOptimizer`, and what differs from variable to variable. */
export interface TfjsOptions extends OptimizerOptions {
  /**
   * A function of the variable and its place, asked once for each; a list in the variables' order; or an object of what
   * differs by layer, whose name stands in a variable's before the last slash.
   */
  perVariable?:
    | ((variable: { name: string; shape: readonly number[] }, index: number) => VariableOptions | undefined)
    | readonly (VariableOptions | undefined)[]
    | Readonly<Record<string, VariableOptions>>;
}

/** What {@link TfjsOptions} come to. */
export interface CheckedOptions {
  readonly options: Omit<Config, "tensors">;
  /** Undefined where it was a schedule, which is not saved. */
  readonly learningRate: LearningRate | undefined;
  /** It was left to the defaults. */
  readonly defaultRate: boolean;
  readonly perVariable: TfjsOptions["perVariable"];
}

const KEYS = [...OPTIONS, "perVariable"] as const;

/** Stands for a schedule in a saved configuration. */
const SCHEDULE = "schedule";

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const rest = { ...object };
  delete rest[key];
  return rest;
}

/** Checks everything, so that mistakes show before the first step. */
export function checkOptions(given: TfjsOptions): CheckedOptions {
  expectOptions("options", given, KEYS);
  const { perVariable, ...rest } = given;
  expectPerVariable(perVariable);
  const options = without(resolve(1, rest).config, "tensors");
  return {
    options,
    learningRate: options.base.learningRate,
    defaultRate: rest.base?.learningRate === undefined,
    perVariable,
  };
}

type List = readonly (VariableOptions | undefined)[];
const isList = (perVariable: TfjsOptions["perVariable"]): perVariable is List => Array.isArray(perVariable);

function expectPerVariable(perVariable: TfjsOptions["perVariable"]): void {
  if (perVariable === undefined || typeof perVariable === "function") return;
  if (typeof perVariable !== "object" || perVariable === null) {
    const expected = "a function, a list or an object by layers";
    throw new TypeError(`perVariable: expected ${expected}, got ${show(perVariable)}`);
  }
  for (const [key, own] of Object.entries(perVariable)) {
    expectOwn(isList(perVariable) ? `perVariable[${key}]` : `perVariable[${show(key)}]`, own);
  }
}

/** A saved list has null for undefined. */
function expectOwn(place: string, own: VariableOptions | null | undefined): void {
  if (own === undefined || own === null) return;
  expectOptions(place, own, ["learningRate", "weightDecay", "frozen"]);
  const { learningRate = 1, weightDecay = 0, frozen = false } = own;
  expectNumber(`${place}.learningRate`, learningRate, { min: 0 });
  expectNumber(`${place}.weightDecay`, weightDecay, { min: 0 });
  expectBoolean(`${place}.frozen`, frozen);
}

/** A layer's name stands before the last slash of its variables' names. */
const layerOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));

/** By place, as names change when a model is loaded. */
function savedPerVariable(
  perVariable: TfjsOptions["perVariable"],
  tensors: Config["tensors"] | undefined,
): readonly (VariableOptions | undefined)[] | undefined {
  if (perVariable === undefined || isList(perVariable)) return perVariable;
  if (tensors) {
    return tensors.map(({ learningRate, weightDecay, frozen }) => ({ learningRate, weightDecay, frozen }));
  }
  throw new Error(
    "perVariable: a function or an object, which is saved as what it says of variables, at the first step: take one first",
  );
}

/** A configuration as `model.save` writes it: no functions, and no strings with underscores, which loading changes. */
export function toSaved(
  settled: CheckedOptions,
  { learningRate, rateFactor }: { learningRate: LearningRate | undefined; rateFactor: number },
  tensors: Config["tensors"] | undefined,
): serialization.ConfigDict {
  warnOfCopies();
  const { options } = settled;
  const base = without(options.base, "learningRate");
  const byDefault = settled.defaultRate && learningRate === settled.learningRate;
  const rate = typeof learningRate === "number" ? learningRate : SCHEDULE;
  const saved = {
    ...options,
    base: byDefault ? base : { ...base, learningRate: rate },
    perVariable: savedPerVariable(settled.perVariable, tensors),
    ...(rateFactor !== 1 && { rateFactor }),
  };
  return JSON.parse(JSON.stringify(saved)) as serialization.ConfigDict;
}

/** What {@link toSaved} wrote. A schedule has to be set again. */
export function fromSaved(saved: serialization.ConfigDict): {
  options: TfjsOptions;
  needsSchedule: boolean;
  rateFactor: number;
} {
  if (typeof saved !== "object" || (saved as unknown) === null)
    throw new TypeError(`config: expected an object, as getConfig() returns it, got ${show(saved)}`);
  const rateFactor = expectNumber("rateFactor", saved.rateFactor ?? 1, { min: 0 });
  // Loading adds a key of its own, customObjects.
  const known = KEYS.filter((key) => saved[key] !== undefined);
  const options: TfjsOptions = Object.fromEntries(known.map((key) => [key, saved[key]]));
  const { base } = options;
  if ((base?.learningRate as unknown) !== SCHEDULE) return { options, needsSchedule: false, rateFactor };
  return { options: { ...options, base: { ...base!, learningRate: 0 } }, needsSchedule: true, rateFactor };
}

function ownOf(
  perVariable: TfjsOptions["perVariable"],
  variable: { name: string; shape: readonly number[] },
  k: number,
): VariableOptions | undefined {
  if (typeof perVariable === "function") return perVariable(variable, k);
  if (perVariable === undefined) return undefined;
  if (isList(perVariable)) return perVariable[k];
  return perVariable[layerOf(variable.name)];
}

export function optionsOf(
  perVariable: TfjsOptions["perVariable"],
  variables: readonly { name: string; shape: readonly number[] }[],
): VariableOptions[] {
  if (isList(perVariable) && perVariable.length !== variables.length) {
    throw new RangeError(
      `perVariable: expected ${variables.length} entries, one for each variable, got ${perVariable.length}`,
    );
  }
  const byLayer = typeof perVariable === "object" && !isList(perVariable) ? perVariable : undefined;
  const layers = new Set(variables.map(({ name }) => layerOf(name)));
  for (const layer of Object.keys(byLayer ?? {})) {
    if (layers.has(layer)) continue;
    const known = [...layers].slice(0, 8).map(show).join(", ");
    throw new RangeError(`perVariable: there is no variable of a layer ${show(layer)}; there are ${known}`);
  }
  return variables.map(({ name, shape }, k) => {
    const own = ownOf(perVariable, { name, shape }, k);
    expectOwn(`perVariable(${show(name)})`, own);
    return own ?? {};
  });
}
