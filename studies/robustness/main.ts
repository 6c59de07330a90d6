/**
 * `npm run study -- robustness`: superlevel as it comes against Adam and AdamW with a rate tuned for each problem and each
 * run length, and against other methods that need no tuning. What counts is log10 of the final loss over that of the
 * best tuned run.
 *
 *   --quick            a minute: one seed, three rates, 100 steps
 *   --held-out         other problems, on which no default was chosen
 *   --seeds N          default 3
 *   --only TEXT        problems whose name or group contains it
 *   --contenders A,B   runs only those whose name contains one of these; the tables have whatever is known of the others
 *   --out FOLDER       default build/robustness; runs.jsonl in it keeps every run, so nothing is run twice
 *
 * Real data is read from $SUPERLEVEL_DATA, by default ../shared/data.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wholeNumber } from "../kit/command-line.js";
import { packageVersion } from "../kit/version.js";
import { contenders } from "./contenders.js";
import { heldOutSuite } from "./held-out.js";
import { gapChart } from "./plot.js";
import type { Problem } from "./problem.js";
import { allRuns, Records } from "./runs.js";
import { study } from "./study.js";
import { report } from "./table.js";
import { trainingSuite } from "./training.js";
import { dataFolder } from "../kit/data-file.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    "held-out": { type: "boolean", default: false },
    seeds: { type: "string" },
    only: { type: "string", default: "" },
    contenders: { type: "string", default: "" },
    out: { type: "string", default: "build/robustness" },
  },
});
const { quick, only, out } = options;
const seeds = wholeNumber("seeds", options.seeds, quick ? 1 : 3);

const suite = options["held-out"] ? heldOutSuite(dataFolder) : trainingSuite(dataFolder);
const problems = suite.problems
  .filter(({ name, group }) => name.includes(only) || group === only)
  .map((problem): Problem =>
    quick ? { ...problem, lengths: [Math.min(100, problem.lengths[0])] } : problem,
  );
suite.notes.forEach((note) => console.warn(note));
if (problems.length === 0) {
  console.warn("no problems to run");
  process.exit();
}

const all = contenders(quick, packageVersion());
const wanted = options.contenders.toLowerCase().split(",");
const chosen = all.filter(({ family }) => wanted.some((text) => family.toLowerCase().includes(text)));
if (chosen.length === 0) console.warn("no contenders to run");

const records = new Records(join(out, "runs.jsonl"));
const missing = allRuns(problems, chosen, seeds).filter((run) => !records.find(run));

function progress(done: number, text: string): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${done}/${missing.length} ${text}\u001b[K${done === missing.length ? "\n" : ""}`);
}

const begin = performance.now();
missing.forEach((run, k) => {
  records.make(run);
  progress(k + 1, `${run.problem.name}, ${run.contender.family}`);
});
const seconds = ((performance.now() - begin) / 1000).toFixed(0);

const result = study(problems, all, seeds, records);
const name = join(out, `${options["held-out"] ? "held-out" : "training"}${quick ? "-quick" : ""}`);
const heading = `${problems.length} problems, ${seeds} seeds; ${missing.length} runs made now in ${seconds} s, Node ${process.version}`;
const text = report(result, heading);
mkdirSync(out, { recursive: true });
writeFileSync(`${name}.md`, text);
writeFileSync(`${name}.json`, JSON.stringify({ seeds, quick, ...result }, null, 1));
writeFileSync(`${name}.svg`, gapChart(result));
console.log(text);
console.log(`${name}.md, .json and .svg written`);
