/* Runs of a study: which there are, and a file of JSON lines that remembers those that were made. */
import { Journal } from "../kit/journal.js";
import type { Contender } from "./contenders.js";
import { train, type Outcome } from "./measure.js";
import type { Problem } from "./problem.js";

/** Another one makes all that is recorded worthless: for changes of problems and of what is measured. */
const edition = 1;

export interface Run {
  readonly problem: Problem;
  readonly contender: Contender;
  readonly seed: number;
  readonly steps: number;
  /** Where it is read. */
  readonly lengths: readonly number[];
}

/** A run for each length where the contender knows it, otherwise the longest one, read on its way. */
export function runsOf(problem: Problem, contender: Contender, seed: number): Run[] {
  const { lengths } = problem;
  if (contender.knowsLength) {
    return lengths.map((steps) => ({ problem, contender, seed, steps, lengths: [steps] }));
  }
  return [{ problem, contender, seed, steps: lengths[lengths.length - 1], lengths }];
}

function parametersOf({ sizes, start }: Problem): number {
  return sizes ? sizes.reduce((sum, size) => sum + size, 0) : start(1).length;
}

/** Whether the contender is run on the problem. */
export function meets({ atMost = Infinity }: Contender, problem: Problem): boolean {
  return atMost === Infinity || parametersOf(problem) <= atMost;
}

/** Seed by seed, so that a study cut short has fewer seeds rather than fewer problems. */
export function allRuns(
  problems: readonly Problem[],
  contenders: readonly Contender[],
  seeds: number,
): Run[] {
  return Array.from({ length: seeds }, (_, k) =>
    problems.flatMap((problem) => {
      const there = contenders.filter((contender) => meets(contender, problem));
      return there.flatMap((contender) => runsOf(problem, contender, k + 1));
    }),
  ).flat();
}

/** What a run is recognised by. */
interface Key {
  edition: number;
  problem: string;
  contender: string;
  rate: number;
  version: string;
  steps: number;
  seed: number;
}

const textOf = (key: Key) =>
  [key.edition, key.problem, key.contender, key.rate, key.version, key.steps, key.seed].join("|");

function keyOf({ problem, contender: { family, rate, version }, steps, seed }: Run): Key {
  return { edition, problem: problem.name, contender: family, rate, version, steps, seed };
}

/** Outcomes in a file: a study that was killed goes on where it was. */
export class Records {
  readonly #journal: Journal<Key & Outcome>;
  readonly #known = new Map<string, Outcome>();

  constructor(path: string) {
    this.#journal = new Journal(path);
    for (const record of this.#journal.entries) this.#known.set(textOf(record), record);
  }

  /** What is known of a run, as far as it was read at all lengths that are asked for. */
  find(run: Run): Outcome | undefined {
    const found = this.#known.get(textOf(keyOf(run)));
    const read = new Set(found?.losses.map(([length]) => length));
    return run.lengths.every((length) => read.has(length)) ? found : undefined;
  }

  make(run: Run): Outcome {
    const outcome = train(run.problem, run.contender, run.seed, run.steps, run.lengths);
    this.#known.set(textOf(keyOf(run)), outcome);
    this.#journal.add({ ...keyOf(run), ...outcome });
    return outcome;
  }
}
