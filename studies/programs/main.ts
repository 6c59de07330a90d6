/**
 * `npm run study -- programs`: small TensorFlow.js programs, each with its customary optimizer, rate and number of steps,
 * and with superlevel in its place, which gets no rate.
 *
 *   --only TEXT    programs whose name contains it
 *   --seeds N      default 3
 *   --share F      of their steps, or epochs; default 1
 *   --gradients K  what superlevel is told of gradients; default auto
 *   --quick        a twentieth of the steps, one seed
 *   --out FOLDER   default build/programs; runs that are there already are not repeated
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { superlevelOptimizer } from "superlevel/tfjs";
import { useWasm } from "../kit/backend.js";
import { recorded, wholeNumber } from "../kit/command-line.js";
import { mean } from "../kit/statistics.js";
import { packageVersion } from "../kit/version.js";
import { cartPole } from "./cart-pole.js";
import { fits } from "./fits.js";
import { loops } from "./loops.js";
import { moreFits } from "./more-fits.js";
import { moreLoops } from "./more-loops.js";
import type { Make, Program } from "./program.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seeds: { type: "string" },
    share: { type: "string" },
    gradients: { type: "string", default: "auto" },
    only: { type: "string", default: "" },
    out: { type: "string", default: "build/programs" },
  },
});
const share = Number(options.share ?? (options.quick ? 0.05 : 1));
if (!(share > 0 && share <= 1))
  throw new RangeError(`--share: expected a number in (0, 1], got ${options.share}`);
const seeds = wholeNumber("seeds", options.seeds, options.quick ? 1 : 3);

const gradients = options.gradients as "auto" | "exact" | "noisy";

mkdirSync(options.out, { recursive: true });
const file = join(options.out, options.quick ? "quick.json" : "runs.json");
const known = recorded<Record<string, number | null>>(file, {});

const CONTENDERS: Record<string, Make> = {
  customary: (customary) => customary(),
  superlevel: () => superlevelOptimizer({ gradients }),
};

/** Written after every run, so that a study cut short leaves what it had. */
async function runOnce(program: Program, contender: string, seed: number): Promise<number> {
  const key = [
    program.name,
    contender === "superlevel" ? packageVersion() : contender,
    seed,
    ...(share === 1 ? [] : [share]),
    ...(contender === "customary" || gradients === "auto" ? [] : [gradients]),
  ].join("|");
  if (!Object.hasOwn(known, key)) {
    tf.engine().startScope();
    const found = await program.run(CONTENDERS[contender], seed, share);
    tf.engine().endScope();
    known[key] = Number.isFinite(found) ? found : null;
    writeFileSync(file, JSON.stringify(known));
  }
  return known[key] ?? Infinity;
}

const list = (values: readonly number[]) => values.map((value) => value.toPrecision(3)).join(", ");

await useWasm();
console.log(
  "| program | customary | measure | customary, by seed | superlevel, by seed | ratio of the means |",
);
console.log("| --- | --- | --- | ---: | ---: | ---: |");
for (const program of [...loops, cartPole, ...fits, ...moreLoops, ...moreFits].filter(({ name }) =>
  name.toLowerCase().includes(options.only.toLowerCase()),
)) {
  const found: Record<string, number[]> = { customary: [], superlevel: [] };
  for (let seed = 1; seed <= seeds; seed++)
    for (const contender of Object.keys(found))
      found[contender].push(await runOnce(program, contender, seed));
  const ratio = mean(found.superlevel) / mean(found.customary);
  const { name, customary, measure } = program;
  const cells = [name, customary, measure, list(found.customary), list(found.superlevel), ratio.toFixed(2)];
  console.log(`| ${cells.join(" | ")} |`);
}
