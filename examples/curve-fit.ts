/** Fits a damped oscillation to sixty noisy points. No derivatives are written down: they are taken by differences. */
import { createOptimizer, finiteDifferences } from "superlevel";

const names = ["amplitude", "decay", "frequency", "phase", "offset"];
const truth = [2, 0.3, 1.7, 0.5, 1];
const start = [1, 0.1, 1.5, 0, 0];

const curve = (
  [amplitude, decay, frequency, phase, offset]: ArrayLike<number> & Iterable<number>,
  t: number,
) => amplitude * Math.exp(-decay * t) * Math.cos(frequency * t + phase) + offset;

const noise = () => Math.random() + Math.random() + Math.random() - 1.5; // of variance ¼
const points = Array.from({ length: 60 }, (_, i) => ({ t: i / 6, y: curve(truth, i / 6) + 0.1 * noise() }));

/** Mean of the squared distances. */
const squares = (params: Float64Array) =>
  points.reduce((sum, { t, y }) => sum + (curve(params, t) - y) ** 2, 0) / points.length;

const first = squares(Float64Array.from(start));
const optimizer = createOptimizer(start);
const { loss, steps, evaluations, reason } = optimizer.minimize(finiteDifferences(squares), {
  deterministic: true,
  steps: process.argv.includes("--quick") ? 1000 : 5000,
  lossTolerance: 1e-8,
  monitors: [({ step, loss }) => step % 200 === 0 && console.log(`step ${step}: ${loss.toFixed(6)}`)],
});

console.log(`${steps} steps, ${evaluations} gradients, ${reason}`);
names.forEach((name, k) =>
  console.log(`${name.padEnd(10)} ${optimizer.params[k].toFixed(3).padStart(7)}  (drawn with ${truth[k]})`),
);
console.log(`result: loss ${first.toFixed(4)} → ${loss.toFixed(4)} (the noise alone has 0.0025)`);
