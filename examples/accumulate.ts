/** Gradient accumulation: four batches of 25 that fit into memory make the step of one batch of 100 that does not. */
import { accumulate, createOptimizer, minibatches, type GradientSource } from "superlevel";
import { loadDigits } from "./data.js";
import { createNetwork } from "./digits/network.js";
import { quick } from "./options.js";

const { train, test } = loadDigits();
const network = createNetwork([train.pixels, 32, 10]);
const steps = quick ? 60 : 600;

const batches = (batchSize: number): GradientSource =>
  minibatches({ examples: train.count, batchSize, seed: 1 }, (params, grads, batch) =>
    network.gradient(params, grads, train, batch),
  );

function descend(name: string, source: GradientSource) {
  const optimizer = createOptimizer(network.initialTensors(1));
  const losses: number[] = [];
  optimizer.minimize(source, {
    steps,
    monitors: [
      ({ step, loss }) => {
        losses.push(loss);
        if (step % (steps / 3) === 0) console.log(`${name}, step ${step}: loss ${loss.toFixed(4)}`);
      },
    ],
  });
  return { losses, accuracy: network.evaluate(optimizer.params, test).accuracy };
}

const small = descend("4 × 25", accumulate(batches(25), 4));
const large = descend("1 × 100", batches(100));
// The same examples in the same order, as both go through one shuffled order of them; sums are rounded differently.
const apart = Math.max(...small.losses.map((loss, k) => Math.abs(loss - large.losses[k])));
console.log(`losses differ by at most ${apart.toExponential(1)}`);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const [first, last] = [small.losses[0], mean(small.losses.slice(-20))];
console.log(
  `result: loss ${first.toFixed(4)} → ${last.toFixed(4)}, ${(100 * small.accuracy).toFixed(1)} % of test digits right`,
);
