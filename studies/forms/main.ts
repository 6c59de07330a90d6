/**
 * `npm run study -- forms`: every form of the method on a handful of problems, with an equal number of gradients, and the
 * plain base optimizer at a few rates beside them. Prints the tables of docs/results/forms.md; the same numbers every time.
 * `--quick` takes 20 steps.
 */
import { parseArgs } from "node:util";
import {
  adam,
  algorithm1,
  cosineDecay,
  createOptimizer,
  equations,
  exponentialDecay,
  mechanic,
  mechanize,
  OptimizerError,
  sgd,
  superlevel,
  windowDecay,
  type Base,
  type LearningRate,
  type Tuner,
} from "superlevel";
import { wholeNumber } from "../kit/command-line.js";
import { problems, type Problem } from "./problems.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    steps: { type: "string" },
    rows: { type: "string", default: "" },
  },
});
const steps = wholeNumber("steps", options.steps, options.quick ? 20 : 2000);
/** Of "table: row". */
const rows = new RegExp(options.rows);

interface Contender {
  name: string;
  tuner: Tuner | null;
  /** Left out: what the form has of its own, which for `superlevel` depends on the gradients. */
  rate?: LearningRate;
  normAdaptive?: boolean;
  gradients?: "exact" | "noisy";
  /** Adam's. */
  beta1?: number;
  beta2?: number;
}

/** Without anchors windowDecay(1) is 1 at every step: each form gets the rate that needs no choice. */
const own = windowDecay(1);
/** The default of version 0.1. */
const first = superlevel({
  sInit: 1e-6,
  anchor: { first: 64, growth: 2, carry: 0.6 },
  growthLimit: null,
});
const firstDecays = { beta1: 0.9, beta2: 0.999 };
/** Algorithm 1, lines 2 and 3: α0 e^(−λt) / (1 + ‖g‖), with the paper's λ. */
const asPrinted = { rate: exponentialDecay({ initial: 1, rate: 0.01 }), normAdaptive: true };

/** To 0 at the run's end, which must be known for it. */
const decayed = (initial: number) => cosineDecay({ initial, steps });

const forms: Contender[] = [
  { name: "superlevel", tuner: superlevel() },
  { name: "superlevel, no anchors", tuner: superlevel({ anchor: null }) },
  { name: "superlevel, as exact", tuner: superlevel(), gradients: "exact" },
  { name: "superlevel, as noisy", tuner: superlevel(), gradients: "noisy" },
  { name: "superlevel of version 0.1", tuner: first, gradients: "exact", ...firstDecays },
  { name: "mechanic", tuner: mechanic(), rate: own },
  { name: "mechanic, Δ stored", tuner: mechanic({ delta: "stored" }), rate: own },
  { name: "mechanic, cosine decay", tuner: mechanic(), rate: decayed(1) },
  { name: "mechanize", tuner: mechanize(), rate: own },
  { name: "equations, Δ stored", tuner: equations(), rate: own },
  { name: "equations, Δ stored, (34), (14)", tuner: equations(), ...asPrinted },
  { name: "equations, Δ additive", tuner: equations({ delta: "additive" }), rate: own },
  { name: "algorithm1, Δ stored", tuner: algorithm1({ delta: "stored" }), rate: own },
  { name: "algorithm1, Δ stored, (34), (14)", tuner: algorithm1({ delta: "stored" }), ...asPrinted },
  { name: "algorithm1, as printed", tuner: algorithm1(), ...asPrinted },
];

const plain = (name: string, rates: number[]): Contender[] => [
  ...rates.map((rate) => ({ name: `${name} alone, ${rate}`, tuner: null, rate })),
  { name: `${name} alone, ${rates[2]}, cosine decay`, tuner: null, rate: decayed(rates[2]) },
];

const tables: {
  title: string;
  base: (learningRate: LearningRate | undefined, contender: Contender) => Base;
  contenders: Contender[];
}[] = [
  {
    title: "Adam",
    base: (learningRate, { beta1, beta2 }) => adam({ learningRate, beta1, beta2 }),
    contenders: [...forms, ...plain("Adam", [0.001, 0.01, 0.1, 1])],
  },
  {
    title: "SGD with momentum 0.9",
    base: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
    contenders: [...forms, ...plain("SGD", [0.0001, 0.001, 0.01, 0.1])],
  },
];

/** The final loss; a string where the run ended before. */
function train(problem: Problem, base: Base, { tuner, normAdaptive, gradients }: Contender): number | string {
  const optimizer = createOptimizer(problem.start, { base, tuner, normAdaptive, gradients });
  try {
    const { loss } = optimizer.minimize(problem.source, { steps });
    return problem.loss?.(optimizer.params) ?? loss;
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    return `${error.code} at ${error.step}`;
  } finally {
    optimizer.dispose();
  }
}

function cell(loss: number | string): string {
  if (typeof loss === "string") return loss;
  if (loss === 0) return "0";
  return loss >= 0.001 && loss < 999 ? loss.toPrecision(3) : loss.toExponential(1).replace("e+", "e");
}

const row = (cells: string[]) => `| ${cells.join(" | ")} |`;

console.log(`Final loss after ${steps} steps.`);
const startLosses = problems.map(({ source, start, loss }) => {
  const params = Float32Array.from(start);
  return loss?.(params) ?? source(params, new Float32Array(params.length), 1);
});
for (const { title, base, contenders: all } of tables) {
  const contenders = all.filter(({ name }) => rows.test(`${title}: ${name}`));
  if (contenders.length === 0) continue;
  console.log(`\n${row([title, ...problems.map(({ name }) => name)])}`);
  console.log(row(["---", ...problems.map(() => "---:")]));
  console.log(row(["start", ...startLosses.map(cell)]));
  for (const contender of contenders) {
    const losses = problems.map((problem) => train(problem, base(contender.rate, contender), contender));
    console.log(row([contender.name, ...losses.map(cell)]));
  }
}
