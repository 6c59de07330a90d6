/** The scalar half of a step, in plain f64: the pull in (26) and the recurrences (27)-(32) of every form. */
import type { Form, TunerOptions } from "./options.js";

/** What sets the forms apart, equation by equation. */
interface Shape {
  /** m before the first step and after an anchor. */
  mStart: number;
  /** s_1 of each of K betas. */
  sStart: (sInit: number, K: number) => number;
  /** What (27) compares the decayed m with. */
  size: (h: number, eps: number) => number;
  /** (29) bounds h by the m of the step before. */
  clips: boolean;
  /** (30) is written back into the state; if not, r may be negative there. */
  clamps: boolean;
  /** The scale that (29) multiplies with: s_t, or s_{t-1} as printed. */
  scale: "current" | "previous";
}

const zero = (): number => 0;
const signed = (h: number): number => h;

const shapes: Record<Form, Shape> = {
  superlevel: {
    mStart: 0,
    sStart: (sInit, K) => sInit / K,
    size: (h) => Math.abs(h) + 1e-30,
    clips: true,
    clamps: true,
    scale: "current",
  },
  mechanic: { mStart: 1e-6, sStart: zero, size: Math.abs, clips: false, clamps: true, scale: "current" },
  mechanize: {
    mStart: 0,
    sStart: (sInit) => sInit,
    size: (h, eps) => Math.abs(h) + eps,
    clips: true,
    clamps: false,
    scale: "current",
  },
  equations: { mStart: 0, sStart: zero, size: signed, clips: false, clamps: true, scale: "previous" },
  algorithm1: { mStart: 0, sStart: zero, size: signed, clips: false, clamps: true, scale: "previous" },
};

export interface Sums {
  /** <Delta, g> */
  dot: number;
  /** |g| */
  gNorm: number;
  /** |x|, of the point that the form measures: x_t, or x_t + u_t in "mechanic". */
  xNorm: number;
  /** |Delta| */
  deltaNorm: number;
  /** <Delta, x>, of the same point. */
  dotX: number;
}

/** (26) h_t = <Delta_t, g_t> + pull_t: negative where the accumulated updates still descend. */
export function innerProduct(options: TunerOptions, sums: Sums, S: number): number {
  const { dot, gNorm, xNorm, deltaNorm, dotX } = sums;
  const { lambda, eps } = options;
  switch (options.form) {
    case "superlevel":
      return xNorm === 0 ? dot : dot + lambda * (gNorm / xNorm) * S * deltaNorm * deltaNorm;
    case "mechanic":
    case "mechanize":
      return dot + (lambda * S * gNorm * dotX) / (xNorm + eps);
    case "equations":
    case "algorithm1":
      if (xNorm === 0) throw new Error("|x| = 0: the printed lambda |g| / |x| makes h infinite");
      return dot + (lambda * gNorm) / xNorm;
  }
}

/** The decays of m, v and r. */
function decays(options: TunerOptions, i: number): [number, number, number] {
  const { betas } = options;
  if (options.form === "algorithm1") return [betas[0], betas[1], betas[2]];
  return [betas[i], betas[i] ** 2, betas[i]];
}

/** m, v, r, W and s of each beta, S = sum of s, and where they start. */
export class Tuner {
  readonly m: number[];
  readonly v: number[];
  readonly r: number[];
  readonly W: number[];
  readonly s: number[];
  /** s_{t-1} */
  readonly sPrevious: number[];
  sInit: number;

  constructor(
    readonly options: TunerOptions,
    sStart: number | undefined,
  ) {
    const K = options.form === "algorithm1" ? 1 : options.betas.length;
    const { mStart, sStart: start } = shapes[options.form];
    const s1 = sStart ?? start(options.sInit, K);
    this.m = new Array<number>(K).fill(mStart);
    this.v = new Array<number>(K).fill(0);
    this.r = new Array<number>(K).fill(0);
    this.W = new Array<number>(K).fill(0);
    this.s = new Array<number>(K).fill(s1);
    this.sPrevious = new Array<number>(K).fill(s1);
    this.sInit = options.sInit;
  }

  get S(): number {
    // In the engine's order: every other s, twice.
    const every = (from: number) => this.s.filter((_, i) => i % 2 === from).reduce((sum, s) => sum + s, 0);
    return every(0) + every(1);
  }

  /** (27)-(32) */
  advance(h: number): void {
    const { eps, form } = this.options;
    const shape = shapes[form];
    const { m, v, r, W, s, sPrevious, sInit } = this;
    const K = s.length;
    for (let i = 0; i < K; i++) {
      const [betaM, betaV, betaR] = decays(this.options, i);
      const bounded = shape.clips ? Math.min(m[i], Math.max(-m[i], h)) : h;
      const scale = shape.scale === "previous" ? sPrevious[i] : s[i];
      m[i] = Math.max(betaM * m[i], shape.size(h, eps)); // (27)
      v[i] = betaV * v[i] + h * h; // (28)
      r[i] = betaR * r[i] - scale * bounded; // (29)
      const reward = Math.max(0, r[i]); // (30)
      if (shape.clamps) r[i] = reward;
      W[i] = (sInit / K) * m[i] + reward; // (31)
      sPrevious[i] = s[i];
      s[i] = W[i] / (form === "algorithm1" ? Math.sqrt(v[i] + eps) : Math.sqrt(v[i]) + eps); // (32)
    }
  }

  /** Starts over from a share of what was learned: s_init = carry S. */
  restart(carry: number): void {
    const S = this.S;
    if (S > 0) this.sInit = carry * S;
    this.m.fill(shapes[this.options.form].mStart);
    this.v.fill(0);
    this.r.fill(0);
    this.s.fill(this.sInit / this.s.length);
    this.sPrevious.fill(this.sInit / this.s.length);
  }
}
