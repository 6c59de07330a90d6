/** The problems on which defaults may be chosen. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { digits, readTable, readCharacters } from "./data.js";
import { cubicProblem, functionProblems, quadraticProblem } from "./functions.js";
import { hardDigits, online, turnedTable } from "./hard.js";
import { digitNetworks, nextCharacter } from "./networks.js";
import type { Problem, Suite } from "./problem.js";
import { fullBatch, sineProblem, xorExamples, xorProblem } from "./small.js";

/** What needs a file. */
const makers: Record<string, (path: string) => Problem> = {
  "text/tinyshakespeare.txt"(path) {
    const text = readCharacters(path, { count: 4000, context: 6, first: 0, stride: 50 });
    return nextCharacter("next character", text, { width: 8, units: 32, hidden: "tanh" });
  },
  "tabular/iris.csv": (path) => fullBatch("iris", readTable(path, 1), [10], 3),
};

/** Makes what its file allows; says what is missing. */
export function fromFiles(folder: string, all: Record<string, (path: string) => Problem | Problem[]>): Suite {
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const [file, make] of Object.entries(all)) {
    const path = join(folder, file);
    if (existsSync(path)) problems.push(...[make(path)].flat());
    else notes.push(`${path}: no such file; its problems are skipped`);
  }
  return { problems, notes };
}

export function trainingSuite(folder: string): Suite {
  const count = 4000;
  const { examples: large, note } = digits(folder, count, 2);
  const { examples: small } = digits(folder, count, 4);
  const real = fromFiles(folder, makers);
  // Another name where the data are others: what is remembered of runs goes by names.
  const named = (problem: Problem) =>
    note ? { ...problem, name: `${problem.name} (drawn digits)` } : problem;
  return {
    problems: [
      ...digitNetworks(large, small).map(named),
      ...real.problems,
      xorProblem(),
      sineProblem(),
      cubicProblem(),
      ...functionProblems(),
      online("XOR", xorExamples, 3),
      turnedTable(xorExamples),
      quadraticProblem(10, [300, 2000], { noise: 30, size: 20, group: "hard" }),
      ...hardDigits(large, small).map(named),
    ],
    notes: [...(note ? [note] : []), ...real.notes],
  };
}
