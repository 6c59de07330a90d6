import type { Case, Trainer } from "./kinds.js";
import type { Watching } from "./train.js";

/** How a monitor did on runs of one kind and one trainer, watched in one way. */
export interface Tally {
  readonly kind: string;
  readonly trainer: Trainer;
  readonly full: boolean;
  readonly watching: Watching;
  runs: number;
  /** The verdict is what was expected. */
  right: number;
  /** Verdicts by name. */
  readonly verdicts: Record<string, number>;
}

/** What `studies/monitor/main.ts` writes. */
export interface Recording {
  readonly seeds: number;
  readonly problems: readonly string[];
  readonly tallies: readonly Tally[];
}

export function count(tallies: Tally[], { kind, trainer, full, expected, reports }: Case): void {
  for (const [name, { verdict }] of Object.entries(reports)) {
    const right = expected.includes(verdict) ? 1 : 0;
    const watching = name as Watching;
    add(tallies, { kind, trainer, full, watching, runs: 1, right, verdicts: { [verdict]: 1 } });
  }
}

/** Adds to the tally of the same kind, trainer and watching. */
export function add(tallies: Tally[], more: Tally): void {
  const keys = ["kind", "trainer", "full", "watching"] as const;
  const tally = tallies.find((each) => keys.every((key) => each[key] === more[key]));
  if (!tally) {
    tallies.push({ ...more, verdicts: { ...more.verdicts } });
    return;
  }
  tally.runs += more.runs;
  tally.right += more.right;
  for (const [verdict, times] of Object.entries(more.verdicts))
    tally.verdicts[verdict] = (tally.verdicts[verdict] ?? 0) + times;
}

/** The interval of Wilson's score that holds a share with 95 % confidence. */
export function interval(hits: number, runs: number): [low: number, high: number] {
  const z = 1.96;
  const [share, weight] = [hits / runs, (z * z) / runs];
  const middle = (share + weight / 2) / (1 + weight);
  const half = (z * Math.sqrt((share * (1 - share)) / runs + weight / runs / 4)) / (1 + weight);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

const TRAINERS: readonly Trainer[] = ["descent", "momentum", "Adam", "superlevel"];

function sum(tallies: readonly Tally[]): { runs: number; right: number } {
  const total = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  return { runs: total(({ runs }) => runs), right: total(({ right }) => right) };
}

const of = ({ right, runs }: { runs: number; right: number }) => (runs > 0 ? `${right}/${runs}` : "–");
const range = ([low, high]: [number, number]) => `${Math.floor(100 * low)}–${Math.ceil(100 * high)} %`;

/** Of each kind, how many runs were named right, by trainer and in all, with the interval of the share. */
export function table({ tallies }: Recording, healthy: boolean): string {
  const rows = [...new Set(tallies.map(({ kind, watching }) => `${kind}\n${watching}`))].flatMap((key) => {
    const [kind, watching] = key.split("\n");
    if (kind.startsWith("goes well") !== healthy) return [];
    const own = tallies.filter((tally) => tally.kind === kind && tally.watching === watching);
    const cells = TRAINERS.map((trainer) => of(sum(own.filter((tally) => tally.trainer === trainer))));
    const all = sum(own);
    const others: Record<string, number> = {};
    for (const { verdicts } of own)
      for (const [verdict, times] of Object.entries(verdicts))
        others[verdict] = (others[verdict] ?? 0) + times;
    const most =
      Object.entries(others).sort(([, a], [, b]) => b - a)[all.right * 2 >= all.runs ? 1 : 0]?.[0] ?? "";
    return [
      `| ${kind} | ${watching} | ${cells.join(" | ")} | ${range(interval(all.right, all.runs))} | ${most} |`,
    ];
  });
  const title = healthy ? "goes well, and nothing is named" : "spoilt, and that is the verdict";
  const columns = [title, "watched with", ...TRAINERS, "95 % of all", "most often else"].join(" | ");
  return [`| ${columns} |`, "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |", ...rows].join("\n");
}
