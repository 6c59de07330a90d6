/** Gradient accumulation: four batches of 25 that fit into memory make the step of one batch of 100 that does not. */
import { accumulate, createOptimizer, minibatches, type GradientSource } from "superlevel";

const steps = process.argv.includes("--quick") ? 60 : 600;

// A line through 2 000 points of 20 dimensions.
const [rows, features] = [2000, 20];
const input = (row: number, j: number) => Math.sin(row * (j + 1) + j * j);
const target = (row: number) => 3 * input(row, 0) - 2 * input(row, 7) + 0.3 * Math.sin(row * row);

/** Half of the mean squared distance over some rows; writes its gradient. */
function squares(params: Float32Array, grads: Float32Array, batch: ArrayLike<number>): number {
  grads.fill(0);
  let loss = 0;
  for (let k = 0; k < batch.length; k++) {
    let error = -target(batch[k]);
    for (let j = 0; j < features; j++) error += params[j] * input(batch[k], j);
    loss += (0.5 * error * error) / batch.length;
    for (let j = 0; j < features; j++) grads[j] += (error * input(batch[k], j)) / batch.length;
  }
  return loss;
}

const batches = (batchSize: number) => minibatches({ examples: rows, batchSize, seed: 1 }, squares);

function descend(name: string, source: GradientSource): number[] {
  const optimizer = createOptimizer(features);
  const losses: number[] = [];
  optimizer.minimize(source, { steps, monitors: [({ loss }) => losses.push(loss)] });
  console.log(`${name}: loss ${losses[0].toFixed(4)} → ${losses[steps - 1].toFixed(4)}`);
  return losses;
}

const small = descend("4 × 25", accumulate(batches(25), 4));
const large = descend("1 × 100", batches(100));
// The same examples in the same order, as both go through one shuffled order of them; sums are rounded differently.
const apart = Math.max(...small.map((loss, k) => Math.abs(loss - large[k])));
console.log(`losses differ by at most ${apart.toExponential(1)}`);
console.log(`result: loss ${small[0].toFixed(4)} → ${small[steps - 1].toFixed(4)}`);
