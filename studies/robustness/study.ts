/* From runs to gaps: how far each contender is from the best tuned run, on each problem at each length. */
import { mean } from "../kit/statistics.js";
import type { Contender } from "./contenders.js";
import { diverged, initialLoss, logLoss } from "./measure.js";
import type { Group, Problem } from "./problem.js";
import { meets, runsOf, type Records } from "./runs.js";

/** A problem at one of its run lengths. */
export interface Cell {
  readonly problem: string;
  readonly group: Group;
  readonly length: number;
  /** log10 of the first loss, mean over the seeds. */
  readonly initial: number;
  /** Undefined where no tuned run was made. */
  readonly best?: Best;
}

/** The best of the tuned runs in a cell. */
interface Best {
  readonly family: string;
  readonly rate: number;
  readonly logLoss: number;
  /** Its rate is the least or the greatest that was tried: there may be a better one. */
  readonly atEnd: boolean;
  /** How many tuned runs were not made yet. */
  readonly missing: number;
}

/** What one contender reached in one cell: a value for each seed. */
export interface Reading {
  readonly logs: readonly number[];
  readonly diverged: number;
  /** Late spikes of the run, counted once: at its problem's greatest length. */
  readonly spikes: number;
}

/** A contender, or the best of a family at each problem and length. */
export interface Row {
  readonly label: string;
  readonly kind: Contender["kind"];
  /** One for each cell; undefined where it was not run. */
  readonly readings: readonly (Reading | undefined)[];
}

export interface Study {
  readonly cells: readonly Cell[];
  /** log10 of the best tuned loss, for each cell and seed. */
  readonly anchors: readonly (readonly number[] | undefined)[];
  readonly rows: readonly Row[];
}

interface Entry extends Row {
  readonly contender: Contender;
}

interface Place {
  readonly problem: Problem;
  readonly length: number;
}

/** A gap as means take it: one problem solved or spoilt altogether must not decide. */
export const clipped = (gap: number) => Math.min(4, Math.max(-1, gap));

function readingOf(contender: Contender, { problem, length }: Place, seeds: number, records: Records) {
  const outcomes = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const run = runsOf(problem, contender, seed).find(({ lengths }) => lengths.includes(length))!;
    const outcome = records.find(run);
    if (!outcome) return undefined;
    const loss = outcome.losses.find(([at]) => at === length)![1];
    const counted = length === problem.lengths[problem.lengths.length - 1];
    const { initial } = outcome;
    outcomes.push({ initial, loss, spikes: counted ? outcome.spikes : 0 });
  }
  return {
    logs: outcomes.map(({ loss, initial }) => logLoss(loss, initial)),
    diverged: outcomes.filter(({ loss, initial }) => diverged(loss, initial)).length,
    spikes: outcomes.reduce((sum, { spikes }) => sum + spikes, 0),
  };
}

function smallest<T>(items: readonly T[], of: (item: T) => number): T | undefined {
  return items.reduce<T | undefined>((a, b) => (a === undefined || of(b) < of(a) ? b : a), undefined);
}

/** The entry of least mean log10 loss in a cell. */
function bestIn(entries: readonly Entry[], c: number): Entry | undefined {
  const there = entries.filter(({ readings }) => readings[c]);
  return smallest(there, ({ readings }) => mean(readings[c]!.logs));
}

export const rateText = (rate: number) =>
  rate < 1 ? rate.toExponential().replace("e-", "e−") : String(rate);

type Anchors = Study["anchors"];

/** Families of tuned contenders: each cell's best rate, and the single rate of the least mean gap over all cells. */
function tunedRows(family: string, entries: readonly Entry[], anchors: Anchors): Row[] {
  const { kind, readings } = entries[0];
  const each = readings.map((_, c) => bestIn(entries, c)?.readings[c]);
  const complete = entries.filter((entry) => entry.readings.every(Boolean));
  const single = smallest(complete, (entry) => {
    return mean(entry.readings.map((reading, c) => clipped(mean(reading!.logs) - mean(anchors[c] ?? [0]))));
  });
  return [
    { label: `${family}, tuned`, kind, readings: each },
    ...(single ? [{ ...single, label: `${family}, one rate (${rateText(single.contender.rate)})` }] : []),
  ];
}

/** Rates that people take without looking. */
const usual = [1e-3, 1e-2];

function rowsOf(entries: readonly Entry[], anchors: Anchors): Row[] {
  const families = [...new Set(entries.map(({ contender }) => contender.family))];
  const rows = families.flatMap((family): Row[] => {
    const members = entries.filter(({ contender }) => contender.family === family);
    const isTuned = members[0].kind === "anchor" || members[0].kind === "tuned";
    return isTuned ? tunedRows(family, members, anchors) : members;
  });
  const plain = entries.filter(
    ({ contender: { family, rate } }) => family === "Adam" && usual.includes(rate),
  );
  const fixed = plain.map((entry): Row => {
    return { ...entry, label: `Adam, ${rateText(entry.contender.rate)}`, kind: "untuned" };
  });
  return [...rows, ...fixed].map(({ label, kind, readings }) => ({ label, kind, readings }));
}

function entriesOf(
  places: readonly Place[],
  contenders: readonly Contender[],
  seeds: number,
  records: Records,
): Entry[] {
  return contenders.map((contender) => {
    const readings = places.map((place) =>
      meets(contender, place.problem) ? readingOf(contender, place, seeds, records) : undefined,
    );
    return { contender, label: contender.family, kind: contender.kind, readings };
  });
}

/** What is known of a cell besides readings. `tuned` are those that could be the best there. */
function cellOf({ problem, length }: Place, c: number, seeds: number, tuned: readonly Entry[]): Cell {
  const { name, group } = problem;
  const winner = bestIn(tuned, c);
  const initial = mean(Array.from({ length: seeds }, (_, k) => Math.log10(initialLoss(problem, k + 1))));
  if (!winner) return { problem: name, group, length, initial };
  const rates = tuned.filter(({ readings }) => readings[c]).map(({ contender }) => contender.rate);
  const { family, rate } = winner.contender;
  const best: Best = {
    family,
    rate,
    logLoss: mean(winner.readings[c]!.logs),
    atEnd: rate === Math.min(...rates) || rate === Math.max(...rates),
    missing: tuned.filter(({ contender, readings }) => !readings[c] && meets(contender, problem)).length,
  };
  return { problem: name, group, length, initial, best };
}

export function study(
  problems: readonly Problem[],
  contenders: readonly Contender[],
  seeds: number,
  records: Records,
): Study {
  const places = problems.flatMap((problem) => problem.lengths.map((length): Place => ({ problem, length })));
  const entries = entriesOf(places, contenders, seeds, records);
  const tuned = entries.filter(({ kind }) => kind === "anchor");
  const best = places.map((_, c) => bestIn(tuned, c)?.readings[c]);
  const anchors = best.map((reading) => reading?.logs);
  const anchor: Row = { label: "best tuned Adam or AdamW", kind: "anchor", readings: best };
  return {
    cells: places.map((place, c) => cellOf(place, c, seeds, tuned)),
    anchors,
    rows: [anchor, ...rowsOf(entries, anchors)].filter(({ readings }) => readings.some(Boolean)),
  };
}
