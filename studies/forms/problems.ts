/** The problems of studies/forms/main.ts: no data, nothing random. */
import { minibatches, type GradientSource } from "superlevel";
import { dot, quadratic } from "../kit/quadratic.js";
import { congruential } from "../kit/random.js";

export interface Problem {
  name: string;
  start: Float64Array;
  /** What a step sees. */
  source: GradientSource;
  /** What is reported, where it is not what a step sees. */
  loss?: (params: Float32Array) => number;
}

type Vector = Float32Array | Float64Array;

function normal(seed: number): () => number {
  const random = congruential(seed);
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

const rosenbrock: Problem = {
  name: "Rosenbrock",
  start: Float64Array.of(-1.2, 1),
  source([x, y], grads) {
    const valley = y - x * x;
    grads.set([-2 * (1 - x) - 400 * x * valley, 200 * valley]);
    return (1 - x) ** 2 + 100 * valley ** 2;
  },
};

const himmelblau: Problem = {
  name: "Himmelblau",
  start: Float64Array.of(-1, -1),
  source([x, y], grads) {
    const [a, b] = [x * x + y - 11, x + y * y - 7];
    grads.set([4 * x * a + 2 * b, 2 * a + 4 * y * b]);
    return a * a + b * b;
  },
};

/** Turns logits into P − 1{c = label} in place; returns −log P(label). */
function softmaxLoss(logits: Float64Array, label: number): number {
  const top = Math.max(...logits);
  const shifted = logits[label] - top;
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += logits[c] = Math.exp(logits[c] - top);
  for (let c = 0; c < logits.length; c++) logits[c] /= sum;
  logits[label] -= 1;
  return Math.log(sum) - shifted;
}

/** Three classes, ten features of scales 0.1 to 10, all 300 examples at every step. One label in ten is wrong. */
function softmaxRegression(): Problem {
  const [features, classes, examples] = [10, 3, 300];
  const random = normal(2);
  const data = Array.from({ length: examples }, (_, k) => {
    const label = k % classes;
    const x = Float64Array.from({ length: features }, (_, j) => {
      const scale = 10 ** (-1 + (2 * j) / (features - 1));
      return scale * (random() + (j % classes === label ? 1.5 : 0));
    });
    return { x, label: k % 10 === 0 ? (label + 1) % classes : label };
  });
  const logits = new Float64Array(classes);
  const source: GradientSource = (params, grads) => {
    grads.fill(0);
    let loss = 0;
    for (const { x, label } of data) {
      for (let c = 0; c < classes; c++) logits[c] = dot(x, params.subarray(c * features));
      loss += softmaxLoss(logits, label) / examples;
      for (let c = 0; c < classes; c++) {
        for (let j = 0; j < features; j++) grads[c * features + j] += (logits[c] * x[j]) / examples;
      }
    }
    return loss;
  };
  return {
    name: "softmax regression",
    start: Float64Array.from({ length: 30 }, () => 0.1 * random()),
    source,
  };
}

/** A 2-16-3 tanh network on three arms of a spiral, 30 of 300 examples a step. One label in ten is wrong. */
function spiral(): Problem {
  const [hidden, classes, examples] = [16, 3, 300];
  const random = normal(3);
  const data = Array.from({ length: examples }, (_, k) => {
    const radius = 0.1 + (0.9 * k) / examples;
    const angle = 5 * radius + (2 * Math.PI * (k % classes)) / classes + 0.2 * random();
    const label = k % 10 === 0 ? (k + 1) % classes : k % classes;
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), label };
  });
  const [inWeights, outWeights] = [3 * hidden, classes * (hidden + 1)];
  const units = new Float64Array(hidden + 1);
  const logits = new Float64Array(classes);

  /** Adds the gradient of one example, divided by `count`, and returns its loss, likewise. */
  function example(k: number, params: Float32Array, grads: Vector, count: number): number {
    const { x, y, label } = data[k];
    const out = (c: number) => inWeights + c * (hidden + 1);
    for (let i = 0; i < hidden; i++) {
      units[i] = Math.tanh(params[3 * i] * x + params[3 * i + 1] * y + params[3 * i + 2]);
    }
    units[hidden] = 1;
    for (let c = 0; c < classes; c++) logits[c] = dot(units, params.subarray(out(c)));
    const loss = softmaxLoss(logits, label) / count;
    for (let i = 0; i <= hidden; i++) {
      let back = 0;
      for (let c = 0; c < classes; c++) {
        grads[out(c) + i] += (logits[c] * units[i]) / count;
        back += logits[c] * params[out(c) + i];
      }
      if (i === hidden) break;
      back *= (1 - units[i] ** 2) / count;
      grads[3 * i] += back * x;
      grads[3 * i + 1] += back * y;
      grads[3 * i + 2] += back;
    }
    return loss;
  }

  const mean = (batch: Iterable<number>, count: number, params: Float32Array, grads: Vector): number => {
    grads.fill(0);
    let loss = 0;
    for (const k of batch) loss += example(k, params, grads, count);
    return loss;
  };
  const source = minibatches({ examples, batchSize: 30 }, (params, grads, batch) =>
    mean(batch, batch.length, params, grads),
  );
  const unused = new Float32Array(inWeights + outWeights);
  const loss = (params: Float32Array) => mean(data.keys(), examples, params, unused);
  const start = Float64Array.from({ length: inWeights + outWeights }, () => 0.5 * random());
  return { name: "spiral MLP", start, source, loss };
}

export const problems: readonly Problem[] = [
  ...[1, 100, 10_000].map((condition) => ({
    name: `quadratic ${condition}`,
    ...quadratic(condition, normal(1)),
  })),
  rosenbrock,
  himmelblau,
  softmaxRegression(),
  spiral(),
];
