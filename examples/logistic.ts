/** Logistic regression by hand: three kinds of iris from four measures. */
import { createOptimizer } from "superlevel";
import { loadIris } from "./data.js";
import { quick } from "./options.js";

const rows = loadIris();
const [features, classes] = [4, 3];
const inputs = standardise(rows.map((row) => row.slice(0, features)));
const labels = rows.map((row) => row[features]);

// Weights [features, classes], then a bias for each class; all from 0.
const optimizer = createOptimizer([
  { name: "weights", shape: [features, classes] },
  { name: "biases", shape: [classes] },
]);

/** Mean of −log softmax(x·W + b) at the right class; writes its gradient. */
function crossEntropy(params: Float32Array, grads: Float32Array): number {
  grads.fill(0);
  let loss = 0;
  inputs.forEach((x, i) => {
    const p = softmax(params, x);
    loss -= Math.log(p[labels[i]]) / inputs.length;
    for (let c = 0; c < classes; c++) {
      const slope = (p[c] - (c === labels[i] ? 1 : 0)) / inputs.length;
      for (let j = 0; j < features; j++) grads[j * classes + c] += slope * x[j];
      grads[features * classes + c] += slope;
    }
  });
  return loss;
}

function softmax(params: Float32Array, x: readonly number[]): number[] {
  const logits = Array.from({ length: classes }, (_, c) =>
    x.reduce((sum, value, j) => sum + value * params[j * classes + c], params[features * classes + c]),
  );
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}

/** Every column to mean 0 and variance 1. */
function standardise(table: readonly (readonly number[])[]): number[][] {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value) / values.length;
  const columns = table[0].map((_, j) => table.map((row) => row[j]));
  const centres = columns.map(mean);
  const spreads = columns.map((column, j) =>
    Math.sqrt(mean(column.map((value) => (value - centres[j]) ** 2))),
  );
  return table.map((row) => row.map((value, j) => (value - centres[j]) / spreads[j]));
}

const first = crossEntropy(optimizer.params, optimizer.grads);
const { loss, steps, reason } = optimizer.minimize(crossEntropy, {
  deterministic: true, // all rows at every step: the loss never rises
  steps: quick ? 300 : 3000,
  lossTolerance: 1e-6,
  monitors: [({ step, loss }) => step % 200 === 0 && console.log(`step ${step}: loss ${loss.toFixed(5)}`)],
});

const right = inputs.filter((x, i) => {
  const p = softmax(optimizer.params, x);
  return p.indexOf(Math.max(...p)) === labels[i];
}).length;
console.log(`${steps} steps, ${reason}`);
console.log(
  `result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, ${right} of ${inputs.length} flowers right`,
);
