/**
 * The same steps as a user would write them: plain loops over Float32Arrays, numbers in float64, no rounding calls.
 */
export interface Plain {
  readonly x: Float32Array;
  step(g: Float32Array): void;
}

export const SIX_BETAS = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
const S_INIT = 1e-6;
const LAMBDA = 0.01;

/*
 * Each loop is a function of its own that is given the arrays: over arrays of an enclosing function, V8 takes up to three
 * times as long. And each element is read and written once: reading back what was just written costs as much again.
 */

/** x ← x + BASE(g), Adam's defaults and the given rate. */
export function plainAdam(size: number, rate: number): Plain {
  const x = new Float32Array(size).fill(0.5);
  const mu = new Float32Array(size);
  const nu = new Float32Array(size);
  let t = 0;
  return {
    x,
    step(g) {
      t++;
      moveAdam(x, g, mu, nu, rate / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.999 ** t));
    },
  };
}

function moveAdam(
  x: Float32Array,
  g: Float32Array,
  mu: Float32Array,
  nu: Float32Array,
  stepSize: number,
  inverseRoot: number,
): void {
  for (let i = 0; i < g.length; i++) {
    const gi = g[i];
    const m = 0.9 * mu[i] + 0.1 * gi;
    const v = 0.999 * nu[i] + 0.001 * gi * gi;
    mu[i] = m;
    nu[i] = v;
    x[i] -= (stepSize * m) / (Math.sqrt(v) * inverseRoot + 1e-8);
  }
}

export function plainSgd(size: number, rate: number): Plain {
  const x = new Float32Array(size).fill(0.5);
  return { x, step: (g) => moveSgd(x, g, rate) };
}

function moveSgd(x: Float32Array, g: Float32Array, rate: number): void {
  for (let i = 0; i < g.length; i++) x[i] -= rate * g[i];
}

interface Sums {
  gg: number;
  dg: number;
  dd: number;
}

/** Δ ← Δ + u, and the sums that h needs. */
type Sweep = (g: Float32Array, delta: Float32Array) => Sums;

/** superlevel() over Adam or SGD, in two loops: the sums and Δ, then x. */
export function plainSuperlevel(size: number, rate: number, base: "adam" | "sgd" = "adam"): Plain {
  const x = new Float32Array(size).fill(0.5);
  const xRef = x.slice();
  const delta = new Float32Array(size);
  const sweep: Sweep = base === "adam" ? adamSweep(size, rate) : (g, delta) => sweepSgd(g, delta, rate);
  const tuner = SIX_BETAS.map((beta) => ({ beta, m: 0, v: 0, r: 0, s: S_INIT / SIX_BETAS.length }));
  let [S, xx, dd] = [S_INIT, 0.25 * size, 0];

  function tune(h: number): void {
    S = 0;
    for (const k of tuner) {
      const clipped = Math.min(Math.max(h, -k.m), k.m);
      k.m = Math.max(k.beta * k.m, Math.abs(h) + 1e-30);
      k.v = k.beta * k.beta * k.v + h * h;
      k.r = Math.max(0, k.beta * k.r - k.s * clipped);
      k.s = ((S_INIT * k.m) / SIX_BETAS.length + k.r) / (Math.sqrt(k.v) + 1e-30);
      S += k.s;
    }
  }

  return {
    x,
    step(g) {
      const sums = sweep(g, delta);
      tune(sums.dg + LAMBDA * Math.sqrt(sums.gg / xx) * S * dd);
      dd = sums.dd;
      xx = rebuild(x, xRef, S, delta);
    },
  };
}

function rebuild(x: Float32Array, xRef: Float32Array, S: number, delta: Float32Array): number {
  let xx = 0;
  for (let i = 0; i < x.length; i++) {
    const value = xRef[i] + S * delta[i];
    x[i] = value;
    xx += value * value;
  }
  return xx;
}

function adamSweep(size: number, rate: number): Sweep {
  const mu = new Float32Array(size);
  const nu = new Float32Array(size);
  let t = 0;
  return (g, delta) => {
    t++;
    return sweepAdam(g, delta, mu, nu, rate / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.999 ** t));
  };
}

function sweepAdam(
  g: Float32Array,
  delta: Float32Array,
  mu: Float32Array,
  nu: Float32Array,
  stepSize: number,
  inverseRoot: number,
): Sums {
  let [gg, dg, dd] = [0, 0, 0];
  for (let i = 0; i < g.length; i++) {
    const gi = g[i];
    const before = delta[i];
    const m = 0.9 * mu[i] + 0.1 * gi;
    const v = 0.999 * nu[i] + 0.001 * gi * gi;
    const after = before - (stepSize * m) / (Math.sqrt(v) * inverseRoot + 1e-8);
    mu[i] = m;
    nu[i] = v;
    delta[i] = after;
    gg += gi * gi;
    dg += before * gi;
    dd += after * after;
  }
  return { gg, dg, dd };
}

function sweepSgd(g: Float32Array, delta: Float32Array, rate: number): Sums {
  let [gg, dg, dd] = [0, 0, 0];
  for (let i = 0; i < g.length; i++) {
    const gi = g[i];
    const before = delta[i];
    const after = before - rate * gi;
    delta[i] = after;
    gg += gi * gi;
    dg += before * gi;
    dd += after * after;
  }
  return { gg, dg, dd };
}

/**
 * superlevel({ granularity: "parameter", spread: null }) over Adam: ‖g‖, then one loop. A coordinate's tuners lie side
 * by side: m, v, r, s of each beta.
 */
export function plainParameter(size: number, rate: number, betas: readonly number[]): Plain {
  const x = new Float32Array(size).fill(0.5);
  const [delta, mu, nu, scale] = [0, 1, 2, 3].map(() => new Float32Array(size));
  const tuners = new Float32Array(4 * betas.length * size);
  for (let k = 3; k < tuners.length; k += 4) tuners[k] = S_INIT / betas.length;
  const vectors: Vectors = { x, xRef: x.slice(), delta, mu, nu, scale: scale.fill(S_INIT), tuners };
  let t = 0;
  let xx = 0.25 * size;
  return {
    x,
    step(g) {
      t++;
      const pull = LAMBDA * Math.sqrt(squares(g) / xx);
      const stepSize = rate / (1 - 0.9 ** t);
      xx = moveEach(g, vectors, pull, stepSize, 1 / Math.sqrt(1 - 0.999 ** t), Float64Array.from(betas));
    },
  };
}

interface Vectors {
  readonly x: Float32Array;
  readonly xRef: Float32Array;
  readonly delta: Float32Array;
  readonly mu: Float32Array;
  readonly nu: Float32Array;
  readonly scale: Float32Array;
  readonly tuners: Float32Array;
}

function squares(g: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < g.length; i++) sum += g[i] * g[i];
  return sum;
}

function moveEach(
  g: Float32Array,
  { x, xRef, delta, mu, nu, scale, tuners }: Vectors,
  pull: number,
  stepSize: number,
  inverseRoot: number,
  betas: Float64Array,
): number {
  let xx = 0;
  for (let i = 0; i < g.length; i++) {
    const gi = g[i];
    const before = delta[i];
    const h = before * gi + pull * scale[i] * before * before;
    const m = 0.9 * mu[i] + 0.1 * gi;
    const v = 0.999 * nu[i] + 0.001 * gi * gi;
    const after = before - (stepSize * m) / (Math.sqrt(v) * inverseRoot + 1e-8);
    mu[i] = m;
    nu[i] = v;
    delta[i] = after;
    const S = tuneOne(tuners, 4 * betas.length * i, h, betas);
    scale[i] = S;
    const moved = xRef[i] + S * after;
    x[i] = moved;
    xx += moved * moved;
  }
  return xx;
}

/** m, v, r, s of one coordinate, which begin at `at`; returns Σ s. */
function tuneOne(tuners: Float32Array, at: number, h: number, betas: Float64Array): number {
  let S = 0;
  for (let k = 0, j = at; k < betas.length; k++, j += 4) {
    const beta = betas[k];
    const mBefore = tuners[j];
    const m = Math.max(beta * mBefore, Math.abs(h) + 1e-30);
    const v = beta * beta * tuners[j + 1] + h * h;
    const clipped = Math.min(Math.max(h, -mBefore), mBefore);
    const r = Math.max(0, beta * tuners[j + 2] - tuners[j + 3] * clipped);
    const s = ((S_INIT / betas.length) * m + r) / (Math.sqrt(v) + 1e-18);
    tuners[j] = m;
    tuners[j + 1] = v;
    tuners[j + 2] = r;
    tuners[j + 3] = s;
    S += s;
  }
  return S;
}
