/* Functions of a few variables, with and without noise in the gradient. */
import { createRandom } from "../kit/random.js";
import type { Group, Problem } from "./problem.js";

/** Loss and gradient without noise. */
export type Smooth = (x: Float32Array, grads: Float32Array) => number;

interface Options {
  readonly name: string;
  readonly group?: Group;
  readonly lengths: readonly number[];
  readonly start: (seed: number) => Float32Array;
  readonly smooth: (seed: number) => Smooth;
  /** Deviation of the normal noise on every coordinate of the gradient. */
  readonly noise?: number;
}

export function functionProblem({
  name,
  group = "functions",
  lengths,
  start,
  smooth,
  noise = 0,
}: Options): Problem {
  const scratch = new Float32Array(start(1).length);
  const counted = smooth(0);
  return {
    name,
    group,
    lengths,
    start,
    source(seed) {
      const random = createRandom(1000 + seed);
      const exact = smooth(seed);
      return (x, grads) => {
        const loss = exact(x, grads);
        if (noise > 0) for (let i = 0; i < grads.length; i++) grads[i] += noise * random.normal();
        return loss;
      };
    },
    loss: (x) => counted(x, scratch),
  };
}

export const normalVector = (size: number) => (seed: number) => {
  const random = createRandom(70 + seed);
  return Float32Array.from({ length: size }, () => random.normal());
};

/** The same function with its minimum somewhere else than at 0, where weight decay would lead. */
function moved(smooth: Smooth, centre: Float32Array): Smooth {
  const y = centre.slice();
  return (x, grads) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] - centre[i];
    return smooth(y, grads);
  };
}

const sum = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + b[i]);

/** ½ Σ a x², a from 1 to the condition in equal ratios. */
function quadratic(condition: number, size: number): Smooth {
  const a = Float64Array.from({ length: size }, (_, i) => condition ** (i / (size - 1)));
  return (x, grads) => {
    let loss = 0;
    for (let i = 0; i < size; i++) {
      grads[i] = a[i] * x[i];
      loss += 0.5 * a[i] * x[i] * x[i];
    }
    return loss;
  };
}

export function quadraticProblem(
  condition: number,
  lengths: readonly number[],
  { noise = 0, size = 50, group }: { noise?: number; size?: number; group?: Group } = {},
): Problem {
  const centre = normalVector(size)(900);
  const smooth = moved(quadratic(condition, size), centre);
  const noisy = noise > 0 ? `, noise${noise === 1 ? "" : ` ${noise}`}` : "";
  return functionProblem({
    name: `quadratic, condition ${condition}${noisy}`,
    group,
    lengths,
    start: (seed) => sum(centre, normalVector(size)(seed)),
    smooth: () => smooth,
    noise,
  });
}

/** Σ (1 − x_i)² + 100 (x_{i+1} − x_i²)² */
export function rosenbrock(x: Float32Array, grads: Float32Array): number {
  let loss = 0;
  grads.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const bend = x[i + 1] - x[i] * x[i];
    loss += (1 - x[i]) ** 2 + 100 * bend ** 2;
    grads[i] += -2 * (1 - x[i]) - 400 * x[i] * bend;
    grads[i + 1] += 200 * bend;
  }
  return loss;
}

/** (x² + y − 11)² + (x + y² − 7)² */
function himmelblau([x, y]: Float32Array, grads: Float32Array): number {
  const [first, second] = [x * x + y - 11, x + y * y - 7];
  grads[0] = 4 * x * first + 2 * second;
  grads[1] = 2 * first + 4 * y * second;
  return first ** 2 + second ** 2;
}

/** 1 − exp(−‖x‖²): flat far from its minimum. */
function well([x, y]: Float32Array, grads: Float32Array): number {
  const e = Math.exp(-x * x - y * y);
  grads[0] = 2 * x * e;
  grads[1] = 2 * y * e;
  return 1 - e;
}

/** Near a point, or in a square, by the seed. */
function around(centre: readonly number[], spread: number): (seed: number) => Float32Array {
  return (seed) => {
    const random = createRandom(300 + seed);
    return Float32Array.from(centre, (value) => value + random.between(-spread, spread));
  };
}

/** Least squares for a cubic in raw powers of x, from 0; the loss above its least is what counts. */
function cubicFit(): Smooth {
  const random = createRandom(11);
  const rows = Array.from({ length: 100 }, () => {
    const x = random.between(-2, 2);
    return {
      powers: [1, x, x * x, x ** 3],
      y: 1 - 2 * x + 0.5 * x * x + 0.8 * x ** 3 + 0.1 * random.normal(),
    };
  });
  const best = solve(
    rows[0].powers.map((_, i) => rows[0].powers.map((_, j) => mean(rows, ({ powers: p }) => p[i] * p[j]))),
    rows[0].powers.map((_, i) => mean(rows, ({ powers: p, y }) => p[i] * y)),
  );
  return (x, grads) => {
    grads.fill(0);
    let loss = 0;
    for (const { powers } of rows) {
      // Against the best fit in place of y: the same gradient, and a loss whose minimum is 0.
      let error = 0;
      for (let i = 0; i < 4; i++) error += powers[i] * (x[i] - best[i]);
      for (let i = 0; i < 4; i++) grads[i] += (error * powers[i]) / rows.length;
      loss += (0.5 * error ** 2) / rows.length;
    }
    return loss;
  };
}

const mean = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((sum, item) => sum + of(item), 0) / items.length;

/** Gaussian elimination for a positive definite matrix. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  for (let k = 0; k < size; k++) {
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = matrix[i][k] / matrix[k][k];
      for (let j = k; j < size; j++) matrix[i][j] -= factor * matrix[k][j];
      right[i] -= factor * right[k];
    }
  }
  return right.map((value, k) => value / matrix[k][k]);
}

export function cubicProblem(): Problem {
  const smooth = cubicFit();
  return functionProblem({
    name: "cubic fit",
    group: "small",
    lengths: [100, 300, 1000],
    start: () => new Float32Array(4),
    smooth: () => smooth,
  });
}

export function functionProblems(): Problem[] {
  const plain = (
    name: string,
    lengths: readonly number[],
    start: (seed: number) => Float32Array,
    f: Smooth,
  ) => functionProblem({ name, lengths, start, smooth: () => f });
  const centre = Float32Array.of(1, -1);
  const circle = (seed: number) => sum(centre, Float32Array.of(1.2 * Math.cos(seed), 1.2 * Math.sin(seed)));
  return [
    quadraticProblem(1, [100, 500]),
    quadraticProblem(100, [100, 300, 2000]),
    quadraticProblem(1e4, [100, 500, 4000]),
    plain("Rosenbrock", [100, 1000, 4000], around([-1.2, 1], 0.1), rosenbrock),
    plain("Himmelblau", [100, 300, 1000], around([0, 0], 4), himmelblau),
    plain("Gaussian well", [100, 300, 1000], circle, moved(well, centre)),
    quadraticProblem(1, [100, 300, 2000], { noise: 1 }),
    quadraticProblem(100, [100, 300, 4000], { noise: 1 }),
  ];
}

/** Sum of squares of linear forms and their products: Powell's singular function, whose Hessian vanishes at 0. */
function powell([a, b, c, d]: Float32Array, grads: Float32Array): number {
  const [p, q, r, s] = [a + 10 * b, c - d, b - 2 * c, a - d];
  grads[0] = 2 * p + 40 * s ** 3;
  grads[1] = 20 * p + 4 * r ** 3;
  grads[2] = 10 * q - 8 * r ** 3;
  grads[3] = -10 * q - 40 * s ** 3;
  return p * p + 5 * q * q + r ** 4 + 10 * s ** 4;
}

/** Σ (c_k − x (1 − y^k))², k = 1, 2, 3: Beale's function. */
function beale([x, y]: Float32Array, grads: Float32Array): number {
  let loss = 0;
  grads.fill(0);
  [1.5, 2.25, 2.625].forEach((c, k) => {
    const error = c - x * (1 - y ** (k + 1));
    loss += error * error;
    grads[0] -= 2 * error * (1 - y ** (k + 1));
    grads[1] += 2 * error * x * (k + 1) * y ** k;
  });
  return loss;
}

export function heldOutFunctions(): Problem[] {
  const plain = (
    name: string,
    lengths: readonly number[],
    start: (seed: number) => Float32Array,
    f: Smooth,
  ) => functionProblem({ name, lengths, start, smooth: () => f });
  return [
    quadraticProblem(1000, [100, 300, 2000], { size: 64 }),
    plain("Rosenbrock, 10-D", [100, 1000, 4000], around(new Array<number>(10).fill(-0.5), 0.1), rosenbrock),
    plain("Powell", [100, 300, 1000], around([4, 0, 1, 2], 0.1), moved(powell, Float32Array.of(1, 1, 1, 1))),
    plain("Beale", [100, 300, 1000], around([1, 0.5], 0.5), beale),
    quadraticProblem(1000, [100, 300, 4000], { size: 64, noise: 1 }),
  ];
}
