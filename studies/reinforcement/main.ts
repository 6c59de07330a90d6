/**
 * `npm run study -- reinforcement`: cart-pole by REINFORCE and actor-critic, superlevel as it comes against Adam at
 * several rates. What counts is the mean number of steps a game lasts after 20 and after 100 updates of 10 games.
 *
 *   --quick        3 updates, one seed, one rate
 *   --seeds N      default 8
 *   --updates N    default 100; those of a longer run are read where there is one
 *   --only TEXT    methods whose name contains it
 *   --out FOLDER   default build/reinforcement; runs that are there already are not repeated
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { recorded, wholeNumber } from "../kit/command-line.js";
import { packageVersion } from "../kit/version.js";
import { markdown } from "./table.js";
import { train, type Method, type Setting } from "./train.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seeds: { type: "string" },
    updates: { type: "string", default: "100" },
    only: { type: "string", default: "" },
    out: { type: "string", default: "build/reinforcement" },
  },
});
const seeds = wholeNumber("seeds", options.seeds, options.quick ? 1 : 8);
const updates = options.quick ? 3 : wholeNumber("updates", options.updates, 100);
const setting: Setting = options.quick
  ? { updates, games: 2, longest: 50 }
  : { updates, games: 10, longest: 500 };
const rates = options.quick ? [0.01] : [0.003, 0.01, 0.03, 0.1];
const methods: Method[] = ["REINFORCE", "actor-critic"];

mkdirSync(options.out, { recursive: true });
const file = join(options.out, options.quick ? "quick.json" : "runs.json");
const known = recorded<Record<string, number[]>>(file, {});

/** Written after every run, so that one cut short leaves what it had. */
function runOnce(method: Method, rate: number | null, seed: number): number[] {
  const key = [method, rate ?? packageVersion(), seed].join("|");
  if (!Object.hasOwn(known, key) || known[key].length <= updates) {
    known[key] = train(method, rate, seed, setting);
    writeFileSync(file, JSON.stringify(known));
  }
  return known[key];
}

for (const method of methods.filter((name) => name.toLowerCase().includes(options.only.toLowerCase()))) {
  const runs = new Map<number | null, number[][]>([null, ...rates].map((rate) => [rate, []]));
  // Seed by seed, so that a study cut short has fewer seeds rather than fewer contenders.
  for (let seed = 1; seed <= seeds; seed++) {
    for (const [rate, found] of runs) found.push(runOnce(method, rate, seed));
  }
  const ends = options.quick ? [1, 3] : [...new Set([Math.min(20, updates), updates])];
  console.log(`${method}, ${seeds} seeds\n\n${markdown(runs, ends)}\n`);
}
