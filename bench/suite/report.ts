import { logChart, type Series } from "../../studies/kit/log-chart.js";
import { inWords } from "./machine.js";
import { digits, markdown, ratio, sizeText, spreadOf, type Measured, type Results } from "./results.js";
import { rooflineShare, type Verdict } from "./targets.js";

const OURS = "superlevel";

const named = ({ scenes }: Results, name: string) => scenes.filter((scene) => scene.name === name);
const contendersOf = (scenes: readonly Measured[]) => [
  ...new Set(scenes.flatMap(({ times }) => Object.keys(times))),
];

const median = (values: readonly number[], by = 1): string => digits(spreadOf(values).median / by);
const perParameter = ({ times, size }: Measured, name: string): string =>
  times[name] ? median(times[name], size) : "–";

/** Under the Adam base: our own time, and the others' as multiples of it. */
function globalTable(results: Results): string {
  const scenes = named(results, "adam");
  const row = (label: string, cell: (scene: Measured) => string) => [label, ...scenes.map(cell)];
  const share = (scene: Measured) => {
    const found = rooflineShare(scene, OURS);
    return found ? digits(found.median) : "–";
  };
  return markdown(
    ["superlevel + adam", ...scenes.map(({ size }) => sizeText(size))],
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
            scene.times[other] ? digits(ratio(scene, other, OURS).median) : "–",
          ),
        ),
    ],
  );
}

/** Nanoseconds a parameter of every base under every granularity in WebAssembly, at the largest size. */
function basesTable({ scenes }: Results): string {
  const all = scenes.filter(({ name }) => name.startsWith("base "));
  const largest = all.filter(({ size }) => size === Math.max(...all.map((scene) => scene.size)));
  const columns = contendersOf(largest).filter(
    (name) => !name.includes("[js]") && !largest.some(({ reference }) => reference === name),
  );
  return markdown(
    [`base, ${sizeText(largest[0].size)} parameters`, ...columns],
    largest.map((scene) => [
      scene.name.replace("base ", ""),
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
      ...scenes.map(({ times, size }) => median(times[contender], unit === "ns a step" ? 1 : size)),
    ]),
  );
}

/** A row for each target and bound: what was measured, by size, bold where it is missed. */
function targetTable({ targets }: Results): string {
  const sizes = [...new Set(targets.map(({ size }) => size))].sort((a, b) => a - b);
  const rowOf = ({ what, bound }: Verdict) => `${what} | ${bound}`;
  const cell = (verdict?: Verdict) => {
    if (!verdict) return "";
    return verdict.met ? digits(verdict.median) : `**${digits(verdict.median)}**`;
  };
  return markdown(
    ["target", "bound", ...sizes.map(sizeText)],
    [...new Set(targets.map(rowOf))].map((row) => [
      row,
      ...sizes.map((size) => cell(targets.find((target) => rowOf(target) === row && target.size === size))),
    ]),
  );
}

/** Everything in Markdown. */
export function report(results: Results): string {
  const { machine, effort, notes } = results;
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `${inWords(machine)}. Medians of ${effort.rounds} rounds; bold is what misses its bound.`,
    `V8 ${machine.v8}; ${machine.gcc ?? "no gcc"}; ${packages.join(", ")}.`,
    targetTable(results),
    globalTable(results),
    "A tuner for each parameter, over Adam:",
    plainTable(results, "parameter", "ns a parameter"),
    "Sixteen parameters, the whole of `step()`:",
    plainTable(results, "call", "ns a step"),
    "A million parameters in one tensor and in many:",
    plainTable(results, "tensors", "ns a parameter"),
    "Every base and granularity, ns a parameter:",
    basesTable(results),
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
