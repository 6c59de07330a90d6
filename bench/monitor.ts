/**
 * `npm run bench -- monitor`: what a monitor without a probe adds to a step of `minimize`, of Adam without a tuner. Runs with and without it
 * take turns in one process, and what counts is the median of the ratios of neighbours. The source is as cheap as one can be, a
 * quadratic; a network's costs more.
 *
 *   --sizes 10000,100000   default 1000,10000,100000,1000000
 *   --rounds N             default 25
 */
import { parseArgs } from "node:util";

import { adam, createOptimizer, type GradientSource } from "superlevel";
import { lyapunovMonitor } from "superlevel/stability";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000,100000,1000000" },
    rounds: { type: "string", default: "25" },
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

/** An optimizer that goes on where it was, and how long a step of it takes, in ms. */
function runner(size: number, watched: boolean, deterministic: boolean): () => number {
  const optimizer = createOptimizer(new Float32Array(size).fill(1), {
    base: adam({ learningRate: 1e-5 }),
    tuner: null,
  });
  const run = { deterministic, guard: null, monitors: watched ? [lyapunovMonitor()] : [], steps: STEPS };
  return () => {
    const start = performance.now();
    optimizer.minimize(bowl, run);
    return (performance.now() - start) / STEPS;
  };
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

console.log("| parameters | gradients | step, µs | with a monitor, more |");
console.log("| ---: | --- | ---: | ---: |");
for (const size of values.sizes.split(",").map(Number)) {
  for (const deterministic of [true, false]) {
    const [alone, watched] = [false, true].map((each) => runner(size, each, deterministic));
    const pairs = Array.from({ length: Number(values.rounds) + 1 }, () => [alone(), watched()]).slice(1);
    const more = `${(100 * (median(pairs.map(([a, b]) => b / a)) - 1)).toFixed(1)} %`;
    const step = (1000 * median(pairs.map(([a]) => a))).toFixed(1);
    console.log(`| ${size} | ${deterministic ? "full batch" : "minibatches"} | ${step} | ${more} |`);
  }
}
