/**
 * `npm run study -- granularity`: what a tuner for each tensor or coordinate gains or loses against one for all, on the
 * training problems of the robustness benchmark, Adam base, defaults otherwise. `--quick` takes 5 steps with one seed.
 */
import { parseArgs } from "node:util";
import { createOptimizer, superlevel, type TunerOptions } from "superlevel";
import type { Create } from "../robustness/descent.js";
import { logLoss, train } from "../robustness/measure.js";
import type { Problem } from "../robustness/problem.js";
import { trainingSuite } from "../robustness/training.js";
import { wholeNumber } from "../kit/command-line.js";
import { dataFolder } from "../kit/data-file.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seeds: { type: "string" },
    longest: { type: "string", default: "Infinity" },
  },
});
const seeds = wholeNumber("seeds", options.seeds, options.quick ? 1 : 3);

const variants: [name: string, options: TunerOptions][] = [
  ["global", {}],
  ["tensor", { granularity: "tensor" }],
  ["parameter", { granularity: "parameter" }],
  ["parameter, spread 10", { granularity: "parameter", spread: 10 }],
  ["parameter, spread null", { granularity: "parameter", spread: null }],
  ["parameter, spread null, 3 betas", { granularity: "parameter", spread: null, betas: [0.9, 0.99, 0.999] }],
];

function tuned(tuner: TunerOptions, { sizes }: Problem): Create {
  return (start) => {
    let first = 0;
    const tensors = (sizes ?? [start.length]).map((size) => {
      first += size;
      return { shape: [size], values: start.subarray(first - size, first) };
    });
    const optimizer = createOptimizer(tensors, { tuner: superlevel(tuner) });
    const { params, grads } = optimizer;
    return { params, grads, step: () => void optimizer.step(), end: () => optimizer.dispose() };
  };
}

/** Mean over seeds of log10 of the loss at the end of the problem's longest run; `--longest` cuts those of networks. */
function finalLog(problem: Problem, create: Create): number {
  const last = problem.lengths[problem.lengths.length - 1];
  const longest = problem.group === "networks" ? Number(options.longest) : Infinity;
  const steps = Math.min(options.quick ? 5 : longest, last);
  let sum = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const { losses, initial } = train(problem, { create }, seed, steps, [steps]);
    sum += logLoss(losses[0][1], initial);
  }
  return sum / seeds;
}

const { problems, notes } = trainingSuite(dataFolder);
notes.forEach((note) => console.warn(note));
console.log("log10 of the final loss: global, and the others' difference to it\n");
console.log(`| problem | ${variants.map(([name]) => name).join(" | ")} |`);
console.log(`|---|${variants.map(() => "---:").join("|")}|`);
const sums = variants.map(() => 0);
for (const problem of problems) {
  const losses = variants.map(([, tuner]) => finalLog(problem, tuned(tuner, problem)));
  const gaps = losses.map((loss) => loss - losses[0]);
  gaps.forEach((gap, k) => (sums[k] += gap / problems.length));
  const cells = gaps.map((gap, k) => (k === 0 ? losses[0] : gap).toFixed(2));
  console.log(`| ${problem.name} | ${cells.join(" | ")} |`);
}
console.log(`| mean difference | ${sums.map((sum) => sum.toFixed(2)).join(" | ")} |`);
