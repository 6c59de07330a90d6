/* Gaps of many problems and seeds in a few numbers. */
import { createRandom } from "../kit/random.js";
import { mean } from "../kit/statistics.js";
import { clipped, type Cell, type Row, type Study } from "./study.js";

export interface Summary {
  readonly label: string;
  readonly kind: Row["kind"];
  /** Mean gap, each kept between −1 and 4. */
  readonly mean: number;
  /** Where 95 of 100 means lie when problems and seeds are drawn anew from those there are. */
  readonly low: number;
  readonly high: number;
  readonly worst: number;
  readonly worstCell: Cell;
  /** Part of the cells with a gap of 0.05 at most, which is 12 % of the loss. */
  readonly even: number;
  readonly diverged: number;
  readonly spikes: number;
  /** How many cells it was run on. */
  readonly cells: number;
}

const level = 0.05;
const draws = 1000;

/** For one cell: log10 of the loss over that of the tuned run with the same seed; undefined where it was not run. */
export function gapsOf({ anchors }: Study, { readings }: Row, c: number): number[] | undefined {
  const [anchor, reading] = [anchors[c], readings[c]];
  return anchor && reading && reading.logs.map((log, k) => log - anchor[k]);
}

/** One row for each contender, over the cells that `chosen` lets through; those that were run on none are left out. */
export function summaries(study: Study, chosen: (cell: Cell) => boolean): Summary[] {
  return study.rows.flatMap((row) => summarise(study, row, chosen) ?? []);
}

function summarise(study: Study, row: Row, chosen: (cell: Cell) => boolean): Summary | undefined {
  const found = study.cells.flatMap((cell, c) => {
    const gaps = gapsOf(study, row, c);
    return gaps && chosen(cell) ? [{ cell, gaps, reading: row.readings[c]! }] : [];
  });
  if (found.length === 0) return undefined;
  const means = found.map(({ gaps }) => mean(gaps));
  const worst = Math.max(...means);
  const [low, high] = interval(found);
  return {
    label: row.label,
    kind: row.kind,
    mean: mean(means.map(clipped)),
    low,
    high,
    worst,
    worstCell: found[means.indexOf(worst)].cell,
    even: means.filter((gap) => gap <= level).length / found.length,
    diverged: found.reduce((sum, { reading }) => sum + reading.diverged, 0),
    spikes: found.reduce((sum, { reading }) => sum + reading.spikes, 0),
    cells: found.length,
  };
}

interface Found {
  readonly cell: Cell;
  readonly gaps: readonly number[];
}

/**
 * Draws problems, and for each of them seeds, with replacement. A problem's run lengths stay together: they come from
 * one run.
 */
function interval(found: readonly Found[]): [low: number, high: number] {
  const random = createRandom(1);
  const names = [...new Set(found.map(({ cell }) => cell.problem))];
  const problems = names.map((name) =>
    found.filter(({ cell }) => cell.problem === name).map(({ gaps }) => gaps),
  );
  const means = Float64Array.from({ length: draws }, () => {
    let [sum, count] = [0, 0];
    for (let k = 0; k < problems.length; k++) {
      const cells = problems[random.below(problems.length)];
      const seeds = cells[0].map(() => random.below(cells[0].length));
      for (const gaps of cells) sum += clipped(mean(seeds.map((seed) => gaps[seed])));
      count += cells.length;
    }
    return sum / count;
  }).sort();
  return [means[Math.floor(0.025 * draws)], means[Math.ceil(0.975 * draws) - 1]];
}
