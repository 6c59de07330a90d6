/**
 * `npm run bench -- monitor`: what a monitor without a probe adds to a step of `minimize`, of Adam without a tuner. Runs with and without it
 * take turns in one process. Processor time is taken, not the clock's, as others may use the machine; and what counts is the ratio of the
 * shortest runs, beside the median of the ratios of neighbours. The source is as cheap as one can be, a quadratic; a network's costs
 * more.
 *
 *   --sizes 10000,100000   default 1000,10000,100000,1000000
 *   --rounds N             default 5, of each of five optimizers
 */
import { parseArgs } from "node:util";

import { adam, createOptimizer, type GradientSource } from "superlevel";
import { lyapunovMonitor } from "superlevel/stability";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000,100000,1000000" },
    rounds: { type: "string", default: "5" },
  },
});

/** ½‖x‖², in a loop that is given its arrays. */
const bowl: GradientSource = (x, grads) => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    grads[i] = x[i];
    sum += x[i] * x[i];
  }
  return sum / 2;
};

/** Steps that are timed at once: a multiple of the period in which steps are measured, up to 10⁵ parameters. */
const STEPS = 800;
const PLACES = 5;

/** An optimizer that goes on where it was, and how long a step of it takes, in µs. */
function runner(size: number, watched: boolean, deterministic: boolean): () => number {
  const optimizer = createOptimizer(new Float32Array(size).fill(1), {
    base: adam({ learningRate: 1e-5 }),
    tuner: null,
  });
  const run = { deterministic, guard: null, monitors: watched ? [lyapunovMonitor()] : [], steps: STEPS };
  return () => {
    const start = process.cpuUsage();
    optimizer.minimize(bowl, run);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / STEPS;
  };
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

const percent = (ratio: number) => `${(100 * (ratio - 1)).toFixed(1)} %`;

console.log("| parameters | gradients | step, µs | with a monitor, more | median of neighbours |");
console.log("| ---: | --- | ---: | ---: | ---: |");
for (const size of values.sizes.split(",").map(Number)) {
  for (const deterministic of [true, false]) {
    // Several of each, as where a vector lies changes what a step takes; the first run of each goes through its first steps.
    const pairs = Array.from({ length: PLACES }, () => {
      const [alone, watched] = [false, true].map((each) => runner(size, each, deterministic));
      return Array.from({ length: Number(values.rounds) + 1 }, () => [alone(), watched()]).slice(1);
    }).flat();
    const [least, more] = [0, 1].map((k) => Math.min(...pairs.map((pair) => pair[k])));
    const typical = percent(median(pairs.map(([a, b]) => b / a)));
    const gradients = deterministic ? "full batch" : "minibatches";
    console.log(`| ${size} | ${gradients} | ${least.toFixed(1)} | ${percent(more / least)} | ${typical} |`);
  }
}
