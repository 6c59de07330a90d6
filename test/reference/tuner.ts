/** The scalar half of a step, in plain f64: the pull in (26) and the recurrences (27)-(32) of every form. */
import type { Mode } from "./kinds.js";
import type { Form, TunerOptions } from "./options.js";

/** What sets the forms apart, equation by equation. */
interface Shape {
  /** m before the first step and after an anchor. */
  mStart: number;
  /** s_1 of each of K betas. */
  sStart: (sInit: number, K: number) => number;
  /** What (27) compares the decayed m with. */
  size: (h: number, options: TunerOptions) => number;
  /** (29) bounds h by the m of the step before. */
  clips: boolean;
  /** (30) is written back into the state; if not, r may be negative there. */
  clamps: boolean;
  /** The scale that (29) multiplies with: s_t, or s_{t-1} as printed. */
  scale: "current" | "previous";
}

/** No anchor takes s_init below this, unless it began there: S could not come back from 0. */
export const LEAST = Math.fround(1e-24);

const zero = (): number => 0;
const signed = (h: number): number => h;

const shapes: Record<Form, Shape> = {
  superlevel: {
    mStart: 0,
    sStart: (sInit, K) => sInit * (1 / K),
    size: (h, { granularity, eps }) => Math.abs(h) + (granularity === "parameter" ? eps : 1e-30),
    clips: true,
    clamps: true,
    scale: "current",
  },
  mechanic: { mStart: 1e-6, sStart: zero, size: Math.abs, clips: false, clamps: true, scale: "current" },
  mechanize: {
    mStart: 0,
    sStart: (sInit) => sInit,
    size: (h, { eps }) => Math.abs(h) + eps,
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
  /** 0 where it is still to be found. */
  sInit: number;
  /** Sum of s, as it was last taken. */
  S = 0;
  /** S of the step before. */
  SBefore = 0;

  constructor(
    readonly options: TunerOptions,
    sStart?: number,
  ) {
    const K = options.form === "algorithm1" ? 1 : options.betas.length;
    const { sStart: start } = shapes[options.form];
    const all = () => new Array<number>(K).fill(0);
    [this.m, this.v, this.r, this.W, this.s, this.sPrevious] = [all(), all(), all(), all(), all(), all()];
    this.sInit = options.sInit ?? 0;
    this.#seed(sStart ?? start(this.sInit, K));
  }

  /** A tuner that has seen nothing. */
  #seed(s: number): void {
    this.m.fill(shapes[this.options.form].mStart);
    this.v.fill(0);
    this.r.fill(0);
    this.s.fill(s);
    this.sPrevious.fill(s);
    this.S = this.s.reduce((sum, s) => sum + s, 0);
    this.SBefore = 0;
  }

  /** S as r and v have it: more than S where limits have kept it down. */
  get earned(): number {
    const shares = this.r.map((r, i) => r / (Math.sqrt(this.v[i]) + this.options.eps));
    const every = (from: number) => shares.filter((_, i) => i % 2 === from).reduce((sum, s) => sum + s, 0);
    return this.sInit + (every(0) + every(1));
  }

  /** (27)-(32) */
  advance(h: number, { ownFloor, rewardLimit }: Pick<Mode, "ownFloor" | "rewardLimit">): void {
    const { eps, form } = this.options;
    const shape = shapes[form];
    const { m, v, r, W, s, sPrevious, sInit } = this;
    const K = s.length;
    const floor = sInit / K;
    for (let i = 0; i < K; i++) {
      const [betaM, betaV, betaR] = decays(this.options, i);
      const most = rewardLimit * m[i];
      const bounded = shape.clips ? Math.min(most, Math.max(-most, h)) : h;
      const scale = shape.scale === "previous" ? sPrevious[i] : s[i];
      m[i] = Math.max(betaM * m[i], shape.size(h, this.options)); // (27)
      v[i] = betaV * v[i] + h * h; // (28)
      r[i] = betaR * r[i] - scale * bounded; // (29)
      const reward = Math.max(0, r[i]); // (30)
      if (shape.clamps) r[i] = reward;
      W[i] = (ownFloor ? 0 : floor * m[i]) + reward; // (31)
      sPrevious[i] = s[i];
      s[i] = W[i] / (form === "algorithm1" ? Math.sqrt(v[i] + eps) : Math.sqrt(v[i]) + eps); // (32)
      if (ownFloor) s[i] += floor;
    }
    this.SBefore = this.S;
    // In the engine's order: every other s, twice.
    const every = (from: number) => s.filter((_, i) => i % 2 === from).reduce((sum, s) => sum + s, 0);
    this.S = every(0) + every(1);
  }

  /** S at most this, every s in proportion; says whether it was more. */
  limit(most: number): boolean {
    if (!(this.S > most)) return false;
    this.#multiply(most / this.S);
    this.S = most;
    return true;
  }

  #multiply(factor: number): void {
    for (const list of [this.s, this.sPrevious]) list.forEach((s, i) => (list[i] = s * factor));
  }

  /** Every scale times a factor, and s_init with it. */
  rescale(factor: number): void {
    this.sInit *= factor;
    this.S *= factor;
    this.#multiply(factor);
  }

  /** Starts from s_init. */
  start(sInit: number): void {
    this.sInit = sInit;
    this.#seed(sInit * (1 / this.s.length));
  }

  /** Starts over from a share of what was learned: s_init = carry S. */
  restart(carry: number): void {
    this.start(this.S > 0 ? Math.max(carry * this.S, Math.min(this.sInit, LEAST)) : this.sInit);
  }
}

/**
 * A step promises that the loss falls by the sum of S <-u, g>. Where that is more than `limit`, no S grows further
 * than it may, or than it was. Says whether that was needed.
 */
export function limitPromise(
  tuners: readonly Tuner[],
  slopes: readonly { before: number; after: number }[],
  limit: number,
): boolean {
  const promise = tuners.reduce((sum, { S }, k) => sum + S * (slopes[k].before - slopes[k].after), 0);
  if (!(promise > limit)) return false;
  for (const tuner of tuners) {
    const { S, SBefore } = tuner;
    if (S > SBefore) tuner.limit(Math.max(SBefore, S * (limit / promise)));
  }
  return true;
}
