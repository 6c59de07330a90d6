/**
 * `npm run bench -- suite`: a step of this package beside plain loops, C, TensorFlow.js and jax-js. Contenders take turns in one
 * process, so that the machine's moods hit all alike. Prints tables, and writes JSON and a picture to `--out`.
 *
 * `--quick` for a look (seconds), `--full` with 10⁷ parameters; `--rounds`, `--sizes` as you like. `--docs` writes the
 * tables into docs/results/performance.md, and JSON and picture beside it.
 */
import { parseArgs } from "node:util";
import { agree } from "./suite/agree.js";
import type { Effort, Scene } from "./suite/contender.js";
import { machine } from "./suite/machine.js";
import { measure } from "./suite/measure.js";
import { buildNative } from "./suite/native.js";
import { probeEngines } from "./suite/ours.js";
import { writeResults, writeSection } from "./suite/page.js";
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
    out: { type: "string" },
  },
});

const { quick, full } = options;
const effort: Effort = {
  rounds: Number(options.rounds ?? (quick ? 2 : 21)),
  turn: quick ? 1 : 15,
  warmUp: quick ? 5 : 150,
};
const usual = quick ? [1e3] : [1e3, 1e4, 1e5, 1e6, ...(full ? [1e7] : [])];
const sizes = options.sizes?.split(",").map(Number) ?? usual;
const notes: string[] = [];
const field: Field = { engines: await probeEngines(notes), native: buildNative(notes) };

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

writeResults(
  options.out ?? (options.docs ? "docs/results/performance" : "build/bench"),
  results,
  chart(results),
);
if (options.docs) await writeSection("suite", text);

// Other packages keep workers or timers alive.
process.exit(0);
