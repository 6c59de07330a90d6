/**
 * Granularity "parameter": a tuner for each coordinate. Here m, v, r and s are vectors too, so every operation is
 * rounded; only the norms in the pull are plain f64 sums.
 */
import type { Adopted, ReferenceOptions, Round, TunerOptions } from "./options.js";
import { Groups, type Drive, type Limited, type Measured, type Point, type Scaling } from "./scaling.js";
import { LEAST, type Tuner as WholeTuner } from "./tuner.js";
import { norm, within, type Range } from "./vectors.js";

/** m, v, r, s and s_{t-1} of one coordinate, for one beta. */
interface Tuner {
  m: number;
  v: number;
  r: number;
  s: number;
  sBefore: number;
}

interface MeasuredEach extends Measured {
  each: Float64Array;
}

function decaysOf({ form, betas }: TunerOptions, round: Round): [m: number, v: number, r: number][] {
  if (form === "algorithm1") return [[round(betas[0]), round(betas[1]), round(betas[2])]];
  return betas.map((beta) => [round(beta), round(beta * beta), round(beta)]);
}

export class Coordinates implements Scaling {
  /** S_j = sum of s over the betas. */
  readonly S: Float64Array;
  readonly #tuner: TunerOptions;
  readonly #round: Round;
  /** Those that are not frozen. */
  readonly #running: readonly Range[];
  readonly #places: readonly number[];
  /** s_init / K of each. */
  readonly #share: Float64Array;
  /** Of m, v and r for each beta. */
  readonly #decays: readonly (readonly [m: number, v: number, r: number])[];
  readonly #tuners: Tuner[][];
  /** The tuner of all coordinates together, which bounds theirs; null where they are free. */
  readonly #whole: Groups | null;
  #unstarted: boolean;

  constructor(tuner: TunerOptions, size: number, running: readonly Range[], round: Round) {
    this.#tuner = tuner;
    this.#round = round;
    this.#running = running;
    this.#places = running.flatMap(({ start, end }) =>
      Array.from({ length: end - start }, (_, k) => start + k),
    );
    this.#whole = tuner.spread === null ? null : new Groups(tuner, size, [running]);
    this.#unstarted = tuner.sInit === undefined;
    this.#decays = decaysOf(tuner, round);
    this.S = new Float64Array(size);
    this.#share = new Float64Array(size);
    this.#tuners = Array.from(this.S, () => []);
    const { sInit = 0 } = tuner;
    this.#startEach(sInit, tuner.form === "superlevel" ? 1 / this.#decays.length : 0);
  }

  get tuners(): readonly WholeTuner[] {
    return this.#whole?.tuners ?? [];
  }

  get mean(): number {
    return this.#places.reduce((sum, j) => sum + this.S[j], 0) / this.#places.length;
  }

  get unstarted(): boolean {
    return this.#unstarted;
  }

  at(j: number): number {
    return this.S[j];
  }

  start(sInit: number): void {
    this.#unstarted = false;
    this.#whole?.start(sInit);
    this.#startEach(sInit, 1 / this.#decays.length);
  }

  #startEach(sInit: number, share: number): void {
    for (const j of this.#places) {
      this.#share[j] = this.#round(sInit / this.#decays.length);
      this.#seed(j, this.#round(sInit * share));
    }
  }

  /** A tuner that has seen nothing, each s at `s`. */
  #seed(j: number, s: number): void {
    const m = this.#tuner.form === "mechanic" ? this.#round(1e-6) : 0;
    this.#tuners[j] = this.#decays.map(() => ({ m, v: 0, r: 0, s, sBefore: s }));
    this.S[j] = this.#decays.reduce((sum) => this.#round(sum + s), 0);
  }

  rescale(factor: number): void {
    const times = this.#round(factor);
    this.#whole?.rescale(factor);
    for (const j of this.#places) {
      this.S[j] = this.#round(this.S[j] * times);
      this.#share[j] = this.#round(this.#share[j] * times);
      for (const tuner of this.#tuners[j]) {
        tuner.s = this.#round(tuner.s * times);
        tuner.sBefore = this.#round(tuner.sBefore * times);
      }
    }
  }

  /** An anchor (paper, 6.3), coordinate by coordinate. */
  restart(carry: number): void {
    const factor = this.#round(carry / this.#decays.length);
    this.#whole?.restart(carry);
    for (const j of this.#places) {
      if (this.S[j] > 0) {
        const least = Math.min(this.#share[j], LEAST);
        this.#share[j] = Math.max(this.#round(factor * this.S[j]), least);
      }
      this.#seed(j, this.#share[j]);
    }
  }

  /** (26) */
  measure(point: Point, adopt: Adopted): MeasuredEach {
    const { factor, xNorm } = this.#pull(point, adopt);
    const each = new Float64Array(this.S.length);
    for (const j of this.#places) each[j] = this.#h(j, point, factor);
    const whole = this.#whole?.measure(point, adopt);
    const own = whole?.own ?? [each.reduce((sum, h) => sum + h, 0)];
    return { own, h: whole?.h ?? own, xNorm, each };
  }

  #pull({ g, x, ahead, lambda }: Point, adopt: Adopted): { factor: number; xNorm: number } {
    const { form, eps } = this.#tuner;
    const round = this.#round;
    const weight = lambda * (adopt.gNorm ?? norm(g));
    const xNorm = adopt.xNorm ?? norm(within(this.#running, form === "mechanic" ? ahead : x));
    if (form === "mechanic") return { factor: round(weight / (xNorm + eps)), xNorm };
    return { factor: round(form === "superlevel" && xNorm === 0 ? 0 : weight / xNorm), xNorm };
  }

  #h(j: number, { g, ahead, delta }: Point, factor: number): number {
    const round = this.#round;
    const { form } = this.#tuner;
    const slope = round(delta[j] * g[j]);
    if (form === "equations" || form === "algorithm1") return round(slope + factor);
    const at = form === "mechanic" ? ahead[j] : delta[j];
    return round(slope + round(round(factor * this.S[j]) * round(delta[j] * at)));
  }

  /** (27)-(32), and no S beyond its limits. */
  advance(measured: Measured, point: Point, drive: Drive, adopt: Adopted): Limited {
    const round = this.#round;
    const { each } = measured as MeasuredEach;
    const limited = this.#whole?.advance(measured, point, drive, adopt);
    let byGrowth = limited?.byGrowth ?? false;
    const growth = round(drive.growth * this.#decays.length);
    for (const j of this.#places) {
      const S = this.#tune(j, each[j], drive);
      const most = round(growth * this.#share[j]);
      if (most < S) byGrowth = true;
      this.S[j] = this.#bounded(most < S ? most : S);
    }
    return { byPace: false, byPromise: false, ...limited, byGrowth };
  }

  /** Within `spread` times the S of all. */
  #bounded(scale: number): number {
    const { spread } = this.#tuner;
    if (!this.#whole || spread === null) return scale;
    const [{ S }] = this.#whole.tuners;
    return Math.min(Math.max(scale, this.#round(S / spread)), this.#round(S * spread));
  }

  #tune(j: number, h: number, { mode: { ownFloor, rewardLimit } }: Drive): number {
    const { form, eps } = this.#tuner;
    const round = this.#round;
    const literal = form === "equations" || form === "algorithm1";
    const floor = form === "superlevel" ? round(eps) : 0;
    const share = this.#share[j];
    let S = 0;
    this.#tuners[j].forEach((tuner, k) => {
      const [keepM, keepV, keepR] = this.#decays[k];
      const limit = form === "superlevel" ? round(rewardLimit * tuner.m) : Infinity;
      const reward = Math.min(Math.max(h, -limit), limit);
      tuner.m = Math.max(round(keepM * tuner.m), literal ? h : round(Math.abs(h) + floor)); // (27)
      tuner.v = round(round(keepV * tuner.v) + round(h * h)); // (28)
      const scale = literal ? tuner.sBefore : tuner.s;
      tuner.r = Math.max(0, round(round(keepR * tuner.r) - round(scale * reward))); // (29), (30)
      const W = ownFloor ? tuner.r : round(round(share * tuner.m) + tuner.r); // (31)
      const root =
        form === "algorithm1" ? round(Math.sqrt(round(tuner.v + round(eps)))) : round(Math.sqrt(tuner.v));
      tuner.sBefore = tuner.s;
      tuner.s = round(W / (form === "algorithm1" ? root : round(root + round(eps)))); // (32)
      if (ownFloor) tuner.s = round(tuner.s + share);
      S = round(S + tuner.s);
    });
    return S;
  }
}

/** From Delta and g to S, at the granularity asked for; null without a tuner. */
export function scalingOf(
  { tuner, sStart }: ReferenceOptions,
  size: number,
  tensors: readonly Range[],
  round: Round,
): Scaling | null {
  if (!tuner) return null;
  if (tuner.granularity === "parameter") return new Coordinates(tuner, size, tensors, round);
  const groups = tuner.granularity === "tensor" ? tensors.map((tensor) => [tensor]) : [tensors];
  return new Groups(tuner, size, groups, sStart);
}
