import { logChart, type Series } from "../../studies/kit/log-chart.js";
import { inWords } from "./machine.js";
import {
  digits,
  markdown,
  ratio,
  sizeText,
  spreadOf,
  spreadText,
  type Measured,
  type Results,
} from "./results.js";
import { rooflineShare } from "./targets.js";

const OURS = "superlevel";

const named = ({ scenes }: Results, name: string) => scenes.filter((scene) => scene.name === name);
const contendersOf = (scenes: readonly Measured[]) => [
  ...new Set(scenes.flatMap(({ times }) => Object.keys(times))),
];

const perParameter = ({ times, size }: Measured, name: string): string =>
  times[name] ? digits(spreadOf(times[name]).median / size) : "–";

/** A scene of one base: our own time, and the others' as multiples of it. */
function globalTable(results: Results, name: string): string {
  const scenes = named(results, name);
  const row = (label: string, cell: (scene: Measured) => string) => [label, ...scenes.map(cell)];
  const share = (scene: Measured) => {
    const found = rooflineShare(scene, OURS);
    return found ? spreadText(found) : "–";
  };
  return markdown(
    [`superlevel + ${name}`, ...scenes.map(({ size }) => sizeText(size))],
    [
      row("ns a parameter", (scene) => perParameter(scene, OURS)),
      row("GB/s", (scene) =>
        digits((scene.bytesPerParameter! * scene.size) / spreadOf(scene.times[OURS]).median),
      ),
      row("share of the roofline", share),
      ...contendersOf(scenes)
        .filter((other) => other !== OURS)
        .map((other) =>
          row(`${other} ÷ superlevel`, (scene) =>
            scene.times[other] ? spreadText(ratio(scene, other, OURS)) : "–",
          ),
        ),
    ],
  );
}

/** Nanoseconds a parameter of every base under every granularity. */
function basesTable(results: Results): string {
  const scenes = results.scenes.filter(({ name }) => name.startsWith("base "));
  const columns = contendersOf(scenes).filter((name) => !scenes.some(({ reference }) => reference === name));
  return markdown(
    ["base", "n", ...columns],
    scenes.map((scene) => [
      scene.name.replace("base ", ""),
      sizeText(scene.size),
      ...columns.map((column) => perParameter(scene, column)),
    ]),
  );
}

/** Nanoseconds a step or a parameter of all contenders of some scenes. */
function plainTable(results: Results, name: string, unit: "ns a step" | "ns a parameter"): string {
  const scenes = named(results, name);
  return markdown(
    [unit, ...scenes.map(({ size }) => sizeText(size))],
    contendersOf(scenes).map((contender) => [
      contender,
      ...scenes.map(({ times, size }) => {
        const { median, low, high } = spreadOf(times[contender]);
        const by = unit === "ns a step" ? 1 : size;
        return spreadText({ median: median / by, low: low / by, high: high / by });
      }),
    ]),
  );
}

function targetTable({ targets }: Results): string {
  return markdown(
    ["target", "n", "bound", "measured", ""],
    targets.map((verdict) => [
      verdict.what,
      sizeText(verdict.size),
      verdict.bound,
      spreadText(verdict),
      verdict.met ? "met" : "**not met**",
    ]),
  );
}

/** Everything in Markdown. */
export function report(results: Results): string {
  const { machine, effort, notes, flags } = results;
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `${inWords(machine)}. Medians of ${effort.rounds} rounds, quartiles in brackets.`,
    `V8 ${machine.v8}; ${machine.gcc ?? "no gcc"}; ${packages.join(", ")}.`,
    targetTable(results),
    ...["adam", "sgd"]
      .filter((name) => named(results, name).length > 0)
      .map((name) => globalTable(results, name)),
    "A tuner for each parameter, over Adam:",
    plainTable(results, "parameter", "ns a parameter"),
    "Sixteen parameters, the whole of `step()`:",
    plainTable(results, "call", "ns a step"),
    "A million parameters in one tensor and in many:",
    plainTable(results, "tensors", "ns a parameter"),
    "Every base and granularity, ns a parameter:",
    basesTable(results),
    ...Object.entries(flags).map(([name, text]) => `${name}: \`gcc ${text}\`.`),
    ...notes.map((note) => `Not here: ${note}.`),
  ];
  return parts.join("\n\n");
}

/** ns a parameter against n, one picture a base. */
export function chart(results: Results): string {
  const panels = ["adam", "sgd"].map((name) => {
    const scenes = named(results, name);
    const series: Series[] = contendersOf(scenes).map((contender) => ({
      name: contender,
      bold: contender.startsWith(OURS) && !contender.includes("JS"),
      points: scenes.flatMap(({ times, size }): [number, number][] =>
        times[contender] ? [[size, spreadOf(times[contender]).median / size]] : [],
      ),
    }));
    return { title: name === "adam" ? "Adam" : "SGD", series };
  });
  return logChart({
    title: "Nanoseconds a parameter and step, against the number of parameters",
    note: inWords(results.machine),
    panels,
  });
}
