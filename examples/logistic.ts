/** Logistic regression by hand: three kinds of flowers from four measures, with a gradient in a loop of your own. */
import { createOptimizer } from "superlevel";

const [features, classes, count] = [4, 3, 150];
const quick = process.argv.includes("--quick");

// Three clouds of points, as the measures of three kinds of iris are, in units of their spread.
const centres = [
  [-1, 0.8, -1.3, -1.2],
  [0.1, -0.7, 0.3, 0.2],
  [0.9, -0.1, 1, 1.1],
];
const noise = () => Math.random() + Math.random() + Math.random() + Math.random() - 2;
const labels = Array.from({ length: count }, (_, i) => i % classes);
const inputs = labels.map((label) => centres[label].map((centre) => centre + 0.6 * noise()));

// Weights [features, classes], then a bias for each class; all from 0.
const optimizer = createOptimizer([
  { name: "weights", shape: [features, classes] },
  { name: "biases", shape: [classes] },
]);

function softmax(params: Float32Array, x: readonly number[]): number[] {
  const logits = Array.from({ length: classes }, (_, c) =>
    x.reduce((sum, value, j) => sum + value * params[j * classes + c], params[features * classes + c]),
  );
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}

/** Mean of −log softmax(x·W + b) at the right class; writes its gradient. */
function crossEntropy(params: Float32Array, grads: Float32Array): number {
  grads.fill(0);
  let loss = 0;
  inputs.forEach((x, i) => {
    const p = softmax(params, x);
    loss -= Math.log(p[labels[i]]) / count;
    for (let c = 0; c < classes; c++) {
      const slope = (p[c] - (c === labels[i] ? 1 : 0)) / count;
      for (let j = 0; j < features; j++) grads[j * classes + c] += slope * x[j];
      grads[features * classes + c] += slope;
    }
  });
  return loss;
}

const first = crossEntropy(optimizer.params, optimizer.grads);
const { loss, steps, reason } = optimizer.minimize(crossEntropy, {
  deterministic: true, // all rows at every step: the loss never rises
  steps: quick ? 300 : 3000,
  lossTolerance: 1e-6,
});

const right = inputs.filter((x, i) => {
  const p = softmax(optimizer.params, x);
  return p.indexOf(Math.max(...p)) === labels[i];
}).length;
console.log(`${steps} steps, ${reason}`);
console.log(`result: loss ${first.toFixed(4)} → ${loss.toFixed(4)}, ${right} of ${count} flowers right`);
