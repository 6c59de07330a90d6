import type { GradientSource } from "superlevel";

/** A loss without noise, its minimum, and where to start. */
export interface Problem {
  readonly name: string;
  readonly start: readonly number[];
  readonly source: GradientSource;
  readonly minimum: number;
}

/** ½ Σ a x², a from 1 / condition to 1 in equal ratios. */
function quadratic(condition: number, size = 64): Problem {
  const a = Array.from({ length: size }, (_, i) => condition ** (-i / (size - 1)));
  return {
    name: `quadratic, condition ${condition}`,
    start: a.map((_, i) => Math.cos(i + 1)),
    minimum: 0,
    source: (x, grads) => {
      let loss = 0;
      for (let i = 0; i < size; i++) {
        grads[i] = a[i] * x[i];
        loss += 0.5 * a[i] * x[i] * x[i];
      }
      return loss;
    },
  };
}

/** (1 − x)² + 100 (y − x²)² */
const rosenbrock: Problem = {
  name: "Rosenbrock",
  start: [-1.2, 1],
  minimum: 0,
  source: ([x, y], grads) => {
    const bend = y - x * x;
    grads[0] = -2 * (1 - x) - 400 * x * bend;
    grads[1] = 200 * bend;
    return (1 - x) ** 2 + 100 * bend ** 2;
  },
};

/** (x² + y − 11)² + (x + y² − 7)² */
const himmelblau: Problem = {
  name: "Himmelblau",
  start: [0, 0],
  minimum: 0,
  source: ([x, y], grads) => {
    const [first, second] = [x * x + y - 11, x + y * y - 7];
    grads[0] = 4 * x * first + 2 * second;
    grads[1] = 2 * first + 4 * y * second;
    return first ** 2 + second ** 2;
  },
};

/** Mean of ln(1 + exp(−y ⟨w, p⟩)) + 0.005 ‖w‖² over 60 points, features on scales from 1 to 0.1. */
function logistic(): Omit<Problem, "minimum"> {
  const size = 5;
  const points = Array.from({ length: 60 }, (_, k) =>
    Array.from({ length: size }, (_, j) => Math.sin(1.3 * k * (j + 1) + j) * 10 ** (-j / (size - 1))),
  );
  const labels = points.map((p, k) => (p[0] - 2 * p[1] + 3 * p[4] + 0.5 * Math.sin(7 * k) > 0 ? 1 : -1));
  return {
    name: "logistic regression",
    start: new Array<number>(size).fill(0),
    source: (w, grads) => {
      let loss = 0;
      for (let j = 0; j < size; j++) {
        loss += 0.005 * w[j] * w[j];
        grads[j] = 0.01 * w[j];
      }
      points.forEach((p, k) => {
        const margin = labels[k] * p.reduce((sum, value, j) => sum + value * w[j], 0);
        loss += Math.log1p(Math.exp(-margin)) / points.length;
        const slope = -labels[k] / (1 + Math.exp(margin)) / points.length;
        for (let j = 0; j < size; j++) grads[j] += slope * p[j];
      });
      return loss;
    },
  };
}

/** A convex problem's minimum: gradient descent at a rate below 2 / L, in f64, until it no longer moves. */
function minimumOf({ start, source }: Omit<Problem, "minimum">): number {
  const x = new Float64Array(start);
  const grads = new Float64Array(x.length);
  for (let k = 0; k < 20_000; k++) {
    source(x as never, grads as never, 1);
    for (let j = 0; j < x.length; j++) x[j] -= 1.5 * grads[j];
  }
  return source(x as never, grads as never, 1);
}

const regression = logistic();

export const problems: readonly Problem[] = [
  quadratic(1e2),
  quadratic(1e4),
  rosenbrock,
  himmelblau,
  { ...regression, minimum: minimumOf(regression) },
];
