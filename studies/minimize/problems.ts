/** Sums over residuals, so that least-squares methods can take part: L(x) = Σ r_i(x)², or Σ |r_i(x)|. */
export interface Problem {
  readonly name: string;
  readonly start: readonly number[];
  readonly loss: "squares" | "absolute";
  readonly residuals: (x: ArrayLike<number>) => number[];
  /** ∂r_i / ∂x_j, row by row. */
  readonly jacobian: (x: ArrayLike<number>) => number[][];
}

export function valueOf({ residuals, loss }: Problem, x: ArrayLike<number>): number {
  return residuals(x).reduce((sum, r) => sum + (loss === "squares" ? r * r : Math.abs(r)), 0);
}

/** ∇L = Jᵀ 2r, or Jᵀ sign(r) */
export function gradientOf(problem: Problem, x: ArrayLike<number>): number[] {
  const gradient = new Array<number>(x.length).fill(0);
  const weights = problem.residuals(x).map((r) => (problem.loss === "squares" ? 2 * r : Math.sign(r)));
  problem.jacobian(x).forEach((row, i) => row.forEach((slope, j) => (gradient[j] += slope * weights[i])));
  return gradient;
}

/** Σ (1 − x_i)² + 100 (x_{i+1} − x_i²)², a valley of n dimensions. */
function rosenbrock(size: number): Problem {
  return {
    name: `Rosenbrock, ${size} parameters`,
    start: Array.from({ length: size }, (_, i) => (i % 2 ? 1 : -1.2)),
    loss: "squares",
    residuals: (x) =>
      Array.from({ length: 2 * (size - 1) }, (_, k) => {
        const i = k >> 1;
        return k % 2 ? 10 * (x[i + 1] - x[i] * x[i]) : 1 - x[i];
      }),
    jacobian: (x) =>
      Array.from({ length: 2 * (size - 1) }, (_, k) => {
        const i = k >> 1;
        const row = new Array<number>(size).fill(0);
        row[i] = k % 2 ? -20 * x[i] : -1;
        if (k % 2) row[i + 1] = 10;
        return row;
      }),
  };
}

/** (x² + y − 11)² + (x + y² − 7)² */
const himmelblau: Problem = {
  name: "Himmelblau",
  start: [0, 0],
  loss: "squares",
  residuals: ({ 0: x, 1: y }) => [x * x + y - 11, x + y * y - 7],
  jacobian: ({ 0: x, 1: y }) => [
    [2 * x, 1],
    [1, 2 * y],
  ],
};

/** Repeatable numbers in (−1, 1). */
const noise = (k: number) => Math.sin(1e4 * Math.sin(k + 1));

/** a exp(−b t) + c through 60 points with noise. */
function decay(): Problem {
  const times = Array.from({ length: 60 }, (_, k) => k / 10);
  const data = times.map((t, k) => 2.5 * Math.exp(-1.3 * t) + 0.5 + 0.05 * noise(k));
  return {
    name: "exponential decay with noise, 3 parameters",
    start: [1, 1, 0],
    loss: "squares",
    residuals: ({ 0: a, 1: b, 2: c }) => times.map((t, k) => a * Math.exp(-b * t) + c - data[k]),
    jacobian: ({ 0: a, 1: b }) => times.map((t) => [Math.exp(-b * t), -a * t * Math.exp(-b * t), 1]),
  };
}

/** Least absolute deviations of a linear model from 200 points with outliers: a minimum between kinks. */
function deviations(size: number): Problem {
  const rows = Array.from({ length: 200 }, (_, k) =>
    Array.from({ length: size }, (_, j) => noise(k * size + j)),
  );
  const product = (row: number[], x: ArrayLike<number>) => row.reduce((sum, p, j) => sum + p * x[j], 0);
  const truth = Array.from({ length: size }, (_, j) => 3 * noise(-j - 2));
  const data = rows.map((row, k) => product(row, truth) + noise(7 * k) * (k % 10 ? 0.1 : 20));
  return {
    name: `least absolute deviations, ${size} parameters`,
    start: new Array<number>(size).fill(0),
    loss: "absolute",
    residuals: (x) => rows.map((row, k) => product(row, x) - data[k]),
    jacobian: () => rows,
  };
}

export const problems: readonly Problem[] = [
  rosenbrock(2),
  himmelblau,
  decay(),
  rosenbrock(50),
  deviations(20),
];
