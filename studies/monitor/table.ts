import type { LyapunovSummary } from "superlevel/stability";
import type { Case } from "./cases.js";

/** How a monitor did on runs of one kind. */
export interface Tally {
  runs: number;
  /** The verdict is what was expected. */
  right: number;
  /** Another problem was named. */
  other: number;
  /** No problem, though there is one; `noted` where a note says something. */
  missed: number;
  noted: number;
  /** Verdicts by name. */
  readonly verdicts: Record<string, number>;
}

export type Watching = "full batch" | "minibatches" | "minibatches, probe" | "minibatches, held-out probe";

const reportOf: Record<Watching, (run: Case) => LyapunovSummary | undefined> = {
  "full batch": ({ full, reports }) => (full ? reports.probed : undefined),
  minibatches: ({ full, reports }) => (full ? undefined : reports.plain),
  "minibatches, probe": ({ full, reports }) => (full ? undefined : reports.probed),
  "minibatches, held-out probe": ({ full, reports }) => (full ? undefined : reports.held),
};

export const WATCHINGS = Object.keys(reportOf) as Watching[];

/** Counts, by kind and by what the monitor was given. */
export type Confusion = Record<string, Partial<Record<Watching, Tally>>>;

const empty = (): Tally => ({ runs: 0, right: 0, other: 0, missed: 0, noted: 0, verdicts: {} });

export function count(confusion: Confusion, run: Case): void {
  for (const watching of WATCHINGS) {
    const report = reportOf[watching](run);
    if (!report) continue;
    const row = (confusion[run.kind] ??= {});
    const tally = (row[watching] ??= empty());
    const { verdict, findings } = report;
    tally.runs++;
    tally.verdicts[verdict] = (tally.verdicts[verdict] ?? 0) + 1;
    if (verdict === (run.expected === "nothing" ? "healthy" : run.expected)) tally.right++;
    else if (verdict !== "healthy") tally.other++;
    else {
      tally.missed++;
      if (findings.length > 0) tally.noted++;
    }
  }
}

/** What `studies/monitor/main.ts` writes. */
export interface Recording {
  readonly seeds: number;
  readonly results: Readonly<Record<string, Confusion>>;
}

/** The counts of all problems together. */
export function together({ results }: Recording): Confusion {
  const sum: Confusion = {};
  for (const confusion of Object.values(results)) {
    for (const [kind, row] of Object.entries(confusion)) {
      for (const watching of WATCHINGS) {
        const tally = row[watching];
        if (!tally) continue;
        const total = ((sum[kind] ??= {})[watching] ??= empty());
        for (const key of ["runs", "right", "other", "missed", "noted"] as const) total[key] += tally[key];
        for (const [verdict, times] of Object.entries(tally.verdicts))
          total.verdicts[verdict] = (total.verdicts[verdict] ?? 0) + times;
      }
    }
  }
  return sum;
}

const GOOD = ["up to the best rate", "superlevel as it comes", "rate that falls to 5 %"];
const SPOILT = [
  "rate too high: gained less than half",
  "schedule frozen: gained less than half",
  "NaN or infinity",
  ...[5, 10, 15, 20, 30, 50].map((share) => `wrong labels: ${share} %`),
];
const BETWEEN = [
  "rate above the best: gained half or more",
  "rate above the best: gained nine tenths or more",
  "schedule frozen: gained half or more",
];

/** Of how many runs a problem was named in those that go well, and the right one in those that do not. */
export function tables(recording: Recording): string {
  const confusion = together(recording);
  const rows = (kinds: readonly string[], of: (tally: Tally) => number) =>
    kinds
      .filter((kind) => confusion[kind])
      .map((kind) => {
        const cells = WATCHINGS.map((watching) => confusion[kind][watching] ?? empty());
        return `| ${kind} | ${cells.map((tally) => (tally.runs ? `${of(tally)} of ${tally.runs}` : "–")).join(" | ")} |`;
      });
  const headed = (title: string, lines: readonly string[]) =>
    [`| ${title} | ${WATCHINGS.join(" | ")} |`, "| --- | ---: | ---: | ---: | ---: |", ...lines].join("\n");
  return [
    headed(
      "goes well, and a problem is named",
      rows(GOOD, ({ other }) => other),
    ),
    headed(
      "spoilt, and that is the verdict",
      rows(SPOILT, ({ right }) => right),
    ),
    headed(
      "in between, and a problem is named",
      rows(BETWEEN, ({ other, right }) => other + right),
    ),
  ].join("\n\n");
}
