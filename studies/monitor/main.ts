/**
 * `npm run study -- monitor`: runs that go well and runs that were spoilt in a known way, and what the monitor calls them.
 *
 *   --held-out     problems on which nothing was chosen
 *   --seeds N      default 8
 *   --only TEXT    problems whose data have this name
 *   --out FILE     default build/monitor/development.json or held-out.json
 *
 * Real data is read from $SUPERLEVEL_DATA, by default ../shared/data.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { dataFolder } from "../kit/data.js";
import { casesOf } from "./cases.js";
import { readData } from "./data.js";
import { developed, heldOut } from "./problems.js";
import { count, type Confusion } from "./table.js";

const { values } = parseArgs({
  options: {
    "held-out": { type: "boolean", default: false },
    seeds: { type: "string", default: "8" },
    only: { type: "string", default: "" },
    out: { type: "string" },
  },
});
const seeds = Number(values.seeds);
const set = values["held-out"] ? heldOut : developed;
const out = values.out ?? `build/monitor/${values["held-out"] ? "held-out" : "development"}.json`;
mkdirSync(dirname(out), { recursive: true });

const results: Record<string, Confusion> = {};
for (const problem of set.filter(({ data }) => data.includes(values.only))) {
  const raw = readData(problem.data, dataFolder);
  const name = `${problem.data}, ${[...problem.hidden, problem.activation].join(" ")}`;
  if (!raw) {
    console.warn(`${name}: no data in ${dataFolder}`);
    continue;
  }
  const confusion: Confusion = (results[name] = {});
  for (let seed = 1; seed <= seeds; seed++)
    for (const full of [true, false])
      for (const run of casesOf(raw, problem, full, seed)) count(confusion, run);
  // Written after each problem, so that a run cut short leaves what it had.
  writeFileSync(out, JSON.stringify({ seeds, results }, null, 1));
  console.log(name);
}
