import { existsSync, readFileSync } from "node:fs";

/** A whole number from the command line; `usual` where it is not given. */
export function wholeNumber(option: string, given: string | undefined, usual: number): number {
  const value = Number(given ?? usual);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`--${option}: expected a whole number >= 1, got ${given}`);
}

/** What a study that was cut short has written, or `otherwise`. */
export const recorded = <T>(file: string, otherwise: T): T =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : otherwise;
