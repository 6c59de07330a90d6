/**
 * `npm run bench -- growth`: what a step and a creation cost from 10² to 5·10⁷ parameters. Prints a table, and writes JSON and a
 * picture to `--out`; `--docs` puts the table into docs/results/performance.md, and JSON and picture beside it.
 */
import { parseArgs } from "node:util";
import { adam, createOptimizer, sgd, type Base, type Tuner } from "superlevel";
import { Bench } from "tinybench";
import { logChart, type Series } from "../studies/kit/log-chart.js";
import type { Scene } from "./suite/contender.js";
import { inWords, machine } from "./suite/machine.js";
import { measure } from "./suite/measure.js";
import { global, ours } from "./suite/ours.js";
import { writeResults, writeSection } from "./suite/page.js";
import { digits, markdown, sizeText, spreadOf, type Spread } from "./suite/results.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    largest: { type: "string", default: "5e7" },
    out: { type: "string" },
    docs: { type: "boolean", default: false },
  },
});

const largest = Number(options.largest);
const sizes = [1e2, 3e2, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 5e7].filter(
  (size) => size <= largest,
);
const engine = { name: "wasm", create: createOptimizer };
const setups: { label: string; base: Base; tuner: Tuner | null }[] = [
  { label: "superlevel + Adam", base: adam({ learningRate: 1e-3 }), tuner: global() },
  { label: "superlevel + SGD", base: sgd({ learningRate: 1e-3 }), tuner: global() },
  { label: "Adam alone", base: adam({ learningRate: 1e-3 }), tuner: null },
];

interface Row {
  readonly size: number;
  /** Nanoseconds a parameter and step. */
  readonly step: Readonly<Record<string, Spread>>;
  /** Milliseconds of createOptimizer, superlevel + Adam, from a Float32Array. */
  readonly creation: Spread;
}

async function steps(size: number): Promise<Record<string, Spread>> {
  const scene: Scene = {
    name: "growth",
    size,
    reference: setups[0].label,
    create: () => Promise.resolve(setups.map((setup) => ours(engine, size, setup))),
  };
  const effort = { rounds: Number(options.rounds), turn: 10, warmUp: 50 };
  const times = await measure(scene, effort);
  return Object.fromEntries(
    Object.entries(times).map(([name, list]) => [name, spreadOf(list.map((time) => time / size))]),
  );
}

async function creation(size: number): Promise<Spread> {
  const start = new Float32Array(size).fill(0.5);
  const [{ base, tuner }] = setups;
  const bench = new Bench({ time: 0, iterations: 9, warmup: size < 1e6, warmupTime: 0, retainSamples: true });
  bench.add("create", () => createOptimizer(start, { base, tuner }).dispose(), { async: false });
  const [{ result }] = await bench.run();
  if (result.state !== "completed") throw new Error(JSON.stringify(result));
  return spreadOf(result.latency.samples!);
}

const description = machine();
const rows: Row[] = [];
for (const size of sizes) {
  console.error(`${size} parameters …`);
  rows.push({ size, step: await steps(size), creation: await creation(size) });
}

const series: Series[] = setups.map(({ label }, k) => ({
  name: label,
  bold: k === 0,
  points: rows.map(({ size, step }) => [size, step[label].median]),
}));
const picture = logChart({
  title: "From a hundred parameters to fifty million",
  note: inWords(description),
  panels: [
    { title: "Nanoseconds a parameter and step", series },
    {
      title: "Milliseconds to create",
      series: [
        {
          name: setups[0].label,
          bold: true,
          points: rows.map(({ size, creation }) => [size, creation.median]),
        },
      ],
    },
  ],
});
const text = [
  `${inWords(description)}. Medians of ${options.rounds} rounds.`,
  markdown(
    ["n", ...setups.map(({ label }) => `${label}, ns a parameter`), "to create, ms"],
    rows.map(({ size, step, creation }) => [
      sizeText(size),
      ...setups.map(({ label }) => digits(step[label].median)),
      digits(creation.median),
    ]),
  ),
].join("\n\n");
console.log(text);
writeResults(
  options.out ?? (options.docs ? "docs/results/growth" : "build/growth"),
  { machine: description, rows },
  picture,
);
if (options.docs) await writeSection("growth", text);
