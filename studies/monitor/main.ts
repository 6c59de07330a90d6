/**
 * `npm run study -- monitor`: runs that go well and runs that were spoilt in a known way, and what the monitor calls them.
 *
 *   --quick        one problem, one trainer, one seed
 *   --held-out     problems on which nothing was chosen
 *   --seeds N      default 4
 *   --from N       the first of them, default 1
 *   --add FILE     what another process counted of other seeds
 *   --only TEXT    kinds of runs whose names hold this
 *   --out FILE     default build/monitor/development.json or held-out.json
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { wholeNumber } from "../kit/command-line.js";
import { casesOf, TRAINERS } from "./kinds.js";
import { developed, heldOut } from "./problems.js";
import { add, count, table, type Recording, type Score } from "./table.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    "held-out": { type: "boolean", default: false },
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    add: { type: "string", multiple: true, default: [] },
    only: { type: "string", default: "" },
    out: { type: "string" },
  },
});
const problems = (values["held-out"] ? heldOut : developed).slice(0, values.quick ? 1 : Infinity);
const out = values.out ?? `build/monitor/${values["held-out"] ? "held-out" : "development"}.json`;
mkdirSync(dirname(out), { recursive: true });

const scores: Score[] = [];
let seeds = 0;
const recording = (): Recording => ({
  seeds,
  problems: problems.map(({ data, hidden, activation }) => `${data}, ${[...hidden, activation].join(" ")}`),
  scores,
});
for (const file of values.add) {
  const other = JSON.parse(readFileSync(file, "utf8")) as Recording;
  other.scores.forEach((score) => add(scores, score));
  seeds += other.seeds;
}
for (let k = 0; k < wholeNumber("seeds", values.seeds, values.quick ? 1 : 4); k++) {
  const seed = Number(values.from) + k;
  for (const problem of problems)
    for (const trainer of TRAINERS.slice(0, values.quick ? 1 : Infinity))
      for (const full of [true, false])
        for (const run of casesOf({ problem, trainer, full, seed }, values.only)) count(scores, run);
  seeds++;
  // Written after each seed, so that a run cut short leaves what it had.
  writeFileSync(out, JSON.stringify(recording(), null, 1));
  console.log(`seed ${seed}`);
}
writeFileSync(out, JSON.stringify(recording(), null, 1));
console.log([true, false].map((healthy) => table(recording(), healthy)).join("\n\n"));
