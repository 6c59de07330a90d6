/**
 * `npm run study -- experiments`: a CNN, a GRU and a Transformer in TensorFlow.js. superlevel gets no learning rate; AdamW,
 * and SGD with momentum and restarts, get seven each, with one seed, and the best of them the other seeds, too. All take
 * the same number of steps on the same batches.
 *
 *   --only TEXT    problems whose name contains it
 *   --seeds N      default 3
 *   --quick        a few steps, one or two rates, one seed
 *   --out FOLDER   default build/experiments; runs that are there already are not repeated
 *
 * Real data is read from $SUPERLEVEL_DATA, by default ../shared/data.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { recorded, wholeNumber } from "../kit/command-line.js";
import { useWasm } from "./backend.js";
import { contenders, type Contender } from "./contenders.js";
import { train, type Run } from "./measure.js";
import type { Problem } from "./problems.js";
import { bestRate, tables } from "./tables.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    seeds: { type: "string" },
    quick: { type: "boolean", default: false },
    out: { type: "string", default: "build/experiments" },
  },
});
const { quick, only, out } = options;
const seeds = wholeNumber("seeds", options.seeds, quick ? 1 : 3);

mkdirSync(out, { recursive: true });
const file = join(out, quick ? "quick.json" : "runs.json");
const runs = recorded<Run[]>(file, []);

/** Written after every run, so that one cut short leaves what it had. */
function runOnce(problem: Problem, contender: Contender, rate: number | null, seed: number): void {
  const same = (run: Run) =>
    run.problem === problem.name &&
    run.contender === contender.name &&
    run.rate === rate &&
    run.seed === seed &&
    run.steps === problem.steps;
  if (runs.some(same)) return;
  const run = train(problem, contender, rate, seed);
  runs.push(run);
  writeFileSync(file, `${JSON.stringify(runs, null, 1)}\n`);
  const result = run.trainLoss === null ? "diverged" : `training loss ${run.trainLoss.toPrecision(3)}`;
  console.log(
    `${run.problem}, ${run.contender}${rate === null ? "" : ` ${rate}`}, seed ${seed}: ${result}, ${run.seconds.toFixed(0)} s`,
  );
}

await useWasm();
// Only now, as it makes tensors.
const { problems } = await import("./problems.js");
for (const whole of problems.filter(({ name }) => name.includes(only))) {
  const problem = quick ? { ...whole, steps: whole.rates ? 7 : 21 } : whole;
  for (const contender of contenders) {
    const rates = problem.rates ? (problem.rates[contender.name] ?? []) : contender.rates;
    if (rates.length === 0) continue;
    for (const rate of quick ? rates.slice(0, whole.rates ? 1 : 2) : rates)
      runOnce(problem, contender, rate, 1);
    const best = bestRate(runs, problem.name, contender.name);
    for (let seed = 2; seed <= seeds; seed++) runOnce(problem, contender, best, seed);
  }
}
console.log(`\n${tables(runs)}\n\n${file} written`);
