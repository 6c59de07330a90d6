import type { LyapunovReport } from "superlevel/stability";
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

const reportOf: Record<Watching, (run: Case) => LyapunovReport | undefined> = {
  "full batch": ({ full, reports }) => (full ? reports.probed : undefined),
  minibatches: ({ full, reports }) => (full ? undefined : reports.plain),
  "minibatches, probe": ({ full, reports }) => (full ? undefined : reports.probed),
  "minibatches, held-out probe": ({ full, reports }) => (full ? undefined : reports.held),
};

export const WATCHINGS = Object.keys(reportOf) as Watching[];

/** Counts, by kind and by what the monitor was given. */
export type Confusion = Record<string, Partial<Record<Watching, Tally>>>;

export function count(confusion: Confusion, run: Case): void {
  for (const watching of WATCHINGS) {
    const report = reportOf[watching](run);
    if (!report) continue;
    const row = (confusion[run.kind] ??= {});
    const tally = (row[watching] ??= { runs: 0, right: 0, other: 0, missed: 0, noted: 0, verdicts: {} });
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
