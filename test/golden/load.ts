/** Reads recorded runs: JSON files of any number and name, told apart by their `kind`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Problem } from "./problems.js";

export type Cell = number | number[];
/** Parallel arrays, one entry per recorded step; a column may end before `step` does. */
export type Columns = Record<string, Cell[]>;

export interface RecordedBase {
  name: string;
  lr?: number;
  momentum?: number;
  dampening?: number;
  nesterov?: boolean;
  betas?: [number, number];
  eps?: number;
  weight_decay?: number;
}

export interface RecordedConfig {
  base: RecordedBase | string;
  mechanic?: { s_decay?: number; betas?: number[]; s_init?: number; eps?: number; store_delta?: boolean };
  optax?: {
    weight_decay?: number;
    s_decay?: number;
    num_betas?: number;
    s_init?: number;
    eps?: number;
  };
  form?: string;
  kind?: string;
  alpha0?: number;
  lambda?: number;
  lr_schedule?: { type: string; lam?: number };
  clip_norm?: number | null;
  frozen?: number[];
  groups?: unknown;
  batches?: number[][];
  betas?: number[];
  s_init?: number;
  eps?: number;
  s1?: number;
  x0?: number[] | number[][];
  steps?: number;
}

export interface RecordedRun {
  trace?: Columns;
  tail?: Columns;
  debug_first5?: Columns;
  closed_loop_reproducible_until_step?: number;
}

export interface Golden extends RecordedRun {
  /** The file's name. */
  file: string;
  kind: string;
  id?: string;
  config?: RecordedConfig;
  problem?: Problem;
  /** "f64", "f32", "f64tuner32"; files of a single f64 run have their columns at the top instead. */
  runs?: Record<string, RecordedRun>;
  /** Agreement of two implementations at a step, where no reproducible step is given. */
  AB_rel_dev_params?: Record<string, number>;
  summary?: { AB_rel_dev_params?: Record<string, number>; max_abs_param_move?: number };
  /** Of the two tables. */
  rows?: unknown[];
}

const root = resolve(fileURLToPath(import.meta.url), "../../..");

/** Where the records lie; they are optional, and no part of the package. */
export const goldenDirectory = process.env.SUPERLEVEL_GOLDEN ?? resolve(root, "../shared/golden");
export const scheduleFreeDirectory =
  process.env.SUPERLEVEL_GOLDEN_SCHEDULEFREE ?? resolve(root, "../shared/golden-schedulefree");

const missingFrom = (directory: string, variable: string) =>
  existsSync(directory) ? null : `no recorded runs in ${directory}: set ${variable} to their folder`;

/** Why there is nothing to replay, or null. */
export const goldenMissing = missingFrom(goldenDirectory, "SUPERLEVEL_GOLDEN");
export const scheduleFreeMissing = missingFrom(scheduleFreeDirectory, "SUPERLEVEL_GOLDEN_SCHEDULEFREE");

const special: Record<string, number> = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };

/** Every *.json of the folder, in the order of their names; an empty list when there is no folder. */
export function loadGoldens(directory = goldenDirectory): Golden[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return files.sort().map((file) => {
    const text = readFileSync(join(directory, file), "utf8");
    const parsed = JSON.parse(text, (_key, value: unknown) =>
      typeof value === "string" && Object.hasOwn(special, value) ? special[value] : value,
    ) as Omit<Golden, "file">;
    return { ...parsed, file };
  });
}
