/**
 * `npm run study -- monitor`: runs that go well and runs that were spoilt in a known way, and what the monitor calls them.
 *
 *   --held-out     problems on which nothing was chosen
 *   --seeds N      default 4
 *   --only TEXT    kinds of runs whose names hold this
 *   --out FILE     default build/monitor/development.json or held-out.json
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { casesOf, TRAINERS } from "./kinds.js";
import { developed, heldOut } from "./problems.js";
import { count, table, type Recording, type Tally } from "./table.js";

const { values } = parseArgs({
  options: {
    "held-out": { type: "boolean", default: false },
    seeds: { type: "string", default: "4" },
    only: { type: "string", default: "" },
    out: { type: "string" },
  },
});
const problems = values["held-out"] ? heldOut : developed;
const out = values.out ?? `build/monitor/${values["held-out"] ? "held-out" : "development"}.json`;
mkdirSync(dirname(out), { recursive: true });

const tallies: Tally[] = [];
const names = problems.map(({ data, hidden, activation }) => `${data}, ${[...hidden, activation].join(" ")}`);
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  for (const problem of problems)
    for (const trainer of TRAINERS)
      for (const full of [true, false])
        for (const run of casesOf({ problem, trainer, full, seed }, values.only)) count(tallies, run);
  // Written after each seed, so that a run cut short leaves what it had.
  const recording: Recording = { seeds: seed, problems: names, tallies };
  writeFileSync(out, JSON.stringify(recording, null, 1));
  console.log(`seed ${seed}`);
}
const recording: Recording = { seeds: Number(values.seeds), problems: names, tallies };
console.log([true, false].map((healthy) => table(recording, healthy)).join("\n\n"));
