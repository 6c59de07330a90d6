/**
 * `npm run bench`: a step of this package beside plain loops, C, TensorFlow.js and jax-js. Contenders take turns in one
 * process, so that the machine's moods hit all alike. Prints tables, and writes JSON and a picture to `--out`.
 *
 * `--quick` for a look (seconds), `--full` with 10⁷ parameters; `--rounds`, `--sizes` as you like. `--docs` writes the
 * tables into docs/performance.md, too.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { agree } from "./suite/agree.js";
import type { Scene } from "./suite/contender.js";
import { machine } from "./suite/machine.js";
import { measure, type Effort } from "./suite/measure.js";
import { buildNative } from "./suite/native.js";
import { probeEngines } from "./suite/ours.js";
import { chart, report } from "./suite/report.js";
import type { Measured, Results } from "./suite/results.js";
import {
  baseScenes,
  callScene,
  globalScene,
  parameterScene,
  tensorScene,
  type Field,
} from "./suite/scenes.js";
import { judge } from "./suite/targets.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    docs: { type: "boolean", default: false },
    rounds: { type: "string" },
    sizes: { type: "string" },
    out: { type: "string", default: "build/bench" },
  },
});

const { quick, full } = options;
const effort: Effort = {
  rounds: Number(options.rounds ?? (quick ? 3 : 21)),
  turn: quick ? 1 : 15,
  warmUp: quick ? 5 : 150,
};
const usual = quick ? [1e3, 1e4] : [1e3, 1e4, 1e5, 1e6, ...(full ? [1e7] : [])];
const sizes = options.sizes?.split(",").map(Number) ?? usual;
const notes: string[] = [];
const field: Field = { engines: probeEngines(notes), native: buildNative(notes) };

function allScenes(): Scene[] {
  const [smallest] = sizes;
  const some = quick ? [smallest] : sizes.filter((size) => size === 1e3 || size === 1e5);
  return [
    callScene(field),
    ...sizes.flatMap((size) => [
      globalScene(field, "adam", size),
      globalScene(field, "sgd", size),
      parameterScene(field, size),
    ]),
    tensorScene(field, 1000, quick ? 16 : 1000),
    ...some.flatMap((size) => baseScenes(field, size)),
  ];
}

const description = machine();
agree(field);
const scenes: Measured[] = [];
for (const scene of allScenes()) {
  const { name, size, reference, bytesPerParameter } = scene;
  console.error(`${name}, ${size} parameters …`);
  scenes.push({ name, size, reference, bytesPerParameter, times: await measure(scene, effort) });
}

const flags = Object.fromEntries(field.native.map((build) => [build.name, build.flags]));
const results: Results = { machine: description, effort, flags, notes, targets: judge(scenes), scenes };
const text = report(results);
console.log(text);

mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(`${options.out}.json`, `${JSON.stringify(results, rounded, 1)}\n`);
writeFileSync(`${options.out}.svg`, chart(results));
if (options.docs) await writeTables();

/** Five digits are more than the machine has. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}

async function writeTables(): Promise<void> {
  const file = "docs/performance.md";
  const [begin, end] = ["<!-- suite -->", "<!-- /suite -->"];
  const [before, rest] = readFileSync(file, "utf8").split(begin);
  const after = rest.split(end)[1];
  const page = `${before}${begin}\n\n${text}\n\n${end}${after}`;
  writeFileSync(file, await format(page, { parser: "markdown", printWidth: 110 }));
}

process.exit(0);
