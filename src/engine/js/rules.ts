import type { Kernel } from "../../bases/base.js";

/*
 * The base optimizers of assembly/rules, one coordinate at a time. Each operation is rounded to float32, in the
 * order of the SIMD kernels: their files say what each rule is and where it comes from.
 */

/** u for gradient `g`. The moments are `f[i]`, `f[i + gap]` and `f[i + 2 * gap]`; `c` are the rule's constants. */
export type Update = (
  f: Float32Array,
  i: number,
  gap: number,
  g: number,
  step: number,
  c: Float32Array,
) => number;

export const round = Math.fround;

/** sum + a·b, rounded twice. */
export const addProduct = (sum: number, a: number, b: number): number => round(sum + round(a * b));

/** a·x + b·y. */
const blend = (a: number, x: number, b: number, y: number): number => addProduct(round(a * x), b, y);

/** mean + share · (g − mean). */
const drift = (mean: number, share: number, g: number): number => addProduct(mean, share, round(g - mean));

const square = (x: number): number => round(x * x);
export const root = (x: number): number => round(Math.sqrt(x));
/** b where a < b, else a: in either order of NaN and of zeros as the kernels' pmax. */
export const larger = (a: number, b: number): number => (a < b ? b : a);

/** Within low … high. */
export function bounded(value: number, low: number, high: number): number {
  const raised = value < low ? low : value;
  return high < raised ? high : raised;
}

/** √nu / √(1 − β2^t) + eps. */
const adamRoot = (nu: number, c: Float32Array, inverseRoot: number, eps: number): number =>
  addProduct(c[eps], root(nu), c[inverseRoot]);

const adagradRoot = (nu: number, eps: number): number => round(root(nu) + eps);

/** What averaging takes of a rule: d over the step size. */
type Direction = (f: Float32Array, i: number, g: number, c: Float32Array, longest: number) => number;

const gradient: Direction = (_f, _i, g) => g;
const normalized: Direction = (f, i, g, c, longest) => {
  const nu = (f[i] = blend(c[0], f[i], c[1], square(g)));
  return bounded(round(g / adagradRoot(nu, c[2])), -longest, longest);
};

export const rules: Readonly<Record<Kernel, Update>> = {
  SGD: (_f, _i, _gap, g, step) => round(step * g),

  MOMENTUM: (f, i, _gap, g, step, c) => {
    const b = (f[i] = blend(c[0], f[i], c[1], g));
    return round(step * blend(c[2], g, c[3], b));
  },

  ADAM: (f, i, gap, g, step, c) => {
    const mu = (f[i] = blend(c[0], f[i], c[1], g));
    const nu = (f[i + gap] = blend(c[2], f[i + gap], c[3], square(g)));
    return round(round(step * mu) / adamRoot(nu, c, 4, 5));
  },

  AMSGRAD: (f, i, gap, g, step, c) => {
    const mu = (f[i] = blend(c[0], f[i], c[1], g));
    const nu = (f[i + gap] = blend(c[2], f[i + gap], c[3], square(g)));
    const top = (f[i + 2 * gap] = larger(f[i + 2 * gap], nu));
    return round(round(step * mu) / adamRoot(top, c, 4, 5));
  },

  NADAM: (f, i, gap, g, step, c) => {
    const mu = (f[i] = drift(f[i], c[0], g));
    const nu = (f[i + gap] = blend(c[1], f[i + gap], c[2], square(g)));
    return round(round(step * addProduct(g, c[5], mu)) / adamRoot(nu, c, 3, 4));
  },

  ADAMAX: (f, i, gap, g, step, c) => {
    const mu = (f[i] = drift(f[i], c[0], g));
    const size = g === 0 ? 0 : round(Math.abs(g) + c[2]);
    const nu = (f[i + gap] = larger(round(c[1] * f[i + gap]), size));
    return round(round(step * mu) / larger(nu, c[2]));
  },

  LION: (f, i, _gap, g, step, c) => {
    const direction = blend(c[0], f[i], c[1], g);
    f[i] = blend(c[2], f[i], c[3], g);
    return direction > 0 ? step : direction < 0 ? -step : 0;
  },

  RMSPROP: (f, i, _gap, g, step, c) => {
    const nu = (f[i] = blend(c[0], f[i], c[1], square(g)));
    return round(round(step * g) / adagradRoot(nu, c[2]));
  },

  RMSPROP_MOMENTUM: (f, i, gap, g, step, c) => {
    const nu = (f[i] = blend(c[0], f[i], c[1], square(g)));
    const mean = (f[i + 2 * gap] = drift(f[i + 2 * gap], c[1], g));
    const variance = larger(0, round(nu - round(c[4] * square(mean))));
    const b = round(round(c[3] * f[i + gap]) + round(g / adagradRoot(variance, c[2])));
    return round(step * (f[i + gap] = b));
  },

  ADAGRAD: (f, i, _gap, g, step, c) => {
    const nu = (f[i] = addProduct(f[i], g, g));
    return round(round(step * g) / adagradRoot(round(c[1] + nu), c[0]));
  },

  ADADELTA: (f, i, gap, g, step, c) => {
    const nu = (f[i] = blend(c[0], f[i], c[1], square(g)));
    const before = f[i + gap];
    const ratio = round(root(round(before + c[2])) / root(round(nu + c[2])));
    const d = round(ratio * g);
    f[i + gap] = blend(c[0], before, c[1], square(d));
    return round(step * d);
  },
};

/** The rules, by the number that the scalars have. */
export const bases = Object.fromEntries(Object.keys(rules).map((kernel, k) => [kernel, k])) as Record<
  Kernel,
  number
>;
/** By the same number; rules that have none are averaged by their update. */
export const directions: readonly (Direction | undefined)[] = Object.keys(rules).map(
  (kernel) => ({ SGD: gradient, RMSPROP: normalized })[kernel],
);
export const updates: readonly Update[] = Object.values(rules);
