import type { Effort, Scene } from "./contender.js";
import type { Machine } from "./machine.js";
import type { Times } from "./measure.js";
import type { Verdict } from "./targets.js";

/** A scene's times: nanoseconds a step of each contender, round by round. */
export interface Measured extends Pick<Scene, "name" | "size" | "reference" | "bytesPerParameter"> {
  readonly times: Times;
}

/** What the suite writes, and the comparison reads. */
export interface Results {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly flags: Readonly<Record<string, string>>;
  /** What did not run here, and why. */
  readonly notes: readonly string[];
  readonly targets: readonly Verdict[];
  readonly scenes: readonly Measured[];
}

/** Median and quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - below);
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** Of the rounds' ratios: what slows a round down slows both. */
export function ratio({ times }: Measured, over: string, under: string, factor = 1): Spread {
  return spreadOf(times[over].map((time, round) => (factor * time) / times[under][round]));
}

export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}

/** 1000 → 10³, 20000 → 2·10⁴. */
export function sizeText(size: number): string {
  const exponent = Math.floor(Math.log10(size) + 1e-9);
  if (exponent < 3) return String(size);
  const lead = Number((size / 10 ** exponent).toPrecision(3));
  const power = `10${String(exponent).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])}`;
  return lead === 1 ? power : `${lead}·${power}`;
}

export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = header.map((_, k) => (k === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
