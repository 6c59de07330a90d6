import { createOptimizer, type GradientSource } from "superlevel";
import { trajectoryPlane, windowAround } from "superlevel/stability";

import { createRandom } from "../../studies/kit/random.js";
import type { Landscape } from "./landscapes.js";

const HIDDEN = 8;
const SIZE = 4 * HIDDEN + 1;
const EXAMPLES = 60;

/** Two half rings, one in the other: [u, v, class ±1] each. */
function moons(): number[][] {
  const random = createRandom(5);
  return Array.from({ length: EXAMPLES }, (_, i) => {
    const angle = Math.PI * random.uniform();
    const [u, v] = i % 2 ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)] : [Math.cos(angle), Math.sin(angle)];
    return [u + 0.1 * random.normal() - 0.5, v + 0.1 * random.normal() - 0.25, i % 2 ? 1 : -1];
  });
}

/** Logistic loss of a tanh network, 2-8-1, with a little weight decay. Weights: for each hidden unit a, b, c, d. */
function networkLoss(examples: readonly number[][], w: ArrayLike<number>, grads: Float64Array): number {
  const decay = 1e-3;
  let loss = 0;
  for (let k = 0; k < SIZE; k++) {
    grads[k] = decay * w[k];
    loss += (decay * w[k] * w[k]) / 2;
  }
  const hidden = new Float64Array(HIDDEN);
  for (const [u, v, sign] of examples) {
    let output = w[SIZE - 1];
    for (let j = 0; j < HIDDEN; j++) {
      hidden[j] = Math.tanh(w[4 * j] * u + w[4 * j + 1] * v + w[4 * j + 2]);
      output += w[4 * j + 3] * hidden[j];
    }
    const margin = sign * output;
    loss += (margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin) / EXAMPLES;
    const slope = -sign / (1 + Math.exp(margin)) / EXAMPLES;
    grads[SIZE - 1] += slope;
    for (let j = 0; j < HIDDEN; j++) {
      grads[4 * j + 3] += slope * hidden[j];
      const inner = slope * w[4 * j + 3] * (1 - hidden[j] * hidden[j]);
      grads[4 * j] += inner * u;
      grads[4 * j + 1] += inner * v;
      grads[4 * j + 2] += inner;
    }
  }
  return loss;
}

/** Trains the network, and cuts its loss by the plane of its own course. */
export function networkSlice(): Pick<Landscape, "x" | "y" | "start" | "loss" | "gradient"> {
  const examples = moons();
  const random = createRandom(9);
  const grads64 = new Float64Array(SIZE);
  const source: GradientSource = (params, grads) => {
    const loss = networkLoss(examples, params, grads64);
    grads.set(grads64);
    return loss;
  };
  const optimizer = createOptimizer(Array.from({ length: SIZE }, () => random.normal()));
  const points: Float64Array[] = [];
  const monitor = {
    beforeStep: ({ params }: { params: Float32Array }) => void points.push(Float64Array.from(params)),
  };
  optimizer.minimize(source, { steps: 150, monitors: [monitor] });
  const { origin, directions } = trajectoryPlane(points);
  const place = (x: number, y: number) =>
    Float64Array.from(origin, (value, k) => value + x * directions[0][k] + y * directions[1][k]);
  const along = (point: ArrayLike<number>, k: 0 | 1) => {
    let sum = 0;
    for (let i = 0; i < SIZE; i++) sum += (point[i] - origin[i]) * directions[k][i];
    return sum;
  };
  const course = { x: points.map((point) => along(point, 0)), y: points.map((point) => along(point, 1)) };
  const { x, y } = windowAround(course, 0.6);
  return {
    x,
    y,
    start: [course.x[0], course.y[0]],
    loss: (px, py) => networkLoss(examples, place(px, py), grads64),
    gradient: (px, py) => {
      networkLoss(examples, place(px, py), grads64);
      const dot = (k: 0 | 1) => grads64.reduce((sum, value, i) => sum + value * directions[k][i], 0);
      return [dot(0), dot(1)];
    },
  };
}
