/* From runs to gaps: how far each contender is from the best tuned run, on each problem at each length. */
import type { Contender } from "./contenders.js";
import { diverged, logLoss } from "./measure.js";
import type { Group, Problem } from "./problem.js";
import { runsOf, type Records } from "./runs.js";

/** A problem at one of its run lengths. */
export interface Cell {
  readonly problem: string;
  readonly group: Group;
  readonly length: number;
  /** log10 of the first loss, mean over the seeds. */
  readonly initial: number;
  /** The best of the tuned runs; undefined where none was made. */
  readonly best?: { readonly family: string; readonly rate: number; readonly logLoss: number };
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

export const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

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
    initial: mean(outcomes.map(({ initial }) => Math.log10(initial))),
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
    ...(single
      ? [{ ...single, label: `${family}, best single rate ${rateText(single.contender.rate)}` }]
      : []),
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

export function study(
  problems: readonly Problem[],
  contenders: readonly Contender[],
  seeds: number,
  records: Records,
): Study {
  const places = problems.flatMap((problem) => problem.lengths.map((length): Place => ({ problem, length })));
  const initials = new Map<Place, number>();
  const entries = contenders.map((contender): Entry => {
    const readings = places.map((place) => {
      const reading = readingOf(contender, place, seeds, records);
      if (!reading) return undefined;
      const { initial, ...rest } = reading;
      initials.set(place, initial);
      return rest;
    });
    return { contender, label: contender.family, kind: contender.kind, readings };
  });
  const tuned = entries.filter(({ kind }) => kind === "anchor");
  const winners = places.map((_, c) => bestIn(tuned, c));
  const anchors = winners.map((winner, c) => winner?.readings[c]!.logs);
  const anchor: Row = {
    label: "best tuned Adam or AdamW",
    kind: "anchor",
    readings: winners.map((winner, c) => winner?.readings[c]),
  };
  const cells = places.map((place, c): Cell => {
    const { problem, length } = place;
    const [winner, logs] = [winners[c]?.contender, anchors[c]];
    const best = winner && logs && { family: winner.family, rate: winner.rate, logLoss: mean(logs) };
    return { problem: problem.name, group: problem.group, length, initial: initials.get(place) ?? NaN, best };
  });
  return {
    cells,
    anchors,
    rows: [anchor, ...rowsOf(entries, anchors)].filter(({ readings }) => readings.some(Boolean)),
  };
}
